/*
 * yaml_looks.h - what a plain scalar looks like to readers of YAML 1.1, 1.2 and to kubeadm's.
 */
#ifndef JOINBOOT_CONFIG_YAML_LOOKS_H
#define JOINBOOT_CONFIG_YAML_LOOKS_H

#include "firmware/base/span.h"

enum yaml_look {
    YAML_LOOKS_STRING,
    YAML_LOOKS_NULL,
    YAML_LOOKS_BOOL,
    YAML_LOOKS_NUMBER,
    YAML_LOOKS_TIME,
    YAML_LOOKS_MERGE
};

/* STRING only if every reader would take it for a string. */
enum yaml_look yaml_looks(struct span plain);

#endif
