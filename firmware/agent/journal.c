/*
 * journal.c - see journal.h.
 */
#include "firmware/agent/journal.h"

#include "firmware/agent/syslog.h"

static const char cut[] = "...\n";

void journal_init(struct journal *j, const struct board *board)
{
    j->board = board;
    j->level = JOURNAL_NORMAL;
    j->start_ms = 0;
    j->copy = NULL;
    j->line = (struct buf){.p = j->bytes, .cap = sizeof(j->bytes) - sizeof(cut)};
}

void journal_begin(struct journal *j, uint64_t now_ms, const char *phase, const char *event)
{
    j->now_ms = now_ms;
    now_ms -= j->start_ms;
    j->line.n = 0;
    j->line.overflow = false;
    buf_fmt(&j->line, "joinboot[%llu.%03u] %s %s", (unsigned long long)(now_ms / 1000),
            (unsigned)(now_ms % 1000), phase, event);
}

static bool is_plain(struct span v)
{
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] <= ' ' || v.p[i] >= 0x7f || v.p[i] == '"' || v.p[i] == '\\' || v.p[i] == '=')
            return false;
    }
    return v.n > 0;
}

static void put_quoted(struct buf *b, struct span v)
{
    buf_u8(b, '"');
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '"' || v.p[i] == '\\') {
            buf_u8(b, '\\');
            buf_u8(b, v.p[i]);
        } else if (v.p[i] < ' ' || v.p[i] == 0x7f) {
            buf_fmt(b, "\\x%02x", v.p[i]);
        } else {
            buf_u8(b, v.p[i]);
        }
    }
    buf_u8(b, '"');
}

void journal_span(struct journal *j, const char *key, struct span value)
{
    buf_fmt(&j->line, " %s=", key);
    if (is_plain(value))
        buf_put(&j->line, value);
    else
        put_quoted(&j->line, value);
}

void journal_num(struct journal *j, const char *key, uint64_t value)
{
    buf_fmt(&j->line, " %s=%llu", key, (unsigned long long)value);
}

void journal_text(struct journal *j, const char *key, const char *value)
{
    journal_span(j, key, span_str(value));
}

void journal_ip(struct journal *j, const char *key, const struct ip *value)
{
    char text[IP_TEXT_MAX];

    journal_text(j, key, ip_text(value, text));
}

void journal_prefix(struct journal *j, const char *key, const struct ip_prefix *value)
{
    char text[IP_TEXT_MAX];

    journal_text(j, key, ip_prefix_text(value, text));
}

void journal_end(struct journal *j)
{
    if (j->line.overflow) {
        memcpy(j->bytes + j->line.n, cut, sizeof(cut) - 1);
        j->line.n += sizeof(cut) - 1;
    } else {
        j->bytes[j->line.n++] = '\n';
    }
    j->board->console(j->board->ctx, span_of(j->bytes, j->line.n));
    if (j->copy)
        syslog_keep(j->copy, j->now_ms, span_of(j->bytes, j->line.n));
}

void journal_fault(struct journal *j, uint64_t now_ms, const char *phase, const struct fault *f,
                   unsigned attempt, uint32_t retry_ms)
{
    journal_begin(j, now_ms, phase, "error");
    journal_text(j, "code", err_name(f->code));
    journal_num(j, "attempt", attempt);
    journal_num(j, "retry_ms", retry_ms);
    if (f->text[0])
        journal_text(j, "text", f->text);
    if (f->line)
        journal_num(j, "line", f->line);
    if (f->column)
        journal_num(j, "column", f->column);
    if (f->path[0])
        journal_text(j, "path", f->path);
    if (f->peer[0])
        journal_text(j, "peer", f->peer);
    journal_end(j);
    if (j->level == JOURNAL_QUIET)
        return;
    journal_begin(j, now_ms, phase, "explain");
    journal_text(j, "what", err_explain(f->code));
    journal_text(j, "do", err_remedy(f->code));
    journal_end(j);
}

void journal_note(struct journal *j, uint64_t now_ms, const char *phase, const char *text)
{
    journal_begin(j, now_ms, phase, "note");
    journal_text(j, "text", text);
    journal_end(j);
}
