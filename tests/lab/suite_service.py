"""The units of boards/linux under real systemd: stock Debian on a machine with two network cards, one to the config server, one to a host.

The system is the one that switch-root is tested with (tools/image/installed); the lab's small init brings its drivers and hands over to it. Its own
network manager runs and would take every card, were it not kept off as the unit says.
"""
import json
import os
import re
import shutil
import stat
import unittest

import machine
from bundle import Operator
from proc import run, wait_for
from rack import BUILD, CONFIG, TOP, Scene, host_link, publish
from servers import Dnsmasq, Nginx
from suite_metal import HOST, get
from suite_switch import Installed

UNITS = ("joinboot-bmc", "joinboot")
KERNEL = "x86_64-full"
DRIVERS = ("virtio_pci", "virtio_blk", "virtio_net", "crc32c_generic", "ext4")
MANAGEMENT, LINK = machine.MAC, "52:54:00:4a:42:c2"
# Power-on to anything that is waited for: the emulator boots a whole distribution, on a machine that may be busy.
BOOT_S = 300
# In the journal's order on the console, each line behind "[time] who[pid]: ".
PREFIX = re.compile(r"^(?:\x1b\S*)?\[[ 0-9.]+\] [^ :\[]+(?:\[\d+\])?: ")
APPEND = "net.ifnames=0 systemd.journald.forward_to_console=1 systemd.mask=serial-getty@ttyS0.service systemd.mask=lab-facts.service"
FACTS = """#!/bin/sh
say() { echo "fact $1 $2"; }
pid() { systemctl show -P MainPID joinboot-bmc; }
for unit in joinboot-bmc joinboot; do
    said=$(systemd-analyze verify --man=no $unit.service 2>&1)
    say verify-$unit "$? $said"
    say exposure-$unit "$(systemd-analyze security $unit.service | tail -n 1)"
done
until journalctl -q -u joinboot-bmc -o cat | grep -q ' serve open'; do sleep 1; done
say active "$(systemctl is-active joinboot-bmc systemd-networkd | tr '\\n' ' ')"
say folder "$(stat -c '%a %U' /var/lib/joinboot)"
for what in CapEff CapPrm CapAmb NoNewPrivs; do
    say $what "$(sed -n "s/^$what:[[:space:]]*//p" /proc/$(pid)/status)"
done
say links "$(ip -j address | tr -d '\\n')"
say networkd "$(networkctl list --no-legend --no-pager | tr '\\n' ';')"
old=$(pid)
kill -KILL $old
until [ "$(pid)" -gt 0 ] && [ "$(pid)" != $old ] && systemctl -q is-active joinboot-bmc; do sleep 1; done
say restarts "$(systemctl show -P NRestarts joinboot-bmc)"
"""
FILES = {
    "usr/bin/lab-service": FACTS,
    "etc/systemd/system/lab-service.service": "[Service]\nType=exec\nExecStart=/usr/bin/lab-service\n",
    "etc/systemd/network/10-joinboot.network": "[Match]\nName=eth0 usb0\n[Link]\nUnmanaged=yes\n",
    "etc/systemd/network/90-all.network": "[Match]\nName=*\n[Network]\nDHCP=yes\n",
}
ENABLED = {"joinboot-bmc.service": "/etc/systemd/system", "lab-service.service": "/etc/systemd/system", "systemd-networkd.service": "/lib/systemd/system"}


class Debian(Scene):
    """The installed system with the agent and its units on a machine, off; a config server that has a bundle, and a host on the link."""

    def __init__(self):
        super().__init__("service")

    def make(self, w):
        self.net = w.netns("net")
        w.bridge(self.net, "br0", ["10.100.0.1/24", "fd00:1:2:3::1/64"])
        self.host, link = host_link(w, self.net)
        self.taps = w.tap(self.net, "br0"), link
        op, cert, key = Operator(w, os.path.join(BUILD, "host/joinctl")), *self.pki.config_leaf
        _, device = op.device_key("host")
        self.bundle = op.sign(op.node(uuid=HOST, sequence=5), op.join(self.pki.cluster.pin(), node_ip=None), extra=["--seal-to", device])
        os.makedirs(w.path("www"))
        publish(w.path("www"), self.bundle)
        Dnsmasq(w, self.net, reserve={MANAGEMENT: "10.100.0.2"}, hosts={CONFIG: ["fd00:1:2:3::1"]}).start()
        self.web = Nginx(w, self.net, [{"listen": ["[fd00:1:2:3::1]:443"], "cert": cert, "key": key, "root": w.path("www")}]).start()
        self.disk = Installed(w).disk("debian")
        self.put(op.site(self.pki.config, f"https://{CONFIG}/node.jws", extra=["nic = eth0", "host-link = usb0", f"host-uuid = {HOST}", "refresh = 600"]))
        self.image, modules, release = machine.kernel(TOP, KERNEL)
        loads = [f"load {path}" for path in machine.loads(modules, release, DRIVERS)]
        self.ramfs = self.initramfs(modules, release, [*loads, "name eth1 usb0", "root /dev/vda"])

    def put(self, site):
        """Writes into the file system, without mounting it."""
        texts = {**FILES, "etc/joinboot/site.conf": site}
        for unit in UNITS:
            with open(os.path.join(TOP, "boards/linux", f"{unit}.service")) as f:
                texts[f"etc/systemd/system/{unit}.service"] = f.read()
        sources = {path: self.world.write(f"files/{path}", text) for path, text in texts.items()}
        sources["usr/sbin/joinboot"] = os.path.join(BUILD, "x86_64/joinboot")
        words = ["mkdir /etc/joinboot"]
        for path, source in sources.items():
            mode = stat.S_IFREG | (0o755 if path.startswith("usr/") else 0o644)
            words += [f"write {source} /{path}", f"set_inode_field /{path} mode 0{mode:o}"]
        words += [f"symlink /etc/systemd/system/multi-user.target.wants/{unit} {folder}/{unit}" for unit, folder in ENABLED.items()]
        run("/usr/sbin/debugfs", "-w", "-f", self.world.write("debugfs", "\n".join(words) + "\n"), self.disk)

    def initramfs(self, modules, release, commands):
        stage = self.world.path("debian.root")
        for folder in ("dev", "proc", "sys", "run", "root", "etc"):
            os.makedirs(f"{stage}/{folder}")
        os.mknod(f"{stage}/dev/console", 0o600 | stat.S_IFCHR, os.makedev(5, 1))
        shutil.copy(os.path.join(BUILD, "x86_64/bmcinit"), f"{stage}/init")
        with open(f"{stage}/etc/bmcinit", "w") as f:
            f.write("\n".join(commands) + "\n")
        machine.copy_modules(modules, release, stage, DRIVERS)
        return machine.archive(stage, self.world.path("debian.cpio"))

    def power_on(self):
        self.machine = machine.Machine(self.world, self.net, self.taps[0], "x86_64", self.image, self.ramfs, self.log,
                                       lambda line: self.lines.put(PREFIX.sub("", line)), append=APPEND, disk=self.disk, link=(self.taps[1], LINK))

    def alive(self):
        return self.machine.alive()

    def fact(self, name):
        """What lab-service has said."""
        def look():
            return re.search(rf"fact {name} (.*)", self.console())
        return wait_for(name, look, BOOT_S, 1)[1].strip()

    def open(self, sequence):
        return self.wait(f"bundle {sequence}", lambda e: e.phase == "serve" and e.event == "open" and e.num("sequence") == sequence, BOOT_S)


class Service(unittest.TestCase):
    def test_bmc_under_systemd(self):
        """It starts with the capabilities that the unit names and no others, in a state directory that systemd made, fetches, and serves its host; killed, it is
        started again and serves what it stored. systemd has no complaint of either unit, and its network manager leaves both cards alone."""
        with Debian() as debian:
            debian.power_on()
            debian.open(5)
            debian.web.stop()
            debian.open(5)
            self.assertEqual(debian.wait_done("resume", BOOT_S).num("sequence"), 5)
            answer = wait_for("the bundle over the link", lambda: get(debian.host, "/bundle"), 60)
            with open(debian.bundle) as f:
                self.assertEqual(answer.split("\n\n", 1)[1].strip(), f.read().strip())
            self.check(debian)

    def check(self, debian):
        for unit in UNITS:
            self.assertEqual(debian.fact(f"verify-{unit}"), "0", debian.console()[-6000:])
            print(f"           {debian.fact(f'exposure-{unit}')}", flush=True)
        self.assertEqual(debian.fact("active"), "active active")
        self.assertEqual(debian.fact("folder"), "700 root")
        self.assertEqual([debian.fact(x) for x in ("CapEff", "CapPrm", "CapAmb", "NoNewPrivs")],
                         ["0000000000003000", "0000000000003000", "0000000000000000", "1"])  # CAP_NET_ADMIN and CAP_NET_RAW
        self.assertEqual(debian.fact("restarts"), "1")
        links = {link["ifname"]: link for link in json.loads(debian.fact("links"))}
        for name, mac in (("eth0", MANAGEMENT), ("usb0", LINK)):
            self.assertEqual((links[name]["address"], links[name]["addr_info"]), (mac, []))
        self.assertEqual(len(re.findall(r"(?:eth0|usb0) \S+ +\S+ +unmanaged", debian.fact("networkd"))), 2, debian.fact("networkd"))


if __name__ == "__main__":
    unittest.main()
