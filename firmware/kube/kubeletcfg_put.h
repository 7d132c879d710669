/*
 * kubeletcfg_put.h - the walk that reads a tree by a table of fields and writes it in kubeadm's form; private to kubeletcfg.c.
 */
#ifndef JOINBOOT_KUBE_KUBELETCFG_PUT_H
#define JOINBOOT_KUBE_KUBELETCFG_PUT_H

#include "config/yaml.h"
#include "firmware/kube/kubeletcfg_fields.h"

struct kubeletcfg_put {
    struct buf *out;
    struct fault *f;
    struct span preset[PRESET_COUNT]; /* empty: there is none */
    unsigned minor;                   /* of Kubernetes, 1.minor: fields of later ones are unknown keys */
    const struct yaml_node *dropped;  /* the first unknown key */
    bool at_dash;                     /* "-" was just written: the next key goes on the same line */
};

/* A scalar as it will be written. `text` points into the tree or into `store`, so a value may not be copied. */
struct kubeletcfg_value {
    struct span text;
    bool string; /* written in a string's style, else as it stands */
    bool zero;   /* Go's zero value, which omitempty leaves out */
    uint8_t store[64];
};

/* Reads a scalar of a type; n NULL or null gives the zero value. ERR_KUBELET_CONFIG if it is none of that type. */
enum err kubeletcfg_scalar(struct fault *f, enum field_type type, const struct yaml_node *n,
                           struct kubeletcfg_value *ret) MUST_USE;

/* Writes the fields of a struct (map is NULL or null: its zero value) at `indent`; *ret_count is how many lines of keys there were.
 * ERR_KUBELET_CONFIG at the node that cannot be rendered. */
enum err kubeletcfg_put_struct(struct kubeletcfg_put *w, const struct field_table *t,
                               const struct yaml_node *map, unsigned indent, unsigned *ret_count) MUST_USE;

#endif
