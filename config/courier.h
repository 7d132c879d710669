/*
 * courier.h - what a BMC reads of its host's bundle: NodeJoin, and whether the rest is in clear. It is a courier: the rest is for the host alone.
 */
#ifndef JOINBOOT_CONFIG_COURIER_H
#define JOINBOOT_CONFIG_COURIER_H

#include "config/nodejoin.h"

/* Reads the first document of a verified payload. *ret_clear: kubeadm's documents follow it, with their token, for everybody to read. Refusals of
 * yaml_parse and nodejoin_read; ERR_CONFIG_KIND if there is no document. */
enum err courier_read(const struct verified *v, struct arena *arena, struct nodejoin *ret, bool *ret_clear,
                      struct fault *f) MUST_USE;

#endif
