/*
 * fuzz_yaml.c - any bytes through the YAML reader and on into both kinds of documents.
 *
 * Besides memory errors it looks for broken promises: time and memory stay bounded, libyaml's heap is empty again, a refusal has its code
 * in the fault, and what was accepted comes out as JSON that the reader accepts again.
 */
#include <stdlib.h>

#include "config/bundle.h"
#include "config/yaml_heap.h"
#include "firmware/base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static _Alignas(16) uint8_t more_memory[LIMIT_ARENA];

static void must(bool promise)
{
    if (!promise)
        abort();
}

static void read_join(const struct yaml_stream *stream, struct arena *arena)
{
    static struct bundle bundle;
    const struct join *j = &bundle.join;
    static uint8_t json[2 * LIMIT_YAML];
    struct fault f;
    fault_clear(&f);
    enum err e = bundle_kubeadm(stream, 0, arena, &bundle, &f);
    must(f.code == e);
    if (e != OK)
        return;
    struct buf b = BUF_OF(json);
    bundle_put_json(&bundle, &b);
    struct ip ips[2];
    unsigned count = 0;
    must(join_node_ips(j, ips, &count, &f) != OK || count <= 2);
    (void)!join_supported(j, false, &f);
    if (b.overflow || b.n > LIMIT_YAML)
        return;
    struct arena other;
    struct yaml_stream again;
    fault_clear(&f);
    arena_init(&other, more_memory, sizeof(more_memory));
    must(yaml_parse(buf_span(&b), &other, &again, &f) == OK && again.count == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct nodejoin node;
    struct arena arena;
    struct yaml_stream stream;
    struct fault f;
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&f);
    enum err e = yaml_parse(span_of(data, size), &arena, &stream, &f);
    must(f.code == e && yaml_heap_used() == 0);
    if (e != OK || stream.count == 0)
        return 0;
    read_join(&stream, &arena);
    fault_clear(&f);
    e = nodejoin_read(stream.docs[0], &node, &f);
    must(f.code == e);
    return 0;
}
