"""Hand-off mode one-shot on a running system: a real kubelet beside connections that stay up, and what the system keeps.

The place has its own addresses and routes in the kernel: IPv4 by hand, the IPv6 default route by router advertisements, which a kernel forgets
when it begins to forward. One echo stream per family runs over the same NIC during the whole join.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from console import Console
from kube import FILES, MAC, TOP, UUID, KubeLab, Place, build_folder
from proc import World, run, stop, wait_for

ADDRESSES = ("10.100.0.2/24", "fd00:1:2:3::3/64")
ECHO_PORT = 7007
STALL_S = 2.0
TIMEOUT = 60
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data-kube")
KEPT = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
SYSCTLS = "/etc/sysctl.d/90-joinboot.conf"
ECHO = f"""
import socket, threading
def serve(c):
    while (data := c.recv(4096)):
        c.sendall(data)
s = socket.create_server(("::", {ECHO_PORT}), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""
STREAM = """
import socket, sys, time
c = socket.create_connection((sys.argv[1], int(sys.argv[2])))
c.settimeout(60)
while True:
    begin = time.monotonic()
    c.sendall(b"x")
    if c.recv(1) != b"x":
        sys.exit("the stream ended")
    print(time.monotonic() - begin, flush=True)
    time.sleep(0.05)
"""


class Stream:
    """A connection from the node that says something every 50 ms."""

    def __init__(self, world, ns, address):
        self.proc = world.popen([sys.executable, "-c", STREAM, address, str(ECHO_PORT)], ns=ns, stdout=subprocess.PIPE)
        self.trips = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.proc.stdout:
            self.trips.append(float(line))


class OneShot(Console):
    """The shipped agent with --one-shot, in a place that has its own network."""
    count = 0

    def __init__(self, place, site, *options, wrapper=()):
        OneShot.count += 1
        name = f"oneshot{OneShot.count}"
        super().__init__(place.world.path(f"{name}.console"))
        argv = [*wrapper, os.path.join(build_folder(), "x86_64/joinboot"), "--one-shot", "--site", place.world.write(f"{name}.site", site),
                "--identity", f"uuid={UUID}", *options]
        self.proc = place.world.popen(place.command(*argv), stdout=subprocess.PIPE)
        self.follow(self.proc.stdout)

    def result(self, timeout=TIMEOUT):
        """The exit status."""
        try:
            return self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {timeout} s:\n{self.console()[-6000:]}") from None


class Unit(unittest.TestCase):
    def test_starts_until_the_token_is_gone(self):
        """What systemd says of the unit's conditions: it is skipped only by a machine that has joined and holds no token."""
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze here")
        with open(os.path.join(TOP, "boards/linux/joinboot.service")) as f:
            conditions = re.findall("^Condition.*", f.read(), re.M)
        folder = tempfile.mkdtemp(prefix="joinboot-unit-")
        self.addCleanup(shutil.rmtree, folder)
        for files, starts in (((), True), (("bootstrap-kubelet.conf",), True), (("kubelet.conf", "bootstrap-kubelet.conf"), True),
                              (("kubelet.conf",), False)):
            for name in os.listdir(folder):
                os.unlink(f"{folder}/{name}")
            for name in files:
                open(f"{folder}/{name}", "w").close()
            done = subprocess.run(["systemd-analyze", "condition", *(c.replace("/etc/kubernetes", folder) for c in conditions)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.assertEqual(done.returncode == 0, starts, files)


class Kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="joinboot-oneshot-")
        cls.addClassCleanup(shutil.rmtree, folder, True)
        cls.world = World("oneshot", folder)
        cls.world.__enter__()
        cls.addClassCleanup(cls.world.stack.close)
        cls.lab = KubeLab(cls.world, "os")
        cls.control = cls.lab.control
        cls.control.kubelet_config(f"{DATA}/real-kubelet.yaml")
        cls.place = Place(cls.world, cls.control, "system", MAC)
        # A router: one that does not forward says so in its neighbour advertisements, and hosts then drop their route by it (RFC 4861 7.2.5).
        cls.world.sysctl(cls.control.ns, "net.ipv6.conf.all.forwarding", 1)
        cls.world.popen([sys.executable, "-c", ECHO], ns=cls.control.ns, log="echo.log")

    def setUp(self):
        self.place.start("--with-containerd")
        self.addCleanup(self.place.stop)
        self.network()
        with open(f"{self.place.root}/etc/resolv.conf", "w") as f:
            f.write("nameserver 10.100.0.1\nnameserver fd00:1:2:3::1\n")

    def ip(self, *words):
        return run("ip", "-n", self.place.ns, *words, capture=True)

    def network(self):
        """As a system's own configuration leaves it. The name of the node is not the system's."""
        ip, p = self.ip, self.place
        ip("address", "flush", "dev", "eth0")
        for key, value in (("net.ipv4.ip_forward", 0), ("net.ipv6.conf.all.forwarding", 0), ("net.ipv6.conf.all.disable_ipv6", 0),
                           ("net.ipv6.conf.eth0.disable_ipv6", 0), ("net.ipv6.conf.eth0.accept_ra", 1), ("net.ipv6.conf.eth0.autoconf", 0)):
            p.sysctl(key, value)
        ip("link", "set", "eth0", "down")
        ip("link", "set", "eth0", "up")
        for a in ADDRESSES:
            ip("address", "add", a, "dev", "eth0", *(["nodad"] if ":" in a else []))
        ip("route", "add", "default", "via", "10.100.0.1")
        wait_for("the IPv6 default route", lambda: "default via fe80" in ip("-6", "route"), 20)

    def publish(self, mode="one-shot", join=None, address="fd00:1:2:3::3/64"):
        self.lab.sequence += 1
        node = self.lab.op.node(name="node-2", macs=(MAC,), uuid=UUID, sequence=self.lab.sequence,
                                network={"ipv6": {"addresses": [address]}}, extra=f"handOff: {mode}\n")
        target = os.path.join(self.lab.www, "node.jws")
        shutil.copy(self.lab.op.sign(node, join or self.lab.join()), target + ".new")
        os.rename(target + ".new", target)

    def agent(self, *options, **kw):
        agent = OneShot(self.place, self.lab.site("/usr/bin/kubelet", "/usr/bin/containerd"), *options, **kw)
        self.addCleanup(stop, agent.proc)
        return agent

    def kept(self):
        """Addresses, routes, names: what a one-shot leaves as it is. Without what counts down."""
        shown = [re.sub(r" (expires|valid_lft|preferred_lft) \S+|\S+_lft \S+", "", self.ip(*words))
                 for words in (("address", "show", "dev", "eth0"), ("route",), ("-6", "route", "show", "dev", "eth0"), ("link", "show", "eth0"))]
        for path in KEPT:
            with open(self.place.root + path) as f:
                shown.append(f.read())
        return shown + [self.place.run("hostname")]

    def packet_sockets(self):
        with open(f"{os.path.dirname(self.place.root)}/net/packet") as f:
            return f.read().splitlines()[1:]

    def node_gone(self):
        self.control.kubectl("delete", "node", "node-2", "--ignore-not-found")
        self.control.kubectl("delete", "csr", "--all")

    def ready(self):
        conditions = self.control.get("node", "node-2")["status"]["conditions"]
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def file(self, path):
        with open(self.place.root + path) as f:
            return f.read()

    def show3_connections_stay_up(self):
        """A Ready Node with both addresses, exit status 0; no stream stalled, no packet socket, nothing of the system's own changed."""
        self.addCleanup(self.node_gone)
        self.publish()
        wait_for("the kernel's duplicate address detection", lambda: "tentative" not in "".join(self.kept()))
        before = self.kept()
        streams = [Stream(self.world, self.place.ns, a) for a in ("10.100.0.1", "fd00:1:2:3::1")]
        for s in streams:
            self.addCleanup(stop, s.proc)
            wait_for("stream", lambda s=s: len(s.trips) > 5)
        agent = self.agent("--timeout", "120")
        seen = []
        routed = True
        end = time.monotonic() + TIMEOUT
        while agent.proc.poll() is None and time.monotonic() < end:
            seen += self.packet_sockets()
            routed = routed and "default via fe80" in self.ip("-6", "route")
        self.assertTrue(routed, "the IPv6 default route was away for a while")
        self.assertEqual(agent.result(1), 0, agent.console()[-6000:])
        self.assertEqual(seen, [])
        wait_for("Node", lambda: self.control.get("nodes")["items"], TIMEOUT, 0.2)

        node = self.control.get("node", "node-2")
        self.assertEqual([a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"], ["10.100.0.2", "fd00:1:2:3::3"])
        self.assertIn("--hostname-override=node-2", self.file("/var/lib/kubelet/kubeadm-flags.env"))
        self.assertNotIn(FILES[0], self.place.files())
        wait_for("Ready node", self.ready, TIMEOUT, 0.3)
        for s in streams:
            count = len(s.trips)
            wait_for("the stream goes on", lambda s=s, n=count: len(s.trips) > n + 3)
            self.assertIsNone(s.proc.poll())
            self.assertLess(max(s.trips), STALL_S)
        self.assertEqual(self.kept(), before)
        for key, value in (("net/ipv4/ip_forward", "1"), ("net/ipv6/conf/all/forwarding", "1"), ("net/ipv6/conf/eth0/accept_ra", "2")):
            self.assertEqual(self.place.run("cat", f"/proc/sys/{key}").strip(), value, key)
        for line in ("net.ipv4.ip_forward = 1", "net.ipv6.conf.all.forwarding = 1", "net.ipv6.conf.eth0.accept_ra = 2"):
            self.assertIn(line, self.file(SYSCTLS).splitlines())
        # Once more, as after a reboot without the unit's condition: it is the node already.
        again = self.agent("--timeout", "60")
        self.assertEqual(again.result(), 0, again.console()[-6000:])
        self.assertEqual(self.control.get("node", "node-2")["metadata"]["uid"], node["metadata"]["uid"])
        wait_for("Ready node", self.ready, TIMEOUT, 0.3)

    def show3_refused_by_name(self):
        """Modes that do not fit each other, and an address that the system does not have; each ends with its phase and name at --timeout."""
        without_raw = ("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
        for mode, address, phase, code in (("supervise", "fd00:1:2:3::3/64", "parse", "config.unsupported"),
                                           ("one-shot", "fd00:1:2:3::77/64", "network", "address.static")):
            with self.subTest(mode, address=address):
                self.publish(mode, address=address)
                agent = self.agent("--timeout", "4", wrapper=without_raw)
                agent.wait_error(code, phase, TIMEOUT)
                self.assertEqual(agent.result(), 1)
                self.assertRegex(agent.console().splitlines()[-1], f"^joinboot: {phase}: {code}: ")
                self.assertEqual([p for p in self.place.files() if not p.endswith("/")], [])

    def show3_waits_for_the_system(self):
        """Started before the system has a network: it waits, and goes on when there is a default route and both families have an address."""
        self.addCleanup(self.node_gone)
        self.publish()
        self.ip("route", "del", "default")
        self.ip("-6", "route", "flush", "default")
        self.ip("link", "set", "eth0", "down")
        agent = self.agent("--timeout", "120")
        agent.wait_error("link.carrier", "link", TIMEOUT)
        self.network()
        self.assertEqual(agent.result(), 0, agent.console()[-6000:])

    def test_needs_no_more_than_it_says(self):
        """The unit's file is one that systemd reads without a complaint, where systemd is installed."""
        unit = os.path.join(TOP, "boards/linux/joinboot.service")
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze here")
        copy = self.world.path("joinboot.service")
        with open(unit) as f, open(copy, "w") as out:
            out.write(f.read().replace("/usr/sbin/joinboot", os.path.join(build_folder(), "x86_64/joinboot")))
        done = subprocess.run(["systemd-analyze", "verify", copy], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
