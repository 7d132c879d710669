/*
 * example.c - `example`: complete files to start from. What this prints is accepted by this tool, but for the site's keys and roots, which
 * nobody should take from an example. config/SPEC.md describes every field.
 */
#include "tools/joinctl/tool.h"

static const char nodejoin[] =
    "# For which machine a bundle is, when it is good, and how the machine's network looks.\n"
    "apiVersion: joinboot/v1alpha1\n"
    "kind: NodeJoin\n"
    "name: node-3                     # the node's name in the cluster\n"
    "binding:                         # all that are given must match; at least one\n"
    "  uuid: \"8f1c1f0e-3f2a-4a5e-9b54-0c8d6f7a1b2c\"   # SMBIOS system UUID\n"
    "  serial: \"C0FFEE42\"             # SMBIOS serial number\n"
    "  macs:                          # each must be a network card of the machine\n"
    "  - \"52:54:00:12:34:56\"\n"
    "cluster: lab                     # must be the site's\n"
    "sequence: 1                      # never goes down; `joinctl sign --sequence N` sets it\n"
    "issuedAt: \"2026-01-01T00:00:00Z\" # `joinctl sign --valid 24h` sets both\n"
    "expiresAt: \"2036-01-01T00:00:00Z\"\n"
    "families: [ipv4, ipv6]           # the families that the node needs\n"
    "network:                         # optional: static addresses of a family\n"
    "  ipv6:\n"
    "    addresses: [\"fd00:1:2:3::3/64\"]\n"
    "    gateway: \"fd00:1:2:3::1\"\n"
    "    dns: [\"fd00:1:2:3::1\"]\n";

static const char join[] =
    "# kubeadm's own document, as `kubeadm join --config` takes it. A token: kubeadm token create\n"
    "apiVersion: kubeadm.k8s.io/v1beta4\n"
    "kind: JoinConfiguration\n"
    "discovery:\n"
    "  bootstrapToken:\n"
    "    apiServerEndpoint: \"10.100.0.1:6443\"\n"
    "    token: \"clvldh.vjjwg16ucnhp94qr\"\n"
    "    caCertHashes:                # joinctl pin /etc/kubernetes/pki/ca.crt\n"
    "    - \"sha256:a4425f1b5c5c5d8d7a9e0f3b2c1d4e5f60718293a4b5c6d7e8f9010203040506\"\n"
    "nodeRegistration:\n"
    "  kubeletExtraArgs:\n"
    "  - name: node-ip                # without it: both addresses that the machine acquired\n"
    "    value: \"10.100.0.2,fd00:1:2:3::3\"\n";

static const char site[] =
    "# The root of trust of every machine of a site; it goes into the image.\n"
    "\n"
    "# The cluster that these machines may join, as in the NodeJoin documents.\n"
    "cluster = lab\n"
    "\n"
    "# Where a machine fetches its bundle. {uuid}, {serial} and {mac} stand for its own.\n"
    "url = https://config.example.com/{mac}.jws\n"
    "\n"
    "# Wanted address families, how long both are waited for in seconds, and whether one is enough after that.\n"
    "families = ipv4,ipv6\n"
    "families-wait = 30\n"
    "one-family = no\n"
    "\n"
    "# Duplicate address detection: optimistic, rfc4862 or short.\n"
    "dad = optimistic\n"
    "\n"
    "# Programs in the image. `runtime = none` if something else starts it.\n"
    "kubelet = /usr/bin/kubelet\n"
    "runtime = /usr/bin/containerd\n"
    "\n"
    "# The config server's CA (up to 8 such lines), in base64 of its DER:\n"
    "#   echo \"tls-root = $(openssl x509 -in ca.crt -outform DER | base64 -w0)\" >> site.conf\n"
    "\n"
    "# The keys that may sign bundles (up to 8 such lines):\n"
    "#   joinctl keygen --out site.key >> site.conf\n";

int example_run(struct tool *t)
{
    static const struct {
        const char *name, *text;
    } examples[] = {{"nodejoin", nodejoin}, {"site", site}, {"join", join}};
    for (size_t i = 0; i < COUNT(examples); i++) {
        if (strcmp(t->file[0], examples[i].name) != 0)
            continue;
        (void)fputs(examples[i].text, stdout);
        return tool_end();
    }
    return tool_usage(t, "there are examples of nodejoin, site and join");
}
