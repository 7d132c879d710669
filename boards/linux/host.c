/*
 * host.c - struct host on Linux: each operation hands over to the file that does it.
 */
#include <errno.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/files.h"
#include "boards/linux/sysctl.h"
#include "boards/linux/sysfile.h"
#include "boards/linux/system.h"
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

static enum host_answer op_http_ok(void *ctx, uint16_t port, const char *path)
{
    struct system *s = ctx;

    return probe_http(&s->probe, port, path, clock_now_ms());
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

static bool op_poll(void *ctx, uint64_t now_ms, uint64_t *ret_wake_ms, bool *ret_reboot)
{
    return system_poll(ctx, now_ms, ret_wake_ms, ret_reboot);
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
        .poll = op_poll,
    };
}
