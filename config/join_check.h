/*
 * join_check.h - the rules for single values of a JoinConfiguration (KUBEADM.md, Validation). Each refuses with the node's position.
 *
 * A value that kubeadm accepts too ends in a name of stricter.h when it is refused.
 */
#ifndef JOINBOOT_CONFIG_JOIN_CHECK_H
#define JOINBOOT_CONFIG_JOIN_CHECK_H

#include "config/join.h"

enum err join_check_token(const struct yaml_node *n, struct span token, struct fault *f) MUST_USE;
enum err join_check_hash(const struct yaml_node *n, struct span text, uint8_t ret[static 32],
                         struct fault *f) MUST_USE;
enum err join_check_endpoint(const struct yaml_node *n, struct join *j, struct fault *f) MUST_USE;
/* Trimmed and in lower case, in the arena. */
enum err join_check_name(const struct yaml_node *n, struct arena *arena, struct span *name,
                         struct fault *f) MUST_USE;
/* With unix:// before it, in the arena. */
enum err join_check_cri_socket(const struct yaml_node *n, struct arena *arena, struct span *socket,
                               struct fault *f) MUST_USE;
enum err join_check_ca_cert_path(const struct yaml_node *n, struct span path, struct fault *f) MUST_USE;
enum err join_check_pull_policy(const struct yaml_node *n, struct span policy, struct fault *f) MUST_USE;
enum err join_check_kubeconfig(const struct yaml_node *n, struct span path, struct fault *f) MUST_USE;
/* In the form in which Go prints it, in the arena. */
enum err join_check_advertise(const struct yaml_node *n, struct arena *arena, struct span *address,
                              struct fault *f) MUST_USE;
enum err join_check_certificate_key(const struct yaml_node *n, struct span key, struct fault *f) MUST_USE;
/* A label's key [prefix/]name and its value, which may be empty, as the API server takes them. */
bool join_check_label(struct span key, struct span value);
enum err join_check_arg(const struct yaml_node *n, const struct join_arg *arg, struct fault *f) MUST_USE;
enum err join_check_taint(const struct yaml_node *n, const struct join_taint *taint,
                          struct fault *f) MUST_USE;

#endif
