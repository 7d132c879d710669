/*
 * bundle_role.h - what a machine becomes: said by kubeadm's documents (bundle.h), and by NodeJoin where those are sealed (nodejoin.h).
 */
#ifndef JOINBOOT_CONFIG_BUNDLE_ROLE_H
#define JOINBOOT_CONFIG_BUNDLE_ROLE_H

enum bundle_role {
    BUNDLE_WORKER,        /* a JoinConfiguration */
    BUNDLE_CONTROL_PLANE, /* a JoinConfiguration with controlPlane */
    BUNDLE_INIT,          /* an InitConfiguration, a ClusterConfiguration or both */
    BUNDLE_ROLES
};

/* "worker", "control-plane", "init" */
const char *bundle_role_name(enum bundle_role role);

#endif
