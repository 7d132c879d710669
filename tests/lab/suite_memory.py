"""How near the bare-metal board comes to its budgets of memory, measured under QEMU: the largest sealed bundle, fetched from servers whose chains are
the heaviest that are accepted, over two connections at once. The commit line on the console says the peaks of heap, libyaml and arena; the stack's is
what of it is no longer zero."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import metal
import pki
from proc import run, wait_for
from rack import BUILD, CONFIG, TOP, host_link
from servers import Nginx
from suite_metal import HOST, Site, get

LARGEST = 32 * 1024
MARGIN = {"heap": 2048, "yaml": 2048, "arena": 2048, "stack": 1024}
# An address that is faster to answer than to finish: of the server's first flight it holds back the end, so that the other family's connection is made
# while this one has its peer's certificates in memory.
SLOW = """
import socket, sys, threading, time
def serve(c):
    s = socket.create_connection(('127.0.0.1', 8443))
    def up():
        while True:
            d = c.recv(65536)
            if not d: break
            s.sendall(d)
    threading.Thread(target=up, daemon=True).start()
    d = s.recv(65536)
    s.settimeout(0.2)
    try:
        while True: d += s.recv(65536)
    except OSError: pass
    s.settimeout(None)
    c.sendall(d[:-150]); time.sleep(3); c.sendall(d[-150:])
    while True:
        d = s.recv(65536)
        if not d: break
        c.sendall(d)
l = socket.create_server(('fd00:1:2:3::1', 443), family=socket.AF_INET6)
print('listening', flush=True)
while True: threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
"""


def limits():
    """The board's budgets by name."""
    with open(os.path.join(TOP, "boards/ast2600-evb/sizes.h")) as f:
        return {name: eval(value) for name, value in re.findall(r"^#define LIMIT_(\w+)\s+([0-9(][0-9 *()]*)", f.read(), re.M)}


class Chain:
    """A CA, and a server's certificate behind an intermediate one; rsa: bits, or 0 for P-256."""

    def __init__(self, folder, rsa):
        self.root = pki.Authority(os.path.join(folder, "root"), "root", rsa=rsa)
        middle = pki.Authority(os.path.join(folder, "middle"), "middle", rsa=rsa)
        csr, ext = os.path.join(folder, "middle.csr"), os.path.join(folder, "middle.ext")
        run("openssl", "req", "-new", "-key", middle.key, "-out", csr, "-subj", "/CN=middle")
        with open(ext, "w") as f:
            f.write("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
        run("openssl", "x509", "-req", "-sha256", "-in", csr, "-CA", self.root.cert, "-CAkey", self.root.key, "-CAcreateserial", "-days", "365", "-extfile", ext,
            "-out", middle.cert)
        cert, self.key = middle.leaf("leaf", f"DNS:{CONFIG}")
        self.cert = os.path.join(folder, "chain.crt")
        with open(self.cert, "w") as out:
            for path in (cert, middle.cert):
                with open(path) as f:
                    out.write(f.read())


class Memory(unittest.TestCase):
    def sealed(self, s, size):
        """A bundle of just under `size` bytes, sealed to a host's key."""
        device, jwk = s.world.path("host.device"), s.world.path("host.jwk")
        with open(jwk, "w") as f:
            f.write(subprocess.run([os.path.join(BUILD, "host/joinctl"), "keygen", "--device", "--out", device], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout)
        count, left = size // 100, size
        while not 0 <= left < 200:
            labels = ",".join(f"example.com/label-{i:04}={'x' * 40}" for i in range(count))
            extra = f"nodeRegistration:\n  kubeletExtraArgs:\n  - name: node-labels\n    value: \"{labels}\"\n"
            bundle = s.op.sign(s.op.node(uuid=HOST), s.op.join(s.pki.cluster.pin(), node_ip=None, extra=extra), extra=["--seal-to", jwk])
            left = size - os.path.getsize(bundle)
            count += left // 120
        return bundle

    def test_host_gets_the_largest_bundle(self):
        """Byte for byte, piece after piece out of flash, by a host that reads at once and by one that takes its time."""
        with Site() as s:
            host, tap = host_link(s.world, s.net)
            s.flash()
            bundle = self.sealed(s, LARGEST)
            shutil.copy(bundle, os.path.join(s.www, "node.jws"))
            s.servers()
            s.power_on(taps=(s.tap, tap))
            s.wait_done("commit", 30)
            with open(bundle) as f:
                published = f.read().strip()
            for options in (), (0.02, 4096):
                got = wait_for(f"the bundle {options}", lambda: get(host, "/bundle", *options), 20)
                self.assertEqual(got.split("\r\n\r\n" if "\r\n\r\n" in got else "\n\n", 1)[1].strip() == published, True, options)

    def stack_used(self, s):
        at = metal.symbols(os.path.join(BUILD, "ast2600-evb/joinboot.debug"))
        hand = metal.Debugger(s.board)
        hand.stop()
        stack = hand.read(at["link_stack_bottom"], at["link_stack"] - at["link_stack_bottom"])
        hand.detach()
        return len(stack.lstrip(b"\0")), len(stack)

    def peaks(self, rsa, protocols="TLSv1.3"):
        folder = tempfile.mkdtemp(prefix="joinboot-chain-")
        self.addCleanup(shutil.rmtree, folder, True)
        chain = Chain(folder, rsa)
        with Site() as s:
            server = {"listen": ["10.100.0.1:443", "127.0.0.1:8443"], "cert": chain.cert, "key": chain.key, "root": s.www}
            s.web = Nginx(s.world, s.net, [server], protocols=protocols)
            s.pki = type("Pki", (), {"config": chain.root, "cluster": s.pki.cluster})
            s.world.ip(s.net, "link", "set", "lo", "up")
            s.flash()
            shutil.copy(self.sealed(s, LARGEST), os.path.join(s.www, "node.jws"))
            s.servers()
            slow = s.world.popen([sys.executable, "-c", SLOW], ns=s.net, log="slow.log")
            wait_for("the slow address", lambda: slow.poll() is None and "listening" in s.world.tail("slow.log", 5))
            s.power_on(gdb=s.world.path("gdb"))
            fetch = s.wait_done("fetch", 30)
            self.assertEqual((fetch.get("family"), fetch.get("tls"), fetch.num("bytes") > LARGEST - 200), ("ipv4", protocols, True))
            commit = s.wait_done("commit", 20)
            stack, stack_size = self.stack_used(s)
            limit = limits()
            found = {"heap": (commit.num("heap"), limit["CRYPTO_HEAP"]), "yaml": (commit.num("yaml"), limit["YAML_HEAP"]),
                     "arena": (commit.num("arena"), limit["ARENA"]), "stack": (stack, stack_size)}
            kind = f"RSA-{rsa}" if rsa else "P-256"
            print(f"           {kind}, {protocols}: " + ", ".join(f"{name} {peak} of {size}" for name, (peak, size) in found.items()), flush=True)
            errors = [e.get("code") for e in s.events if e.event == "error"]
            self.assertEqual(errors, [])
            for name, (peak, size) in found.items():
                self.assertLessEqual(peak, size - MARGIN[name], name)

    def show6_peaks_with_p256(self):
        self.peaks(0)

    def show6_peaks_with_rsa_2048(self):
        self.peaks(2048)

    def show6_peaks_with_rsa_4096(self):
        self.peaks(4096)

    def show6_peaks_with_rsa_4096_and_tls12(self):
        self.peaks(4096, "TLSv1.2")
