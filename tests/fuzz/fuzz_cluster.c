/*
 * fuzz_cluster.c - fields of InitConfiguration and ClusterConfiguration: the first byte says which documents stand around the rest.
 *
 * Besides memory errors it looks for broken promises: a refusal has its code in the fault, notes are bounded, and what was accepted is written as
 * JSON that reads as the same values: writing it again gives the same bytes.
 */
#include <stdlib.h>

#include "config/bundle.h"
#include "firmware/base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INIT           "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n"
#define CLUSTER        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
#define CLUSTER_BEHIND "\n---\n" CLUSTER

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static _Alignas(16) uint8_t more_memory[LIMIT_ARENA];

static void must(bool promise)
{
    if (!promise)
        abort();
}

/* The documents of an array as if each stood for itself. */
static void split(struct yaml_stream *stream)
{
    struct yaml_node *item = stream->docs[0]->child;
    for (stream->count = 0; item; stream->count++) {
        stream->docs[stream->count] = item;
        item = item->next;
        stream->docs[stream->count]->next = NULL;
    }
}

static void write_again(const struct bundle *b)
{
    static uint8_t json[LIMIT_YAML], other_json[LIMIT_YAML];
    static struct bundle again;
    struct buf first = BUF_OF(json), second = BUF_OF(other_json);
    struct yaml_stream stream;
    struct arena arena;
    struct fault f;
    bundle_put_json(b, &first);
    if (first.overflow)
        return;
    fault_clear(&f);
    arena_init(&arena, more_memory, sizeof(more_memory));
    enum err e = yaml_parse(buf_span(&first), &arena, &stream, &f);
    if (e == ERR_LIMIT || e == ERR_NOMEM)
        return;
    must(e == OK && stream.count == 1);
    split(&stream);
    must(bundle_kubeadm(&stream, 0, &arena, &again, &f) == OK && again.role == b->role);
    bundle_put_json(&again, &second);
    must(span_eq(buf_span(&first), buf_span(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const before[] = {CLUSTER, INIT, ""};
    static const char *const behind[] = {"", (CLUSTER_BEHIND), ""};
    static uint8_t text[LIMIT_YAML];
    static struct bundle b;
    struct bundle_note notes[BUNDLE_NOTES_MAX];
    struct buf t = BUF_OF(text);
    struct yaml_stream stream;
    struct arena arena;
    struct fault f;
    if (size == 0)
        return 0;
    unsigned which = data[0] % COUNT(before);
    buf_str(&t, before[which]);
    buf_put(&t, span_of(data + 1, size - 1));
    buf_str(&t, behind[which]);
    fault_clear(&f);
    arena_init(&arena, memory, sizeof(memory));
    if (t.overflow || yaml_parse(buf_span(&t), &arena, &stream, &f) != OK)
        return 0;
    memset(&b, 0, sizeof(b));
    enum err e = bundle_kubeadm(&stream, 0, &arena, &b, &f);
    must(f.code == e);
    if (e != OK)
        return 0;
    must(bundle_notes(&b, notes) <= BUNDLE_NOTES_MAX);
    (void)!bundle_supported(&b, BUNDLE_CAN_ALL, false, &f);
    write_again(&b);
    return 0;
}
