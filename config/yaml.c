/*
 * yaml.c - from libyaml's events to a tree in an arena. The only file that knows libyaml.
 *
 * libyaml's document loader is never used: events are counted and nesting is capped as they come, so that its time, which grows with the
 * square of the depth, stays bounded. Its memory is the block of yaml_heap.c. Keys are compared after decoding, so that "n\x61me" is name.
 */
#include <yaml.h>

#include "config/yaml.h"

#include "config/stricter.h"
#include "config/yaml_heap.h"
#include "config/yaml_looks.h"
#include "config/yaml_scan.h"
#include "firmware/base/limits.h"

struct reader {
    yaml_parser_t parser;
    struct span text; /* all of it */
    struct arena *arena;
    struct fault *f;
    struct yaml_stream *stream;
    unsigned events;
    unsigned depth;
    struct yaml_node *open;                       /* innermost open map or sequence */
    struct yaml_node *last[LIMIT_YAML_DEPTH + 1]; /* last child at each depth */
    bool has_key;
    struct span key;
    uint32_t key_line, key_column;
};

static enum err refuse(struct reader *r, enum err code, const yaml_mark_t *mark, const char *what)
{
    char path[sizeof(r->f->path)] = "";
    struct buf b = {.p = (uint8_t *)path, .cap = sizeof(path) - 1};
    if (r->open)
        yaml_path(r->open, &b);
    return fault_at(r->f, code, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, path, "%s", what);
}

/* What libyaml refused. Its texts are fixed strings. */
static enum err parser_error(struct reader *r)
{
    if (r->parser.error == YAML_MEMORY_ERROR)
        return refuse(r, ERR_LIMIT, &r->parser.mark, "the YAML parser's memory is used up" STRICTER("size"));
    const char *problem = r->parser.problem ? r->parser.problem : "not well-formed";
    if (strcmp(problem, "found unexpected ':'") == 0) /* [a:, b] is a text that ends in a colon to kubeadm */
        problem = "a colon without a space in a flow list or map; quote the text" STRICTER("flow-colon");
    return refuse(r, ERR_CONFIG_SYNTAX, &r->parser.problem_mark, problem);
}

static enum err next_event(struct reader *r, yaml_event_t *ret)
{
    if (++r->events > LIMIT_YAML_EVENTS)
        return refuse(r, ERR_LIMIT, &r->parser.mark, "more than 5,000 YAML events" STRICTER("size"));
    return yaml_parser_parse(&r->parser, ret) ? OK : parser_error(r);
}

/* Takes the next key of the open map. */
static enum err take_key(struct reader *r, const yaml_event_t *ev)
{
    struct span text = span_of(ev->data.scalar.value, ev->data.scalar.length);
    bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && yaml_looks(text) == YAML_LOOKS_MERGE)
        return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark, "a merge key is refused" STRICTER("merge"));
    if (plain && yaml_looks(text) != YAML_LOOKS_STRING)
        return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark,
                      "a key that is no string; quote it" STRICTER("plain-key"));
    r->has_key = true;
    r->key_line = (uint32_t)ev->start_mark.line + 1;
    r->key_column = (uint32_t)ev->start_mark.column + 1;
    return arena_copy(r->arena, text, &r->key);
}

/* A new node at its place in the tree. */
static enum err add_node(struct reader *r, const yaml_event_t *ev, enum yaml_type type,
                         struct yaml_node **ret)
{
    if (r->open && r->open->type == YAML_MAP && !r->has_key)
        return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark, "a key must be a scalar");
    struct yaml_node *n = arena_take(r->arena, sizeof(*n));
    if (!n)
        return refuse(r, ERR_NOMEM, &ev->start_mark, "no memory for the document");
    *n = (struct yaml_node){
        .type = type,
        .line = (uint32_t)ev->start_mark.line + 1,
        .column = (uint32_t)ev->start_mark.column + 1,
        .parent = r->open,
    };
    if (r->has_key) {
        n->key = r->key;
        n->key_line = r->key_line;
        n->key_column = r->key_column;
        r->has_key = false;
    }
    if (!r->open)
        r->stream->docs[r->stream->count++] = n;
    else if (r->last[r->depth])
        r->last[r->depth]->next = n;
    else
        r->open->child = n;
    r->last[r->depth] = n;
    *ret = n;
    return OK;
}

/* The text as it stands in the document, if it is long, stands there as it is, and the document lies in the arena below the tree: then it lives as long as
 * the tree, and needs no copy. libyaml counts characters, not bytes, so the place is a guess that is compared. */
static bool share(const struct reader *r, const yaml_event_t *ev, struct span *ret)
{
    struct span text = span_of(ev->data.scalar.value, ev->data.scalar.length);
    uintptr_t begin = (uintptr_t)r->arena->p, at = (uintptr_t)r->text.p;
    size_t off = ev->start_mark.index + (ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE); /* the quote */
    if (text.n < YAML_LONG || at < begin || at - begin > r->arena->used ||
        r->text.n > r->arena->used - (at - begin))
        return false;
    if (off > r->text.n || text.n > r->text.n - off || memcmp(r->text.p + off, text.p, text.n) != 0)
        return false;
    *ret = span_of(r->text.p + off, text.n);
    return true;
}

static enum err on_scalar(struct reader *r, const yaml_event_t *ev)
{
    if (ev->data.scalar.anchor)
        return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark, "an anchor is refused" STRICTER("anchor"));
    if (ev->data.scalar.tag)
        return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark, "a tag is refused" STRICTER("tag"));
    if (!yaml_scan_is_text(span_of(ev->data.scalar.value, ev->data.scalar.length)))
        return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark,
                      "an escape for a control character" STRICTER("control-character"));
    if (r->open && r->open->type == YAML_MAP && !r->has_key)
        return take_key(r, ev);
    struct yaml_node *n = NULL;
    enum err e = add_node(r, ev, YAML_SCALAR, &n);
    if (e != OK)
        return e;
    n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (share(r, ev, &n->value))
        return OK;
    return arena_copy(r->arena, span_of(ev->data.scalar.value, ev->data.scalar.length), &n->value);
}

static enum err on_start(struct reader *r, const yaml_event_t *ev, enum yaml_type type, bool anchor, bool tag)
{
    if (anchor)
        return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark, "an anchor is refused" STRICTER("anchor"));
    if (tag)
        return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark, "a tag is refused" STRICTER("tag"));
    if (r->depth == LIMIT_YAML_DEPTH)
        return refuse(r, ERR_LIMIT, &ev->start_mark, "nested deeper than 16" STRICTER("size"));
    struct yaml_node *n = NULL;
    enum err e = add_node(r, ev, type, &n);
    if (e != OK)
        return e;
    r->open = n;
    r->last[++r->depth] = NULL;
    return OK;
}

static enum err on_document(struct reader *r, const yaml_event_t *ev)
{
    if (ev->data.document_start.version_directive ||
        ev->data.document_start.tag_directives.start != ev->data.document_start.tag_directives.end)
        return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark, "a directive is refused" STRICTER("directive"));
    if (r->stream->count == YAML_DOCS_MAX)
        return refuse(r, ERR_LIMIT, &ev->start_mark, "more than 8 documents" STRICTER("size"));
    r->last[0] = NULL;
    return OK;
}

static enum err on_event(struct reader *r, const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(r, ev);
    case YAML_DOCUMENT_END_EVENT:
        if (!ev->data.document_end.implicit)
            return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark,
                          "the document end marker is refused" STRICTER("document-end"));
        return OK;
    case YAML_ALIAS_EVENT:
        return refuse(r, ERR_CONFIG_SYNTAX, &ev->start_mark, "an alias is refused" STRICTER("anchor"));
    case YAML_SCALAR_EVENT:
        return on_scalar(r, ev);
    case YAML_MAPPING_START_EVENT:
        return on_start(r, ev, YAML_MAP, ev->data.mapping_start.anchor != NULL,
                        ev->data.mapping_start.tag != NULL);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(r, ev, YAML_SEQ, ev->data.sequence_start.anchor != NULL,
                        ev->data.sequence_start.tag != NULL);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        r->open = r->open->parent;
        r->depth--;
        return OK;
    default:
        return OK;
    }
}

static enum err read_events(struct reader *r)
{
    for (;;) {
        yaml_event_t ev;
        enum err e = next_event(r, &ev);
        if (e != OK)
            return e;
        bool end = ev.type == YAML_STREAM_END_EVENT;
        e = on_event(r, &ev);
        yaml_event_delete(&ev);
        if (e != OK || end)
            return e == ERR_NOMEM ? refuse(r, e, &r->parser.mark, "no memory for the document") : e;
    }
}

static enum err duplicate(struct reader *r, const struct yaml_node *n)
{
    char path[sizeof(r->f->path)] = "";
    struct buf b = {.p = (uint8_t *)path, .cap = sizeof(path) - 1};
    yaml_path(n, &b);
    return fault_at(r->f, ERR_CONFIG_FIELD, n->key_line, n->key_column, path, "the key is there twice");
}

static uint32_t hash_key(struct span key)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < key.n; i++)
        h = (h ^ key.p[i]) * 16777619u;
    return h;
}

/* Looks for equal keys in one map by a hash table above the tree in the arena. */
static enum err unique_keys(struct reader *r, const struct yaml_node *map)
{
    size_t count = 0, slots = 16, before = r->arena->used;
    for (const struct yaml_node *n = map->child; n; n = n->next)
        count++;
    while (slots < 2 * count)
        slots *= 2;
    const struct yaml_node **table = arena_take(r->arena, slots * sizeof(struct yaml_node *));
    if (!table)
        return fault_set(r->f, ERR_NOMEM, "no memory for the document");
    enum err e = OK;
    for (const struct yaml_node *n = map->child; n && e == OK; n = n->next) {
        size_t i = hash_key(n->key) % slots;
        while (table[i] && !span_eq(table[i]->key, n->key))
            i = (i + 1) % slots;
        if (table[i])
            e = duplicate(r, n);
        table[i] = n;
    }
    arena_rewind(r->arena, before);
    return e;
}

/* The node behind n when a whole document is walked, parents first. */
static const struct yaml_node *walk(const struct yaml_node *n)
{
    if (n->child)
        return n->child;
    while (n && !n->next)
        n = n->parent;
    return n ? n->next : NULL;
}

static enum err check_keys(struct reader *r)
{
    for (unsigned i = 0; i < r->stream->count; i++) {
        for (const struct yaml_node *n = r->stream->docs[i]; n; n = walk(n)) {
            enum err e = n->type == YAML_MAP ? unique_keys(r, n) : OK;
            if (e != OK)
                return e;
        }
    }
    return OK;
}

enum err yaml_parse(struct span text, struct arena *arena, struct yaml_stream *ret, struct fault *f)
{
    if (text.n > LIMIT_YAML)
        return fault_at(f, ERR_LIMIT, 0, 0, "", "more than 64 KiB of YAML" STRICTER("size"));
    unsigned docs = 0;
    enum err e = yaml_scan(text, &docs, f);
    if (e != OK)
        return e;
    struct yaml_stream stream = {.count = 0};
    struct reader r = {.text = text, .arena = arena, .f = f, .stream = &stream};
    if (docs == 0) {
        *ret = stream;
        return OK;
    }
    if (!yaml_parser_initialize(&r.parser)) {
        e = fault_set(f, ERR_LIMIT, "the YAML parser's memory is used up" STRICTER("size"));
        goto out;
    }
    yaml_parser_set_input_string(&r.parser, text.p, text.n);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    e = read_events(&r);
    if (e == OK && stream.count != docs)
        e = fault_at(f, ERR_CONFIG_SYNTAX, 1, 1, "", "documents are not where their markers are");
    if (e == OK)
        e = check_keys(&r);
    if (e == OK)
        *ret = stream;
out:
    yaml_parser_delete(&r.parser);
    yaml_heap_reset();
    return e;
}
