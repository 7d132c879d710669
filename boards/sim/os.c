/*
 * os.c - see os.h.
 */
#include "boards/sim/os.h"

#include <stdio.h>
#include <unistd.h>

#include "firmware/agent/handoff.h"

void os_power_on(struct os *o)
{
    memset(o->sysctls, 0, sizeof(o->sysctls));
    memset(&o->net, 0, sizeof(o->net));
    memset(o->hostname, 0, sizeof(o->hostname));
    memset(o->services, 0, sizeof(o->services));
    o->sysctl_count = 0;
    o->net_applied = false;
    o->net_applies = 0;
    o->clock_s = 0;
    o->stop = false;
    o->switched = false;
}

const struct os_file *os_find(const struct os *o, const char *path)
{
    for (unsigned i = 0; i < OS_FILES_MAX; i++) {
        if (path[0] && strcmp(o->files[i].path, path) == 0)
            return &o->files[i];
    }
    return NULL;
}

static struct os_file *place_for(struct os *o, const char *path)
{
    struct os_file *free_place = NULL;

    for (unsigned i = 0; i < OS_FILES_MAX; i++) {
        if (strcmp(o->files[i].path, path) == 0)
            return &o->files[i];
        if (!o->files[i].path[0] && !free_place)
            free_place = &o->files[i];
    }
    return free_place;
}

static enum err write_file(void *ctx, const char *path, unsigned mode, struct span data, struct fault *f)
{
    struct os *o = ctx;
    struct os_file *file = place_for(o, path);

    if (o->refuse_files || !file || data.n > OS_FILE_MAX)
        return fault_set(f, ERR_FILE, "%s", path);
    snprintf(file->path, sizeof(file->path), "%s", path);
    file->mode = mode;
    file->n = data.n;
    memcpy(file->bytes, data.p, data.n);
    return OK;
}

static enum err read_file(void *ctx, const char *path, uint8_t *ret, size_t cap, size_t *ret_n)
{
    const struct os_file *file = os_find(ctx, path);

    if (!file)
        return ERR_STORE_EMPTY;
    if (file->n > cap)
        return ERR_LIMIT;
    memcpy(ret, file->bytes, file->n);
    *ret_n = file->n;
    return OK;
}

static enum err remove_file(void *ctx, const char *path, bool secret, struct fault *f)
{
    struct os *o = ctx;

    (void)secret;
    if (o->refuse_files)
        return fault_set(f, ERR_FILE, "%s", path);
    if (os_find(o, path))
        memset(place_for(o, path), 0, sizeof(struct os_file));
    return OK;
}

static bool exists(void *ctx, const char *path)
{
    return os_find(ctx, path) != NULL;
}

static enum err sysctl_get(void *ctx, const char *key, char *ret, size_t cap)
{
    const struct os *o = ctx;

    for (unsigned i = 0; i < o->sysctl_count; i++) {
        if (strcmp(o->sysctls[i].key, key) == 0)
            return snprintf(ret, cap, "%s", o->sysctls[i].value) < (int)cap ? OK : ERR_HANDOFF;
    }
    return ERR_HANDOFF;
}

static enum err sysctl_set(void *ctx, const char *key, const char *value, struct fault *f)
{
    struct os *o = ctx;
    unsigned i = 0;

    while (i < o->sysctl_count && strcmp(o->sysctls[i].key, key) != 0)
        i++;
    if (i == OS_SYSCTLS_MAX)
        return fault_set(f, ERR_HANDOFF, "%s", key);
    if (i == o->sysctl_count)
        o->sysctl_count++;
    snprintf(o->sysctls[i].key, sizeof(o->sysctls[i].key), "%s", key);
    snprintf(o->sysctls[i].value, sizeof(o->sysctls[i].value), "%s", value);
    return OK;
}

static enum err net_apply(void *ctx, const struct host_net *net, struct fault *f)
{
    struct os *o = ctx;

    o->net_applies++;
    if (o->refuse_network)
        return fault_set(f, ERR_HANDOFF, "the kernel says no");
    o->net = *net;
    o->net_applied = true;
    return OK;
}

static void net_release(void *ctx, unsigned nic)
{
    struct os *o = ctx;

    (void)nic;
    o->net_applied = false;
}

static enum err hostname_set(void *ctx, const char *name, struct fault *f)
{
    struct os *o = ctx;

    (void)f;
    snprintf(o->hostname, sizeof(o->hostname), "%s", name);
    return OK;
}

static enum err hostname_get(void *ctx, char *ret, size_t cap)
{
    const struct os *o = ctx;

    return snprintf(ret, cap, "%s", o->hostname) < (int)cap ? OK : ERR_LIMIT;
}

static enum err clock_set(void *ctx, int64_t unix_s, struct fault *f)
{
    struct os *o = ctx;

    (void)f;
    o->clock_s = unix_s;
    return OK;
}

static bool swap_on(void *ctx)
{
    return ((const struct os *)ctx)->swap;
}

static bool resolved_active(void *ctx)
{
    return ((const struct os *)ctx)->resolved;
}

static enum host_answer unix_answers(void *ctx, const char *path)
{
    (void)path;
    return ((const struct os *)ctx)->cri_silent ? HOST_NO : HOST_YES;
}

static enum host_answer port_free(void *ctx, uint16_t port)
{
    (void)port;
    return ((const struct os *)ctx)->port_taken ? HOST_NO : HOST_YES;
}

static enum host_answer http_ok(void *ctx, const struct ip *addr, uint16_t port, const char *path)
{
    struct os *o = ctx;

    (void)path;
    o->asked = *addr;
    o->asked_port = port;
    return o->services[HOST_KUBELET].wanted && !o->sick ? HOST_YES : HOST_NO;
}

static enum err service_start(void *ctx, enum host_service which, const char *const *argv, struct fault *f)
{
    struct os *o = ctx;
    struct os_service *s = &o->services[which];
    struct buf b = {.p = (uint8_t *)s->argv, .cap = sizeof(s->argv) - 1};

    if (s->wanted)
        return OK;
    memset(s, 0, sizeof(*s));
    for (unsigned i = 0; argv[i]; i++)
        buf_fmt(&b, "%s%s", i ? " " : "", argv[i]);
    if (b.overflow)
        return fault_set(f, ERR_SPAWN, "too many arguments");
    s->wanted = true;
    s->since_ms = o->now_ms;
    s->status =
        (struct host_service_status){.state = HOST_SERVICE_RUNNING, .pid = 100 + (int)which, .starts = 1};
    return OK;
}

static void service_stop(void *ctx, enum host_service which)
{
    struct os *o = ctx;

    o->services[which].wanted = false;
    o->services[which].status.state = HOST_SERVICE_STOPPED;
}

static void service_status(void *ctx, enum host_service which, struct host_service_status *ret)
{
    const struct os *o = ctx;

    *ret = o->services[which].status;
    ret->running_ms = o->now_ms - o->services[which].since_ms;
}

static void service_output(void *ctx, enum host_service which, unsigned lines, struct buf *ret)
{
    const struct os *o = ctx;

    (void)lines;
    if (which == HOST_KUBELET)
        buf_str(ret, o->kubelet_output);
    if (which == HOST_JOB && strstr(o->services[HOST_JOB].argv, "kubelet --version"))
        buf_str(ret, o->kubelet_version[0] ? o->kubelet_version : "Kubernetes v1.36.2\n");
}

/* What kubeadm join and init leave for kubelet, all at once. */
static bool write_like_kubeadm(struct os *o)
{
    struct span ca = span_of(o->kubeadm_ca.bytes, o->kubeadm_ca.n);

    return write_file(o, "/etc/kubernetes/pki/ca.crt", 0644, ca, NULL) == OK &&
           write_file(o, "/var/lib/kubelet/config.yaml", 0644, SPAN_LIT("config"), NULL) == OK &&
           write_file(o, "/var/lib/kubelet/kubeadm-flags.env", 0644, SPAN_LIT("KUBELET_KUBEADM_ARGS=\"\"\n"),
                      NULL) == OK &&
           write_file(o, HANDOFF_BOOTSTRAP_CONF, 0600, SPAN_LIT("token"), NULL) == OK &&
           write_file(o, "/etc/kubernetes/manifests/kube-apiserver.yaml", 0600, SPAN_LIT("pod"), NULL) ==
               OK &&
           (!o->kubeadm_etcd || write_file(o, "/var/lib/etcd/member", 0600, SPAN_LIT("data"), NULL) == OK);
}

static enum err job_start(void *ctx, const char *const *argv, struct fault *f)
{
    struct os *o = ctx;

    o->services[HOST_JOB].wanted = false;
    o->wiping = NULL;
    o->said = 0;
    if (span_ends(span_str(argv[0]), "/kubeadm") && !write_like_kubeadm(o))
        return fault_set(f, ERR_SPAWN, "no room for files");
    return service_start(o, HOST_JOB, argv, f);
}

static enum err job_wipe(void *ctx, const char *const *folders, struct fault *f)
{
    static const char *const argv[] = {"wipe", NULL};
    struct os *o = ctx;
    struct buf b = BUF_OF(o->wipe_mem);
    enum err e = job_start(o, argv, f);

    for (unsigned i = 0; folders[i]; i++) {
        buf_str(&b, folders[i]);
        buf_u8(&b, 0);
    }
    buf_u8(&b, 0);
    o->wiping = o->wipe_mem;
    return e;
}

static void wipe_now(struct os *o)
{
    for (const char *folder = o->wiping; folder && *folder; folder += strlen(folder) + 1) {
        for (unsigned i = 0; i < OS_FILES_MAX; i++) {
            if (span_starts(span_str(o->files[i].path), folder))
                memset(&o->files[i], 0, sizeof(o->files[i]));
        }
    }
    o->wiping = NULL;
}

static enum host_answer job_result(void *ctx)
{
    struct os *o = ctx;
    struct os_service *job = &o->services[HOST_JOB];
    int status = strstr(job->argv, "kubelet --version") ? 0 : o->job_status;

    if (job->wanted && o->now_ms - job->since_ms < o->job_ms)
        return HOST_BUSY;
    if (job->wanted && status == 0)
        wipe_now(o);
    if (job->wanted)
        job->status = (struct host_service_status){.state = HOST_SERVICE_STOPPED, .last_exit = status};
    job->wanted = false;
    return job->status.starts == 0 && job->since_ms && job->status.last_exit == 0 ? HOST_YES : HOST_NO;
}

static void job_read(void *ctx, struct buf *ret)
{
    struct os *o = ctx;

    if (span_ends(span_sub(span_str(o->services[HOST_JOB].argv), 0, 16), "/kubeadm") && o->kubeadm_says &&
        !o->said)
        buf_str(ret, o->kubeadm_says);
    o->said = 1;
}

static enum err file_name(void *ctx, const char *folder, unsigned n, char *ret, size_t cap)
{
    const struct os *o = ctx;
    size_t head = strlen(folder);

    for (unsigned i = 0; i < OS_FILES_MAX; i++) {
        const char *path = o->files[i].path;
        if (span_starts(span_str(path), folder) && path[head] == '/' && n-- == 0)
            return span_to_cstr(span_str(path + head + 1), ret, cap);
    }
    return ERR_STORE_EMPTY;
}

/* kubelet's TLS bootstrap: with the bootstrap file it gets a certificate after a while. */
static bool poll_host(void *ctx, uint64_t now_ms, uint64_t *ret_wake_ms, bool *ret_reboot)
{
    struct os *o = ctx;
    const struct os_service *k = &o->services[HOST_KUBELET];
    uint64_t joins_ms = k->since_ms + o->kubelet_joins_ms;
    struct span pem;

    o->now_ms = now_ms;
    *ret_wake_ms = UINT64_MAX;
    *ret_reboot = false;
    if (!k->wanted || !o->kubelet_joins_ms || !os_find(o, HANDOFF_BOOTSTRAP_CONF) ||
        (os_find(o, HANDOFF_KUBELET_PEM) && os_find(o, HANDOFF_KUBELET_CONF)))
        return o->stop;
    if (now_ms < joins_ms) {
        *ret_wake_ms = joins_ms;
        return o->stop;
    }
    pem = o->kubelet_pem.n ? span_of(o->kubelet_pem.bytes, o->kubelet_pem.n) : SPAN_LIT("certificate");
    if (write_file(o, HANDOFF_KUBELET_PEM, 0600, pem, NULL) != OK ||
        write_file(o, HANDOFF_KUBELET_CONF, 0600, SPAN_LIT("kubeconfig"), NULL) != OK)
        o->sick = true;
    return o->stop;
}

static enum err root_step(void *ctx, const struct host_root *want, enum host_answer *ret, struct fault *f)
{
    struct os *o = ctx;

    if (o->foreign_state && !want->may_format)
        return fault_set(f, ERR_STATE_FOREIGN, "somebody else's");
    o->foreign_state = false;
    *ret = HOST_YES;
    return OK;
}

static enum host_answer target_is(void *ctx, const char *spec, struct fault *f)
{
    const struct os *o = ctx;

    if (o->target && strcmp(o->target, spec) == 0)
        return HOST_YES;
    fault_set(f, ERR_TARGET_OTHER, "%s", spec);
    return HOST_NO;
}

static enum err copy_self(void *ctx, const char *path, struct fault *f)
{
    return write_file(ctx, path, 0755, SPAN_LIT("joinboot"), f);
}

/* Nothing of the agent is left: this process ends as one that becomes another program. */
static enum err target_switch(void *ctx, struct fault *f)
{
    struct os *o = ctx;

    (void)f;
    o->switched = true;
    _exit(0);
}

struct host os_host(struct os *o)
{
    return (struct host){
        .ctx = o,
        .pid1 = o->pid1,
        .root_step = root_step,
        .write_file = write_file,
        .read_file = read_file,
        .remove_file = remove_file,
        .exists = exists,
        .sysctl_set = sysctl_set,
        .sysctl_get = sysctl_get,
        .net_apply = net_apply,
        .net_release = net_release,
        .hostname_set = hostname_set,
        .hostname_get = hostname_get,
        .clock_set = clock_set,
        .swap_on = swap_on,
        .resolved_active = resolved_active,
        .unix_answers = unix_answers,
        .port_free = port_free,
        .http_ok = http_ok,
        .service_start = service_start,
        .service_stop = service_stop,
        .service_status = service_status,
        .service_output = service_output,
        .job_start = job_start,
        .job_read = job_read,
        .job_result = job_result,
        .job_wipe = job_wipe,
        .file_name = file_name,
        .poll = poll_host,
        .target_is = target_is,
        .copy_self = copy_self,
        .target_switch = target_switch,
    };
}
