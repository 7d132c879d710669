/*
 * yamlout.h - writes YAML scalars byte for byte as kubeadm's marshaller does (sigs.k8s.io/yaml, that is go-yaml v2 in
 * block style with an indent of 2 and lines folded behind column 80).
 *
 * Rule: what is written is exactly what kubeadm would write, or ERR_INPUT. Texts whose style cannot be foretold with
 * certainty (control characters, BOM, numbers at the edge of 64 bits, near-timestamps) are refused.
 */
#ifndef JOINBOOT_KUBE_YAMLOUT_H
#define JOINBOOT_KUBE_YAMLOUT_H

#include "firmware/base/span.h"

enum { YAMLOUT_KEY_MAX = 120 };

enum yamlout_kind {
    YAMLOUT_STRING, /* read back as a string when written without quotes */
    YAMLOUT_OTHER,  /* would be read as a number, bool, null or timestamp */
    YAMLOUT_UNSURE
};

/* What go-yaml's resolver makes of this text without quotes (YAML 1.1 with its own exceptions). */
enum yamlout_kind yamlout_resolve(struct span s);

/* Appends a space, the string in its style, and a newline. The caller has just written "key:" or "-"; `indent` is the
 * column of that key or dash. ERR_INPUT: cannot be written with certainty. */
enum err yamlout_string(struct buf *out, struct span s, unsigned indent) MUST_USE;

/* Appends a map key without its colon. ERR_INPUT: longer than YAMLOUT_KEY_MAX, not plain printable ASCII, or not a
 * string for every reader. */
enum err yamlout_key(struct buf *out, struct span key) MUST_USE;

/* go-yaml's order of keys: letters by code, runs of digits by number, letters behind everything else. Less than 0 if a
 * comes first. Both are ASCII. */
int yamlout_key_order(struct span a, struct span b);

#endif
