/*
 * kubeletcfg_patch.h - kubeadm's patches for the target kubeletconfiguration (JoinConfiguration's patches.directory), merged into the tree of a
 * KubeletConfiguration before it is written.
 *
 * kubeadm patches the text that it has marshalled, and nothing reads it again: what a patch gives stands in the file as it is. Here the tree is
 * patched and then written by the table of fields; so what would stand differently in the two files is refused by its path: null, unknown keys,
 * zero values that the marshaller leaves out, other spellings of a value (90s), fields that kubeadm sets itself.
 */
#ifndef JOINBOOT_KUBE_KUBELETCFG_PATCH_H
#define JOINBOOT_KUBE_KUBELETCFG_PATCH_H

#include "firmware/base/arena.h"
#include "firmware/kube/kubeletcfg_put.h"

enum kubeletcfg_patch_file { KUBELETCFG_NO_PATCH, KUBELETCFG_PATCH, KUBELETCFG_PATCH_UNKNOWN };

/* What kubeadm makes of a file's name, target[suffix][+type].extension: a patch of this target, of type strategic (also if none is named) or
 * merge, which mean the same for this type; nothing to it (another target or extension); or a type that is not supported (json). */
enum kubeletcfg_patch_file kubeletcfg_patch_name(struct span name);

/* Merges the documents of a text, admitted by the gate, in their order: maps key by key, everything else is replaced. The text's tree lies in the
 * arena. ERR_KUBELET_CONFIG with path and position; ERR_LIMIT, ERR_NOMEM. */
enum err kubeletcfg_patch(struct span text, struct arena *arena, struct yaml_node *root,
                          struct fault *f) MUST_USE;

/* A scalar of a patch that the marshaller would write in another way, or not at all. */
enum err kubeletcfg_patch_scalar(struct fault *f, const struct yaml_node *n,
                                 const struct kubeletcfg_value *v) MUST_USE;
/* A struct that only a patch gives must have every field that the marshaller would add. */
enum err kubeletcfg_patch_whole(struct fault *f, const struct field_table *t,
                                const struct yaml_node *map) MUST_USE;

#endif
