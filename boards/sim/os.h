/*
 * os.h - the operating system of a simulated machine (firmware/agent/host.h): files in memory, settings in a table, services that are flags.
 *
 * It lies in memory that scheduler and node share, so that files survive a boot and a test can look at everything while the node sleeps.
 */
#ifndef JOINBOOT_BOARDS_SIM_OS_H
#define JOINBOOT_BOARDS_SIM_OS_H

#include "firmware/agent/host.h"

enum { OS_FILES_MAX = 16, OS_FILE_MAX = 64 * 1024, OS_SYSCTLS_MAX = 8, OS_OUTPUT_MAX = 512 };

struct os_file {
    char path[256]; /* empty: a free place */
    unsigned mode;
    size_t n;
    uint8_t bytes[OS_FILE_MAX];
};

struct os_sysctl {
    char key[64], value[16];
};

struct os_service {
    bool wanted;
    struct host_service_status status;
    char argv[2048]; /* separated by spaces */
    uint64_t since_ms;
};

struct os {
    /* what a test sets */
    bool pid1;
    bool swap, resolved, port_taken, cri_silent, sick; /* sick: healthz does not answer ok */
    bool refuse_files, refuse_network;                 /* write_file, net_apply fail */
    bool stop;                                         /* somebody pressed the button */
    uint32_t kubelet_joins_ms; /* kubelet has its certificate after this time; 0: never */
    char kubelet_output[OS_OUTPUT_MAX];
    /* what the agent made */
    struct os_file files[OS_FILES_MAX];
    struct os_sysctl sysctls[OS_SYSCTLS_MAX];
    unsigned sysctl_count;
    struct host_net net;
    bool net_applied;
    unsigned net_applies;
    char hostname[254];
    int64_t clock_s;
    struct os_service services[HOST_SERVICES];
    uint64_t now_ms;
};

/* What a power cycle resets: all but files and what a test set. */
void os_power_on(struct os *o);
const struct os_file *os_find(const struct os *o, const char *path);
/* A host on this operating system. */
struct host os_host(struct os *o);

#endif
