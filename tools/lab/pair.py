"""A BMC and its host, two machines under QEMU, and the three networks between them and the rest.

    management   the BMC's first card, dnsmasq, the config server      namespace mgmt, bridge mgmt0, 10.99.0.0/24 and fd00:1:2:63::/64
    link         the BMC's second card and the host's second card      bridges link0 in both namespaces, a cable between them, no address
    cluster      the host's first card, DHCP, RA, the API server       namespace and bridge of the cluster

Nothing routes between management and cluster, and the host's site configuration has no url: what it joins with came over the link, sealed to its device
key. Each network is captured where all of it passes.

Bmc is the BMC's machine; what differs between boards is where its agent, its site and its state lie and how the emulator starts it (install, start).
Pair is all of it with the stand-in cluster; pairkube.py has it with a real one.
"""
import os
import shutil

import armv7
import machine
import metal
import pki
import wire
from bundle import Operator
from cluster import StandinCluster
from console import Console
from proc import run
from servers import TOKEN, Capture, Dnsmasq, Nginx

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFIG = "config.joinboot.lab"
NET4, NET6 = "10.99.0.", "fd00:1:2:63::"
MANAGEMENT = f"net {NET4}0/24 or net {NET6}/64"  # for tcpdump
ADDRESS = {"ipv4": f"{NET4}1", "ipv6": f"{NET6}1"}
LINK_MAC = "52:54:00:4a:42:c1"  # of the host's second card
NETWORKS = ("management", "link", "cluster")


class Machine(Console):
    """What the BMC and its host have in common: a console, whose lines also go to on_line(name, line) as they come."""

    def __init__(self, name, log, on_line=None):
        super().__init__(log)
        self.name, self.on_line, self.machine = name, on_line, None
        if os.path.exists(log):
            os.unlink(log)

    def _read(self, stream):
        with open(self.log, "ab", buffering=0) as log:
            for raw in stream:
                log.write(raw)
                self.line(raw.decode(errors="replace").rstrip("\r\n"))

    def alive(self):
        return self.machine and self.machine.proc.poll() is None

    def power_off(self):
        """Pulls the plug."""
        if self.machine:
            self.machine.power_off()
            self.machine = None

    def line(self, text):
        self.lines.put(text)
        if self.on_line:
            self.on_line(self.name, text)


class Bmc(Machine):
    """The BMC, off. taps: of its management card and of its link to the host, in the namespace ns. A board says its name and architecture, and name
    and MAC of both cards."""
    board, arch, nics, macs = "", "", ("", ""), ("", "")
    boot_s = 60  # from power-on to serving, at the very most

    def __init__(self, world, ns, taps, build, log, on_line=None, emulator=()):
        super().__init__("bmc", log, on_line)
        self.world, self.ns, self.taps, self.build, self.emulator = world, ns, taps, build, emulator

    def install(self, site):
        """Puts the agent and this site configuration into a new machine, which has no state."""
        raise NotImplementedError

    def start(self):
        """Starts the emulator, with its console on follow(). Returns a machine: began, proc, power_off()."""
        raise NotImplementedError

    def power_on(self):
        self.machine = self.start()
        return self

    def wait_open(self, sequence, timeout=30):
        return self.wait(f"bundle {sequence}", lambda e: e.phase == "serve" and e.event == "open" and e.num("sequence") == sequence, timeout)

    def wait_closed(self, why="joined", timeout=20):
        return self.wait("closed", lambda e: e.phase == "serve" and e.event == "closed" and e.get("why") == why, timeout)


class MetalBmc(Bmc):
    """The bare AST2600, booted from an image of its flash."""
    board, nics = "ast2600-evb", ("mac1", "mac2")
    macs = metal.MACS

    def install(self, site):
        self.image = metal.flash_image(self.world, self.world.path("bmc.flash"), self.build, site)
        self.what = f"{os.path.getsize(metal.agent(self.build)) // 1024} KiB of firmware in its flash, no operating system"

    def start(self):
        board = metal.Board(self.world, self.ns, self.image, taps=self.taps, macs=self.macs, emulator=self.emulator)
        self.follow(board.proc.stdout)
        return board


class LinuxBmc(Bmc):
    """The same machine with a kernel: the agent is a service, the host link is usb0, and its state lies on an eMMC."""
    board, arch, nics = "linux-armv7", "armv7", ("eth0", "usb0")
    macs, boot_s = armv7.MACS, 300
    service = os.path.join(TOP, "boards/linux/joinboot-bmc.service")

    def install(self, site):
        self.kernel = armv7.Kernel(self.world, TOP)
        self.emmc = armv7.emmc(self.world, "bmc.emmc")
        self.ramfs = armv7.service_ramfs(self.world, "bmc", self.kernel, self.build, site, self.service, links=[("eth1", "usb0")])
        self.what = f"Linux {self.kernel.release}, {os.path.getsize(armv7.agent(self.build)) // 1024} KiB of agent as a service"

    def start(self):
        board = armv7.Board(self.world, self.ns, self.kernel, self.ramfs, taps=self.taps, emmc=self.emmc, emulator=self.emulator)
        self.follow(board.proc.stdout)
        return board


BMCS = {kind.board: kind for kind in (MetalBmc, LinuxBmc)}


class StandinHost(Machine):
    """The machine that `make lab` boots, with a second card and a device key in its image."""

    def __init__(self, pair, log, on_line=None):
        super().__init__("host", log, on_line)
        self.pair = pair
        self.tap = pair.world.tap(pair.cluster_ns, pair.cluster_bridge, "hosttap1")

    def power_on(self, site):
        p = self.pair
        image, modules, release = machine.kernel(TOP, "x86_64")
        agent, standin = (os.path.join(p.build, "x86_64", x) for x in ("joinboot", "standin"))
        ramfs = machine.initramfs(p.world, "host", agent, standin, site, modules, release, device_key=p.device_key)
        self.machine = machine.Machine(p.world, p.cluster_ns, self.tap, "x86_64", image, ramfs, self.log, self.line, link=p.host_link)
        return self


class Pair:
    """`world` ends all of it. on_line(name, line) is called for each line of both consoles, which are kept in the folder `out`. sealed: what both sites
    ask; without it they permit that bundles are in clear, and these are. emulator: of the BMC."""

    def __init__(self, world, build, board="ast2600-evb", out=None, on_line=None, sealed=True, emulator=()):
        self.world, self.build, self.out, self.on_line, self.sealed = world, build, out or world.folder, on_line, sealed
        self.op = Operator(world, os.path.join(build, "host/joinctl"), name="site")
        self.device_key, self.device_public = self.op.device_key("host")
        self.ca = pki.Authority(world.path("site-ca"), "config CA of the lab")
        self.www = world.path("bundles")
        os.makedirs(self.www)
        self.ns = world.netns("mgmt")
        world.bridge(self.ns, "mgmt0", [f"{ADDRESS['ipv4']}/24", f"{ADDRESS['ipv6']}/64"])
        self.cluster_ns, self.cluster_bridge = self.cluster()
        for ns in (self.ns, self.cluster_ns):
            world.bridge(ns, "link0")
            world.sysctl(ns, "net.ipv6.conf.link0.disable_ipv6", 1)
        cable = world.plug(self.ns, "link0", self.cluster_ns, "linkv")
        for ns, end in ((self.ns, cable), (self.cluster_ns, "linkv")):
            world.sysctl(ns, f"net.ipv6.conf.{end}.disable_ipv6", 1)
        world.ip(self.cluster_ns, "link", "set", "linkv", "master", "link0", "up")
        kind = BMCS[board]
        taps = world.tap(self.ns, "mgmt0", "bmctap1"), world.tap(self.ns, "link0", "bmctap2")
        self.bmc = kind(world, self.ns, taps, build, os.path.join(self.out, "console-bmc.log"), on_line, emulator)
        self.host_link = world.tap(self.cluster_ns, "link0", "hosttap2"), LINK_MAC
        self.host = self.host_machine()
        self.dns = Dnsmasq(world, self.ns, "mgmt0", reserve={kind.macs[0]: f"{NET4}2"}, hosts={CONFIG: [ADDRESS["ipv6"], ADDRESS["ipv4"]]},
                           net4=NET4, net6=NET6)
        self.leaf = self.ca.leaf("config", f"DNS:{CONFIG}")
        self.web, self.captures = None, {}

    # --- the cluster and the host in it; pairkube.py has other ones

    def cluster(self):
        """Namespace and bridge of the cluster's network."""
        self.standin = StandinCluster(self.world)
        ns, bridge = self.standin.start()
        self.cluster_dns = Dnsmasq(self.world, ns, bridge, reserve={machine.MAC: "10.100.0.2"}).start()
        self.notice = self.standin.notice
        return ns, bridge

    def host_machine(self):
        return StandinHost(self, os.path.join(self.out, "console.log"), self.on_line)

    def host_on(self):
        """Switches the host on."""
        return self.host.power_on(self.host_site())

    def host_site(self, extra=()):
        """It asks its BMC alone: no url is there, and whatever is not sealed to its key is refused."""
        return self.op.site(self.ca, None, extra=["nic = eth0", "via = bmc", "bmc-link = smbios", self.seal_line(), *extra])

    def documents(self):
        """The host's identity and addresses in NodeJoin, and its JoinConfiguration."""
        return ({"macs": [machine.MAC], "uuid": machine.UUID, "serial": machine.SERIAL, "network": {"ipv6": {"addresses": ["fd00:1:2:3::3/64"]}}},
                self.op.join(self.standin.pin))

    # --- what the operator does

    def seal_line(self):
        return "sealed = required" if self.sealed else "permit-unsealed = yes"

    def bmc_site(self, extra=()):
        node, _ = self.documents()
        management, link = self.bmc.nics
        return self.op.site(self.ca, f"https://{CONFIG}/{{mac}}.jws", extra=[
            f"nic = {management}", f"host-link = {link}", f"host-uuid = {node['uuid']}", f"host-serial = {node['serial']}",
            f"host-mac = {node['macs'][0]}", self.seal_line(), "refresh = 5", "families-wait = 5", *extra])

    def publish(self, sequence, seal_to=None, **fields):
        """Signs a bundle for the host, sealed to its device key or to seal_to (a path), and puts it on the config server. Returns its bytes."""
        node, join = self.documents()
        node.update(fields)
        seal = ["--seal-to", seal_to or self.device_public] if self.sealed else []
        bundle = self.op.sign(self.op.node(sequence=sequence, **node), join, extra=seal)
        target = os.path.join(self.www, f"{node['macs'][0]}.jws")
        shutil.copy(bundle, target + ".new")
        os.rename(target + ".new", target)
        with open(target, "rb") as f:
            return f.read().strip()

    def answer(self, *families):
        """From now on the config server answers over these families only; its name has an address of each."""
        if self.web:
            self.web.stop()
        listen = [f"[{ADDRESS[f]}]:443" if f == "ipv6" else f"{ADDRESS[f]}:443" for f in families]
        self.web = Nginx(self.world, self.ns, [{"listen": listen, "cert": self.leaf[0], "key": self.leaf[1], "root": self.www}], name="config").start()

    def cut_management(self):
        """The BMC's management cable is pulled."""
        run("ip", "-n", self.ns, "link", "set", self.bmc.taps[0], "nomaster")

    # --- what went over the wires

    def capture(self):
        places = {"management": (self.ns, "mgmt0"), "link": (self.ns, "link0"), "cluster": (self.cluster_ns, self.host.tap)}
        for name in NETWORKS:
            self.captures[name] = Capture(self.world, *places[name], name=f"capture-{name}.pcap", expression="")

    def stop_capture(self):
        """Ends the captures, with both machines off, and keeps them in the folder `out`. Returns their paths by network."""
        for c in self.captures.values():
            c.stop_whole()
            if self.out != self.world.folder:
                c.file = shutil.copy(c.file, self.out)
        return {name: c.file for name, c in self.captures.items()}

    def in_clear(self):
        """Where a part of the bootstrap token was seen: names of networks. The captures have ended."""
        needles = wire.spellings(TOKEN)
        return [name for name, c in self.captures.items() if wire.holds(c.file, needles)]
