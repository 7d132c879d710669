/*
 * stricter.h - the names of the rules by which a document is refused that kubeadm would accept.
 *
 * Invariant: nothing is accepted that kubeadm rejects, so every difference is a refusal by one of these rules. The name ends the fault's
 * text, as in "anchors are refused [stricter: anchor]"; SPEC.md lists the rules, tests/corpus-lists/stricter.txt the known documents.
 */
#ifndef JOINBOOT_CONFIG_STRICTER_H
#define JOINBOOT_CONFIG_STRICTER_H

/* Goes behind a fault's format string. The whole text must fit into struct fault, so that the name is never cut. */
#define STRICTER(rule) " [stricter: " rule "]"

#endif
