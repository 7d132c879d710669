/*
 * os.h - the operating system of a simulated machine (firmware/agent/host.h): files in memory, settings in a table, services that are flags.
 *
 * It lies in memory that scheduler and node share, so that files survive a boot and a test can look at everything while the node sleeps.
 */
#ifndef JOINBOOT_BOARDS_SIM_OS_H
#define JOINBOOT_BOARDS_SIM_OS_H

#include "firmware/agent/host.h"

enum { OS_FILES_MAX = 24, OS_FILE_MAX = 64 * 1024, OS_SYSCTLS_MAX = 8, OS_OUTPUT_MAX = 512 };

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
    bool
        foreign_state; /* what lasts would lie on a partition that holds something else, until that is formatted */
    bool stop;         /* somebody pressed the button */
    uint32_t job_ms;           /* how long a job takes */
    char kubelet_version[64];  /* what `kubelet --version` prints; empty: a good one */
    const char *kubeadm_says;  /* what kubeadm prints; NULL: nothing */
    bool kubeadm_etcd;         /* kubeadm comes as far as etcd's data */
    int job_status;            /* how jobs end, but `kubelet --version` */
    uint32_t kubelet_joins_ms; /* kubelet has its certificate after this time; 0: never */
    struct os_pem {
        size_t n;
        uint8_t bytes[4096];
    } kubelet_pem, kubeadm_ca; /* the certificate that kubelet gets; empty: something that is none */
    char kubelet_output[OS_OUTPUT_MAX];
    const char *target; /* spec of the one installed system that could take over; NULL: there is none */
    /* what the agent made */
    struct os_file files[OS_FILES_MAX];
    struct os_sysctl sysctls[OS_SYSCTLS_MAX];
    unsigned sysctl_count;
    struct host_net net;
    bool net_applied, switched; /* switched: the installed system's init runs, and the agent no more */
    unsigned net_applies;
    char hostname[254];
    int64_t clock_s;
    struct os_service services[HOST_SERVICES];
    int said;           /* the job's output was read */
    const char *wiping; /* of the job under way: folders that it wipes, each with its zero; NULL: none */
    char wipe_mem[512];
    uint64_t now_ms;
    struct ip asked; /* by http_ok */
    uint16_t asked_port;
};

/* What a power cycle resets: all but files and what a test set. */
void os_power_on(struct os *o);
const struct os_file *os_find(const struct os *o, const char *path);
/* A host on this operating system. */
struct host os_host(struct os *o);

#endif
