"""A Linux BMC under QEMU: the machine model of the bare AST2600 (tools/lab/metal.py) with the distribution's kernel and device tree, and an eMMC that
keeps what was written when the plug is pulled. The agent is PID 1, or a service of a small init (tools/lab/bmcinit.c).
"""
import lzma
import os
import shutil
import stat
import struct
import subprocess
import time
import zlib

import machine
from proc import run, stop

ARCH = "armv7"
MACS = ("52:54:00:4a:42:21", "52:54:00:4a:42:22")
# The cards of the first and the second MAC, as this kernel names them.
NICS = ("eth0", "eth1")
DEVICE_TREE = "aspeed-ast2600-evb.dtb"
# What this machine needs, in the order in which the service's system loads it: a PHY's bus has to be there when its card is looked at.
DRIVERS = ("mdio_aspeed", "ftgmac100", "sdhci_of_aspeed", "crc32c_generic", "ext4")


# Where memory begins, and TEXT_OFFSET of a kernel that is for Amlogic's chips too, as the distribution's is (arch/arm/Makefile).
START = 0x80000000 + 0x208000
XZ = b"\xfd7zXZ\0\0\1"  # with CRC-32, as the kernel has it


def uimage(vmlinuz, out):
    """A legacy image of U-Boot, unpacked already: in an emulator the kernel would take seconds to unpack itself. The header has CRCs, sizes,
    addresses, and 5 2 2 0 for Linux, Arm, a kernel, not compressed."""
    with open(vmlinuz, "rb") as f:
        packed = f.read()
    kernel = lzma.LZMADecompressor().decompress(packed[packed.index(XZ):])

    def header(own):
        return struct.pack(">7I4B32s", 0x27051956, own, 0, len(kernel), START, START, zlib.crc32(kernel), 5, 2, 2, 0, b"linux")
    with open(out, "wb") as f:
        f.write(header(zlib.crc32(header(0))) + kernel)
    return out


class Kernel:
    """The distribution's, made ready in the world's folder."""

    def __init__(self, world, top):
        image, self.modules, self.release = machine.kernel(top, ARCH)
        self.image = uimage(image, world.path("uImage"))
        self.tree = f"{image.rsplit('/boot/', 1)[0]}/usr/lib/linux-image-{self.release}/{DEVICE_TREE}"


def ramfs(world, name, kernel, build, site, init=None, files=()):
    """An initramfs whose /init is the agent, or the program `init`, which finds the agent in /usr/sbin. files: (path, bytes, mode). Returns its path."""
    stage = world.path(f"{name}.root")
    for folder in ("dev", "proc", "sys", "run", "tmp", "etc/joinboot", "usr/sbin", "var/lib/joinboot", "var/log"):
        os.makedirs(f"{stage}/{folder}")
    os.symlink("/run", f"{stage}/var/run")
    os.mknod(f"{stage}/dev/console", 0o600 | stat.S_IFCHR, os.makedev(5, 1))
    shutil.copy(init or agent(build), f"{stage}/init")
    if init:
        shutil.copy(agent(build), f"{stage}/usr/sbin/joinboot")
    for path, data, mode in (("etc/joinboot/site.conf", site.encode(), 0o644), *files):
        with open(f"{stage}/{path}", "wb") as f:
            f.write(data)
        os.chmod(f"{stage}/{path}", mode)
    machine.copy_modules(kernel.modules, kernel.release, stage, DRIVERS)
    out = machine.archive(stage, world.path(f"{name}.cpio"))
    shutil.rmtree(stage)
    return out


# linux/capability.h
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13}


def unit(path):
    """(argv, numbers of the capabilities) of a unit file."""
    with open(path) as f:
        words = dict(line.strip().split("=", 1) for line in f if "=" in line and not line.startswith("#"))
    return words["ExecStart"].split(), [CAPABILITIES[c] for c in words["CapabilityBoundingSet"].split()]


def service_ramfs(world, name, kernel, build, site, service, links=()):
    """An initramfs whose /init runs the agent as the unit file `service` says, with state on the eMMC. links: (old, new) names of network links."""
    argv, caps = unit(service)
    commands = [*(f"load {path}" for path in machine.loads(kernel.modules, kernel.release, DRIVERS)), *(f"name {old} {new}" for old, new in links), "mount /dev/mmcblk0 /var/lib/joinboot",
                " ".join(["caps", *map(str, caps)]), " ".join(["run", *argv])]
    return ramfs(world, name, kernel, build, site, init=os.path.join(build, ARCH, "bmcinit"),
                 files=[("etc/bmcinit", ("\n".join(commands) + "\n").encode(), 0o644)])


def emmc(world, name, mib=64):
    """A new eMMC with an empty file system."""
    path = world.path(name)
    run("truncate", "-s", f"{mib}M", path)
    run("/usr/sbin/mke2fs", "-q", "-t", "ext4", path)
    return path


class Board:
    """One power-on. taps: for each MAC the name of a tap in the namespace, or None. emmc: the path of a raw image, a power of two in size.

    The emulator's second processor spins until a kernel takes it, and takes half of one that is short of time; all of it in one thread, and a kernel that
    leaves the second one alone, boot many times faster.
    """

    def __init__(self, world, ns, kernel, ramfs, taps=(None, None), macs=MACS, emmc=None, append="", emulator=(), extra=()):
        argv = ["ip", "netns", "exec", ns, *(emulator or ["qemu-system-arm"]), "-accel", "tcg,thread=single", "-M", "ast2600-evb", "-m", "1G", "-no-user-config", "-display", "none",
                "-monitor", "none", "-no-reboot", "-serial", "stdio", "-kernel", kernel.image, "-dtb", kernel.tree, "-initrd", ramfs,
                "-append", f"console=ttyS4,115200 quiet panic=-1 maxcpus=1 cryptomgr.notests=1 {append}"]
        for i, (tap, mac) in enumerate(zip(taps, macs)):
            argv += ["-nic", f"tap,id=n{i},ifname={tap},script=no,downscript=no,mac={mac}" if tap else f"hubport,hubid={8 + i},mac={mac}"]
        if emmc:
            argv += ["-drive", f"file={emmc},if=sd,index=2,format=raw"]
        self.began = time.monotonic()
        self.proc = subprocess.Popen([*argv, *extra], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        world.stack.callback(self.power_off)

    def power_off(self):
        """Pulls the plug; the machine's own power-off only halts it."""
        stop(self.proc, 20)


def agent(build):
    return os.path.join(build, ARCH, "joinboot")
