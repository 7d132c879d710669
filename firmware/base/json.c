/*
 * json.c - the pull reader of json.h: one state, one bit per open container, one pass (RFC 8259).
 */
#include "firmware/base/json.h"
#include "firmware/base/text.h"

enum state {
    VALUE,       /* a value must come */
    ITEM_OR_END, /* behind [ */
    KEY_OR_END,  /* behind { */
    BEHIND,      /* a value in a container ended: comma or the container's end */
    LAST,        /* the one value ended */
    FAILED
};

_Static_assert(JSON_DEPTH <= 32, "is_object has one bit per depth");

void json_init(struct json *j, struct span in)
{
    *j = (struct json){.in = in, .state = VALUE};
}

enum err json_error(const struct json *j)
{
    return j->error;
}

static enum json_event fail(struct json *j, enum err e)
{
    j->state = FAILED;
    j->error = e;
    j->raw = (struct span){.p = NULL, .n = 0};
    return JSON_ERROR;
}

static bool has(const struct json *j)
{
    return j->pos < j->in.n;
}

static bool at(const struct json *j, uint8_t c)
{
    return has(j) && j->in.p[j->pos] == c;
}

static bool at_digit(const struct json *j)
{
    return has(j) && j->in.p[j->pos] >= '0' && j->in.p[j->pos] <= '9';
}

static void blanks(struct json *j)
{
    while (at(j, ' ') || at(j, '\t') || at(j, '\r') || at(j, '\n'))
        j->pos++;
}

/* What may follow when a value ended. */
static uint8_t behind(const struct json *j)
{
    return j->depth == 0 ? LAST : BEHIND;
}

static enum json_event open(struct json *j, bool object)
{
    if (j->depth == JSON_DEPTH)
        return fail(j, ERR_LIMIT);
    uint32_t bit = UINT32_C(1) << j->depth;
    j->is_object = object ? j->is_object | bit : j->is_object & ~bit;
    j->depth++;
    j->pos++;
    j->state = object ? KEY_OR_END : ITEM_OR_END;
    return object ? JSON_OBJECT : JSON_ARRAY;
}

static bool in_object(const struct json *j)
{
    return j->depth > 0 && (j->is_object >> (j->depth - 1) & 1u) != 0;
}

static enum json_event close(struct json *j)
{
    bool object = in_object(j);
    j->depth--;
    j->pos++;
    j->state = behind(j);
    return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

/* One escape behind its backslash. */
static bool escape(struct json *j)
{
    if (!has(j) || !memchr("\"\\/bfnrtu", j->in.p[j->pos], 9))
        return false;
    if (j->in.p[j->pos++] != 'u')
        return true;
    uint8_t unit[2];
    if (text_hex(span_sub(j->in, j->pos, 4), unit, sizeof(unit)) != OK)
        return false;
    j->pos += 4;
    return true;
}

/* A quoted string at pos; its inside goes to j->raw. */
static bool string(struct json *j)
{
    if (!at(j, '"'))
        return false;
    size_t start = ++j->pos;
    while (has(j) && !at(j, '"')) {
        uint8_t c = j->in.p[j->pos++];
        if (c < 0x20 || (c == '\\' && !escape(j)))
            return false;
    }
    if (!has(j))
        return false;
    j->raw = span_sub(j->in, start, j->pos - start);
    j->pos++;
    return text_is_utf8(j->raw);
}

static bool digits(struct json *j)
{
    if (!at_digit(j))
        return false;
    while (at_digit(j))
        j->pos++;
    return true;
}

/* RFC 8259 section 6. */
static bool number(struct json *j)
{
    size_t start = j->pos;
    if (at(j, '-'))
        j->pos++;
    if (at(j, '0'))
        j->pos++;
    else if (!digits(j))
        return false;
    if (at(j, '.')) {
        j->pos++;
        if (!digits(j))
            return false;
    }
    if (at(j, 'e') || at(j, 'E')) {
        j->pos++;
        if (at(j, '+') || at(j, '-'))
            j->pos++;
        if (!digits(j))
            return false;
    }
    j->raw = span_sub(j->in, start, j->pos - start);
    return true;
}

static enum json_event word(struct json *j)
{
    static const struct {
        const char *text;
        enum json_event event;
    } words[] = {{"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};
    struct span rest = span_sub(j->in, j->pos, j->in.n);
    for (size_t i = 0; i < COUNT(words); i++) {
        if (span_starts(rest, words[i].text)) {
            j->pos += strlen(words[i].text);
            return words[i].event;
        }
    }
    return JSON_ERROR;
}

static enum json_event value(struct json *j)
{
    enum json_event event;
    if (at(j, '{') || at(j, '['))
        return open(j, at(j, '{'));
    if (at(j, '"'))
        event = string(j) ? JSON_STRING : JSON_ERROR;
    else if (at(j, '-') || at_digit(j))
        event = number(j) ? JSON_NUMBER : JSON_ERROR;
    else
        event = word(j);
    if (event == JSON_ERROR)
        return fail(j, ERR_INPUT);
    j->state = behind(j);
    return event;
}

static enum json_event key(struct json *j)
{
    if (!string(j))
        return fail(j, ERR_INPUT);
    blanks(j);
    if (!at(j, ':'))
        return fail(j, ERR_INPUT);
    j->pos++;
    j->state = VALUE;
    return JSON_KEY;
}

/* Behind a value in a container. */
static enum json_event next_or_close(struct json *j)
{
    if (at(j, in_object(j) ? '}' : ']'))
        return close(j);
    if (!at(j, ','))
        return fail(j, ERR_INPUT);
    j->pos++;
    blanks(j);
    return in_object(j) ? key(j) : value(j);
}

enum json_event json_next(struct json *j)
{
    if (j->state == FAILED)
        return JSON_ERROR;
    j->raw = (struct span){.p = NULL, .n = 0};
    blanks(j);
    switch ((enum state)j->state) {
    case VALUE:
        return value(j);
    case ITEM_OR_END:
        return at(j, ']') ? close(j) : value(j);
    case KEY_OR_END:
        return at(j, '}') ? close(j) : key(j);
    case BEHIND:
        return next_or_close(j);
    case LAST:
        return has(j) ? fail(j, ERR_INPUT) : JSON_END;
    case FAILED:
        break;
    }
    return JSON_ERROR;
}

enum err json_skip(struct json *j)
{
    uint8_t depth = j->depth;
    do {
        if (json_next(j) == JSON_ERROR)
            return j->error;
    } while (j->depth > depth);
    return OK;
}
