"""The Linux BMC: the agent for armv7 on QEMU's model of the AST2600 with the distribution's kernel, as PID 1 and as the service of
boards/linux/joinboot-bmc.service; real dnsmasq and nginx on its management network, a namespace as its host."""
import json
import os
import re
import unittest

import armv7
from bundle import Operator
from proc import wait_for
from rack import BUILD, CONFIG, TOP, Scene, host_link, publish
from servers import Dnsmasq, Nginx
from suite_metal import HOST, get

SERVICE = os.path.join(TOP, "boards/linux/joinboot-bmc.service")
V4, V6 = "10.100.0.1:443", "[fd00:1:2:3::1]:443"
# Power-on to anything that is waited for: the emulator boots a whole kernel, on a machine that may be busy.
BOOT_S = 300


class Site(Scene):
    """The BMC's management network with its config server, the host link and a host on it."""

    def __init__(self):
        super().__init__("armv7")

    def make(self, w):
        self.net = w.netns("net")
        w.bridge(self.net, "br0", ["10.100.0.1/24", "fd00:1:2:3::1/64"])
        self.host, link = host_link(w, self.net)
        self.taps = w.tap(self.net, "br0"), link
        self.op = Operator(w, os.path.join(BUILD, "host/joinctl"))
        _, self.host_key = self.op.device_key("host")
        self.www = w.path("www")
        os.makedirs(self.www)
        self.kernel = armv7.Kernel(w, TOP)

    def site(self, link):
        return self.op.site(self.pki.config, f"https://{CONFIG}/node.jws", extra=["nic = eth0", "families-wait = 20", f"host-link = {link}", f"host-uuid = {HOST}",
                                                                                      "permit-unsealed = yes", "refresh = 5"])

    def publish(self, sequence, uuid=HOST):
        """Sealed to the host, and of a size that comes in full frames."""
        bundle = self.op.sign(self.op.node(uuid=uuid, sequence=sequence), self.op.join(self.pki.cluster.pin(), node_ip=None), extra=["--seal-to", self.host_key])
        publish(self.www, bundle)

    def servers(self, listen):
        """The config server answers at this address alone."""
        self.dns = Dnsmasq(self.world, self.net, reserve={armv7.MACS[0]: "10.100.0.2"}, hosts={CONFIG: [listen.rsplit(":", 1)[0].strip("[]")]}).start()
        cert, key = self.pki.config_leaf
        self.web = Nginx(self.world, self.net, [{"listen": [listen], "cert": cert, "key": key, "root": self.www}]).start()

    def cut_management(self):
        self.world.ip(self.net, "link", "set", self.taps[0], "down")

    def power_on(self, ramfs, **more):
        self.board = armv7.Board(self.world, self.net, self.kernel, ramfs, **{"taps": self.taps, **more})
        self.follow(self.board.proc.stdout)

    def done(self, phase):
        return self.wait_done(phase, BOOT_S)

    def open(self, sequence):
        return self.wait(f"bundle {sequence}", lambda e: e.phase == "serve" and e.event == "open" and e.num("sequence") == sequence, BOOT_S)

    def served(self):
        """What the host gets over its link."""
        answer = wait_for("the bundle over the link", lambda: get(self.host, "/bundle"), 60)
        return answer.split("\n\n", 1)[1].strip()

    def published(self):
        with open(os.path.join(self.www, "node.jws")) as f:
            return f.read().strip()


class LinuxBmc(unittest.TestCase):
    def fetched(self, s, family):
        address = s.done("address")
        self.assertEqual(address.get("ipv4"), "10.100.0.2/24")
        self.assertTrue(address.get("ipv6").startswith("fd00:1:2:3:"), address.all)
        fetch = s.done("fetch")
        self.assertEqual((fetch.get("family"), fetch.get("tls")), (family, "TLSv1.3"))

    def show1_as_pid1(self):
        """It finds its drivers itself, has both families, fetches over IPv6, and hands its host the bundle byte for byte."""
        with Site() as s:
            s.publish(7)
            s.servers(V6)
            s.power_on(armv7.ramfs(s.world, "pid1", s.kernel, BUILD, s.site("eth1")))
            self.fetched(s, "ipv6")
            s.open(7)
            self.assertEqual(s.served(), s.published())
            status = json.loads(wait_for("the status", lambda: get(s.host, "/status")).split("\n\n", 1)[1])
            self.assertEqual(status["sequence"], 7)
            self.assertFalse([e for e in s.events if e.event == "error"], s.console())

    def show2_as_a_service(self):
        """The unit's command under another init, as an ordinary process with the unit's capabilities and the host link as usb0: it fetches over IPv4 and
        serves; a newer sequence takes the old one's place, an older one and another host's do not. After a power cut it serves what the eMMC keeps, with the
        management network cut, and has the same device key."""
        with Site() as s:
            s.publish(7)
            s.servers(V4)
            ramfs = armv7.service_ramfs(s.world, "service", s.kernel, BUILD, s.site("usb0"), SERVICE, links=[("eth1", "usb0")])
            emmc = armv7.emmc(s.world, "emmc")
            s.power_on(ramfs, emmc=emmc)
            self.fetched(s, "ipv4")
            s.open(7)
            self.assertEqual(s.served(), s.published())
            s.publish(8)
            s.open(8)
            kept = s.published()
            s.publish(6)
            s.wait_error("config.sequence", "accept", 60)
            s.publish(9, uuid="00000000-0000-4000-8000-000000000000")
            s.wait("refused", lambda e: e.event == "error" and e.get("code") == "config.binding", 60)
            s.board.power_off()
            s.cut_management()
            s.power_on(ramfs, emmc=emmc)
            s.open(8)
            self.assertEqual(s.served(), kept)
            keys = re.findall(r'^{"apiVersion":"joinboot/v1alpha1","kind":"Enrolment".*"key":({.*?})', s.console(), re.M)
            self.assertEqual(len(keys), 2, s.console())
            self.assertIn("bmcinit: CapEff:\t0000000000003000", s.console())  # CAP_NET_ADMIN and CAP_NET_RAW
            self.assertEqual(keys[0], keys[1])


if __name__ == "__main__":
    unittest.main()
