"""A bare AST2600 under QEMU: it boots from an image of its flash, with both network cards on taps or nowhere, and the console on a pipe."""
import os
import socket
import subprocess
import time

from proc import run, stop

MACS = ("52:54:00:4a:42:11", "52:54:00:4a:42:12")


def flash_image(world, path, build, site):
    """An image of the whole flash, as joinctl makes it: the agent, and the site configuration in its area."""
    conf = world.write("site.conf", site)
    run(os.path.join(build, "host/joinctl"), "image", "--board", "ast2600-evb", "--code", agent(build), "--site", conf, path)
    return path


class Board:
    """One power-on. taps: for each MAC the name of a tap in the namespace, or None. gdb: the path of a socket to be, for Debugger. extra: more
    arguments of QEMU."""

    def __init__(self, world, ns, image, taps=(None, None), macs=MACS, gdb=None, emulator=(), extra=()):
        # Not -nodefaults: newer versions then leave out the flash.
        argv = ["ip", "netns", "exec", ns, *(emulator or ["qemu-system-arm"]), "-M", "ast2600-evb", "-m", "1G", "-no-user-config", "-display", "none", "-monitor", "none",
                "-serial", "stdio", "-drive", f"file={image},format=raw,if=mtd"]
        for i, (tap, mac) in enumerate(zip(taps, macs)):
            argv += ["-nic", f"tap,id=n{i},ifname={tap},script=no,downscript=no,mac={mac}" if tap else f"hubport,hubid={8 + i},mac={mac}"]
        if gdb:
            argv += ["-chardev", f"socket,id=gdb,path={gdb},server=on,wait=off", "-gdb", "chardev:gdb"]
        argv += extra
        self.gdb = gdb
        self.began = time.monotonic()
        self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        world.stack.callback(self.power_off)

    def power_off(self):
        """Pulls the plug. The emulator is asked to end, and not killed: it may still hold what the chip has said is written."""
        stop(self.proc, 20)


class Debugger:
    """A hand on the processor from outside, by QEMU's stub of the GDB remote protocol: it stops the machine, looks, and changes registers."""

    def __init__(self, board):
        end = time.monotonic() + 10
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(20)
        while True:
            try:
                self.s.connect(board.gdb)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def close(self):
        self.s.close()

    def _send(self, text):
        self.s.sendall(b"$" + text.encode() + b"#%02x" % (sum(text.encode()) & 0xff))

    def _packet(self):
        data = b""
        while not (data[-3:-2] == b"#" and b"$" in data):
            byte = self.s.recv(1)
            if not byte:
                raise OSError("the emulator has gone")
            data += byte
        self.s.sendall(b"+")
        return data[data.index(b"$") + 1:-3].decode()

    def ask(self, text):
        self._send(text)
        return self._packet()

    def stop(self):
        self.s.sendall(b"\x03")
        return self._packet()

    def go(self):
        self._send("c")

    def detach(self):
        self.ask("D")
        self.close()

    def break_at(self, address):
        assert self.ask(f"Z0,{address:x},2") == "OK"

    def clear(self, address):
        assert self.ask(f"z0,{address:x},2") == "OK"

    def wait_stop(self):
        return self._packet()

    def pc(self):
        """Register 15 of the processor that stopped."""
        return int.from_bytes(bytes.fromhex(self.ask("g")[15 * 8:16 * 8]), "little")

    def set_stack(self, address):
        """Register 13 of the processor that stopped."""
        all_of_them = self.ask("g")
        at = 13 * 8
        assert self.ask("G" + all_of_them[:at] + address.to_bytes(4, "little").hex() + all_of_them[at + 8:]) == "OK"

    def write(self, address, data):
        assert self.ask(f"M{address:x},{len(data):x}:{data.hex()}") == "OK"

    def read(self, address, n):
        data = b""
        while len(data) < n:  # a packet of the stub holds 2 KiB of memory
            data += bytes.fromhex(self.ask(f"m{address + len(data):x},{min(1024, n - len(data)):x}"))
        return data


def symbols(debug):
    """Name -> address of the linked agent, without the Thumb bit."""
    out = subprocess.run(["arm-none-eabi-nm", debug], text=True, check=True, stdout=subprocess.PIPE).stdout
    return {name: int(value, 16) & ~1 for value, kind, name in (line.split() for line in out.splitlines() if len(line.split()) == 3)}


def agent(build):
    return os.path.join(build, "ast2600-evb/joinboot")
