"""A cluster whose control plane the lab's nodes make themselves: the agent of the first one runs `kubeadm init`, others join it.

Founded is where that happens: a network with the servers that a node meets on its way (DHCP, router advertisements, DNS, signed bundles over TLS), and
the operator, who chose token and certificate key before any node was switched on. With these two he becomes the cluster's administrator: `kubeadm
init` leaves the CAs in the Secret kubeadm-certs, encrypted with the certificate key, and the token may read it (admit()).

Spot is one node: a place of tools/kube/node with the shipped agent, containerd, kubelet and kubeadm; the control plane's static pods are containers
of the node image's archives. The same on an emulated machine is emulated.py.
"""
import base64
import json
import os
import secrets
import shutil
import signal

import pki
from bundle import Operator
from kube import NODE, Agent, Control, Place, build_folder, pairs
from nodes import ADDRESS, CONFIG, DUAL, URL, Image, Spec
from proc import run, wait_for
from servers import TOKEN, Dnsmasq, Nginx

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PODS = {"ipv4": "10.244.0.0/16", "ipv6": "2001:db8:42:0::/56"}
SERVICES = {"ipv4": "10.96.0.0/16", "ipv6": "2001:db8:42:1::/112"}
FIRST_SERVICE = {"ipv4": "10.96.0.1", "ipv6": "2001:db8:42:1::1"}
API = "api.joinboot.lab"
CONTROL_PLANES = 2
SPOTS = 4
# What only the lab needs: its kernel and its cgroups are not a node's. It goes on inside nodeRegistration.
LAB = "  ignorePreflightErrors: [SystemVerification]\npatches:\n  directory: /etc/joinboot-patches\n"
CGROUP_V1 = "cgroupDriver: cgroupfs\nfailCgroupV1: false\n"
TIMEOUTS = "timeouts:\n  kubernetesAPICall: 3m0s\n  discovery: 5m0s\n"
CONTAINERD = """version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{pause}"
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["/opt/cni/bin"]
conf_dir = "/etc/cni/net.d"
"""
CNI = {"cniVersion": "1.0.0", "name": "lab", "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": True,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.250.0/24"}], [{"subnet": "2001:db8:42:fa::/64"}]]}}]}
# URL [CA [CERTIFICATE KEY BODY]]
FETCH = """import ssl, sys, urllib.request
url, ca, cert, key, body = (sys.argv[1:] + [None] * 4)[:5]
context = ssl.create_default_context(cafile=ca) if ca else ssl._create_unverified_context()
if cert:
    context.load_cert_chain(cert, key)
print(urllib.request.urlopen(url, data=body and body.encode(), timeout=20, context=context).read().decode())
"""
# As a control-plane node takes them. /etc is a private one: nothing of this machine is read or written.
TAKE = """mount -t tmpfs none /etc
mkdir -p /etc/kubernetes
printf 'nameserver %s\\n' "$1" >/etc/resolv.conf
printf 'root:x:0:0::/:/bin/sh\\n' >/etc/passwd
"$2/kubeadm" join phase control-plane-prepare download-certs --config "$3" >&2
"$2/kubeadm" init phase kubeconfig super-admin --config "$4" >&2
"$2/kubeadm" init phase certs etcd-healthcheck-client --config "$4" >&2
cp /etc/kubernetes/super-admin.conf /etc/kubernetes/pki/ca.crt /etc/kubernetes/pki/etcd/healthcheck-client.* "$5/"
cp /etc/kubernetes/pki/etcd/ca.crt "$5/etcd-ca.crt"
"""
ADMIN = """apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: "{address}"
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: {version}
controlPlaneEndpoint: "{host}:6443"
"""
# What a power cut leaves of a machine's memory: nothing.
FORGET = """awk '$2 ~ "^/(run/containerd|run/netns|var/lib/kubelet|var/lib/containerd)/" { print $2 }' /proc/mounts | sort -r | xargs -r -n 1 umount -l
find /run -mindepth 1 -maxdepth 1 ! -name joinboot-node -exec rm -rf {} +
mkdir -p /run/lock /run/containerd
"""


def bracket(address):
    return f"[{address}]" if ":" in address else address


def descendants(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            children = [int(x) for x in f.read().split()]
    except OSError:
        children = []
    return {x for child in children for x in (child, *descendants(child))}


def processes(init):
    """What runs in the place with this init: what shares its PID namespace, and containers, which have their own and are known by their parents."""
    own, found = os.readlink(f"/proc/{init}/ns/pid"), descendants(init)
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            if os.readlink(f"/proc/{pid}/ns/pid") == own and os.readlink(f"/proc/{pid}/exe"):
                found |= {pid, *descendants(pid)}
        except OSError:
            continue
    return found - {init}


class Founder(Control):
    """The cluster as its operator sees it. kubectl works from admit() on."""

    def __init__(self, world, families, binaries):
        self.world, self.name, self.families = world, "founded", families
        self.ns, self.bridge, self.pin = world.netns("net"), "br0", None
        self.key = secrets.token_hex(32)
        self.env = {"KUBE_BIN": binaries, "KUBECONFIG": world.path("super-admin.conf"), "CA": world.path("ca.crt"), "ENDPOINT": f"{API}:6443",
                    "VERSION": run(f"{binaries}/kubeadm", "version", "-o", "short", capture=True).strip()}

    def fetch(self, url, *more):
        """The answer to a GET; or to a POST, as `more` says: CA, certificate, key, body. Without a CA the server's certificate is not looked at."""
        return run("ip", "netns", "exec", self.ns, "python3", "-c", FETCH, url, *more, capture=True).strip()

    def livez(self, address):
        """What the API server at this address says of itself, its certificate verified."""
        return self.fetch(f"https://{bracket(address)}:6443/livez", self.env["CA"])

    def etcd_members(self, address):
        """[(name, is a learner)] as the etcd at this address tells them."""
        files = [self.world.path(x) for x in ("etcd-ca.crt", "healthcheck-client.crt", "healthcheck-client.key")]
        answer = json.loads(self.fetch(f"https://{bracket(address)}:2379/v3/cluster/member/list", *files, "{}"))
        return sorted((m.get("name", ""), m.get("isLearner", False)) for m in answer["members"])

    def admit(self, first, join):
        """Makes the operator an administrator. first: the first node's address; join(pin): the text of a control-plane node's JoinConfiguration."""
        host = bracket(first)
        info = json.loads(self.fetch(f"https://{host}:6443/api/v1/namespaces/kube-public/configmaps/cluster-info"))
        kubeconfig = self.world.write("cluster-info.conf", info["data"]["kubeconfig"])
        ca = run(f"{self.env['KUBE_BIN']}/kubectl", "--kubeconfig", kubeconfig, "config", "view", "--raw", "-o",
                 "jsonpath={.clusters[0].cluster.certificate-authority-data}", capture=True)
        self.pin = pki.pin_of(self.world.write("info-ca.crt", base64.b64decode(ca)))
        document = self.world.write("take.yaml", join(self.pin), 0o600)
        admin = self.world.write("admin.yaml", ADMIN.format(address=first, host=host, version=self.env["VERSION"]))
        run("ip", "netns", "exec", self.ns, "unshare", "-m", "--propagation", "private", "sh", "-ec", TAKE, "sh", ADDRESS[self.families[0]],
            self.env["KUBE_BIN"], document, admin, self.world.folder)


class Spot(Place):
    """A place for one node, whose disk outlives power_cut()."""

    def __init__(self, lab, spec):
        self.lab, self.world, self.control, self.spec, self.mac = lab, lab.world, lab.control, spec, spec.mac
        self.name, self.ns, self.agent = f"{spec.name}-{os.getpid()}", lab.world.netns(spec.name), None
        self.world.plug(self.control.ns, self.control.bridge, self.ns, "eth0", spec.mac)
        self.world.stack.callback(run, NODE, "down", self.name, check=False)
        self.env = pairs(run(NODE, "up", "--name", self.name, "--netns", self.ns, "--no-kubelet", capture=True))
        self.root = self.env["ROOT"]
        for path, text in (("/etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {spec.name}\n"),
                           ("/etc/resolv.conf", f"nameserver {ADDRESS[lab.families[0]]}\n"),
                           ("/etc/containerd/config.toml", CONTAINERD.format(pause=lab.image.pause)),
                           ("/etc/cni/net.d/10-lab.conflist", json.dumps(CNI)), ("/etc/joinboot-patches/kubeletconfiguration.yaml", CGROUP_V1)):
            os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
            with open(self.root + path, "w") as f:
                f.write(text)

    def power_on(self):
        """Starts the agent; its console."""
        self.agent = Agent(self, self.lab.site())
        return self.agent

    def power_cut(self):
        """Kills the agent and all that it started, at once; files stay, memory does not."""
        def kill():
            left = processes(int(self.root.split("/")[2]))
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not left
        wait_for(f"{self.name}'s processes to be gone", kill, 20)
        self.agent.proc.wait(10)
        self.run("sh", "-c", FORGET)


class Founded:
    """The nodes 0 .. CONTROL_PLANES - 1 are to be control-plane nodes; their addresses are the endpoint's and in the API server's certificate."""
    # What a subclass has otherwise: lines inside nodeRegistration and after it, of the ClusterConfiguration, and of its apiServer.
    registration, timeouts, cluster, api_server = LAB, TIMEOUTS, "", ""

    def __init__(self, world, families=DUAL):
        self.world, self.families = world, families
        self.image = Image(world, root="root-control-plane.erofs")
        self.control = Founder(world, families, run(os.path.join(TOP, "tools/kube/build"), "--path", capture=True).strip())
        ns, bridge = self.control.ns, self.control.bridge
        world.bridge(ns, bridge, [f"{ADDRESS[f]}/{64 if f == 'ipv6' else 24}" for f in families])
        self.op = Operator(world, os.path.join(build_folder(), "host/joinctl"))
        self.ca = pki.Authority(world.path("config-ca"), "config CA of the lab")
        self.www, self.sequence, self.archives = world.path("www"), 0, world.path("image")
        for folder in (self.www, self.archives):
            os.makedirs(folder)
        run("mount", "-o", "loop,ro", self.image.root, self.archives)
        world.stack.callback(run, "umount", self.archives, check=False)
        specs = [Spec(n) for n in range(SPOTS)]
        self.dns = Dnsmasq(world, ns, bridge, reserve={s.mac: s.address["ipv4"] for s in specs}, ra="ipv6" in families, dhcp4="ipv4" in families,
                           hosts={CONFIG: [ADDRESS[families[-1]]], API: [specs[0].address[f] for f in families]}).start()
        cert, key = self.ca.leaf("config", f"DNS:{CONFIG}")
        self.web = Nginx(world, ns, [{"listen": [f"{bracket(ADDRESS[f])}:443" for f in families], "cert": cert, "key": key, "root": self.www}]).start()

    def site(self):
        families = [] if self.families == DUAL else [f"families = {self.families[0]}"]
        return self.op.site(self.ca, URL, extra=["kubelet = /usr/bin/kubelet", "runtime = /usr/bin/containerd", "families-wait = 20", *families,
                                                 f"images = {self.archives}/usr/share/joinboot/images"])

    def node_ip(self, spec):
        return ",".join(spec.address[f] for f in self.families)

    def local(self, spec):
        return f"advertiseAddress: {spec.address[self.families[0]]}\n"

    def init(self, spec):
        """The page's InitConfiguration and ClusterConfiguration."""
        sans = [Spec(n).address[f] for n in range(CONTROL_PLANES) for f in self.families] + [FIRST_SERVICE[f] for f in self.families]
        return (f"apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nbootstrapTokens:\n- token: {TOKEN}\n"
                f"certificateKey: {self.control.key}\nlocalAPIEndpoint:\n  {self.local(spec)}"
                f"nodeRegistration:\n  kubeletExtraArgs:\n  - name: node-ip\n    value: {self.node_ip(spec)}\n{self.registration}{self.timeouts}"
                f"---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: {self.control.env['VERSION']}\n"
                f"controlPlaneEndpoint: {self.control.env['ENDPOINT']}\n{self.cluster}apiServer:\n{self.api_server}  certSANs:\n"
                + "".join(f'  - "{s}"\n' for s in sans) + f"networking:\n  podSubnet: {','.join(PODS[f] for f in self.families)}\n"
                  f"  serviceSubnet: {','.join(SERVICES[f] for f in self.families)}\n")

    def join(self, spec, pin=None, **fields):
        """A worker's JoinConfiguration."""
        return self.op.join(pin or self.control.pin, **{"endpoint": self.control.env["ENDPOINT"], "node_ip": self.node_ip(spec), **fields})

    def join_control_plane(self, spec, pin=None, **fields):
        """The page's JoinConfiguration with controlPlane."""
        return self.join(spec, pin, **fields, extra=f"{self.registration}{self.timeouts}controlPlane:\n"
                         f"  certificateKey: {self.control.key}\n  localAPIEndpoint:\n    {self.local(spec)}")

    def offer(self, spec, documents, extra=""):
        """Signs kubeadm's documents for a node, in a bundle newer than all before, and puts it under the node's URL."""
        self.sequence += 1
        node = self.op.node(name=spec.name, macs=[spec.mac], sequence=self.sequence, families=f"[{', '.join(self.families)}]", extra=extra,
                            network={"ipv6": {"addresses": [f"{spec.address['ipv6']}/64"]}} if "ipv6" in self.families else None)
        target = os.path.join(self.www, f"{spec.mac}.jws")
        shutil.copy(self.op.sign(node, documents), target + ".new")
        os.rename(target + ".new", target)

    def admit(self, spec):
        """After the first node's init: kubectl works."""
        first = spec.address[self.families[0]]
        self.control.admit(first, lambda pin: self.join_control_plane(spec, pin, endpoint=f"{bracket(first)}:6443"))

    def cgroup_v1(self):
        """A worker's kubelet gets its configuration from the cluster, which was not made on such a machine."""
        text = self.control.get("-n", "kube-system", "configmap", "kubelet-config")["data"]["kubelet"]
        self.control.edit_config_map("kubelet-config", "kubelet", text.rstrip("\n") + "\nfailCgroupV1: false\n")
