/*
 * host.c - struct host on Linux: each operation hands over to the file that does it.
 */
#include <errno.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/files.h"
#include "boards/linux/installed.h"
#include "boards/linux/ksock.h"
#include "boards/linux/sysctl.h"
#include "boards/linux/sysfile.h"
#include "boards/linux/system.h"
#include "boards/linux/statefs.h"
#include "firmware/base/text.h"

static enum err op_write_file(void *ctx, const char *path, unsigned mode, struct span data, struct fault *f)
{
    (void)ctx;
    return files_write(path, mode, data, f);
}

static enum err op_read_file(void *ctx, const char *path, uint8_t *ret, size_t cap, size_t *ret_n)
{
    (void)ctx;
    return files_read(path, ret, cap, ret_n);
}

static enum err op_remove_file(void *ctx, const char *path, bool secret, struct fault *f)
{
    (void)ctx;
    return files_remove(path, secret, f);
}

static bool op_exists(void *ctx, const char *path)
{
    (void)ctx;
    return sysfile_exists(path);
}

static enum err op_sysctl_set(void *ctx, const char *key, const char *value, struct fault *f)
{
    (void)ctx;
    return sysctl_set(key, value, f);
}

static enum err op_sysctl_get(void *ctx, const char *key, char *ret, size_t cap)
{
    (void)ctx;
    return sysctl_get(key, ret, cap);
}

static enum err op_net_apply(void *ctx, const struct host_net *net, struct fault *f)
{
    struct system *s = ctx;

    return hostnet_apply(&s->net, &s->nics, net, f);
}

static void op_net_release(void *ctx, unsigned nic)
{
    struct system *s = ctx;

    hostnet_release(&s->net, &s->nics, nic);
}

static enum err op_hostname_set(void *ctx, const char *name, struct fault *f)
{
    char line[80], now[80];
    struct buf b = BUF_OF(line);

    (void)ctx;
    if (!text_is_hostname(span_str(name)) || strlen(name) > 64)
        return fault_set(f, ERR_HANDOFF, "%s cannot be a host name", name);
    if ((gethostname(now, sizeof(now)) != 0 || strcmp(now, name) != 0) &&
        sethostname(name, strlen(name)) != 0)
        return fault_set(f, ERR_HANDOFF, "host name %s: %s", name, files_reason(errno));
    if (sysfile_text("/etc/hostname", now, sizeof(now)) && strcmp(now, name) == 0)
        return OK;
    buf_fmt(&b, "%s\n", name);
    return files_write("/etc/hostname", 0644, buf_span(&b), f);
}

static enum err op_hostname_get(void *ctx, char *ret, size_t cap)
{
    char name[65];

    (void)ctx;
    if (gethostname(name, sizeof(name)) != 0)
        return ERR_IO;
    return span_to_cstr(span_str(name), ret, cap);
}

static enum err op_clock_set(void *ctx, int64_t unix_s, struct fault *f)
{
    (void)ctx;
    return clock_set(unix_s, f);
}

static bool op_swap_on(void *ctx)
{
    (void)ctx;
    return probe_swap_on();
}

static bool op_resolved_active(void *ctx)
{
    (void)ctx;
    return probe_resolved_active();
}

static enum host_answer op_unix_answers(void *ctx, const char *path)
{
    (void)ctx;
    return probe_unix(path);
}

static enum host_answer op_port_free(void *ctx, uint16_t port)
{
    (void)ctx;
    return probe_port_free(port);
}

static enum host_answer op_http_ok(void *ctx, const struct ip *addr, uint16_t port, const char *path)
{
    struct system *s = ctx;

    return probe_http(&s->probe, addr, port, path, clock_now_ms());
}

static enum err op_service_start(void *ctx, enum host_service which, const char *const *argv, struct fault *f)
{
    struct system *s = ctx;

    return service_start(&s->services[which], argv, clock_now_ms(), f);
}

static void op_service_stop(void *ctx, enum host_service which)
{
    struct system *s = ctx;

    service_stop(&s->services[which], clock_now_ms());
}

static void op_service_status(void *ctx, enum host_service which, struct host_service_status *ret)
{
    const struct system *s = ctx;

    service_status(&s->services[which], clock_now_ms(), ret);
}

static void op_service_output(void *ctx, enum host_service which, unsigned lines, struct buf *ret)
{
    const struct system *s = ctx;

    service_output(&s->services[which], lines, ret);
}

static enum err op_root_step(void *ctx, const struct host_root *want, enum host_answer *ret, struct fault *f)
{
    return system_root_step(ctx, want, ret, f);
}

static enum err op_job_start(void *ctx, const char *const *argv, struct fault *f)
{
    struct system *s = ctx;

    return service_run_job(&s->services[HOST_JOB], NULL, NULL, argv, clock_now_ms(), f);
}

static enum err op_job_wipe(void *ctx, const char *const *folders, struct fault *f)
{
    struct system *s = ctx;

    return service_run_job(&s->services[HOST_JOB], statefs_wipe, NULL, folders, clock_now_ms(), f);
}

static void op_job_read(void *ctx, struct buf *ret)
{
    struct system *s = ctx;

    service_job_read(&s->services[HOST_JOB], ret);
}

static enum host_answer op_job_result(void *ctx)
{
    const struct system *s = ctx;

    return service_job_result(&s->services[HOST_JOB]);
}

static enum err op_file_name(void *ctx, const char *folder, unsigned n, char *ret, size_t cap)
{
    (void)ctx;
    return files_name(folder, n, ret, cap);
}

static bool op_poll(void *ctx, uint64_t now_ms, uint64_t *ret_wake_ms, bool *ret_reboot)
{
    return system_poll(ctx, now_ms, ret_wake_ms, ret_reboot);
}

static enum err op_keep_open(void *ctx, unsigned nic, unsigned families, struct fault *f)
{
    struct system *s = ctx;

    return keep_open(&s->keep, &s->nics, nic, families, f);
}

static void op_keep_close(void *ctx)
{
    struct system *s = ctx;

    keep_close(&s->keep);
}

static bool op_keep_recv(void *ctx, struct host_kept_message *ret)
{
    struct system *s = ctx;

    return keep_recv(&s->keep, clock_now_ms(), ret);
}

static void op_keep_send(void *ctx, const struct ip *from, const struct ip *to, struct span message)
{
    struct system *s = ctx;

    keep_send(&s->keep, from, to, message);
}

static enum err op_addr_lifetime(void *ctx, unsigned nic, const struct ip_prefix *addr, uint32_t valid_s,
                                 uint32_t preferred_s, struct fault *f)
{
    struct system *s = ctx;

    return hostnet_lifetime(&s->nics, nic, addr, valid_s, preferred_s, f);
}

static enum host_answer op_target_is(void *ctx, const char *spec, struct fault *f)
{
    return installed_is(ctx, spec, f);
}

static enum err op_copy_self(void *ctx, const char *path, struct fault *f)
{
    (void)ctx;
    return installed_copy_self(path, f);
}

static enum err op_target_switch(void *ctx, struct fault *f)
{
    return installed_switch(ctx, f);
}

void system_fill_host(struct system *s)
{
    s->host = (struct host){
        .ctx = s,
        .pid1 = s->pid1,
        .write_file = op_write_file,
        .read_file = op_read_file,
        .remove_file = op_remove_file,
        .exists = op_exists,
        .sysctl_set = op_sysctl_set,
        .sysctl_get = op_sysctl_get,
        .net_apply = op_net_apply,
        .net_release = op_net_release,
        .hostname_set = op_hostname_set,
        .hostname_get = op_hostname_get,
        .clock_set = op_clock_set,
        .swap_on = op_swap_on,
        .resolved_active = op_resolved_active,
        .unix_answers = op_unix_answers,
        .port_free = op_port_free,
        .http_ok = op_http_ok,
        .service_start = op_service_start,
        .service_stop = op_service_stop,
        .service_status = op_service_status,
        .service_output = op_service_output,
        .root_step = op_root_step,
        .job_start = op_job_start,
        .job_read = op_job_read,
        .job_result = op_job_result,
        .job_wipe = op_job_wipe,
        .file_name = op_file_name,
        .poll = op_poll,
        .target_is = op_target_is,
        .copy_self = op_copy_self,
        .target_switch = op_target_switch,
        .keep_open = op_keep_open,
        .keep_close = op_keep_close,
        .keep_recv = op_keep_recv,
        .keep_send = op_keep_send,
        .addr_lifetime = op_addr_lifetime,
        .datagrams = &ksock_datagrams,
    };
}
