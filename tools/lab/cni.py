"""The lab's network for pods, laid the way every CNI does it: a DaemonSet whose pods use the node's own network, so that they run before there is
another one. Each writes /etc/cni/net.d/10-lab.conflist for its node (bridge and host-local, a range for each of the node's podCIDRs), and keeps a
route to every other node's podCIDRs by that node's InternalIP of the same family. Both come from the API's list of nodes, watched.

The pods run the node's own curl; its root is mounted. They speak to the endpoint that the cluster was made with: the service's address works only once
kube-proxy, another pod, has laid it.
"""
import json

SCRIPT = r"""
# Every node, and then every change of one, as a line of JSON: {"type":"ADDED","object":{NODE}}
watch_nodes() {
    printf 'Authorization: Bearer %s' "$(cat $ACCOUNT/token)" |
        chroot /host curl -sSfN --cacert /etc/kubernetes/pki/ca.crt -H @- "$SERVER/api/v1/nodes?watch=1"
}

# pick PATTERN: the part of $event that is in the pattern's parentheses
pick() { printf %s "$event" | sed -n "s|.*$1.*|\1|p"; }

# of_family 4|6 WORDS...: the words that are of this family
of_family() {
    f=$1; shift
    for w in "$@"; do case $f$w in 6*:*) echo $w ;; 6*) ;; 4*:*) ;; *) echo $w ;; esac; done
}

# lay CIDRS...: the conflist, complete at once, and only if it is another one
lay() {
    ranges= routes=
    for c in "$@"; do
        ranges="$ranges${ranges:+,}[{\"subnet\":\"$c\"}]"
        case $c in *:*) d=::/0 ;; *) d=0.0.0.0/0 ;; esac
        routes="$routes${routes:+,}{\"dst\":\"$d\"}"
    done
    text='{"cniVersion":"1.0.0","name":"lab","plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,"hairpinMode":true,"ipam":{"type":"host-local","ranges":['$ranges'],"routes":['$routes']}},{"type":"portmap","capabilities":{"portMappings":true}}]}'
    [ "$text" = "$(cat /net.d/10-lab.conflist 2>/dev/null)" ] && return
    printf %s "$text" >/net.d/.10-lab.new && mv /net.d/.10-lab.new /net.d/10-lab.conflist
    echo "laid $*"
}

while :; do
    watch_nodes |
        while read -r event; do
            cidrs=$(pick '"podCIDRs":\[\([^]]*\)' | tr -d '"' | tr , ' ')
            [ -n "$cidrs" ] || continue
            name=$(pick '"metadata":{"name":"\([^"]*\)')
            ips=$(printf %s "$event" | grep -o '"InternalIP","address":"[^"]*"' | cut -d '"' -f 6)
            if [ "$name" = "$NODE" ]; then lay $cidrs; continue; fi
            for f in 4 6; do
                via=$(of_family $f $ips | head -n 1)
                for c in $(of_family $f $cidrs); do [ -z "$via" ] || ip -$f route replace $c via $via; done
            done
        done
    sleep 1
done
"""


def manifests(image, server):
    """The objects, as one JSON list. image has sh and ip; server is the API server's host:port."""
    namespace, name = "kube-system", "lab-cni"
    meta = {"name": name, "namespace": namespace}
    folder = {"root": ("/", "/host", True), "net": ("/etc/cni/net.d", "/net.d", False)}
    container = {
        "name": name, "image": image, "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", SCRIPT],
        "env": [{"name": "SERVER", "value": f"https://{server}"}, {"name": "ACCOUNT", "value": "/var/run/secrets/kubernetes.io/serviceaccount"},
                {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "securityContext": {"privileged": True},
        "volumeMounts": [{"name": k, "mountPath": inside, "readOnly": ro} for k, (_, inside, ro) in folder.items()],
    }
    pod = {"serviceAccountName": name, "hostNetwork": True, "tolerations": [{"operator": "Exists"}], "priorityClassName": "system-node-critical",
           "terminationGracePeriodSeconds": 1, "containers": [container],
           "volumes": [{"name": k, "hostPath": {"path": outside}} for k, (outside, _, _) in folder.items()]}
    labels = {"app": name}
    items = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
         "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
         "subjects": [{"kind": "ServiceAccount", **meta}]},
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta,
         "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}},
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
