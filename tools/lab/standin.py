"""The stand-in cluster: static answers in the real shape of a kubeadm cluster, signed with the lab's token, served by nginx on port 6443.

It is no Kubernetes. It exists so that `make lab` works in a minute on a fresh machine; `make lab CLUSTER=kubernetes` uses the real one.
"""
import base64
import hashlib
import hmac
import json
import os

from servers import TOKEN

ENDPOINT = "10.100.0.1:6443"
NOTICE = ("stand-in cluster: static answers in kubeadm's shape, no Kubernetes behind them; "
          "`make lab CLUSTER=kubernetes` starts the real kube-apiserver")


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jws(kubeconfig, token=TOKEN):
    """The detached HS256 signature that the bootstrap signer would make."""
    key_id, secret = token.split(".")
    header = b64url(b'{"alg":"HS256","kid":"%s"}' % key_id.encode())
    signed = f"{header}.{b64url(kubeconfig.encode())}".encode()
    return f"{header}..{b64url(hmac.new(secret.encode(), signed, hashlib.sha256).digest())}"


def kubeconfig(ca_pem, server):
    data = base64.b64encode(ca_pem.encode()).decode()
    return ("apiVersion: v1\nclusters:\n- cluster:\n"
            f"    certificate-authority-data: {data}\n    server: {server}\n"
            '  name: ""\ncontexts: null\ncurrent-context: ""\nkind: Config\nusers: null\n')


KUBELET_CONFIG = """apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: ""
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {}
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
httpCheckFrequency: 0s
imageMaximumGCAge: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
memorySwap: {}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
"""

CLUSTER_CONFIG = """apiServer: {}
apiVersion: kubeadm.k8s.io/v1beta4
caCertificateValidityPeriod: 87600h0m0s
certificateValidityPeriod: 8760h0m0s
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
controlPlaneEndpoint: 10.100.0.1:6443
controllerManager: {}
dns: {}
encryptionAlgorithm: RSA-2048
etcd:
  local:
    dataDir: /var/lib/etcd
imageRepository: registry.k8s.io
kind: ClusterConfiguration
kubernetesVersion: v1.36.2
networking:
  dnsDomain: cluster.local
  podSubnet: 10.244.0.0/16,2001:db8:42:0::/56
  serviceSubnet: 10.96.0.0/16,2001:db8:42:1::/112
proxy: {}
scheduler: {}
"""


def config_map(namespace, name, data):
    return json.dumps({"kind": "ConfigMap", "apiVersion": "v1",
                       "metadata": {"name": name, "namespace": namespace, "uid": "8b7562df-b867-415a-b4a3-97da91007faa", "resourceVersion": "310"},
                       "data": data}) + "\n"


def status(code, reason, message):
    return json.dumps({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
                       "code": code}) + "\n"


def ready_node(name):
    return json.dumps({"kind": "Node", "apiVersion": "v1", "metadata": {"name": name},
                       "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}}) + "\n"


class Standin:
    """The files under nginx' root, and the server block that serves them."""

    def __init__(self, world, ca, cert, key, name="standin", server=f"https://{ENDPOINT}", listen=("10.100.0.1:6443", "[fd00:1:2:3::1]:6443")):
        self.world, self.ca, self.cert, self.key, self.name, self.listen = world, ca, cert, key, name, listen
        self.root = world.path(name)
        with open(ca.cert) as f:
            self.ca_pem = f.read()
        self.kubeconfig = kubeconfig(self.ca_pem, server)
        self.publish_cluster_info()
        self.put("api/v1/namespaces/kube-system/configmaps/kubelet-config", config_map("kube-system", "kubelet-config", {"kubelet": KUBELET_CONFIG}))
        self.put("api/v1/namespaces/kube-system/configmaps/kubeadm-config",
                 config_map("kube-system", "kubeadm-config", {"ClusterConfiguration": CLUSTER_CONFIG}))
        self.put("404.json", status(404, "NotFound", "not found"))
        self.put("401.json", status(401, "Unauthorized", "Unauthorized"))

    def put(self, path, text):
        self.world.write(os.path.join(self.name, path), text)

    def remove(self, path):
        os.unlink(os.path.join(self.root, path))

    def publish_cluster_info(self, token=TOKEN, kubeconfig_text=None, signature=None):
        text = kubeconfig_text or self.kubeconfig
        data = {"kubeconfig": text}
        if signature != "":
            data[f"jws-kubeconfig-{token.split('.')[0]}"] = signature or jws(text, token)
        self.put("api/v1/namespaces/kube-public/configmaps/cluster-info", config_map("kube-public", "cluster-info", data))

    def server(self):
        extra = ("default_type application/json; error_page 404 /404.json; error_page 401 /401.json; "
                 "location = /404.json { internal; } location = /401.json { internal; } "
                 "location /api/v1/namespaces/kube-public/ { } "
                 f"location / {{ if ($http_authorization != \"Bearer {TOKEN}\") {{ return 401; }} try_files $uri =404; }}")
        return {"listen": list(self.listen), "cert": self.cert, "key": self.key, "root": self.root, "extra": extra, "protocols": "TLSv1.2 TLSv1.3"}
