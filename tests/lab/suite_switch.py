"""Hand-off mode switch-root: a machine under QEMU whose initramfs is the agent hands over to stock Debian on its disk, which becomes a node of a
real control plane, and is that again after a power cut with the config server down and the token deleted.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from nodes import TOP, URL, Image, NodeLab
from proc import LabError, World, run, wait_for
from servers import TOKEN

LABEL = "debian-node"
BUNDLE = f"handOff: switch-root\ntarget:\n  root: LABEL={LABEL}\n"
PARTUUID = "6a1d2c3b-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
READY_S = 420
# What begins a volume that has to be opened first: (name in the error, offset, bytes).
VOLUMES = (("LUKS", 0, b"LUKS\xba\xbe\0\2"), ("LVM2", 512, b"LABELONE" + bytes(16) + b"LVM2 001"), ("md", 4096, b"\xfc\x4e\x2b\xa9"))


class Installed(Image):
    """The lab's kernel and modules; disks hold an installed system (tools/image/installed), without a partition table."""

    def __init__(self, world):
        super().__init__(world)
        build = subprocess.run([os.path.join(TOP, "tools/image/installed")], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if build.returncode != 0:
            raise LabError("there is no installed system: see above")
        self.installed = build.stdout.strip().splitlines()[-1]

    def disk(self, name):
        path = self.world.path(f"{name}.img")
        run("cp", "--sparse=always", self.installed, path)
        return path

    def convert(self, kind, path):
        """The same system as another file system."""
        run(os.path.join(TOP, "tools/image/installed"), "--as", kind, path, capture=True)

    def overlay_disk(self, path):
        """A GPT disk with the system as erofs, and an ext4 partition for what is written to it."""
        self.convert("erofs", path + ".root")
        mib = -(-os.path.getsize(path + ".root") >> 20)
        run("truncate", "-s", f"{mib + 2050}M", path)
        table = (f"label: gpt\nstart=1MiB, size={mib}MiB, uuid={PARTUUID}\nstart={mib + 1}MiB, size=2048MiB\n")
        subprocess.run(["/usr/sbin/sfdisk", "-q", path], input=table, text=True, check=True)
        run("truncate", "-s", "2048M", path + ".upper")
        run("/usr/sbin/mke2fs", "-q", "-t", "ext4", "-L", "upper", path + ".upper")
        for part, at in ((".root", 1), (".upper", mib + 1)):
            run("dd", f"if={path}{part}", f"of={path}", "bs=1M", f"seek={at}", "conv=notrunc,sparse", "status=none")
            os.unlink(path + part)


class SwitchRoot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="joinboot-switch-")
        cls.addClassCleanup(shutil.rmtree, folder, True)
        cls.world = World("switch", folder)
        cls.world.__enter__()
        cls.addClassCleanup(cls.world.stack.close)
        cls.lab = NodeLab(cls.world, "switch", image=Installed(cls.world))
        cls.control = cls.lab.control

    def site(self, target=f"LABEL={LABEL}", *extra):
        return self.lab.op.site(self.lab.ca, URL, extra=[f"target = {target}", "families-wait = 20", *extra])

    def facts(self, node, since):
        """What lab-facts.service said last on the console: words by name."""
        with open(node.log, "rb") as f:
            f.seek(since)
            text = f.read().decode(errors="replace")
        return {m[1]: m[2].strip() for m in re.finditer(r"lab-facts (\S+) ?(.*)", text)}

    def settled(self, node, since):
        """The facts, once systemd says running and the node has joined."""
        def look():
            facts = self.facts(node, since)
            return facts.get("state") == "running" and "bootstrap" not in facts.get("files", "bootstrap") and "root" in facts and facts
        try:
            return wait_for("systemd running, token gone", look, 120, 1)
        except LabError as e:
            raise AssertionError(f"{e}\n{self.facts(node, since)}\n{node.console()[-6000:]}") from None

    def check(self, node, facts):
        """One lease and no second address; what a node needs is set; the Node has both addresses."""
        address = node.spec.address
        addrs = [a for link in json.loads(facts["addr"]) if link.get("address") == node.spec.mac
                 for a in link["addr_info"] if a["scope"] == "global"]
        slaac = [a["local"] for a in addrs if a["family"] == "inet6" and "ff:fe" in a["local"]]
        self.assertEqual([a["local"] for a in addrs if a["family"] == "inet"], [address["ipv4"]])
        self.assertEqual(sorted(a["local"] for a in addrs if a["family"] == "inet6"), sorted([address["ipv6"], *slaac]))
        self.assertEqual(len(slaac), 1)
        self.assertIn("fe80::", facts["route"])
        self.assertEqual((facts["failed"], facts["name"]), ("", node.name))
        self.assertEqual(facts["sysctl"].split(), ["1", "1"])
        self.assertEqual(facts["units"].split()[:3], ["active"] * 3)
        with open(self.lab.dns.leases) as f:
            leases = [line.split() for line in f if node.spec.mac in line and "." in line.split()[2]]
        self.assertEqual([(x[2], x[4]) for x in leases], [(address["ipv4"], f"01:{node.spec.mac}")])
        found = self.control.get("node", node.name)
        internal = [a["address"] for a in found["status"]["addresses"] if a["type"] == "InternalIP"]
        self.assertEqual(internal, [address["ipv4"], address["ipv6"]])
        return found["metadata"]["uid"]

    def boot(self, node, site=None):
        """Power-on to Ready and settled; returns (facts, UID)."""
        since = os.path.getsize(node.log) if os.path.exists(node.log) else 0
        node.power_on(site=site or self.site())
        ready = node.wait_ready(READY_S)[1]
        facts = self.settled(node, since)
        print(f"    power-on to Ready {ready:.1f} s, systemd running and token gone {time.monotonic() - node.machine.began:.1f} s; root {facts['root']}", flush=True)
        return facts, self.check(node, facts)

    def show3_switch_root(self):
        """Into Debian and to Ready; once more without config server and token; and a newer bundle is a new join."""
        node = self.lab.node(0)
        self.lab.publish(node.spec, extra=BUNDLE)
        uid = self.boot(node)[1]
        csrs = sorted(c["metadata"]["name"] for c in self.control.get("csr")["items"])
        node.power_off()
        self.lab.web.stop()
        self.control.delete_token()
        self.assertEqual(self.boot(node)[1], uid)
        self.assertEqual(sorted(c["metadata"]["name"] for c in self.control.get("csr")["items"]), csrs)
        self.assertIn("goes on as the node that this machine is", node.console())
        node.power_off()
        self.lab.web.start()
        self.control.token(TOKEN)
        self.lab.publish(node.spec, extra=BUNDLE)
        node.power_on(site=self.site())
        joins = node.wait("a newer bundle is a new join", lambda e: e.phase == "commit" and e.event == "done", 180)
        self.assertTrue(joins)
        node.power_off()

    def as_filesystem(self, n, kind):
        with open(self.lab.image.modules, "rb") as f:
            if f"/fs/{kind}/{kind}.ko".encode() not in f.read():
                self.skipTest(f"the initramfs has no driver for {kind}")
        node = self.lab.node(n)
        self.lab.image.convert(kind, node.disk)
        self.lab.publish(node.spec, extra=BUNDLE)
        facts = self.boot(node)[0]
        self.assertEqual(facts["root"].split()[0], kind)
        node.power_off()

    def show3_btrfs(self):
        self.as_filesystem(1, "btrfs")

    def show3_xfs(self):
        self.as_filesystem(2, "xfs")

    def show3_read_only(self):
        """A system on erofs, with an overlay that outlives a power cut."""
        node = self.lab.node(3)
        os.unlink(node.disk)
        self.lab.image.overlay_disk(node.disk)
        self.lab.publish(node.spec, extra=f"handOff: switch-root\ntarget:\n  root: PARTUUID={PARTUUID}\n")
        site = self.site(f"PARTUUID={PARTUUID}", "state = LABEL=upper")
        facts, uid = self.boot(node, site)
        self.assertEqual(facts["root"].split()[0], "overlay")
        node.power_off()
        self.assertEqual(self.boot(node, site)[1], uid)
        node.power_off()

    def show3_refused_volumes(self):
        """LUKS, LVM and md are refused by name, with the way out."""
        node = self.lab.node(4)
        for name, at, magic in VOLUMES:
            with self.subTest(name):
                with open(node.disk, "wb") as f:
                    f.truncate(64 << 20)
                    f.seek(at)
                    f.write(magic)
                node.power_on(site=self.site("/dev/vda"))
                error = node.wait_error("target.kind", "root", 60)
                node.power_off()
                self.assertIn(name, error.get("text"))
                self.assertIn("--one-shot", node.console())
