/*
 * devkey.h - the device key's area (board.h) in a file: beside site.conf, where the image brings one, or beside the record log, where this machine made
 * it: STATE.key, 0600.
 *
 * The image's file is read when the agent starts, because an initramfs is gone after the switch to the node image; it goes first. A file that is
 * there but cannot be read, or has another size, is damaged: it does not count as absent.
 */
#ifndef JOINBOOT_BOARDS_LINUX_DEVKEY_H
#define JOINBOOT_BOARDS_LINUX_DEVKEY_H

#include "boards/board.h"

enum devkey_image { DEVKEY_ABSENT, DEVKEY_THERE, DEVKEY_DAMAGED };

struct devkey {
    enum devkey_image image;
    uint8_t area[BOARD_KEY_SIZE]; /* of the image, with DEVKEY_THERE */
};

/* Looks for device.key in the folder of the site configuration. */
void devkey_load(struct devkey *k, const char *site);

/* board.h: key_read, key_write. state: the record log's path; NULL: nothing on this machine lasts. ERR_DEVICE_KEY beside board.h's errors. */
enum err devkey_read(const struct devkey *k, const char *state, uint8_t ret[static BOARD_KEY_SIZE]) MUST_USE;
enum err devkey_write(const char *state, const uint8_t area[static BOARD_KEY_SIZE]) MUST_USE;

#endif
