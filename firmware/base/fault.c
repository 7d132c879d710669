/*
 * fault.c - the first fault and its one line of text.
 *
 * Texts may quote what a stranger sent, so bytes that could steer a terminal or break the line are replaced by '?'.
 */
#include <stdarg.h>
#include <stdio.h>

#include "firmware/base/fault.h"

static void printable(char *s)
{
    for (; *s; s++) {
        if ((uint8_t)*s < 0x20 || (uint8_t)*s >= 0x7f)
            *s = '?';
    }
}

static void copy(char *ret, size_t cap, const char *s)
{
    size_t n = strlen(s);
    if (n >= cap)
        n = cap - 1;
    memcpy(ret, s, n);
    ret[n] = 0;
    printable(ret);
}

void fault_clear(struct fault *f)
{
    *f = (struct fault){.code = OK};
}

static void keep(struct fault *f, enum err code, const char *fmt, va_list args)
{
    fault_clear(f);
    f->code = code;
    if (vsnprintf(f->text, sizeof(f->text), fmt, args) < 0)
        f->text[0] = 0;
    printable(f->text);
}

enum err fault_set(struct fault *f, enum err code, const char *fmt, ...)
{
    if (!f || f->code != OK)
        return code;
    va_list args;
    va_start(args, fmt);
    keep(f, code, fmt, args);
    va_end(args);
    return code;
}

enum err fault_at(struct fault *f, enum err code, uint32_t line, uint32_t column, const char *path,
                  const char *fmt, ...)
{
    if (!f || f->code != OK)
        return code;
    va_list args;
    va_start(args, fmt);
    keep(f, code, fmt, args);
    va_end(args);
    f->line = line;
    f->column = column;
    copy(f->path, sizeof(f->path), path ? path : "");
    return code;
}

void fault_peer(struct fault *f, const char *fmt, ...)
{
    if (!f || f->code == OK || f->peer[0])
        return;
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(f->peer, sizeof(f->peer), fmt, args) < 0)
        f->peer[0] = 0;
    va_end(args);
    printable(f->peer);
}

void fault_print(const struct fault *f, struct buf *ret)
{
    buf_str(ret, err_name(f->code));
    buf_str(ret, ": ");
    buf_str(ret, f->text[0] ? f->text : err_explain(f->code));
    if (f->path[0] && f->line)
        buf_fmt(ret, " (%s at %u:%u)", f->path, (unsigned)f->line, (unsigned)f->column);
    else if (f->path[0])
        buf_fmt(ret, " (%s)", f->path);
    else if (f->line)
        buf_fmt(ret, " (at %u:%u)", (unsigned)f->line, (unsigned)f->column);
    if (f->peer[0])
        buf_fmt(ret, " [%s]", f->peer);
}
