"""The bare-metal board under QEMU, booted from an image of its flash, with real dnsmasq and nginx on its network."""
import os
import re
import subprocess
import time
import unittest

import machine
import metal
from bundle import Operator
from proc import wait_for
from rack import BUILD, CONFIG, TOP, Scene, host_link, publish
from servers import Dnsmasq, Nginx

MAC = metal.MACS[0]
# Thumb instructions, as bytes in memory.
BRANCH_TO_ITSELF = bytes.fromhex("fee7")
STORE_TO_CODE = bytes.fromhex("7b46" "043b" "1b60")  # mov r3, pc; subs r3, #4; str r3, [r3]
HOST = "7c6f2d1e-5b3a-4e8f-9a0b-1c2d3e4f5a6b"


class Site(Scene):
    """The BMC's management network, its servers, and a flash."""

    def __init__(self, ra=True, listen=None):
        super().__init__("metal")
        self.ra = ra
        self.listen = listen or ["[fd00:1:2:3::1]:443", "10.100.0.1:443"]
        self.board = None

    def make(self, w):
        self.net = w.netns("net")
        w.bridge(self.net, "br0", ["10.100.0.1/24", "fd00:1:2:3::1/64"])
        self.tap = w.tap(self.net, "br0")
        self.op = Operator(w, os.path.join(BUILD, "host/joinctl"))
        self.www = w.path("www")
        os.makedirs(self.www)
        addresses = [a.rsplit(":", 1)[0].strip("[]") for a in self.listen]
        self.dns = Dnsmasq(w, self.net, reserve={MAC: "10.100.0.2"}, hosts={CONFIG: addresses}, ra=self.ra)
        leaf = self.pki.config_leaf
        self.web = Nginx(w, self.net, [{"listen": self.listen, "cert": leaf[0], "key": leaf[1], "root": self.www}])

    def flash(self, families_wait=5):
        site = self.op.site(self.pki.config, f"https://{CONFIG}/node.jws", extra=["nic = mac1", f"families-wait = {families_wait}", "host-link = mac2", f"host-uuid = {HOST}",
                                                                                      "permit-unsealed = yes"])
        self.image = metal.flash_image(self.world, self.world.path("flash"), BUILD, site)

    def publish(self, sequence=1, uuid=HOST, **fields):
        bundle = self.op.sign(self.op.node(uuid=uuid, sequence=sequence, **fields), self.op.join(self.pki.cluster.pin(), node_ip=None))
        publish(self.www, bundle)

    def servers(self):
        self.dns.start()
        self.web.start()

    def power_on(self, **more):
        self.board = metal.Board(self.world, self.net, self.image, **{"taps": (self.tap, None), **more})
        self.follow(self.board.proc.stdout)

    def boots(self):
        """The numbers that the boots of this flash have said."""
        return [int(n) for n in re.findall(r"ast2600-evb, boot (\d+)", self.console())]


def get(host, path, pause_s=0, window=65536):
    """What the BMC answers to a host over its link, or nothing. A slow host pauses before each read, and has little room for what it did not read."""
    code = ("import socket,sys,time; s=socket.socket(socket.AF_INET6); s.settimeout(5); s.setsockopt(socket.SOL_SOCKET,socket.SO_RCVBUF,%d)\n"
            "s.connect(socket.getaddrinfo('fe80::6a62:1%%bmc0',80)[0][4]); s.sendall(sys.argv[1].encode()); d=b''\n"
            "while True:\n time.sleep(%g)\n c=s.recv(4096)\n if not c: break\n d+=c\nsys.stdout.write(d.decode())") % (window, pause_s)
    done = subprocess.run(["ip", "netns", "exec", host, "python3", "-c", code, f"GET {path} HTTP/1.1\r\nHost: bmc\r\n\r\n"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 and " 200 " in done.stdout else None


class Metal(unittest.TestCase):
    def fetched(self, listen, family, **more):
        with Site(listen=[listen]) as s:
            s.flash()
            s.publish()
            s.servers()
            s.power_on(**more)
            address = s.wait_done("address")
            self.assertEqual(address.get("ipv4"), "10.100.0.2/24")
            self.assertTrue(address.get("ipv6").startswith("fd00:1:2:3:"), address.all)
            fetch = s.wait_done("fetch")
            self.assertEqual((fetch.get("family"), fetch.get("tls")), (family, "TLSv1.3"))
            self.assertEqual(s.wait_done("accept").num("sequence"), 1)
            s.wait_done("commit")

    def show1_fetch_over_ipv6(self):
        self.fetched("[fd00:1:2:3::1]:443", "ipv6")

    def show1_fetch_over_ipv4(self):
        self.fetched("10.100.0.1:443", "ipv4")

    def show1_with_a_newer_qemu(self):
        """Version 10 has its own view of the machine: it faults where 7.2 is patient."""
        self.fetched("[fd00:1:2:3::1]:443", "ipv6", emulator=machine.newer_qemu(TOP, "arm"))

    def show6_time_to_accepted(self):
        """From the emulator's exec to the line on the console, empty flash each time; printed, and bounded only where it would be absurd."""
        took = []
        with Site() as s:
            s.publish()
            s.servers()
            for _ in range(11):
                s.flash()
                s.power_on()
                s.wait_done("accept")
                took.append(time.monotonic() - s.board.began)
                s.wait_done("commit")
                s.board.power_off()
        took.sort()
        print(f"           exec to accepted, median of 11: {took[5]:.3f} s ({took[0]:.3f} to {took[-1]:.3f})", flush=True)
        self.assertLess(took[5], 10)

    def test_second_boot_has_the_bundle(self):
        """What was accepted outlives a power cut; an older sequence and another host's bundle are refused."""
        with Site() as s:
            s.flash()
            s.publish(sequence=5)
            s.servers()
            s.power_on()
            s.wait("first boot", lambda e: e.phase == "commit" and e.event == "done")
            s.board.power_off()
            self.assertIn("boot 1", s.console())
            s.publish(sequence=4)
            s.power_on()
            resume = s.wait_done("resume")
            self.assertEqual((resume.num("sequence"), resume.get("bundle")), (5, "node-2"))
            s.wait_error("config.sequence", "accept")
            self.assertIn("boot 2", s.console())
            s.publish(sequence=6, uuid="00000000-0000-4000-8000-000000000001")
            s.wait("refused", lambda e: e.event == "error" and e.get("code") == "config.binding")
            s.publish(sequence=7)
            self.assertEqual(s.wait_done("accept", 30).num("sequence"), 7)
            s.wait_done("commit")

    def test_host_gets_the_bundle(self):
        """Over the second card, in a network of its own, byte for byte; in both boots, the second one with the management network cut."""
        with Site() as s:
            host, tap = host_link(s.world, s.net)
            s.flash()
            s.publish(sequence=9)
            s.servers()
            with open(os.path.join(s.www, "node.jws")) as f:
                published = f.read()
            for boot in (1, 2):
                s.power_on(taps=(s.tap, tap))
                s.wait("serving", lambda e: e.phase == "serve" and e.event == "open" and e.num("sequence") == 9)
                got = wait_for("the bundle", lambda: get(host, "/bundle"), 20)
                self.assertEqual(got.split("\n\n", 1)[1].strip(), published.strip())
                s.board.power_off()
                s.web.stop()
                s.dns.stop()
            self.assertEqual(s.boots(), [1, 2])

    def caught_at(self, s, place):
        """Boots until a bundle is stored, and stops where this function of the agent begins. Returns a hand on the processor, and where the functions are."""
        s.flash()
        s.publish()
        s.servers()
        s.power_on(gdb=s.world.path("gdb"))
        s.wait_done("commit")
        at = metal.symbols(os.path.join(BUILD, "ast2600-evb/joinboot.debug"))
        hand = metal.Debugger(s.board)
        hand.stop()
        hand.break_at(at[place])
        hand.go()
        hand.wait_stop()
        self.assertEqual(hand.pc() & ~1, at[place])
        hand.clear(at[place])
        return hand, at

    def boots_again(self, s, hand):
        """Lets go: the watchdog resets, and the next boot identifies itself. Returns how long that took."""
        hand.detach()
        began = time.monotonic()
        s.wait("the next boot", lambda e: e.phase == "identify" and e.event == "done", 60)
        return time.monotonic() - began

    def hung_at(self, place):
        """The processor is caught at a function of the agent, and sent in a circle there: the watchdog resets, and the next boot works as the first."""
        with Site() as s:
            hand, at = self.caught_at(s, place)
            hand.write(at[place], BRANCH_TO_ITSELF)
            print(f"           reset {self.boots_again(s, hand):.1f} s after it hung in {place}", flush=True)
            resume = s.wait_done("resume")
            self.assertEqual((resume.num("sequence"), resume.get("bundle")), (1, "node-2"))
            s.wait_done("commit")
            self.assertEqual(s.boots(), [1, 2])

    def show4_hung_in_the_network(self):
        self.hung_at("net_poll")

    def show4_hung_in_the_loop(self):
        self.hung_at("agent_turn")

    def show4_hung_in_a_sleep(self):
        self.hung_at("cpu_sleep")

    def test_stack_is_guarded(self):
        """A stack that grows beyond its end is a fault, and overwrites nothing: what lies below it cannot be written."""
        with Site() as s:
            hand, at = self.caught_at(s, "agent_turn")
            hand.set_stack(at["link_stack_bottom"] + 16)
            self.boots_again(s, hand)
            self.assertRegex(s.console(), r"joinboot: crash: data abort pc [0-9a-f]{8} dfsr [0-9a-f]+ dfar 801fff[0-9a-f]{2} ")
            self.assertEqual(s.boots(), [1, 2])

    def test_crash_is_told(self):
        """A write to code is a fault: the registers stand on the console, and the watchdog starts the machine anew."""
        with Site() as s:
            hand, at = self.caught_at(s, "net_poll")
            hand.write(at["net_poll"], STORE_TO_CODE)
            self.boots_again(s, hand)
            self.assertRegex(s.console(), rf"joinboot: crash: data abort pc {at['net_poll'] + 4:08x} dfsr [0-9a-f]+ dfar {at['net_poll']:08x} ")
            self.assertEqual(s.boots(), [1, 2])
