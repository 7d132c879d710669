/*
 * map.h - the map of the boot flash, in one place for the driver (flash.c) and for whoever makes images (joinctl image).
 *
 *   area    offset    size     written by
 *   code    00000000    1 MiB  an image
 *   site    00100000   64 KiB  an image: site configuration
 *   key     00110000   64 KiB  an image, or the machine once, while it is blank: device key
 *   used    00120000   64 KiB  the machine once: there was a record in `state`
 *   boots   00130000   64 KiB  every boot clears one bit
 *   state   00140000   64 KiB  record log: what the agent remembers, the random seed among it
 *   bundle  00150000  192 KiB  record log: the bundle that is served
 *   map     03ff0000   64 KiB  an image: this map as text
 *
 * Offsets and sizes are multiples of the chip's 64 KiB blocks, its unit of write protection. All but `map` lies below 16 MiB, where three address
 * bytes reach. What is not named is blank. In site and map lies one packed body (firmware/base/packed.h), in key one at the beginning of a sector
 * (flash.h).
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_MAP_H
#define JOINBOOT_BOARDS_AST2600_EVB_MAP_H

#include <stdint.h>

#define MAP_BOARD "ast2600-evb"

enum {
    MAP_SIZE = 64 << 20,
    MAP_SECTOR = 4096,
    /* what the board reads of a site configuration, in bytes (sizes.h) */
    MAP_SITE_MAX = 16384,
    MAP_ROOTS_MAX = 4096 /* of the DER of all its TLS roots */
};

/* What the driver lets ordinary operation do with an area. */
enum map_use {
    MAP_USE_FIXED, /* read */
    MAP_USE_ONCE,  /* and program what is blank */
    MAP_USE_COUNT, /* and program what is not */
    MAP_USE_LOG    /* and erase */
};

enum map_area { MAP_CODE, MAP_SITE, MAP_KEY, MAP_USED, MAP_BOOTS, MAP_STATE, MAP_BUNDLE, MAP_MAP, MAP_AREAS };

struct map_row {
    const char *name;
    uint32_t off, size;
    enum map_use use;
};

static const struct map_row map_rows[MAP_AREAS] = {
    [MAP_CODE] = {.name = "code", .off = 0x00000000, .size = 0x100000, .use = MAP_USE_FIXED},
    [MAP_SITE] = {.name = "site", .off = 0x00100000, .size = 0x10000, .use = MAP_USE_FIXED},
    [MAP_KEY] = {.name = "key", .off = 0x00110000, .size = 0x10000, .use = MAP_USE_ONCE},
    [MAP_USED] = {.name = "used", .off = 0x00120000, .size = 0x10000, .use = MAP_USE_ONCE},
    [MAP_BOOTS] = {.name = "boots", .off = 0x00130000, .size = 0x10000, .use = MAP_USE_COUNT},
    [MAP_STATE] = {.name = "state", .off = 0x00140000, .size = 0x10000, .use = MAP_USE_LOG},
    [MAP_BUNDLE] = {.name = "bundle", .off = 0x00150000, .size = 0x30000, .use = MAP_USE_LOG},
    [MAP_MAP] = {.name = "map", .off = 0x03ff0000, .size = 0x10000, .use = MAP_USE_FIXED},
};

#endif
