/*
 * example.c - `example`: complete files to start from. What this prints is accepted by this tool, but for the site's keys and roots, which
 * nobody should take from an example. config/SPEC.md describes every field.
 *
 * A file is a table of lines; a line is printed if it is for the role and the families that were asked for.
 */
#include "tools/joinctl/tool.h"

enum { WORKER = 1, CONTROL_PLANE = 2, INIT = 4, JOINS = WORKER | CONTROL_PLANE, ROLES = 7 };
enum { V4 = 1, V6 = 2, DUAL = 4, HAS_V6 = V6 | DUAL, ALL = 7 };

struct line {
    unsigned roles, families;
    const char *text;
};

/* A line is read as a line: */
/* clang-format off */
static const struct line nodejoin[] = {
    {ROLES, ALL, "# For which machine a bundle is, when it is good, and how the machine's network looks.\n"},
    {ROLES, ALL, "apiVersion: joinboot/v1alpha1\n"},
    {ROLES, ALL, "kind: NodeJoin\n"},
    {ROLES, ALL, "name: node-3                     # the node's name in the cluster\n"},
    {ROLES, ALL, "binding:                         # all that are given must match; at least one\n"},
    {ROLES, ALL, "  uuid: \"8f1c1f0e-3f2a-4a5e-9b54-0c8d6f7a1b2c\"   # SMBIOS system UUID\n"},
    {ROLES, ALL, "  serial: \"C0FFEE42\"             # SMBIOS serial number\n"},
    {ROLES, ALL, "  macs:                          # each must be a network card of the machine\n"},
    {ROLES, ALL, "  - \"52:54:00:12:34:56\"\n"},
    {ROLES, ALL, "cluster: lab                     # must be the site's\n"},
    {ROLES, ALL, "sequence: 1                      # never goes down; `joinctl sign --sequence N` sets it\n"},
    {ROLES, ALL, "issuedAt: \"2026-01-01T00:00:00Z\" # `joinctl sign --valid 24h` sets both\n"},
    {ROLES, ALL, "expiresAt: \"2036-01-01T00:00:00Z\"\n"},
    {ROLES, V4, "families: [ipv4]                 # the families that the node needs\n"},
    {ROLES, V6, "families: [ipv6]                 # the families that the node needs\n"},
    {ROLES, DUAL, "families: [ipv4, ipv6]           # the families that the node needs\n"},
    {ROLES, ALL, "network:                         # optional: static addresses of a family\n"},
    {ROLES, V4, "  ipv4:\n"},
    {WORKER, V4, "    addresses: [\"10.100.0.2/24\"]\n"},
    {CONTROL_PLANE, V4, "    addresses: [\"10.100.0.3/24\"]\n"},
    {INIT, V4, "    addresses: [\"10.100.0.1/24\"]\n"},
    {ROLES, V4, "    gateway: \"10.100.0.254\"\n"},
    {ROLES, V4, "    dns: [\"10.100.0.254\"]\n"},
    {ROLES, HAS_V6, "  ipv6:\n"},
    {WORKER, HAS_V6, "    addresses: [\"fd00:1:2:3::3/64\"]\n"},
    {CONTROL_PLANE, HAS_V6, "    addresses: [\"fd00:1:2:3::4/64\"]\n"},
    {INIT, HAS_V6, "    addresses: [\"fd00:1:2:3::2/64\"]\n"},
    {ROLES, HAS_V6, "    gateway: \"fd00:1:2:3::1\"\n"},
    {ROLES, HAS_V6, "    dns: [\"fd00:1:2:3::1\"]\n"},
    {ROLES, ALL, "handOff: supervise               # or switch-root with target, or one-shot\n"},
};

static const struct line join[] = {
    {JOINS, ALL, "# kubeadm's own document, as `kubeadm join --config` takes it. A token: kubeadm token create\n"},
    {JOINS, ALL, "apiVersion: kubeadm.k8s.io/v1beta4\n"},
    {JOINS, ALL, "kind: JoinConfiguration\n"},
    {JOINS, ALL, "discovery:\n"},
    {JOINS, ALL, "  bootstrapToken:\n"},
    {JOINS, V4, "    apiServerEndpoint: \"10.100.0.1:6443\"\n"},
    {JOINS, DUAL, "    apiServerEndpoint: \"10.100.0.1:6443\"\n"},
    {JOINS, V6, "    apiServerEndpoint: \"[fd00:1:2:3::2]:6443\"\n"},
    {JOINS, ALL, "    token: \"clvldh.vjjwg16ucnhp94qr\"\n"},
    {JOINS, ALL, "    caCertHashes:                # joinctl pin /etc/kubernetes/pki/ca.crt\n"},
    {JOINS, ALL, "    - \"sha256:a4425f1b5c5c5d8d7a9e0f3b2c1d4e5f60718293a4b5c6d7e8f9010203040506\"\n"},
    {CONTROL_PLANE, ALL, "controlPlane:\n"},
    {CONTROL_PLANE, ALL, "  localAPIEndpoint:              # what the other machines reach this API server at\n"},
    {CONTROL_PLANE, V4, "    advertiseAddress: \"10.100.0.3\"\n"},
    {CONTROL_PLANE, DUAL, "    advertiseAddress: \"10.100.0.3\"\n"},
    {CONTROL_PLANE, V6, "    advertiseAddress: \"fd00:1:2:3::4\"\n"},
    {CONTROL_PLANE, ALL, "    bindPort: 6443\n"},
    {CONTROL_PLANE, ALL, "  # a secret, good for two hours: kubeadm init phase upload-certs --upload-certs\n"},
    {CONTROL_PLANE, ALL, "  certificateKey: \"e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204\"\n"},
    {INIT, ALL, "# kubeadm's own documents, as `kubeadm init --config` takes them: they create a cluster.\n"},
    {INIT, ALL, "apiVersion: kubeadm.k8s.io/v1beta4\n"},
    {INIT, ALL, "kind: ClusterConfiguration\n"},
    {INIT, ALL, "kubernetesVersion: \"v1.36.2\"     # without it kubeadm asks the internet\n"},
    {INIT, ALL, "controlPlaneEndpoint: \"api.lab.example:6443\"   # without it no control-plane node can join later\n"},
    {INIT, ALL, "networking:                      # the same family first everywhere\n"},
    {INIT, V4, "  podSubnet: \"10.244.0.0/16\"\n"},
    {INIT, V4, "  serviceSubnet: \"10.96.0.0/16\"\n"},
    {INIT, V6, "  podSubnet: \"2001:db8:42:0::/56\"\n"},
    {INIT, V6, "  serviceSubnet: \"2001:db8:42:1::/112\"\n"},
    {INIT, DUAL, "  podSubnet: \"10.244.0.0/16,2001:db8:42:0::/56\"\n"},
    {INIT, DUAL, "  serviceSubnet: \"10.96.0.0/16,2001:db8:42:1::/112\"\n"},
    {INIT, ALL, "apiServer:\n"},
    {INIT, ALL, "  certSANs:                      # the second family's first service address is not in it by itself\n"},
    {INIT, ALL, "  - \"api.lab.example\"\n"},
    {INIT, DUAL, "  - \"2001:db8:42:1::1\"\n"},
    {INIT, ALL, "controllerManager:\n"},
    {INIT, ALL, "  extraArgs:                     # the part of podSubnet that each node gets; these are the defaults\n"},
    {INIT, V4, "  - name: node-cidr-mask-size-ipv4\n"},
    {INIT, V4, "    value: \"24\"\n"},
    {INIT, DUAL, "  - name: node-cidr-mask-size-ipv4\n"},
    {INIT, DUAL, "    value: \"24\"\n"},
    {INIT, HAS_V6, "  - name: node-cidr-mask-size-ipv6\n"},
    {INIT, HAS_V6, "    value: \"64\"\n"},
    {INIT, ALL, "---\n"},
    {INIT, ALL, "apiVersion: kubeadm.k8s.io/v1beta4\n"},
    {INIT, ALL, "kind: InitConfiguration\n"},
    {INIT, ALL, "bootstrapTokens:                 # what machines will join with; kubeadm makes one if there is none\n"},
    {INIT, ALL, "- token: \"clvldh.vjjwg16ucnhp94qr\"\n"},
    {INIT, ALL, "  ttl: \"24h0m0s\"\n"},
    {INIT, ALL, "localAPIEndpoint:\n"},
    {INIT, V4, "  advertiseAddress: \"10.100.0.1\"\n"},
    {INIT, DUAL, "  advertiseAddress: \"10.100.0.1\"\n"},
    {INIT, V6, "  advertiseAddress: \"fd00:1:2:3::2\"\n"},
    {INIT, ALL, "  bindPort: 6443\n"},
    {ROLES, ALL, "nodeRegistration:\n"},
    {ROLES, ALL, "  kubeletExtraArgs:\n"},
    {ROLES, ALL, "  - name: node-ip                # without it: the addresses that the machine acquired\n"},
    {WORKER, V4, "    value: \"10.100.0.2\"\n"},
    {WORKER, V6, "    value: \"fd00:1:2:3::3\"\n"},
    {WORKER, DUAL, "    value: \"10.100.0.2,fd00:1:2:3::3\"\n"},
    {CONTROL_PLANE, V4, "    value: \"10.100.0.3\"\n"},
    {CONTROL_PLANE, V6, "    value: \"fd00:1:2:3::4\"\n"},
    {CONTROL_PLANE, DUAL, "    value: \"10.100.0.3,fd00:1:2:3::4\"\n"},
    {INIT, V4, "    value: \"10.100.0.1\"\n"},
    {INIT, V6, "    value: \"fd00:1:2:3::2\"\n"},
    {INIT, DUAL, "    value: \"10.100.0.1,fd00:1:2:3::2\"\n"},
};

static const struct line site[] = {
    {ROLES, ALL, "# The root of trust of every machine of a site; it goes into the image.\n"},
    {ROLES, ALL, "\n"},
    {ROLES, ALL, "# The cluster that these machines may join, as in the NodeJoin documents.\n"},
    {ROLES, ALL, "cluster = lab\n"},
    {ROLES, ALL, "\n"},
    {ROLES, ALL, "# Where a machine fetches its bundle. {uuid}, {serial} and {mac} stand for its own.\n"},
    {ROLES, ALL, "url = https://config.example.com/{mac}.jws\n"},
    {ROLES, ALL, "\n"},
    {ROLES, ALL, "# Wanted address families, how long both are waited for in seconds, and whether one is enough after that.\n"},
    {ROLES, V4, "families = ipv4\n"},
    {ROLES, V6, "families = ipv6\n"},
    {ROLES, DUAL, "families = ipv4,ipv6\n"},
    {ROLES, ALL, "families-wait = 30\n"},
    {ROLES, ALL, "one-family = no\n"},
    {ROLES, ALL, "\n"},
    {ROLES, ALL, "# Duplicate address detection: optimistic, rfc4862 or short.\n"},
    {ROLES, ALL, "dad = optimistic\n"},
    {ROLES, ALL, "\n"},
    {ROLES, ALL, "# `required`: tokens travel only in bundles that one machine can read (`joinctl sign --seal-to`).\n"},
    {ROLES, ALL, "sealed = optional\n"},
    {ROLES, ALL, "\n"},
    {ROLES, ALL, "# Programs in the image. `runtime = none` if something else starts it.\n"},
    {ROLES, ALL, "kubelet = /usr/bin/kubelet\n"},
    {ROLES, ALL, "runtime = /usr/bin/containerd\n"},
    {ROLES, ALL, "\n"},
    {ROLES, ALL, "# The config server's CA (up to 8 such lines), in base64 of its DER:\n"},
    {ROLES, ALL, "#   echo \"tls-root = $(openssl x509 -in ca.crt -outform DER | base64 -w0)\" >> site.conf\n"},
    {ROLES, ALL, "\n"},
    {ROLES, ALL, "# The keys that may sign bundles (up to 8 such lines):\n"},
    {ROLES, ALL, "#   joinctl keygen --out site.key >> site.conf\n"},
};
/* clang-format on */

/* The bit of a word in a list, or 0. */
static unsigned choice(const char *word, const char *const *words)
{
    for (unsigned bit = 1; *words; words++, bit *= 2) {
        if (strcmp(word, *words) == 0)
            return bit;
    }
    return 0;
}

static void print(const struct line *lines, size_t count, unsigned role, unsigned family)
{
    for (size_t i = 0; i < count; i++) {
        if ((lines[i].roles & role) && (lines[i].families & family))
            (void)fputs(lines[i].text, stdout);
    }
}

int example_run(struct tool *t)
{
    static const struct {
        const char *name;
        const struct line *lines;
        size_t count;
    } examples[] = {
        {"nodejoin", nodejoin, COUNT(nodejoin)}, {"site", site, COUNT(site)}, {"join", join, COUNT(join)}};
    static const char *const roles[] = {"worker", "control-plane", "init", NULL};
    static const char *const families[] = {"ipv4", "ipv6", "dual", NULL};
    const char *role = t->option[OPTION_ROLE], *family = t->option[OPTION_FAMILY];
    unsigned role_bit = role ? choice(role, roles) : WORKER;
    unsigned family_bit = family ? choice(family, families) : DUAL;
    if (role_bit == 0)
        return tool_bad_option(t, "--role", "worker, control-plane or init");
    if (family_bit == 0)
        return tool_bad_option(t, "--family", "ipv4, ipv6 or dual");
    for (size_t i = 0; i < COUNT(examples); i++) {
        if (strcmp(t->file[0], examples[i].name) != 0)
            continue;
        print(examples[i].lines, examples[i].count, role_bit, family_bit);
        return tool_end();
    }
    return tool_usage(t, "there are examples of nodejoin, site and join");
}
