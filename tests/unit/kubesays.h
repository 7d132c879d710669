/*
 * kubesays.h - what the API servers of kubepeer.h say to a machine that joins as node-1.
 */
#ifndef JOINBOOT_TESTS_UNIT_KUBESAYS_H
#define JOINBOOT_TESTS_UNIT_KUBESAYS_H

#include "tests/unit/kubepeer.h"

#define KUBESAYS_TOKEN "abcdef.0123456789abcdef"

extern struct kubesays {
    const char *token, *server, *ca;
    unsigned status[4]; /* of cluster-info, kubelet-config, Node, kubeadm-config */
    const char *kubelet, *node, *kubeadm, *date;
    bool close_info, close_each, tail;
    struct span file; /* a kubeconfig that the machine has */
    bool dns;         /* names are resolved on the scripted link, whose time then passes */
} kubesays;

/* Answers by it, and fails the test if a request is none of the four, or has the token where it must not. */
extern const struct kubepeer_script kubesays_script;

#endif
