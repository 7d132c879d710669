"""QEMU machines: `make lab` as an operator runs it, on both architectures, with its faults; and a machine whose clock is at 1970."""
import json
import os
import subprocess
import unittest

from rack import BUILD, TOP

LAB = os.path.join(TOP, "tools/lab/lab")
OUT = os.path.join(BUILD, "lab")


def lab(**env):
    """Runs the lab without a terminal; returns (exit status, output)."""
    done = subprocess.run([LAB], cwd=TOP, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "BUILD": BUILD, "CLUSTER": "", "NODES": "", "BOARD": "", "FAULT": "", "ARCH": "", "LAB_SHELL": "", **env})
    return done.returncode, done.stdout


def report():
    with open(os.path.join(OUT, "report.json")) as f:
        return json.load(f)


def packets(expression):
    done = subprocess.run(["tcpdump", "-nn", "-r", os.path.join(OUT, "capture.pcap"), expression], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return done.stdout.splitlines()


class Qemu(unittest.TestCase):
    def joined(self, **env):
        status, out = lab(**env)
        self.assertEqual(status, 0, out)
        data = report()
        self.assertEqual(data["result"], "joined", out)
        return data, out

    def whole(self, arch):
        data, out = self.joined(ARCH=arch)
        self.assertIn("stand-in", out)
        self.assertEqual((data["arch"], data["schema"], data["board"]), (arch, "joinboot/report/v1", "linux"))
        self.assertEqual((data["fetch"]["family"], data["fetch"]["tls"]), ("ipv6", "TLSv1.3"))
        self.assertEqual(data["discover"]["family"], "ipv4")
        self.assertEqual(data["families"]["ipv4"]["address"], "10.100.0.2/24")
        self.assertEqual(data["families"]["ipv6"]["address"], "fd00:1:2:3::3/64")
        self.assertEqual(len(data["kubelet"]["files"]), 5)
        self.assertEqual([p["name"] for p in data["phases"]][:4], ["identify", "root", "resume", "link"])
        # One completed connection over each family: SYN, data from the server, and an orderly end or the machine's power-off.
        self.assertTrue(any("Flags [P.]" in line for line in packets("ip6 and tcp and src port 443")))
        self.assertTrue(any("Flags [P.]" in line for line in packets("ip and tcp and src port 6443")))
        self.assertEqual(len([x for x in packets("ip and tcp and dst port 6443") if "Flags [S]" in x]), 1)

    def show1_x86_64(self):
        self.whole("x86_64")

    def show1_aarch64(self):
        self.whole("aarch64")

    def show1_cut_v6(self):
        status, out = lab(FAULT="cut-v6")
        self.assertEqual(status, 1, out)
        self.assertIn("phase address: address.family-missing", out)

    def recovers(self, fault, code):
        data, out = self.joined(FAULT=fault)
        self.assertIn(code, out)

    def show1_wrong_key(self):
        self.recovers("wrong-key", "config.key")

    def show1_expired(self):
        self.recovers("expired", "config.expired")

    def show1_late_ra(self):
        self.recovers("late-ra", "missing: ipv6")

    def show4_clock_at_1970(self):
        """The machine's clock says 1970 and the server's certificate was issued after the build: it joins."""
        data, out = self.joined(LAB_RTC="1970-01-01T00:00:00")
        self.assertIn("floor", out)

    def test_bad_words_are_refused(self):
        """Before anything is built or started."""
        for words, said in (({"FAULT": "nonsense"}, "wrong-key"), ({"CLUSTER": "nonsense"}, "stand-in or kubernetes"), ({"ARCH": "vax"}, "aarch64"),
                            ({"CLUSTER": "kubernetes", "NODES": "99"}, "NODES=99"), ({"NODES": "2"}, "CLUSTER=kubernetes"),
                            ({"LAB_SHELL": "1"}, "CLUSTER=kubernetes"), ({"BOARD": "nonsense"}, "ast2600-evb"),
                            ({"BOARD": "ast2600-evb", "ARCH": "aarch64"}, "ARCH=x86_64"), ({"BOARD": "ast2600-evb", "FAULT": "expired"}, "unsealed"),
                            ({"CLUSTER": "kubernetes", "FAULT": "expired"}, "no FAULT")):
            with self.subTest(**words):
                status, out = lab(**words)
                self.assertEqual(status, 2)
                self.assertIn(said, out)
                self.assertEqual(len(out.splitlines()), 1)
