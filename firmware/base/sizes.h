/*
 * sizes.h - the budgets of a machine that has an operating system, in bytes unless it says otherwise. Macros, because lwIP's configuration
 * compares some of them.
 */
#ifndef JOINBOOT_BASE_SIZES_H
#define JOINBOOT_BASE_SIZES_H

#define LIMIT_BUNDLE      (128 * 1024) /* a signed bundle */
#define LIMIT_YAML        (64 * 1024)  /* one YAML stream */
#define LIMIT_YAML_HEAP   (160 * 1024) /* libyaml's own buffers, reset after each stream */
#define LIMIT_ARENA       (804 * 1024) /* documents of one boot, connections */
#define LIMIT_ANSWER      (96 * 1024)  /* one answer of the API server */
#define LIMIT_TLS_OUT     4096         /* TLS: what one record of ours holds */
#define LIMIT_TLS_IN      4096         /* TLS: what is taken from the network at once */
#define LIMIT_CRYPTO_HEAP (160 * 1024) /* mbedTLS, two connections at once */
#define LIMIT_SITE        (32 * 1024)  /* site configuration */
#define LIMIT_ROOTS       (16 * 1024)  /* certificates that it trusts */
#define LIMIT_FILE        (64 * 1024)  /* one rendered file */
#define LIMIT_SYSLOG      (8 * 1024)   /* lines that wait for the network */

#define LIMIT_NET_HEAP    (40 * 1024) /* lwIP: what is being sent */
#define LIMIT_NET_FRAMES  48          /* lwIP: received frames that are held at once */
#define LIMIT_TCP_WINDOW  8           /* segments that a peer may send ahead */

#endif
