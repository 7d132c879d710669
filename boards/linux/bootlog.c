/*
 * bootlog.c - see bootlog.h.
 */
#include "boards/linux/bootlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/sysfile.h"

void bootlog_init(struct bootlog *b)
{
    b->fd = -1;
    b->started = false;
    b->n = 0;
    b->written = 0;
    logfile_init(&b->rest);
}

static void put(struct bootlog *b, struct span text)
{
    while (text.n > 0) {
        ssize_t got = write(b->fd, text.p, text.n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        b->written += (uint64_t)got;
        text = span_sub(text, (size_t)got, text.n - (size_t)got);
    }
}

void bootlog_put(struct bootlog *b, struct span text)
{
    if (!b->started) {
        text = span_sub(text, 0, BOOTLOG_EARLY - b->n);
        memcpy(b->early + b->n, text.p, text.n);
        b->n += text.n;
    } else if (b->fd >= 0 && b->written + text.n <= BOOTLOG_MAX) {
        put(b, text);
    } else if (b->fd >= 0) {
        put(b, SPAN_LIT("joinboot: this file is full, the journal goes on in agent.log\n"));
        bootlog_stop(b);
        logfile_open(&b->rest, b->rest_path, 0);
        logfile_write(&b->rest, text);
    } else {
        logfile_write(&b->rest, text);
    }
}

void bootlog_start(struct bootlog *b, const char *folder)
{
    char from[SYSFILE_PATH], to[SYSFILE_PATH];

    (void)mkdir(folder, 0755);
    for (unsigned i = BOOTLOG_BOOTS - 1; i > 0; i--)
        (void)rename(sysfile_path(from, "%s/boot.%u", folder, i - 1),
                     sysfile_path(to, "%s/boot.%u", folder, i));
    b->started = true;
    b->written = 0;
    b->fd = open(sysfile_path(to, "%s/boot.0", folder),
                 O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0640);
    if (b->fd >= 0)
        put(b, span_of(b->early, b->n));
    sysfile_path(to, "%s/agent.log", folder);
    if (span_to_cstr(span_str(to), b->rest_path, sizeof(b->rest_path)))
        b->rest_path[0] = 0;
}

void bootlog_stop(struct bootlog *b)
{
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
    logfile_close(&b->rest);
}
