/*
 * emit.c - a YAML tree as canonical text: block style, two spaces, every string double-quoted, booleans and integers plain.
 *
 * Quoted text means the same to every YAML reader; only printable ASCII is written as it is.
 */
#include "config/yaml_looks.h"
#include "tools/joinctl/tool.h"

static void emit_value(const struct yaml_node *n, unsigned indent, struct buf *ret);

/* One character of UTF-8 text, cut off *s, as YAML 1.2 section 5.7 escapes it. */
static void emit_character(struct span *s, struct buf *ret)
{
    uint32_t c = s->p[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    static const uint8_t lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    c &= lead[n];
    for (size_t i = 1; i < n && i < s->n; i++)
        c = c << 6 | (s->p[i] & 0x3fu);
    *s = span_sub(*s, n, s->n);
    if (c == '"' || c == '\\')
        buf_fmt(ret, "\\%c", (int)c);
    else if (c == '\n')
        buf_str(ret, "\\n");
    else if (c == '\t')
        buf_str(ret, "\\t");
    else if (c >= 0x20 && c < 0x7f)
        buf_u8(ret, (uint8_t)c);
    else if (c < 0x100)
        buf_fmt(ret, "\\x%02x", (unsigned)c);
    else if (c < 0x10000)
        buf_fmt(ret, "\\u%04x", (unsigned)c);
    else
        buf_fmt(ret, "\\U%08x", (unsigned)c);
}

static void emit_quoted(struct span s, struct buf *ret)
{
    buf_u8(ret, '"');
    while (s.n > 0)
        emit_character(&s, ret);
    buf_u8(ret, '"');
}

static void emit_scalar(const struct yaml_node *n, struct buf *ret)
{
    enum yaml_look look = n->plain ? yaml_looks(n->value) : YAML_LOOKS_STRING;
    if (look == YAML_LOOKS_BOOL || look == YAML_LOOKS_NUMBER)
        buf_put(ret, n->value);
    else if (yaml_is_null(n))
        buf_str(ret, "null");
    else
        emit_quoted(n->value, ret);
}

/* Names of fields are letters, with digits behind them; any other key is a string like the values. */
static void emit_key(struct span key, struct buf *ret)
{
    bool name = key.n > 0 && yaml_looks(key) == YAML_LOOKS_STRING;
    for (size_t i = 0; i < key.n && name; i++) {
        uint8_t c = key.p[i];
        name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (i > 0 && c >= '0' && c <= '9');
    }
    if (name)
        buf_put(ret, key);
    else
        emit_quoted(key, ret);
}

/* The entry or item that is written at or behind n. A null entry of a map is the same as none. */
static const struct yaml_node *present(const struct yaml_node *n)
{
    while (n && n->parent && n->parent->type == YAML_MAP && yaml_is_null(n))
        n = n->next;
    return n;
}

static void emit_indent(unsigned indent, struct buf *ret)
{
    buf_fmt(ret, "%*s", (int)indent, "");
}

static bool is_empty(const struct yaml_node *n)
{
    return n->type != YAML_SCALAR && !present(n->child);
}

/* The entries of a map; the first one stands behind "- " if `in_item`. */
static void emit_map(const struct yaml_node *map, unsigned indent, bool in_item, struct buf *ret)
{
    for (const struct yaml_node *n = present(map->child); n; n = present(n->next)) {
        if (!in_item)
            emit_indent(indent, ret);
        in_item = false;
        emit_key(n->key, ret);
        buf_u8(ret, ':');
        emit_value(n, indent, ret);
    }
}

static void emit_seq(const struct yaml_node *seq, unsigned indent, struct buf *ret)
{
    for (const struct yaml_node *n = seq->child; n; n = n->next) {
        emit_indent(indent, ret);
        buf_u8(ret, '-');
        if (n->type == YAML_MAP && !is_empty(n)) {
            buf_u8(ret, ' ');
            emit_map(n, indent + 2, true, ret);
        } else {
            emit_value(n, indent, ret);
        }
    }
}

/* Behind "key:" or "-": a scalar in the same line, or a block below it. */
static void emit_value(const struct yaml_node *n, unsigned indent, struct buf *ret)
{
    if (n->type == YAML_SCALAR || is_empty(n)) {
        buf_u8(ret, ' ');
        if (n->type == YAML_SCALAR)
            emit_scalar(n, ret);
        else
            buf_str(ret, n->type == YAML_MAP ? "{}" : "[]");
        buf_u8(ret, '\n');
        return;
    }
    buf_u8(ret, '\n');
    if (n->type == YAML_MAP)
        emit_map(n, indent + 2, false, ret);
    else
        emit_seq(n, indent + 2, ret);
}

void emit_document(const struct yaml_node *root, struct buf *ret)
{
    if (root->type == YAML_MAP)
        emit_map(root, 0, false, ret);
    else
        emit_value(root, 0, ret);
}
