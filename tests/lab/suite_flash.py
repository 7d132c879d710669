"""The bare-metal board's flash under QEMU: a power cut at every operation of a commit, twenty boots without a network, a lost record."""
import collections
import json
import os
import re
import shutil
import struct
import subprocess
import threading
import unittest
import zlib

import journal
import machine
import metal
from rack import BUILD, TOP
from suite_metal import Site

# The map of boards/ast2600-evb/map.h.
AREAS = {"code": (0, 0x100000), "site": (0x100000, 0x10000), "key": (0x110000, 0x10000), "used": (0x120000, 0x10000),
         "boots": (0x130000, 0x10000), "state": (0x140000, 0x10000), "bundle": (0x150000, 0x30000), "map": (0x3FF0000, 0x10000)}
CHANGING = (0x110000, 0x180000)  # what a machine may write to
PAGE = 256
OLD, NEW = 7, 8

TRACE = ["-trace", "m25p80_page_program", "-trace", "m25p80_flash_erase", "-D"]
PROGRAM = re.compile(r"cur_addr=(0x[0-9a-f]+) data=(0x[0-9a-f]+|[0-9a-f]{1,2})\b")
ERASE = re.compile(r"flash_erase.*offset = (0x[0-9a-f]+), len = (\d+)")


class Operation:
    """What the driver had the chip do: an erase of `n` bytes, or a program of `data`."""

    def __init__(self, at, data=None, n=0):
        self.at, self.data, self.n = at, data, len(data) if data else n

    def apply(self, image, n=None):
        """All of it, or its first n bytes, on the changing part of an image."""
        at = self.at - CHANGING[0]
        for i in range(self.n if n is None else n):
            image[at + i] = 0xFF if self.data is None else image[at + i] & self.data[i]

    def tears(self, image):
        """Name and bytes of each way in which it is torn: prefixes, the half with a garbage tail, garbage alone."""
        for name, done, garbage in (("first byte", 1, False), ("half", self.n // 2, False), ("all but one byte", self.n - 1, False),
                                    ("garbage tail", self.n // 2, True), ("garbage", 0, True)):
            torn = bytearray(image)
            self.apply(torn, done)
            for i in range(done if garbage else self.n, self.n):
                noise, at = (i * 2654435761 >> 13) & 0xFF, self.at - CHANGING[0] + i
                torn[at] = torn[at] | noise if self.data is None else torn[at] & (self.data[i] | noise)
            yield name, torn


def operations(log):
    """The chip's operations from the emulator's trace. A program is the bytes that follow each other in one page."""
    ops = []
    with open(log, errors="replace") as f:
        for line in f:
            if m := ERASE.search(line):
                ops.append(Operation(int(m.group(1), 16), n=int(m.group(2))))
            elif m := PROGRAM.search(line):
                at, byte = int(m.group(1), 16), int(m.group(2), 16)
                last = ops[-1] if ops else None
                if last and last.data is not None and at == last.at + last.n and at % PAGE:
                    last.data.append(byte)
                    last.n += 1
                else:
                    ops.append(Operation(at, bytearray([byte])))
    return ops


def changing(path):
    with open(path, "rb") as f:
        f.seek(CHANGING[0])
        return bytearray(f.read(CHANGING[1] - CHANGING[0]))


def area(path, name):
    at, n = AREAS[name]
    with open(path, "rb") as f:
        f.seek(at)
        return f.read(n)


def record(path, prog_size=1):
    """Sequence and body of the newest record in the state log (firmware/base/reclog.c), without the seed (firmware/agent/state.c)."""
    log, found = area(path, "state"), []
    for at in range(0, len(log), 4096):
        magic, n, seq, _, crc = struct.unpack("<4sIQ12sI", log[at:at + 32])
        if magic == b"JBR1":
            begin = at + -(-32 // prog_size) * prog_size
            body = log[begin:begin + n]
            if zlib.crc32(log[at:at + 28] + body) == crc:
                found.append((seq, body[:52] + body[84:]))
    return max(found)


def put(path, at, data):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)


class Flash(unittest.TestCase):
    emulator = ()

    def stop(self, board):
        """The emulator writes out what the chip holds."""
        board.proc.terminate()
        board.proc.wait()

    def boot_until(self, s, image, end):
        """The events and the text of a boot without a network, up to the event for which end(events) is true."""
        board = metal.Board(s.world, s.net, image, emulator=self.emulator)
        timer = threading.Timer(60, board.proc.kill)
        timer.start()
        said, events = [], []
        try:
            for raw in board.proc.stdout:
                said.append(raw.decode(errors="replace"))
                e = journal.parse(said[-1].rstrip("\n"))
                if e:
                    events.append(e)
                    if end(events):
                        return events, "".join(said)
        finally:
            timer.cancel()
            self.stop(board)
        raise AssertionError("the boot did not come so far:\n" + "".join(said))

    def resume(self, s, image):
        """The event with which a boot without a network ends resume: done or an error."""
        events, said = self.boot_until(s, image, lambda events: events[-1].phase == "resume" and events[-1].event in ("done", "error"))
        return events[-1], said

    def provision(self, s, sequence, **site):
        s.flash(**site)
        s.publish(sequence=sequence)
        s.servers()
        s.power_on(emulator=self.emulator)
        s.wait_done("commit", 60)
        self.stop(s.board)

    def commit(self, s, before):
        """The operations of a boot from this flash that ends with a commit of sequence NEW."""
        trace = s.world.path("trace")
        s.publish(sequence=NEW)
        s.power_on(emulator=self.emulator, extra=[*TRACE, trace])
        s.wait_done("commit", 60)
        self.stop(s.board)
        ops = operations(trace)
        after = bytearray(before)
        for op in ops:
            op.apply(after)
        self.assertEqual(after, changing(s.image), "the trace is not all that was done")
        erased = {name for op in ops if op.data is None for name, (at, n) in AREAS.items() if at <= op.at < at + n}
        self.assertEqual(erased, {"state", "bundle"})
        return ops

    def boot_torn(self, s, before, old):
        """For each operation k: all before it applied, it torn; from flash the machine names the old sequence or the new."""
        ops, images, named = self.commit(s, before), 0, collections.Counter()
        for k, op in enumerate(ops):
            for how, torn in op.tears(before):
                put(s.image, CHANGING[0], torn)
                e, said = self.resume(s, s.image)
                where = f"operation {k} at {op.at:#x}, {how}:\n{said}"
                self.assertEqual(e.event, "done", where)
                self.assertIn(e.num("sequence"), (old, NEW), where)
                self.assertTrue(e.get("bundle") != "none" or old == e.num("sequence") == 0, where)
                named[e.num("sequence")] += 1
                images += 1
            op.apply(before)
        put(s.image, CHANGING[0], before)
        e, said = self.resume(s, s.image)
        self.assertEqual(e.num("sequence"), NEW, said)
        self.assertTrue(named[old] and named[NEW], named)
        print(f"           {len(ops)} operations, {images + 1} images booted: {named[old]} name the old sequence {old}, {named[NEW] + 1} the new {NEW}",
              flush=True)

    def show3_a_cut_at_every_operation(self):
        """A machine that has a bundle gets a newer one."""
        with Site() as s:
            self.provision(s, OLD)
            self.boot_torn(s, changing(s.image), OLD)

    def show3_a_cut_under_a_newer_qemu(self):
        self.emulator = machine.newer_qemu(TOP, "arm")
        self.show3_a_cut_at_every_operation()

    def show3_a_cut_at_every_operation_of_the_first_boot(self):
        """The flash is new: marks are made, and none of them may make a lost machine of it."""
        with Site() as s:
            s.flash()
            s.servers()
            self.boot_torn(s, changing(s.image), 0)

    def show4_twenty_boots_change_nothing_else(self):
        """Each boot goes on until the network is missed and the stored bundle is served."""
        def end(events):
            return {"link", "address"} & {e.phase for e in events if e.event == "error"} and any(e.phase == "serve" and e.event == "open" for e in events)

        with Site() as s:
            self.provision(s, OLD, families_wait=1)
            before, (seq, state) = {name: area(s.image, name) for name in AREAS}, record(s.image)
            for boot in range(2, 22):
                events, said = self.boot_until(s, s.image, end)
                self.assertEqual([e.num("sequence") for e in events if (e.phase, e.event) in (("resume", "done"), ("serve", "open"))], [OLD, OLD], said)
                self.assertIn(f"boot {boot}\n", said.replace("\r", ""))
            # Each boot stores the next seed, and nothing else.
            self.assertEqual(record(s.image), (seq + 20, state))
            for name in ("code", "site", "key", "used", "bundle", "map"):
                self.assertEqual(area(s.image, name), before[name], name)
            bits = int.from_bytes(area(s.image, "boots"), "little") ^ int.from_bytes(before["boots"], "little")
            self.assertEqual(bin(bits).count("1"), 20)

    def test_lost_is_not_new(self):
        """The whole record log is erased, or one bit of the mark of use is cleared on a blank machine: store.lost, never sequence 0."""
        with Site() as s:
            self.provision(s, OLD)
            put(s.image, AREAS["state"][0], b"\xff" * AREAS["state"][1])
            e, said = self.resume(s, s.image)
            self.assertEqual((e.event, e.get("code")), ("error", "store.lost"), said)
            self.assertEqual(set(area(s.image, "state")), {0xFF})  # and nothing is written over it
            s.flash()
            put(s.image, AREAS["used"][0] + 3, b"\xf7")
            e, said = self.resume(s, s.image)
            self.assertEqual((e.event, e.get("code")), ("error", "store.lost"), said)

    def record(self, said):
        """The enrolment record on a console."""
        found = [json.loads(line) for line in said.splitlines() if line.startswith('{"apiVersion"')]
        self.assertEqual(len(found), 1, said)
        self.assertEqual((found[0]["kind"], found[0]["macs"]), ("Enrolment", list(metal.MACS)))
        self.assertNotIn("uuid", found[0])  # that of the host
        return found[0]

    def described(self, image):
        done = subprocess.run([os.path.join(BUILD, "host/joinctl"), "image", image], text=True, check=True, stdout=subprocess.PIPE)
        return done.stdout

    def test_device_key_is_made_once(self):
        """At the first boot, and each boot prints the same enrolment record; another flash has another key. `joinctl image` reads it as the machine does."""
        with Site() as s:
            s.flash()
            self.assertIn("device key  none", self.described(s.image))
            first = self.record(self.resume(s, s.image)[1])
            kept = area(s.image, "key")
            self.assertEqual(self.record(self.resume(s, s.image)[1]), first)
            self.assertEqual(area(s.image, "key"), kept)
            said = next(line for line in self.described(s.image).splitlines() if line.startswith("{"))
            self.assertEqual(json.loads(said)["key"], first["key"])
            # A power cut left only a part of the 64 bytes: another one is made, in the next slot.
            put(s.image, AREAS["key"][0], b"\xff" * 16 + kept[16:50] + b"\xff" * 30)
            again = self.record(self.resume(s, s.image)[1])
            self.assertNotEqual(again["key"], first["key"])
            self.assertEqual(self.record(self.resume(s, s.image)[1]), again)
            self.assertEqual(area(s.image, "key")[4096:4108], kept[:12])

    def test_device_key_of_the_image(self):
        """The machine takes the one that its image brings; a damaged one is named, kept as it is, and ends nothing."""
        with Site() as s:
            s.flash()
            key, public = s.op.device_key("bmc")
            subprocess.run([os.path.join(BUILD, "host/joinctl"), "image", "--device-key", key, s.image], check=True, stdout=subprocess.DEVNULL)
            with open(public) as f:
                self.assertEqual(self.record(self.resume(s, s.image)[1])["key"], json.load(f))
            damaged = bytearray(area(s.image, "key"))
            damaged[16 + 7] ^= 0x20
            put(s.image, AREAS["key"][0], damaged)
            e, said = self.resume(s, s.image)
            self.assertEqual((e.event, e.get("code")), ("error", "device.key"), said)
            self.assertNotIn("Enrolment", said)
            self.assertEqual(area(s.image, "key"), bytes(damaged))
            s.publish(sequence=OLD)
            s.servers()
            s.power_on()
            s.wait_done("commit", 60)

    def test_image_of_joinctl(self):
        """`joinctl image` makes an image that boots, and the site that it puts in is the one that the machine reads."""
        with Site() as s:
            s.flash()
            site = area(s.image, "site")
            conf = s.world.write("put.conf", site[16:16 + int.from_bytes(site[4:8], "little")])
            joinctl, image = os.path.join(BUILD, "host/joinctl"), s.world.path("made")
            subprocess.run([joinctl, "image", "--board", "ast2600-evb", "--code", metal.agent(BUILD), image], check=True, stdout=subprocess.DEVNULL)
            shutil.copy(image, s.world.path("blank"))
            subprocess.run([joinctl, "image", "--site", conf, image], check=True, stdout=subprocess.DEVNULL)
            e, said = self.resume(s, image)
            self.assertEqual((e.event, e.num("sequence")), ("done", 0), said)
            self.assertIn("identify done", said)
            board = metal.Board(s.world, s.net, s.world.path("blank"))
            s.follow(board.proc.stdout)
            s.wait_error("site.missing", "identify")
            self.stop(board)
            self.assertNotIn("site area:", s.console())

    def test_damaged_site(self):
        """The machine waits, and its console says that there is something that it cannot use."""
        with Site() as s:
            s.flash()
            put(s.image, AREAS["site"][0] + 40, bytes([area(s.image, "site")[40] ^ 1]))
            _, said = self.boot_until(s, s.image, lambda events: events[-1].event == "error")
            self.assertIn("joinboot: site area: store.lost\n", said.replace("\r", ""))
            self.assertIn("code=site.missing", said)
