/*
 * yaml_block.c - the block of libyaml's heap (yaml_heap.h) where memory is plenty. A board that defines these functions itself keeps this file out of
 * its link.
 */
#include "config/yaml_heap.h"
#include "firmware/base/limits.h"

void *yaml_heap_block_take(void)
{
    static _Alignas(16) uint8_t block[LIMIT_YAML_HEAP];

    return block;
}

void yaml_heap_block_give(void *p)
{
    (void)p;
}
