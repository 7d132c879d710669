"""A real control plane, and places for nodes beside it, for tests and the benchmark. The work is done by tools/kube; all ends with the world.

Place is one machine to be: a network namespace with a link on the cluster's bridge, and the private folders of tools/kube/node. KubeLab has the
cluster and the servers that a node meets on the way to it: DHCP, router advertisements, DNS, and a TLS server with the signed join config.
"""
import json
import os
import re
import shutil
import signal
import stat
import subprocess

import pki
from bundle import Operator
from console import Console
from proc import LabError, run, stop
from servers import TOKEN, Dnsmasq, Nginx

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLUSTER, NODE = (os.path.join(TOP, "tools/kube", x) for x in ("cluster", "node"))
CONFIG = "config.joinboot.lab"
MAC, OTHER_MAC = "52:54:00:4a:42:02", "52:54:00:4a:42:0a"
UUID = "7c6f2d1e-5b3a-4e8f-9a0b-1c2d3e4f5a6b"
FILES = ("/etc/kubernetes/bootstrap-kubelet.conf", "/etc/kubernetes/pki/ca.crt", "/var/lib/kubelet/config.yaml",
         "/var/lib/kubelet/instance-config.yaml", "/var/lib/kubelet/kubeadm-flags.env")
RESOLVED = "/run/systemd/resolve/resolv.conf"


def build_folder():
    return os.path.join(TOP, os.environ.get("BUILD") or "build")


def pairs(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


class Control:
    """The control plane, by name; options as tools/kube/cluster knows them."""

    def __init__(self, world, name, *options):
        self.world, self.name = world, name
        world.stack.callback(run, CLUSTER, "down", name, check=False)
        self.env = pairs(run(CLUSTER, "up", "--name", name, *options, capture=True))
        self.ns, self.bridge, self.pin = self.env["NETNS"], self.env["BRIDGE"], self.env["PIN"]

    def kubectl_argv(self):
        """kubectl as the cluster's administrator, for a process in the cluster's namespace."""
        return [f"{self.env['KUBE_BIN']}/kubectl", "--kubeconfig", self.env["KUBECONFIG"], "--cache-dir", self.world.path("kubectl")]

    def kubectl(self, *argv, data=None):
        """kubectl's output."""
        done = subprocess.run([*self.kubectl_argv(), *argv], input=data, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              preexec_fn=self._enter)
        if done.returncode != 0:
            raise LabError(f"kubectl {' '.join(argv)}: {done.stderr.strip()}")
        return done.stdout

    def _enter(self):
        with open(f"/run/netns/{self.ns}") as ns:
            import ctypes
            if ctypes.CDLL(None, use_errno=True).setns(ns.fileno(), 0x40000000) != 0:
                os._exit(127)

    def get(self, *argv):
        return json.loads(self.kubectl("get", *argv, "-o", "json"))

    def version(self):
        """The cluster's, such as v1.36.2, as kubeadm-config says it."""
        config = self.get("-n", "kube-system", "configmap", "kubeadm-config")["data"]["ClusterConfiguration"]
        return re.search(r"(?m)^kubernetesVersion: (\S+)", config)[1]

    def kubelet_config(self, path):
        """The ConfigMap as `kubeadm init` makes it from a KubeletConfiguration."""
        run(CLUSTER, "kubelet-config", self.name, path)

    def edit_config_map(self, name, key, text, namespace="kube-system"):
        """The ConfigMap as an operator leaves it after `kubectl edit`."""
        self.kubectl("-n", namespace, "patch", "configmap", name, "--type", "merge", "-p", json.dumps({"data": {key: text}}))

    def token(self, token, *options):
        run(CLUSTER, "exec", self.name, "kubeadm", "token", "create", token, *options)

    def delete_token(self, token=TOKEN):
        self.kubectl("-n", "kube-system", "delete", "secret", f"bootstrap-token-{token.split('.')[0]}", "--ignore-not-found")

    def audit(self, since=0):
        """Audit events from byte `since` of the log on, without the events of watches that go on."""
        with open(self.env["AUDIT"], "rb") as f:
            f.seek(since)
            return [json.loads(line) for line in f.read().splitlines() if line.endswith(b"}")]

    def audit_size(self):
        return os.path.getsize(self.env["AUDIT"])


class Place:
    """A place for one node. Link and namespace stay for the place's life; start() and stop() the node around it."""

    def __init__(self, world, control, name, mac=MAC):
        self.world, self.control, self.name, self.mac = world, control, f"{name}{os.getpid()}", mac
        self.ns = world.netns(name)
        run(CLUSTER, "attach", control.name, self.ns, "eth0", mac)
        world.stack.callback(run, NODE, "down", self.name, check=False)
        self.root = None

    def start(self, *flags):
        env = pairs(run(NODE, "up", "--name", self.name, "--netns", self.ns, "--cluster", self.control.name, *flags, capture=True))
        self.root = env["ROOT"]
        with open(f"{self.root}/etc/hosts", "a") as f:  # else kubeadm's preflight waits for a name server
            f.write("127.0.1.1 node-2\n")
        return self

    def stop(self):
        run(NODE, "down", self.name)
        self.root = None

    def sysctl(self, key, value):
        self.world.sysctl(self.ns, key, value)

    def link_for_agent(self):
        """A link as the agent expects it: the kernel has no addresses on it and makes none."""
        run("ip", "-n", self.ns, "address", "flush", "dev", "eth0")
        self.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self.sysctl("net.ipv6.conf.eth0.disable_ipv6", 1)
        self.sysctl("net.ipv4.ip_forward", 0)
        run("ip", "-n", self.ns, "link", "set", "eth0", "up")

    def link_for_kubeadm(self, addresses):
        """A link as kubeadm expects it, up and with addresses; and the node's name as the host's."""
        for key in ("net.ipv6.conf.all.disable_ipv6", "net.ipv6.conf.eth0.disable_ipv6"):
            self.sysctl(key, 0)
        self.sysctl("net.ipv4.ip_forward", 1)
        self.sysctl("net.ipv6.conf.all.forwarding", 1)
        run("ip", "-n", self.ns, "link", "set", "eth0", "up")
        for a in addresses:
            run("ip", "-n", self.ns, "address", "add", a, "dev", "eth0", *(["nodad"] if ":" in a else []))
        run("ip", "-n", self.ns, "route", "add", "default", "via", "10.100.0.1")
        self.run("hostname", "node-2")

    def forget(self):
        """A node that never joined: what a join writes is gone."""
        for folder in ("/etc/kubernetes", "/var/lib/kubelet", "/var/lib/joinboot"):
            path = self.root + folder
            for name in os.listdir(path) if os.path.isdir(path) else ():
                full = f"{path}/{name}"
                if os.path.isdir(full):
                    shutil.rmtree(full)
                else:
                    os.unlink(full)
        # /var/lib/kubelet is a mount and stays, empty
        if os.path.isdir(f"{self.root}/etc/kubernetes"):
            os.rmdir(f"{self.root}/etc/kubernetes")

    def resolved(self, active):
        """Looks like a machine with systemd-resolved, or without."""
        path = self.root + RESOLVED
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if active:
            with open(path, "w") as f:
                f.write("nameserver 10.100.0.1\n")
        elif os.path.exists(path):
            os.unlink(path)

    def files(self):
        """{path: (mode, bytes)} of all that a join wrote; a folder's path ends in a slash and has no bytes."""
        found = {}
        for top in ("/etc/kubernetes", "/var/lib/kubelet"):
            for base, _, names in os.walk(self.root + top):
                found[base[len(self.root):] + "/"] = (stat.S_IMODE(os.stat(base).st_mode), None)
                for path in (f"{base}/{name}" for name in names):
                    try:
                        with open(path, "rb", opener=lambda p, f: os.open(p, f | os.O_NONBLOCK)) as f:
                            found[path[len(self.root):]] = (stat.S_IMODE(os.fstat(f.fileno()).st_mode), f.read())
                    except OSError:
                        continue
        return found

    def written(self):
        """When the last of them was written or renamed, in seconds since the epoch; None while one is missing."""
        try:
            return max(os.stat(self.root + path).st_ctime for path in FILES)
        except FileNotFoundError:
            return None

    def command(self, *argv):
        return [NODE, "exec", self.name, "--", *map(str, argv)]

    def run(self, *argv):
        return run(*self.command(*argv), capture=True)

    def kubeadm_join(self, config, *options):
        """The real thing, up to and without the wait for kubelet's certificate."""
        return self.run("kubeadm", "join", "--config", config, "--skip-phases=kubelet-wait-bootstrap",
                        "--ignore-preflight-errors=SystemVerification", *options)


class Agent(Console):
    """The shipped agent in a place. Its files lie in a folder of the world, its state in the node's /var/lib/joinboot."""
    count = 0

    def __init__(self, place, site, wrapper=()):
        Agent.count += 1
        world, name = place.world, f"agent{Agent.count}"
        super().__init__(world.path(f"{name}.console"))
        self.place = place
        conf = world.write(f"{name}.site", site)
        place.link_for_agent()
        argv = [*wrapper, os.path.join(build_folder(), "x86_64/joinboot"), "--site", conf, "--nic", "eth0", "--identity", f"uuid={UUID}"]
        self.proc = world.popen(place.command(*argv), stdout=subprocess.PIPE)
        self.follow(self.proc.stdout)

    def pid(self):
        """The agent's own PID: `node exec` has it as the child of its child."""
        pid = self.proc.pid
        for _ in range(2):
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                pid = int(f.read().split()[0])
        return pid

    def wait_files(self, timeout=30):
        """Until the last of kubelet's files is there; an error comes first only if something is wrong."""
        e = self.wait("files", lambda e: e.event == "error" or e.event == "file" and e.get("path") == FILES[0], timeout)
        assert e.event == "file", f"{e.get('code')} in {e.phase}\n{self.console()[-6000:]}"

    def stop(self, grace=15):
        """SIGTERM, as an operator would; returns the exit status, or None if it had to be killed."""
        self.proc.send_signal(signal.SIGTERM)
        try:
            return self.proc.wait(grace)
        except subprocess.TimeoutExpired:
            stop(self.proc)
            return None


class KubeLab:
    """Cluster, operator and servers. `world` ends all of it."""

    def __init__(self, world, name):
        self.world = world
        self.control = Control(world, f"{name}{os.getpid()}")
        self.op = Operator(world, os.path.join(build_folder(), "host/joinctl"))
        self.ca = pki.Authority(world.path("config-ca"), "config CA of the lab")
        cert, key = self.ca.leaf("config", f"DNS:{CONFIG}")
        self.www = world.path("www")
        os.makedirs(self.www)
        ns, bridge = self.control.ns, self.control.bridge
        self.dns = Dnsmasq(world, ns, bridge, reserve={MAC: "10.100.0.2"}, hosts={CONFIG: ["fd00:1:2:3::1", "10.100.0.1"]}).start()
        self.web = Nginx(world, ns, [{"listen": ["[fd00:1:2:3::1]:443", "10.100.0.1:443"], "cert": cert, "key": key, "root": self.www}]).start()
        self.sequence = 0

    def program(self, name, text):
        """A small program in the place of kubelet or of the runtime."""
        path = self.world.write(f"programs/{name}", text)
        os.chmod(path, 0o755)
        return path

    def standin(self, name):
        """The lab's stand-in program, under the name by which it knows its part."""
        path = self.world.path("programs", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(os.path.join(build_folder(), "x86_64/standin"), path)
        return path

    def join(self, **fields):
        return self.op.join(fields.pop("pin", self.control.pin), **fields)

    def publish(self, join, name="node-2", macs=(MAC,), url="node.jws"):
        """Signs a bundle that is newer than all before and puts it under the URL."""
        self.sequence += 1
        node = self.op.node(name=name, macs=macs, uuid=UUID, sequence=self.sequence, network={"ipv6": {"addresses": ["fd00:1:2:3::3/64"]}})
        target = os.path.join(self.www, url)
        shutil.copy(self.op.sign(node, join), target + ".new")
        os.rename(target + ".new", target)

    def site(self, kubelet, runtime="none", extra=()):
        programs = [f"kubelet = {kubelet}", f"runtime = {runtime}"]
        return self.op.site(self.ca, f"https://{CONFIG}/node.jws", extra=[*programs, "families-wait = 20", *extra])
