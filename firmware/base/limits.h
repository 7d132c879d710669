/*
 * limits.h - every budget of the firmware in one place. Static asserts beside the users sum the worst phase.
 */
#ifndef JOINBOOT_BASE_LIMITS_H
#define JOINBOOT_BASE_LIMITS_H

enum {
    LIMIT_BUNDLE = 128 * 1024, /* bytes of a signed bundle */
    LIMIT_YAML = 64 * 1024,    /* bytes of one YAML stream */
    LIMIT_YAML_DEPTH = 16,
    LIMIT_YAML_EVENTS = 5000,
    LIMIT_YAML_HEAP = 160 * 1024,   /* libyaml's own buffers, reset after each stream */
    LIMIT_ARENA = 768 * 1024,       /* documents of one boot */
    LIMIT_ANSWER = 96 * 1024,       /* one answer of the API server */
    LIMIT_CRYPTO_HEAP = 160 * 1024, /* mbedTLS, two connections at once */
    LIMIT_SITE = 32 * 1024,         /* site configuration */
    LIMIT_FILE = 64 * 1024,         /* one rendered file */
    LIMIT_COURIER = 32 * 1024,      /* a bundle that a BMC keeps for its host */
    LIMIT_JOURNAL_LINE = 512,
    LIMIT_SYSLOG = 8 * 1024, /* lines that wait for the network */
    LIMIT_TURN_MS = 100
};

#endif
