/*
 * file.c - reading and writing files: read whole with a limit, create without overwriting, replace by rename.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/joinctl/tool.h"

const char *tool_file_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "stdin" : file;
}

int tool_io(const char *file, const char *what)
{
    (void)fprintf(stderr, "%s: %s: %s\n", tool_file_name(file), what, strerror(errno));
    return TOOL_USAGE;
}

/* Reads to the end or to `cap` bytes. False with errno. */
static bool read_all(int fd, uint8_t *p, size_t cap, size_t *ret_n)
{
    size_t n = 0;
    while (n < cap) {
        ssize_t got = read(fd, p + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    *ret_n = n;
    return true;
}

bool tool_read(struct tool *t, const char *file, size_t max, struct span *ret)
{
    bool is_stdin = strcmp(file, "-") == 0;
    if (is_stdin && t->stdin_used) {
        (void)tool_usage(t, "stdin can be only one of the files");
        return false;
    }
    t->stdin_used = t->stdin_used || is_stdin;
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        (void)tool_io(file, "cannot be opened");
        return false;
    }
    uint8_t *p = arena_take(&t->arena, max + 1);
    size_t n = 0;
    bool good = p && read_all(fd, p, max + 1, &n);
    if (!p)
        errno = ENOMEM;
    if (!good)
        (void)tool_io(file, "cannot be read");
    if (!is_stdin)
        (void)close(fd);
    if (good)
        *ret = span_of(p, n);
    return good;
}

static bool write_all(int fd, struct span data)
{
    while (data.n > 0) {
        ssize_t n = write(fd, data.p, data.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data = span_sub(data, (size_t)n, data.n);
    }
    return true;
}

int tool_create(const char *file, unsigned mode, struct span data)
{
    /* O_EXCL: a key that exists is never overwritten, and no link is followed. */
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0)
        return tool_io(file, "cannot be created");
    bool good = fchmod(fd, (mode_t)mode) == 0 && write_all(fd, data) && fsync(fd) == 0;
    if (!good)
        (void)tool_io(file, "cannot be written");
    if (close(fd) != 0 && good) {
        (void)tool_io(file, "cannot be written");
        good = false;
    }
    if (!good)
        (void)unlink(file);
    return good ? TOOL_YES : TOOL_USAGE;
}

int tool_replace(const char *file, unsigned mode, struct span data)
{
    char temporary[TOOL_PATH_MAX];
    if (strcmp(file, "-") == 0) {
        if (fwrite(data.p, 1, data.n, stdout) != data.n)
            return tool_io("stdout", "cannot be written");
        return tool_end();
    }
    int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", file);
    if (n < 0 || (size_t)n >= sizeof(temporary)) {
        errno = ENAMETOOLONG;
        return tool_io(file, "cannot be written");
    }
    int fd = mkstemp(temporary);
    if (fd < 0)
        return tool_io(file, "cannot be written");
    bool good = fchmod(fd, (mode_t)mode) == 0 && write_all(fd, data) && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    good = good && rename(temporary, file) == 0;
    if (good)
        return TOOL_YES;
    (void)tool_io(file, "cannot be written");
    (void)unlink(temporary);
    return TOOL_USAGE;
}

int tool_end(void)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return tool_io("stdout", "cannot be written");
    return TOOL_YES;
}
