/*
 * cluster_fields.h - the parts that read a ClusterConfiguration: rows for join_map() and checks for single values (KUBEADM.md, Validation).
 */
#ifndef JOINBOOT_CONFIG_CLUSTER_FIELDS_H
#define JOINBOOT_CONFIG_CLUSTER_FIELDS_H

#include "config/cluster.h"
#include "config/join_fields.h"

/* Rows: lists into the arena (cluster_lists.c). A struct cluster_words, a struct cluster_args, a struct cluster_component. */
enum err cluster_words_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_args_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_volumes_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_envs_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_component_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
/* A list of `count` items of `size` zeroed bytes for the items of n. Refuses what is no list, and more than CLUSTER_LIST_MAX items. */
enum err cluster_list(const struct yaml_node *n, const struct join_ctx *c, size_t size, void **ret_items,
                      unsigned *ret_count) MUST_USE;
/* Reads a map by rows whose offsets count from `at`. */
enum err cluster_map_at(const struct yaml_node *n, const struct join_ctx *c, void *at,
                        const struct join_field *fields, size_t count) MUST_USE;

/* Rows: the maps networking (cluster_network.c) and etcd (cluster_etcd.c); c->at is the struct cluster. */
enum err cluster_networking(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_etcd(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;

/* Rows with checks (cluster_check.c): a struct span each. An empty string is an absent field. */
enum err cluster_path_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_repository_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_tag_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_algorithm_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_subdomain_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
/* A string that no control character is in. */
enum err cluster_text_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
/* Subject alternative names, a struct cluster_words; those of apiServer in lower case. */
enum err cluster_sans_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_lower_sans_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
/* Rows into a struct cluster. */
enum err cluster_version(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_endpoint(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err cluster_gates(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;

/* The relation of pod subnets and the node masks of controllerManager.extraArgs, once all fields are read (cluster_network.c). */
enum err cluster_check_masks(struct cluster *cl, const struct yaml_node *doc, struct fault *f) MUST_USE;

/* The feature gates are ones that kubeadm of the document's own kubernetesVersion has. */
enum err cluster_check_gates(const struct cluster *cl, const struct yaml_node *doc, struct fault *f) MUST_USE;
/* A subnet list's text into prefixes. ERR_CONFIG_FIELD at n. */
enum err cluster_subnets_parse(const struct yaml_node *n, struct cluster_subnets *s,
                               struct fault *f) MUST_USE;

#endif
