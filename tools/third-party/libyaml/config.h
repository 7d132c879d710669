/* The version that libyaml's sources expect from their configure script. */
#ifndef JOINBOOT_THIRD_PARTY_LIBYAML_CONFIG_H
#define JOINBOOT_THIRD_PARTY_LIBYAML_CONFIG_H

#define YAML_VERSION_STRING "0.2.5"
#define YAML_VERSION_MAJOR  0
#define YAML_VERSION_MINOR  2
#define YAML_VERSION_PATCH  5

#endif
