"""A Linux BMC and its host in network namespaces: the shipped agent on both, a veth between them that is the host link, real dnsmasq and nginx.

The host knows no URL of a config server: what it joins with came over the link.
"""
import json
import os
import shutil
import signal
import subprocess
import unittest

import forge
from console import Console
from proc import run, stop, wait_for
from rack import BUILD, CONFIG, MAC, SETUP, UUID, Rack
from servers import Dnsmasq, Nginx

BMC_MAC, LINK_MAC, HOST_LINK_MAC = "52:54:00:4a:42:b0", "52:54:00:4a:42:b1", "52:54:00:4a:42:c1"
LINK_LOCAL = "fe80::6a62:1"


class Bmc(Console):
    """The agent with a BMC's site, in namespaces of its own. Its state outlives stop()."""

    def __init__(self, rack, name="bmc.log"):
        super().__init__(rack.world.path(name))
        self.rack, self.agent = rack, None
        extra = ["nic = mgmt0", "host-link = usb0", f"host-uuid = {UUID}", f"host-mac = {MAC}", "permit-unsealed = yes", "refresh = 5"]
        self.conf = rack.world.write("bmc.conf", rack.op.site(rack.pki.config, f"https://{CONFIG}/node.jws", extra=extra))

    def boot(self):
        argv = [os.path.join(BUILD, "x86_64/joinboot"), "--site", self.conf, "--state", self.rack.world.path("bmc-state"), "--identity", "serial=BMC-1"]
        self.agent = self.rack.world.popen(["unshare", "-m", "-u", "-p", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "sh", "-c",
                                            SETUP, "sh", *argv], ns=self.rack.bmc_ns, stdout=subprocess.PIPE)
        self.follow(self.agent.stdout)

    def stop(self):
        """As an operator would; the state file is free again behind it."""
        with open(f"/proc/{self.agent.pid}/task/{self.agent.pid}/children") as f:
            os.kill(int(f.read().split()[0]), signal.SIGTERM)
        self.agent.wait(10)
        self.agent = None

    def wait_open(self, sequence, timeout=20):
        return self.wait(f"bundle {sequence}", lambda e: e.phase == "serve" and e.event == "open" and e.get("sequence") == str(sequence), timeout)


class Pair(Rack):
    """The rack's node is the host; its NIC bmc0 leads to the BMC's usb0."""

    def make(self, w):
        super().make(w)
        self.bmc_ns = w.netns("bmc")
        self.bmc_port = w.plug(self.net, "br0", self.bmc_ns, "mgmt0", BMC_MAC)
        self.plug_link(LINK_MAC)
        self.url = "https://nowhere.joinboot.lab/node.jws"
        self.options = []
        self.site_extra = ["nic = eth0", "via = bmc", "bmc-link = bmc0", "permit-unsealed = yes"]
        self.bmc = Bmc(self)

    def plug_link(self, mac):
        run("ip", "-n", self.bmc_ns, "link", "add", "usb0", "address", mac, "type", "veth", "peer", "name", "bmc0", "address", HOST_LINK_MAC,
            "netns", self.node_ns)
        for ns, nic in ((self.bmc_ns, "usb0"), (self.node_ns, "bmc0")):
            self.world.sysctl(ns, f"net.ipv6.conf.{nic}.disable_ipv6", 1)
            self.world.ip(ns, "link", "set", nic, "up")

    def cut_management(self):
        self.world.ip(self.net, "link", "set", self.bmc_port, "down")

    def on_host(self, *argv, check=True):
        return subprocess.run(["ip", "netns", "exec", self.node_ns, *argv], text=True, capture_output=True, check=check, timeout=30).stdout

    def kernel_link(self):
        """The host's own kernel on the link, as an operating system without joinboot would use it."""
        self.world.sysctl(self.node_ns, "net.ipv6.conf.bmc0.disable_ipv6", 0)
        self.world.sysctl(self.node_ns, "net.ipv6.conf.bmc0.accept_dad", 0)
        self.world.ip(self.node_ns, "link", "set", "bmc0", "down")
        self.world.ip(self.node_ns, "link", "set", "bmc0", "up")

    def http(self, request, host=f"{LINK_LOCAL}%bmc0"):
        """The answer to these bytes on port 80, with line ends of Python."""
        code = ("import socket,sys; s=socket.create_connection((sys.argv[1],80),10); s.sendall(sys.argv[2].encode()); d=b''\n"
                "while True:\n c=s.recv(4096)\n if not c: break\n d+=c\nsys.stdout.write(d.decode())")
        return self.on_host("python3", "-c", code, host, request)


class Courier(unittest.TestCase):
    def start(self, pair):
        pair.publish(pair.good(sequence=7))
        pair.servers()
        pair.bmc.boot()
        pair.bmc.wait_open(7)

    def show2_the_host_joins_through_its_bmc(self):
        with Pair("bmc") as pair:
            self.start(pair)
            pair.boot()
            pair.wait("bmc", lambda e: e.phase == "bmc" and e.event == "done")
            pair.wait_joined()
            pair.wait("report", lambda e: e.phase == "report" and e.event == "done")
            pair.bmc.wait("joined", lambda e: e.phase == "serve" and e.event == "closed" and e.get("why") == "joined")
            self.assertFalse([e for e in pair.events if e.event == "error"])
            routes = pair.on_host("ip", "route") + pair.on_host("ip", "-6", "route")
            self.assertNotIn("dev bmc0", routes)
            self.assertEqual(pair.on_host("ip", "-o", "addr", "show", "dev", "bmc0"), "")
            resolvers = pair.node_file("/etc/resolv.conf").decode()
            self.assertNotIn(LINK_LOCAL, resolvers)
            self.assertNotIn("169.254", resolvers)

    def show2_the_host_joins_through_another_makers_bmc(self):
        """dnsmasq and nginx in the place of ours, without IPv6: option 72 names the server; router and resolver, forced upon the host, are not taken."""
        with Pair("bmc") as pair:
            w, here = pair.world, "192.168.77.1"
            pair.publish(pair.good(sequence=7))
            pair.servers()
            shutil.copy(os.path.join(pair.www, "node.jws"), w.path("www", "bundle"))
            w.ip(pair.bmc_ns, "addr", "add", f"{here}/24", "dev", "usb0")
            Dnsmasq(w, pair.bmc_ns, "usb0", ra=False, net4="192.168.77.",
                    extra=[f"dhcp-option=72,{here}", f"dhcp-option-force=3,{here}", f"dhcp-option-force=6,{here}"]).start()
            web = Nginx(w, pair.bmc_ns, [{"listen": [f"{here}:80"], "root": pair.www, "extra": "location = /joined { return 204; }"}], name="other").start()
            pair.boot()
            pair.wait("bmc", lambda e: e.phase == "bmc" and e.event == "done" and e.get("found") == "dhcp")
            pair.wait_joined()
            pair.wait("report", lambda e: e.phase == "report" and e.event == "done")
            self.assertFalse([e for e in pair.events if e.event == "error"])
            self.assertIn('"GET /bundle HTTP/1.1" 200', web.access()[0])
            self.assertIn('"PUT /joined HTTP/1.1" 204', web.access()[1])
            routes = pair.on_host("ip", "route") + pair.on_host("ip", "-6", "route")
            self.assertNotIn("dev bmc0", routes)
            self.assertNotIn("192.168.77.", routes + pair.node_file("/etc/resolv.conf").decode())

    def show2_a_restarted_bmc_serves_what_it_stored(self):
        with Pair("bmc") as pair:
            self.start(pair)
            pair.bmc.stop()
            pair.cut_management()
            pair.bmc.boot()
            pair.bmc.wait_open(7)
            pair.boot()
            pair.wait_joined()

    def show2_newer_older_and_for_another_host(self):
        with Pair("bmc") as pair:
            self.start(pair)
            pair.publish(pair.good(sequence=8))
            pair.bmc.wait_open(8)
            pair.publish(pair.good(sequence=6))
            pair.bmc.wait_error("config.sequence", "accept")
            pair.publish(pair.good(sequence=9, uuid="00000000-0000-4000-8000-000000000000"))
            pair.bmc.wait("refused", lambda e: e.event == "error" and e.get("code") == "config.binding")
            pair.bmc.stop()
            pair.cut_management()
            pair.bmc.boot()
            pair.bmc.wait_open(8)

    def show5_what_a_kernel_gets_on_the_link(self):
        """An operating system of the host gets an address of the prefix, and neither a default route nor a resolver; the server says little."""
        with Pair("bmc") as pair:
            self.start(pair)
            pair.kernel_link()
            ula = wait_for("an address from the advertisement", lambda: [w for w in pair.on_host("ip", "-6", "-o", "addr", "show", "dev", "bmc0").split()
                                                                         if w.startswith("fd") and "/64" in w])
            self.assertEqual(pair.on_host("ip", "-6", "route", "show", "default", "dev", "bmc0"), "")
            prefix = ula[0].split("/")[0].split("::")[0] if "::" in ula[0] else ":".join(ula[0].split(":")[:4])
            status = pair.http("GET /status HTTP/1.1\r\nHost: bmc\r\n\r\n")
            self.assertIn("HTTP/1.1 200 OK", status)
            self.assertEqual(json.loads(status.split("\n\n")[1])["sequence"], 7)
            with open(os.path.join(pair.www, "node.jws")) as f:
                self.assertEqual(pair.http("GET /bundle HTTP/1.1\r\nHost: bmc\r\n\r\n").split("\n\n")[1], f.read().strip())
            self.assertIn("200 OK", pair.http("GET /status HTTP/1.0\r\n\r\n", ":".join(prefix.split(":")[:4]) + "::1"))
            for request, status in (("POST /bundle HTTP/1.1\r\nHost: b\r\n\r\n", 405), ("GET /etc/passwd HTTP/1.1\r\nHost: b\r\n\r\n", 404),
                                    ("GET /bundle HTTP/1.1\r\n\r\n", 400), ("PUT /joined HTTP/1.1\r\nHost: b\r\nContent-Length: 64\r\n\r\n" + "0" * 64, 409)):
                self.assertIn(f"HTTP/1.1 {status} ", pair.http(request))
            # Over IPv4 with the address that DHCP gives: where there is a client, it says what it was given.
            if shutil.which("busybox"):
                script = pair.world.write("lease.sh", "#!/bin/sh\nset\n", 0o755)
                told = pair.on_host("busybox", "udhcpc", "-i", "bmc0", "-n", "-q", "-f", "-s", script)
                self.assertIn("ip='169.254.106.2'", told)
                self.assertIn("subnet='255.255.255.252'", told)
                self.assertNotIn("router=", told)
                self.assertNotIn("dns=", told)
            pair.world.ip(pair.node_ns, "addr", "add", "169.254.106.2/30", "dev", "bmc0")
            self.assertIn("200 OK", pair.http("GET /status HTTP/1.0\r\n\r\n", "169.254.106.1"))

    def show5_the_link_is_made_anew(self):
        """As a USB gadget that is unbound and bound again: the same name, another index, another MAC."""
        with Pair("bmc") as pair:
            self.start(pair)
            pair.on_host("ip", "link", "del", "bmc0")
            pair.plug_link("52:54:00:4a:42:b2")
            pair.kernel_link()
            pair.world.ip(pair.node_ns, "addr", "add", "169.254.106.2/30", "dev", "bmc0")
            wait_for("the server on the new link", lambda: "200 OK" in self.quietly(pair), 20)
            self.assertIn("200 OK", pair.http("GET /status HTTP/1.0\r\n\r\n", "169.254.106.1"))

    def show5_a_flood_from_the_host(self):
        """The host asks for connections as fast as it can and holds those that it gets, is a router with a resolver, and offers leases; a newer bundle
        arrives meanwhile, and a management network that comes back is what it was."""
        slow = ("import socket,time\n"
                "c=[]\n"
                "for i in range(4):\n"
                " s=socket.socket(socket.AF_INET6); s.settimeout(2)\n"
                " try: s.connect(('" + LINK_LOCAL + "%bmc0',80)); s.sendall(b'GET /bun'); c.append(s)\n"
                " except OSError: pass\n"
                "time.sleep(12)\n")
        astray = [forge.router_advertisement("fe80::c1", HOST_LINK_MAC, "2001:db8:66::", "2001:db8:66::53"),
                  forge.dhcp_offer(HOST_LINK_MAC, BMC_MAC, "169.254.106.3", "169.254.106.2")]
        syns = [forge.syn("169.254.106.2", "169.254.106.1", HOST_LINK_MAC, LINK_MAC, 1024 + i) for i in range(200)]

        def network():
            """What the BMC says of its management network whenever it has acquired it."""
            return [{k: sorted(e.all.get(k, [])) for k in ("ipv4", "router4", "ipv6", "router6", "dns")}
                    for e in pair.bmc.events if (e.phase, e.event) == ("address", "done")]

        with Pair("bmc") as pair:
            self.start(pair)
            pair.kernel_link()
            wait_for("an address", lambda: "fe80" in pair.on_host("ip", "-6", "addr", "show", "dev", "bmc0"))
            flood = forge.flood(pair.world, pair.node_ns, "bmc0", [*syns, *astray], 40)
            held = pair.world.popen(["python3", "-c", slow], ns=pair.node_ns, stdout=subprocess.DEVNULL)
            pair.publish(pair.good(sequence=8))
            pair.bmc.wait_open(8, 15)
            self.assertFalse([e for e in pair.bmc.events if e.phase in ("link", "address") and e.event != "done"])
            self.assertEqual(len(network()), 1)
            pair.world.ip(pair.net, "link", "set", pair.bmc_port, "down")
            pair.bmc.wait("no carrier", lambda e: e.event == "error" and e.get("code") == "link.carrier")
            pair.world.ip(pair.net, "link", "set", pair.bmc_port, "up")
            pair.bmc.wait_done("address", 20)
            self.assertIsNone(flood.poll(), "the flood was over too soon")
            before, after = network()
            self.assertTrue(before["router4"] and before["router6"] and before["dns"], before)
            self.assertEqual(before, after)
            self.assertGreater(int(flood.communicate(timeout=60)[0]), 0, "no forged segment came as far as TCP")
            stop(held)
            wait_for("the server is there again", lambda: "200 OK" in self.quietly(pair), 40)

    @staticmethod
    def quietly(pair):
        try:
            return pair.http("GET /bundle HTTP/1.0\r\n\r\n")
        except (subprocess.SubprocessError, OSError):
            return ""


if __name__ == "__main__":
    unittest.main()
