"""A BMC on bare metal and its host, two machines under QEMU: the BMC boots from its flash image, the host joins by what came over the link."""
import base64
import os
import re
import shutil
import struct
import tempfile
import unittest

import machine
import wire
from pair import Pair
from proc import World
from rack import BUILD, TOP
from servers import TOKEN
from suite_qemu import OUT, lab, report

BOARD, LINUX = "ast2600-evb", "linux-armv7"


class Couple(Pair):
    """Both machines off, nothing published, all servers on but the config server; use as a context manager."""

    def __init__(self, board=BOARD, **more):
        self.folder = tempfile.mkdtemp(prefix="joinboot-pair-")
        world = World("pair", self.folder).__enter__()
        try:
            super().__init__(world, BUILD, board, **more)
            self.bmc.install(self.bmc_site())
            self.dns.start()
            self.capture()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if hasattr(self, "world"):
            self.world.__exit__(*exc)
        shutil.rmtree(self.folder, ignore_errors=True)

    def joins(self):
        """The host is switched on and joins, the BMC's window closes, and no network has seen the token."""
        self.host_on()
        self.joined()

    def joined(self):
        self.host.wait_joined(90)
        self.host.wait_done("report")
        self.bmc.wait_closed("joined")
        self.host.power_off()
        self.bmc.power_off()
        self.stop_capture()
        assert not self.in_clear(), self.in_clear()


class Board(unittest.TestCase):
    def whole(self, board):
        """Both families up, TLS 1.3 over each, the bundle stored; then the host joins through it. In one command."""
        status, out = lab(BOARD=board)
        self.assertEqual(status, 0, out)
        self.assertEqual(report()["result"], "joined", out)
        self.assertRegex(out, r"bmc +[0-9.]+  fetched over ipv6, TLSv1.3")
        self.assertRegex(out, r"bmc +[0-9.]+  fetched over ipv4, TLSv1.3")
        self.assertRegex(out, r"bmc +[0-9.]+ s  ok    address .*ipv4=10\.99\.0\.2/24 .*ipv6=fd00:1:2:63:")
        for name in ("management", "link", "cluster"):
            self.assertRegex(out, rf"{name} +[1-9][0-9]* frames +[1-9][0-9]* connections  not there")
            self.assertTrue(os.path.getsize(os.path.join(OUT, f"capture-{name}.pcap")) > 1000)

    def show1_make_lab(self):
        """From the flash image."""
        self.whole(BOARD)

    def show1_make_lab_linux(self):
        """The BMC is a service under Linux."""
        self.whole(LINUX)

    def show1_make_lab_finds_a_token_in_clear(self):
        """A bundle that was not sealed: in clear on the link, and only there, and the lab says so with its exit status."""
        status, out = lab(BOARD=BOARD, FAULT="unsealed")
        self.assertEqual(status, 1, out)
        self.assertRegex(out, r"link +\d+ frames +\d+ connections  IN CLEAR")
        self.assertEqual(out.count("IN CLEAR"), 1, out)
        self.assertIn("lab: the bootstrap token is in clear on a network", out)
        self.assertEqual(report()["result"], "joined", out)

    def real(self, board):
        """The same with a real cluster: its node gets Ready."""
        status, out = lab(BOARD=board, CLUSTER="kubernetes")
        self.assertEqual(status, 0, out)
        self.assertRegex(out, r"\nnode-2 +Ready ")
        print("          " + re.search(r"registered .* after power-on", out)[0], flush=True)
        self.assertEqual(len(re.findall(r"connections  not there", out)), 3)

    def show1_make_lab_with_kubernetes(self):
        self.real(BOARD)

    def show1_make_lab_linux_with_kubernetes(self):
        self.real(LINUX)

    def newer(self, board):
        """The BMC under version 10, over IPv4."""
        with Couple(board, emulator=machine.newer_qemu(TOP, "arm")) as pair:
            pair.answer("ipv4")
            pair.publish(1)
            pair.bmc.power_on()
            fetch = pair.bmc.wait_done("fetch", pair.bmc.boot_s)
            self.assertEqual((fetch.get("family"), fetch.get("tls")), ("ipv4", "TLSv1.3"))
            pair.bmc.wait_open(1, pair.bmc.boot_s)
            pair.joins()

    def show1_with_a_newer_qemu(self):
        self.newer(BOARD)

    def show1_linux_with_a_newer_qemu(self):
        self.newer(LINUX)

    def show2_restarted_with_the_management_cut(self):
        """It serves what lies in its flash, and the host joins; the config server has gone, too."""
        with Couple() as pair:
            pair.answer("ipv6")
            pair.publish(3)
            pair.bmc.power_on()
            pair.bmc.wait_open(3)
            pair.bmc.power_off()
            pair.cut_management()
            pair.web.stop()
            pair.bmc.power_on()
            pair.bmc.wait_open(3)
            self.assertEqual(pair.bmc.wait_done("resume").num("sequence"), 3)
            pair.joins()
            self.assertEqual(len([e for e in pair.bmc.events if e.phase == "fetch" and e.event == "done"]), 1)

    def show2_mended_by_the_operator(self):
        """While it serves, a newer bundle is taken, an older one and one for another host are refused; what is sealed to another machine the host refuses.
        A good one on the server is all the repair that either machine needs."""
        with Couple() as pair:
            _, stranger = pair.op.device_key("stranger")
            pair.answer("ipv6", "ipv4")
            pair.publish(5)
            pair.bmc.power_on()
            pair.bmc.wait_open(5)
            pair.publish(6, seal_to=stranger)
            pair.bmc.wait_open(6)
            pair.publish(4)
            pair.bmc.wait_error("config.sequence", "accept")
            pair.host_on()
            pair.host.wait_error("seal.recipient", "accept", 60)
            pair.publish(8, uuid="00000000-0000-4000-8000-000000000001")
            pair.bmc.wait("refused", lambda e: e.event == "error" and e.get("code") == "config.binding", 40)
            pair.publish(7)
            pair.bmc.wait_open(7, 40)
            pair.joined()


class Captures(unittest.TestCase):
    """What is found in a capture, whatever way it went."""

    def capture(self, *frames):
        data = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
        for frame in frames:
            data += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
        with tempfile.NamedTemporaryFile(delete=False) as f:
            f.write(data)
        self.addCleanup(os.unlink, f.name)
        return f.name

    @staticmethod
    def segment(seq, payload, flags=16):
        tcp = struct.pack(">HHIIBBHHH", 80, 40000, seq & 0xffffffff, 0, 5 << 4, flags, 1000, 0, 0) + payload
        return bytes(12) + struct.pack(">H", 0x86dd) + struct.pack(">IHBB", 6 << 28, len(tcp), 6, 64) + bytes(32) + tcp + bytes(4)

    def found(self, path):
        return bool(wire.holds(path, wire.spellings(TOKEN)))

    def test_nothing_is_overlooked(self):
        first = 0xfffffffa
        syn = self.segment(first - 1, b"", flags=2)
        for shift in range(3):
            for encode in (bytes, base64.b64encode, base64.urlsafe_b64encode):
                for text in (TOKEN, TOKEN.split(".")[1]):
                    body = b"HTTP/1.1 200 OK\r\n\r\n" + encode(b"~" * shift + text.encode() + b"\xff\xfe more")
                    with self.subTest(shift=shift, encode=encode.__name__, text=text):
                        self.assertTrue(self.found(self.capture(self.segment(0, body))))
                        pieces = [self.segment(first + i, body[i:i + 9]) for i in range(0, len(body), 6)]  # they overlap, and come in another order
                        self.assertTrue(self.found(self.capture(syn, *reversed(pieces))))
                        self.assertFalse(self.found(self.capture(syn, *pieces[:4])))
        self.assertFalse(self.found(self.capture(syn, self.segment(first, b"clvldh.vjjwg16ucnhp94q"))))
