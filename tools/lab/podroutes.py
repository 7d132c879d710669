"""The routes between the pods of the lab's nodes, laid by a DaemonSet whose pods use the node's own network. Each keeps a route to every other node's
podCIDRs by that node's InternalIP of the same family, from the API's list of nodes, watched. The network on a node itself (bridge and host-local, a
range for each of the node's podCIDRs) is laid there by containerd, from tools/image/cni.template.

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

while :; do
    watch_nodes |
        while read -r event; do
            cidrs=$(pick '"podCIDRs":\[\([^]]*\)' | tr -d '"' | tr , ' ')
            [ -n "$cidrs" ] || continue
            name=$(pick '"metadata":{"name":"\([^"]*\)')
            ips=$(printf %s "$event" | grep -o '"InternalIP","address":"[^"]*"' | cut -d '"' -f 6)
            [ "$name" != "$NODE" ] || continue
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
    namespace, name = "kube-system", "lab-routes"
    meta = {"name": name, "namespace": namespace}
    container = {
        "name": name, "image": image, "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", SCRIPT],
        "env": [{"name": "SERVER", "value": f"https://{server}"}, {"name": "ACCOUNT", "value": "/var/run/secrets/kubernetes.io/serviceaccount"},
                {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "securityContext": {"privileged": True},
        "volumeMounts": [{"name": "root", "mountPath": "/host", "readOnly": True}],
    }
    pod = {"serviceAccountName": name, "hostNetwork": True, "tolerations": [{"operator": "Exists"}], "priorityClassName": "system-node-critical",
           "terminationGracePeriodSeconds": 1, "containers": [container],
           "volumes": [{"name": "root", "hostPath": {"path": "/"}}]}
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
