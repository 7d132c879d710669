/*
 * kubeletcfg_fields.h - the table form of the Go type KubeletConfiguration; private to kubeletcfg*.c and its test.
 */
#ifndef JOINBOOT_KUBE_KUBELETCFG_FIELDS_H
#define JOINBOOT_KUBE_KUBELETCFG_FIELDS_H

#include "firmware/base/base.h"

enum field_type {
    FIELD_STRING,
    FIELD_BOOL,
    FIELD_I32,
    FIELD_I64,
    FIELD_U32,
    FIELD_FLOAT,
    FIELD_DURATION, /* metav1.Duration: always written as text; null is an error */
    FIELD_FLUSH,    /* a duration as text, or nanoseconds as a number; written as it was read */
    FIELD_QUANTITY,
    FIELD_STRUCT,
    FIELD_STRINGS, /* []string */
    FIELD_I32S,    /* []int32 */
    FIELD_STRUCTS, /* []struct */
    FIELD_MAP_STRING,
    FIELD_MAP_BOOL,
    FIELD_MAP_STRINGS, /* map[string][]string */
    FIELD_MAP_QUANTITY,
    FIELD_UNSUPPORTED /* a type that is not rendered here: refused if it is given */
};

enum field_rule {
    RULE_ALWAYS = 1, /* written even if it is empty: no omitempty */
    RULE_OMIT,       /* omitempty: not written if zero, empty or null */
    RULE_POINTER     /* omitempty on a pointer: written whenever it is given and not null */
};

/* Values that kubeadm puts in place of empty ones (componentconfigs.kubeletConfig.Default), or, if FORCED, of any. */
enum preset {
    PRESET_NONE = 0,
    PRESET_API_VERSION,
    PRESET_KIND,
    PRESET_TRUE,
    PRESET_FALSE,
    PRESET_STATIC_PODS,
    PRESET_CLUSTER_DNS,
    PRESET_CLUSTER_DOMAIN,
    PRESET_CLIENT_CA,
    PRESET_AUTHORIZATION,
    PRESET_HEALTHZ_ADDRESS,
    PRESET_HEALTHZ_PORT,
    PRESET_CGROUP_DRIVER,
    PRESET_RESOLV_CONF,
    PRESET_RUNTIME_ENDPOINT,
    PRESET_COUNT
};

struct field_table;

struct field {
    const char *name;
    enum field_type type;
    enum field_rule rule;
    enum preset preset;
    bool forced;
    unsigned char since;           /* the first minor of Kubernetes that has it; 0: all of versions.h */
    const struct field_table *sub; /* FIELD_STRUCT, FIELD_STRUCTS */
};

/* Rows in the order in which they are written (yamlout_key_order). */
struct field_table {
    const struct field *row;
    size_t count;
};

extern const struct field_table kubeletcfg_fields;

#endif
