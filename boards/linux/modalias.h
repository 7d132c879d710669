/*
 * modalias.h - which kernel module a device wants: the text files that depmod writes (modules.alias, modules.dep, modules.softdep; depmod(8)).
 * Pure: bytes in, names out.
 */
#ifndef JOINBOOT_BOARDS_LINUX_MODALIAS_H
#define JOINBOOT_BOARDS_LINUX_MODALIAS_H

#include "firmware/base/span.h"

/* Shell pattern as in modules.alias: `*`, `?` and [a-z] sets. */
bool modalias_match(struct span pattern, struct span text);

/* The next line `alias PATTERN MODULE` of *rest; other lines are skipped. False at the end. */
bool modalias_next(struct span *rest, struct span *ret_pattern, struct span *ret_module);

/* Module names are equal if they differ only in - and _. */
bool modalias_same_name(struct span a, struct span b);

/* The name of a module's file: kernel/drivers/net/virtio_net.ko.xz -> virtio_net. */
struct span modalias_file_name(struct span path);

/* The line of a module in modules.dep: its own path, and those that it needs, separated by spaces. False if it has none. */
bool modalias_dep(struct span file, struct span name, struct span *ret_path, struct span *ret_needs);

/* The names behind `pre:` (or `post:`) in the module's next line of modules.softdep from *rest on that has such; a module may have several lines.
 * False at the end. */
bool modalias_softdep(struct span *rest, struct span name, bool post, struct span *ret_names);

/* True for modules that a boot agent loads by itself when a device asks for them: all, wherever they lie (updates/ and extra/ of vendors, too), but
 * sound, graphics, wireless and the like, which are left to whoever wants them. */
bool modalias_is_wanted(struct span path);

#endif
