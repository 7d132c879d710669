"""One node in a rack, for tests: the shipped agent as a process in namespaces of its own, with real dnsmasq and nginx around it.

The node's cluster is the lab's stand-in; its runtime and kubelet are the lab's stand-in program. The node has its own network, mount and UTS
namespaces with empty /etc, /run and /var, so nothing of the machine changes.
"""
import os
import shutil
import signal
import subprocess
import tempfile

import pki
from bundle import Operator
from console import Console
from proc import World, run
from servers import Dnsmasq, Nginx
from standin import Standin

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD") or "build") if not os.path.isabs(os.environ.get("BUILD") or "build") else os.environ["BUILD"]
MAC = "52:54:00:4a:42:02"
UUID = "7c6f2d1e-5b3a-4e8f-9a0b-1c2d3e4f5a6b"
CONFIG = "config.joinboot.lab"
SETUP = ("mount -t tmpfs none /etc && mount -t tmpfs none /run && mount -t tmpfs none /var && mkdir -p /var/lib /var/log && ln -s /run /var/run "
         "&& mkdir -p /etc/joinboot || exit 2; \"$@\" & c=$!; trap 'kill -TERM $c' TERM; wait $c; wait $c")


class Pki:
    """Keys and certificates that all tests of a run share: making them takes longer than a boot."""
    shared = None

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="joinboot-pki-")
        self.config = pki.Authority(os.path.join(self.folder, "config"), "rack config CA")
        self.cluster = pki.Authority(os.path.join(self.folder, "cluster"), "kubernetes", rsa=True)
        self.other = pki.Authority(os.path.join(self.folder, "other"), "some other CA")
        self.config_leaf = self.config.leaf("config", f"DNS:{CONFIG}")
        self.api_leaf = self.cluster.leaf("apiserver", "DNS:kubernetes,DNS:api.joinboot.lab,IP:10.100.0.1,IP:fd00:1:2:3::1")

    @classmethod
    def get(cls):
        if cls.shared is None:
            import atexit
            cls.shared = cls()
            atexit.register(shutil.rmtree, cls.shared.folder, True)
        return cls.shared


class Scene(Console):
    """A world in a folder of its own with one console; use as a context manager. make(world) brings all that is in it."""

    def __init__(self, name):
        self.folder = tempfile.mkdtemp(prefix=f"joinboot-{name}-")
        self.world = World(name, self.folder)
        super().__init__(self.world.path("console.log"))
        self.pki = Pki.get()

    def make(self, w):
        raise NotImplementedError

    def __enter__(self):
        self.world.__enter__()
        try:
            self.make(self.world)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        self.world.__exit__(*exc)
        shutil.rmtree(self.folder, ignore_errors=True)


def publish(www, bundle):
    """Puts a bundle (bytes, or the path of a file) under the URL of a machine that asks for node.jws, as an operator does: by rename."""
    target = os.path.join(www, "node.jws")
    if not isinstance(bundle, bytes):
        with open(bundle, "rb") as f:
            bundle = f.read()
    with open(target + ".new", "wb") as f:
        f.write(bundle)
    os.rename(target + ".new", target)


def host_link(world, ns):
    """A namespace as the host of a BMC whose cards are in ns, with the kernel's own addresses on bmc0, which leads to that BMC. Returns its name and the tap
    of the BMC's card."""
    host = world.netns("host")
    world.bridge(ns, "br1")
    tap = world.tap(ns, "br1", "tap1")
    world.plug(ns, "br1", host, "bmc0")
    world.sysctl(host, "net.ipv6.conf.bmc0.accept_dad", 0)
    world.ip(host, "link", "set", "bmc0", "up")
    world.sysctl(host, "net.ipv6.conf.bmc0.disable_ipv6", 0)
    return host, tap


class Rack(Scene):
    """Start the servers, and the agent with boot()."""

    def __init__(self, name="rack", ra=True, dhcp4=True, config_leaf=None, api_leaf=None, config_listen=None, operator=None):
        super().__init__(name)
        self.ra, self.dhcp4 = ra, dhcp4
        self.config_leaf, self.api_leaf = config_leaf or self.pki.config_leaf, api_leaf or self.pki.api_leaf
        self.config_listen = config_listen or ["[fd00:1:2:3::1]:443", "10.100.0.1:443"]
        self.url = f"https://{CONFIG}/node.jws"
        self.site_extra = []
        self.options = ["--nic", "eth0"]
        self.agent = None

    def make(self, w):
        self.net = w.netns("net")
        self.node_ns = w.netns("node")
        w.bridge(self.net, "br0", ["10.100.0.1/24", "fd00:1:2:3::1/64"])
        w.plug(self.net, "br0", self.node_ns, "eth0", MAC)
        w.ip(self.node_ns, "link", "set", "eth0", "up")
        self.joinctl = os.path.join(BUILD, "host/joinctl")
        self.op = Operator(w, self.joinctl)
        self.dns = self.dnsmasq()
        self.www = w.path("www")
        os.makedirs(self.www)
        self.web = Nginx(w, self.net, [self.config_server()])
        self.cluster = Standin(w, self.pki.cluster, *self.api_leaf)
        self.api = Nginx(w, self.net, [self.cluster.server()], name="cluster")

    def dnsmasq(self, **more):
        args = {"ra": self.ra, "dhcp4": self.dhcp4, **more}
        return Dnsmasq(self.world, self.net, reserve={MAC: "10.100.0.2"},
                       hosts={CONFIG: ["fd00:1:2:3::1", "10.100.0.1"], "api.joinboot.lab": ["10.100.0.1", "fd00:1:2:3::1"]}, **args)

    def config_server(self, extra=""):
        return {"listen": self.config_listen, "cert": self.config_leaf[0], "key": self.config_leaf[1], "root": self.www, "extra": extra}

    def servers(self):
        for server in (self.dns, self.web, self.api):
            server.start()

    # --- what the operator publishes

    def node(self, **fields):
        fields = {"macs": [MAC], "uuid": UUID, "network": {"ipv6": {"addresses": ["fd00:1:2:3::3/64"]}}, **fields}
        return self.op.node(**fields)

    def join(self, **fields):
        return self.op.join(fields.pop("pin", self.pki.cluster.pin()), **fields)

    def good(self, sequence=1, **fields):
        return self.op.sign(self.node(sequence=sequence, **fields), self.join())

    def publish(self, bundle):
        publish(self.www, bundle)

    # --- the node

    def boot(self, binary=None, args=(), site=None, wrapper=()):
        standin = os.path.join(BUILD, "x86_64/standin")
        place = self.world.path("bin")
        os.makedirs(place, exist_ok=True)
        for program in ("containerd", "kubelet"):
            shutil.copy(standin, os.path.join(place, program))
        extra = [f"runtime = {place}/containerd", f"kubelet = {place}/kubelet", "families-wait = 5", *self.site_extra]
        conf = self.world.write("site.conf", site or self.op.site(self.pki.config, self.url, extra=extra))
        argv = [*wrapper, binary or os.path.join(BUILD, "x86_64/joinboot"), "--site", conf, "--state", self.world.path("state"), *self.options,
                "--identity", f"uuid={UUID}", *args]
        self.agent = self.world.popen(["unshare", "-m", "-u", "-p", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "sh", "-c", SETUP, "sh", *argv], ns=self.node_ns,
                                      stdout=subprocess.PIPE)
        self.follow(self.agent.stdout)

    def node_file(self, path):
        """A file as the node's mount namespace has it, or None."""
        pid = self.agent_pid()
        try:
            with open(f"/proc/{pid}/root{path}", "rb") as f:
                return f.read()
        except OSError:
            return None

    def agent_pid(self):
        """A process in the node's namespaces: the shell that is the first process of the node's PID namespace."""
        with open(f"/proc/{self.agent.pid}/task/{self.agent.pid}/children") as f:
            return int(f.read().split()[0])

    def power_cut(self):
        """Ends the agent and all that it started, at once; what the node's kernel knew is gone, too."""
        if self.agent:
            self.agent.kill()
            self.agent.wait()
            self.agent = None
        for words in (["addr", "flush", "dev", "eth0"], ["route", "flush", "dev", "eth0"], ["-6", "route", "flush", "dev", "eth0"]):
            run("ip", "-n", self.node_ns, *words, check=False)
        self.world.sysctl(self.node_ns, "net.ipv6.conf.eth0.disable_ipv6", 1)

    def stop_agent(self, grace=10):
        """Asks the agent to stop, as an operator would; returns its exit status."""
        if not self.agent:
            return None
        os.kill(self.agent_pid(), signal.SIGTERM)
        status = self.agent.wait(grace)
        self.agent = None
        return status
