"""Real nodes: machines under QEMU that boot the node image, join a real control plane by a signed bundle and stay its nodes.

NodeLab has the control plane, the servers that a machine meets on the way to it, the routes between pods (podroutes.py) and the routes to it where the control
plane runs. Node is one machine with its disk, through any number of power-ons. NodeWatch tells when the API server saw what of a node.
"""
import json
import os
import queue
import shutil
import subprocess
import threading
import time

import machine
import pki
import podroutes
from bundle import Operator
from console import Console
from kube import Control, build_folder
from proc import LabError, run, wait_for
from servers import Dnsmasq, Nginx

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFIG = "config.joinboot.lab"
URL = f"https://{CONFIG}/{{mac}}.jws"
ADDRESS = {"ipv4": "10.100.0.1", "ipv6": "fd00:1:2:3::1"}
DUAL = ("ipv4", "ipv6")
MEMORY_MIB, CPUS = 2048, 2
NODES_MAX = 8
READY_S = int(os.environ.get("NODE_READY_S") or 300)


class Spec:
    """The n-th machine, from 0: who it is, and the addresses that it is given."""

    def __init__(self, n):
        self.n, self.name, self.mac, self.serial = n, f"node-{n + 2}", f"{machine.MAC[:-2]}{n + 2:02x}", f"LAB-{n + 2:04d}"
        self.uuid = machine.UUID[:-2] + f"{(int(machine.UUID[-2:], 16) + n) & 0xff:02x}"
        self.address = {"ipv4": f"10.100.0.{n + 2}", "ipv6": f"fd00:1:2:3::{n + 3:x}"}


class Image:
    """The node image, brought by tools/image/build: a kernel, the modules that the initramfs needs, and a root file system: a worker's, or a
    control-plane node's. NODE_IMAGE names a folder with one that is there already."""

    def __init__(self, world, top=TOP, root="root.erofs"):
        self.world, self.top = world, top
        folder = os.environ.get("NODE_IMAGE")
        if not folder:
            build = subprocess.run([os.path.join(top, "tools/image/build")], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            if build.returncode != 0:
                raise LabError("there is no node image: see above")
            folder = build.stdout.strip().splitlines()[-1]
        self.root, self.kernel, self.modules = (os.path.join(folder, x) for x in (root, "vmlinux", "modules.cpio"))
        with open(os.path.join(folder, "image.json")) as f:
            names = json.load(f)["images"]
        self.test, self.pause = names["test"]["name"], names["pause"]["name"]

    def disk(self, name):
        """A new disk with the root file system and a blank state partition. Returns its path."""
        path = self.world.path(f"{name}.img")
        run(os.path.join(self.top, "tools/image/disk"), self.root, path)
        return path


class NodeWatch:
    """Follows the API server's nodes. Each of `seen` is (time.monotonic(), fields of FORMAT by name)."""
    FIELDS = {"name": "{.metadata.name}", "uid": "{.metadata.uid}", "boot": "{.status.nodeInfo.bootID}", "cidrs": "{.spec.podCIDRs[*]}",
              "ready": '{.status.conditions[?(@.type=="Ready")].status}',
              "addresses": '{.status.addresses[?(@.type=="InternalIP")].address}'}

    def __init__(self, world, control, on_change):
        self.seen, self.on_change = [], on_change
        argv = [*control.kubectl_argv(), "get", "nodes", "--watch", "-o", "jsonpath=" + "|".join(self.FIELDS.values()) + '{"\\n"}']
        proc = world.popen(argv, ns=control.ns, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        threading.Thread(target=self._read, args=(proc.stdout,), daemon=True).start()

    def _read(self, stream):
        for raw in stream:
            now, node = time.monotonic(), dict(zip(self.FIELDS, raw.decode().rstrip("\n").split("|")))
            self.on_change(node)
            self.seen.append((now, node))

    def first(self, name, since, test):
        """When the API server first said something of a boot after `since` for which test(node) is true; None if it did not."""
        seen = [x for x in list(self.seen) if x[1]["name"] == name]
        before = {node["boot"] for when, node in seen if when < since}
        return next((when for when, node in seen if when >= since and node["boot"] not in before and test(node)), None)


class Node(Console):
    """One machine. on_line(node, line) is called for each line of its console."""

    def __init__(self, lab, spec, out=None, on_line=None, memory=MEMORY_MIB):
        self.lab, self.spec, self.name, self.on_line, self.memory = lab, spec, spec.name, on_line, memory
        super().__init__(os.path.join(out or lab.world.folder, f"console-{spec.name}.log"))
        if os.path.exists(self.log):
            os.unlink(self.log)
        self.tap = lab.world.tap(lab.control.ns, lab.control.bridge, f"tap{spec.n}")
        self.disk, self.machine = None, None
        self.device_key, self.link = None, None  # in the image; the second card (machine.Machine)
        self.blank()

    def blank(self):
        """Puts a new disk in."""
        self.disk = self.lab.image.disk(self.spec.serial)

    def power_on(self, site=None, nic=None, attach="virtio-blk", append=""):
        """Boots. Without a site, the lab's."""
        lab, s = self.lab, self.spec
        ramfs = machine.node_initramfs(lab.world, s.name, os.path.join(build_folder(), "x86_64/joinboot"), site or lab.site(), lab.image.modules,
                                       self.device_key)
        self.lines, self.events = queue.Queue(), []
        self.machine = machine.Machine(lab.world, lab.control.ns, self.tap, "x86_64", lab.image.kernel, ramfs, self.log, self._line, append=append,
                                       mac=s.mac, uuid=s.uuid, serial=s.serial, memory=self.memory, cpus=CPUS, nic=nic, disk=self.disk,
                                       attach=attach, emulator=lab.emulator, control=lab.world.path(f"{s.name}.qmp"), link=self.link)
        return self

    def _line(self, line):
        self.lines.put(line)
        if self.on_line:
            self.on_line(self, line)

    def power_off(self):
        """Pulls the plug."""
        if self.machine:
            self.machine.power_off()
            self.machine = None

    def shut_down(self, timeout=60):
        """Presses the power button and waits until the machine is off; returns how long that took."""
        began = time.monotonic()
        self.machine.press_power_button()
        wait_for(f"{self.name} off", lambda: not self.machine.alive(), timeout, 0.1)
        self.power_off()
        return time.monotonic() - began

    def times(self):
        """Seconds from power-on to (registered, Ready), each None while it is not so."""
        began = self.machine.began
        found = [self.lab.watch.first(self.name, began, test) for test in (lambda n: True, lambda n: n["ready"] == "True")]
        return tuple(when and when - began for when in found)

    def wait_ready(self, timeout=READY_S):
        """Until the API server says Ready of this boot; returns times()."""
        def look():
            if not self.machine.alive():
                raise LabError(f"{self.name} stopped; its console said:\n{self.console()[-4000:]}")
            return self.times()[1]
        try:
            wait_for(f"{self.name} Ready", look, timeout, 0.1)
        except LabError as e:
            raise LabError(f"{e}\n{self.console()[-4000:]}") from None
        return self.times()


class NodeLab:
    """A control plane for real nodes. `world` ends all of it."""

    def __init__(self, world, name, families=DUAL, image=None, ra_lifetime=600):
        self.world, self.families = world, families
        self.image, self.emulator = image or Image(world), machine.newer_qemu(TOP)
        single = [] if families == DUAL else ["--families", families[0]]
        self.control = Control(world, f"{name}{os.getpid()}", "--addons", *single)
        self.op = Operator(world, os.path.join(build_folder(), "host/joinctl"))
        self.ca = pki.Authority(world.path("config-ca"), "config CA of the lab")
        self.www, self.sequence, self.routes = world.path("www"), 0, {}
        os.makedirs(self.www)
        self.dns = self.dnsmasq(ra_lifetime).start()
        self.web = self.config_server()
        self.watch = NodeWatch(world, self.control, self._route)
        self.control.kubectl("apply", "-f", "-", data=podroutes.manifests(self.image.test, self.control.env["ENDPOINT"]))

    def config_server(self):
        cert, key = self.ca.leaf("config", f"DNS:{CONFIG}")
        listen = [f"[{ADDRESS[f]}]:443" if f == "ipv6" else f"{ADDRESS[f]}:443" for f in self.families]
        return Nginx(self.world, self.control.ns, [{"listen": listen, "cert": cert, "key": key, "root": self.www}]).start()

    def names(self):
        """The config server's name has one address, so that in a dual-stack lab one boot speaks TLS over each family."""
        return {CONFIG: [ADDRESS[self.families[-1]]]}

    def dnsmasq(self, ra_lifetime):
        specs = [Spec(n) for n in range(NODES_MAX)]
        return Dnsmasq(self.world, self.control.ns, self.control.bridge, reserve={s.mac: s.address["ipv4"] for s in specs},
                       hosts=self.names(), ra="ipv6" in self.families, dhcp4="ipv4" in self.families,
                       ra_lifetime=ra_lifetime)

    def _route(self, node):
        """Where the control plane runs, what any node has: routes to the pods of each node."""
        if self.routes.get(node["name"]) == (node["cidrs"], node["addresses"]):
            return
        self.routes[node["name"]] = (node["cidrs"], node["addresses"])
        for cidr in node["cidrs"].split():
            via = next((a for a in node["addresses"].split() if (":" in a) == (":" in cidr)), None)
            if via:
                run("ip", "-n", self.control.ns, "route", "replace", cidr, "via", via, check=False)

    def site(self, extra=()):
        families = [] if self.families == DUAL else [f"families = {self.families[0]}"]
        return self.op.site(self.ca, URL, extra=["root = PARTLABEL=joinboot-root", "state = PARTLABEL=joinboot-state",
                                                 "images = /usr/share/joinboot/images", "families-wait = 20", *families, *extra])

    def publish(self, spec, extra="", **fields):
        """Signs a bundle for a machine that is newer than all before, and puts it under the machine's URL."""
        self.sequence += 1
        node = self.op.node(name=spec.name, macs=[spec.mac], uuid=spec.uuid, serial=spec.serial, sequence=self.sequence,
                            families=f"[{', '.join(self.families)}]", extra=extra,
                            network={"ipv6": {"addresses": [f"{spec.address['ipv6']}/64"]}} if "ipv6" in self.families else None)
        fields = {"endpoint": self.control.env["ENDPOINT"], "node_ip": ",".join(spec.address[f] for f in self.families), **fields}
        bundle = self.op.sign(node, self.op.join(self.control.pin, **fields))
        target = os.path.join(self.www, f"{spec.mac}.jws")
        shutil.copy(bundle, target + ".new")
        os.rename(target + ".new", target)

    def node(self, n, **more):
        """The n-th machine, off, with a blank disk, and its bundle published."""
        spec = Spec(n)
        self.publish(spec)
        return Node(self, spec, **more)
