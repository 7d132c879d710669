/*
 * flags.h - kubelet's arguments as they lie in kubeadm-flags.env: the line KUBELET_KUBEADM_ARGS="--name=value --name=value ...". It is read
 * whenever kubelet is started, since `kubeadm upgrade node` and an operator may have changed it.
 *
 * Arguments hold neither white space nor quotes (join_supported.h), so they are the words between the quotes.
 */
#ifndef JOINBOOT_KUBE_FLAGS_H
#define JOINBOOT_KUBE_FLAGS_H

#include "config/join.h"

enum { FLAGS_ARGV_MAX = JOIN_ARGS_MAX + 12 };

#define FLAGS_PATH "/var/lib/kubelet/kubeadm-flags.env"

/* Appends the same text with these addresses as --node-ip, whether it had that argument or not; count 0: as it is. ERR_FILE if the text is not of
 * this form, ERR_LIMIT if ret is too small. */
enum err flags_set_node_ip(struct span text, const struct ip *ips, unsigned count, struct buf *ret) MUST_USE;

/* kubelet's argv as kubeadm's systemd drop-in (10-kubeadm.conf) gives it, ended by NULL, with the arguments of the file; the texts go to `store`. ERR_FILE, ERR_LIMIT with the reason in f. */
enum err flags_argv(struct span text, const char *kubelet, struct buf *store,
                    const char *ret_argv[static FLAGS_ARGV_MAX], struct fault *f) MUST_USE;

#endif
