"""What a node does with its disk: the power button leaves it whole, and what somebody else has on it is not formatted unasked."""
import json
import os
import struct

from nodes import DUAL, READY_S
from proc import run
from suite_nodes import Base

# Counts its starts, and says that it was asked to end; the other one does not listen.
POLITE = "echo began >>/keep/began; trap 'echo ended >>/keep/ended; exit 0' TERM; while :; do sleep 0.1; done"
STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"
KEEP = {"volumes": [{"name": "keep", "hostPath": {"path": "/var/log", "type": "Directory"}}]}
OFF_S = 30  # ten seconds of grace for pods, five for the rest, and an emulator
MIB = 1 << 20
FOREIGN = b"somebody's data, and no file system that we know\n" * 1000


def partition(disk, name):
    """Offset and size in bytes."""
    table = json.loads(run("/usr/sbin/sfdisk", "-J", disk, capture=True))["partitiontable"]
    part = next(p for p in table["partitions"] if p["name"] == name)
    return part["start"] * 512, part["size"] * 512


def read(disk, offset, size):
    with open(disk, "rb") as f:
        return os.pread(f.fileno(), size, offset)


class Power(Base):
    def keeper(self, name, node, script):
        """A pod with the node's /var/log at /keep."""
        self.control.kubectl("delete", "pod", name, "--ignore-not-found", "--force", "--grace-period=0")
        container = {"name": "main", "image": self.lab.image.test, "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", script],
                     "volumeMounts": [{"name": "keep", "mountPath": "/keep"}]}
        self.pod(name, node, script, **KEEP, containers=[container])

    def superblock(self, node):
        """State and features of ext4 on the state partition (kernel, Documentation/filesystems/ext4/super.rst)."""
        offset, _ = partition(node.disk, "joinboot-state")
        sb = read(node.disk, offset + 1024, 1024)
        self.assertEqual(struct.unpack_from("<H", sb, 0x38)[0], 0xEF53)
        return struct.unpack_from("<H", sb, 0x3A)[0], struct.unpack_from("<I", sb, 0x60)[0]

    def test_power_button(self):
        """kubelet is stopped, pods are asked to end and then killed, file systems are unmounted, the machine is off; the next boot is the same node."""
        node = self.machine(0)
        uid = self.control.get("node", node.name)["metadata"]["uid"]
        self.keeper("polite", node, POLITE)
        self.keeper("stubborn", node, STUBBORN)
        took = node.shut_down(OFF_S)
        said = node.console()
        print(f"    off after {took:.1f} s", flush=True)
        order = [said.find(text) for text in ("processes of pods are asked to end", "processes of pods are killed", "switching the machine off")]
        self.assertTrue(-1 < order[0] < order[1] < order[2], said[-3000:])
        for wrong in ("still busy", "kernel panic", "BUG:"):
            self.assertNotIn(wrong, said)
        state, features = self.superblock(node)
        self.assertEqual(state & 3, 1, "unmounted, and without errors")
        self.assertFalse(features & 4, "no journal is left to be replayed")
        node.power_on()
        node.wait_ready()
        self.assertEqual(self.ready_with(node.name, DUAL)["metadata"]["uid"], uid)
        self.running("polite", 1)
        self.assertEqual(self.sh("polite", "cat /keep/ended"), "ended\n")
        self.assertEqual(self.sh("polite", "cat /keep/began"), "began\nbegan\n", "kubelet was gone when the pods were ended: it started none anew")
        journal = self.sh("polite", "cat /keep/joinboot/boot.1")
        self.assertIn("switching the machine off", journal)
        # A disk that is not clean has the feature that this test looks for.
        node.power_off()
        self.assertTrue(self.superblock(node)[1] & 4)

    def test_foreign_state_partition(self):
        """Nothing is written to it, on two boots, until a signed bundle says so; then it is formatted, once, with nobody at the machine."""
        node = self.lab.node(1)
        self.machines[1] = node
        offset, size = partition(node.disk, "joinboot-state")
        with open(node.disk, "r+b") as f:
            for at in (4096, 64 * MIB, size - len(FOREIGN)):
                os.pwrite(f.fileno(), FOREIGN, offset + at)

        def edges():
            return [read(node.disk, offset + at, n) for at, n in ((0, 8 * MIB), (64 * MIB, MIB), (size - 4 * MIB, 4 * MIB))]
        before = edges()
        for boot in range(2):
            if boot:
                node.power_off()
            node.power_on()
            for phase in ("root", "accept", "accept"):
                node.wait_error("state.foreign", phase, READY_S)
            self.assertEqual(edges(), before)
        self.lab.publish(node.spec, extra="formatState: true\n")
        node.wait_ready()
        uid = self.ready_with(node.name, DUAL)["metadata"]["uid"]
        self.assertNotIn(FOREIGN[:100], read(node.disk, offset, MIB))
        node.shut_down(OFF_S)
        self.assertEqual(self.superblock(node)[0] & 3, 1)
        node.power_on()
        node.wait_ready()
        self.assertEqual(self.ready_with(node.name, DUAL)["metadata"]["uid"], uid, "the same bundle formats nothing a second time")
