/*
 * yaml_scan.h - looks at the bytes of a YAML stream before libyaml does, and refuses what readers of YAML treat differently.
 */
#ifndef JOINBOOT_CONFIG_YAML_SCAN_H
#define JOINBOOT_CONFIG_YAML_SCAN_H

#include "firmware/base/fault.h"

/* Checks the bytes and counts the documents as kubeadm's line-based splitter would (see yaml_scan.c). ERR_CONFIG_SYNTAX with line and column. */
enum err yaml_scan(struct span text, unsigned *ret_docs, struct fault *f) MUST_USE;

/* False if a decoded text has a character that no document may hold as such, or a CR: escapes must not bring them in. */
bool yaml_scan_is_text(struct span decoded);

#endif
