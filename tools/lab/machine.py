"""A machine under QEMU: the distribution's kernel, an initramfs with the agent as /init, one network card on a tap, perhaps a
disk, the console on a pipe."""
import glob
import json
import os
import shutil
import socket
import stat
import struct
import subprocess
import threading
import time

from proc import LabError, run

UUID = "7c6f2d1e-5b3a-4e8f-9a0b-1c2d3e4f5a6b"
MAC = "52:54:00:4a:42:02"
SERIAL = "LAB-0002"

ARCHES = {
    # Emulated on a busy machine, a kernel that tests its timer may find that it does not tick; and it takes the processors' counters for ones that
    # differ, so that every look at the clock would be a trap to the emulator.
    "x86_64": {"qemu": "qemu-system-x86_64", "machine": ["-M", "q35", "-cpu", "max"], "kernel": "console=ttyS0 no_timer_check tsc=reliable", "net": "virtio-net-pci"},
    "aarch64": {"qemu": "qemu-system-aarch64", "machine": ["-M", "virt", "-cpu", "cortex-a53"], "kernel": "console=ttyAMA0", "net": "virtio-net-pci"},
}

# What a node of the lab may have; the agent finds what it needs of it by modalias.
MODULES = ("virtio_pci", "virtio_mmio", "virtio_net", "virtio_blk", "virtio_rng", "e1000", "e1000e", "overlay", "br_netfilter", "nf_conntrack",
           "veth", "bridge")


def kernel(top, arch):
    """The distribution's kernel for an architecture, brought by tools/fetch. Returns (vmlinuz, folder of modules, release)."""
    # What it says on stderr is for the operator: a first download takes a while.
    fetch = subprocess.run([os.path.join(top, "tools/fetch"), "kernel", arch], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    if fetch.returncode != 0:
        raise LabError(f"no kernel for {arch}: see above")
    root = fetch.stdout.strip().splitlines()[-1]
    images = sorted(glob.glob(f"{root}/boot/vmlinuz-*"))
    if not images:
        raise LabError(f"no kernel in {root}: run tools/fetch kernel {arch}")
    release = images[-1].rsplit("vmlinuz-", 1)[1]
    modules = f"{root}/lib/modules/{release}"
    if not os.path.exists(f"{modules}/modules.dep"):
        run("depmod", "-b", root, release)
    return images[-1], modules, release


def read_deps(modules):
    """modules.dep: for each file those that it needs, the first to be loaded last."""
    with open(f"{modules}/modules.dep") as f:
        return {path: rest.split() for path, _, rest in (line.partition(":") for line in f)}


def names_of(deps):
    """The files by the names of their modules."""
    return {os.path.basename(p).split(".")[0].replace("-", "_"): p for p in deps}


def copy_modules(modules, release, stage, names=MODULES):
    """The modules of these names, what they depend on, and the parts of modules.dep and modules.alias that speak of them."""
    deps = read_deps(modules)
    by_name = names_of(deps)
    wanted, todo = set(), [by_name[m] for m in names if m in by_name]
    while todo:
        path = todo.pop()
        if path not in wanted:
            wanted.add(path)
            todo += deps[path]
    target = f"{stage}/lib/modules/{release}"
    for path in wanted:
        os.makedirs(os.path.dirname(f"{target}/{path}"), exist_ok=True)
        shutil.copyfile(f"{modules}/{path}", f"{target}/{path}")
    with open(f"{target}/modules.dep", "w") as f:
        f.writelines(f"{p}: {' '.join(deps[p])}\n" for p in sorted(wanted))
    names = set(names_of(wanted))
    for name in ("modules.alias", "modules.softdep"):
        with open(f"{modules}/{name}") as src, open(f"{target}/{name}", "w") as dst:
            dst.writelines(line for line in src if line.split()[-1].replace("-", "_") in names or name.endswith("softdep"))
    open(f"{target}/modules.builtin", "w").close()


def loads(modules, release, names):
    """The files of these modules on the machine, each behind those that it needs."""
    deps, order = read_deps(modules), []
    by_name = names_of(deps)
    for name in names:
        for path in [*reversed(deps[by_name[name]]), by_name[name]]:
            if path not in order:
                order.append(path)
    return [f"/lib/modules/{release}/{path}" for path in order]


def put_site(stage, site, device_key):
    """/etc/joinboot: the root of trust, and the device key (a file) of a machine whose image brings one."""
    with open(f"{stage}/etc/joinboot/site.conf", "w") as f:
        f.write(site)
    if device_key:
        shutil.copy(device_key, f"{stage}/etc/joinboot/device.key")


def initramfs(world, name, agent, standin, site, modules, release, device_key=None):
    """A cpio archive: /init is the agent, /etc/joinboot has the site configuration. Returns its path."""
    stage = world.path(f"{name}.root")
    for folder in ("dev", "proc", "sys", "run", "tmp", "etc/joinboot", "usr/bin", "var/lib", "var/log", "root"):
        os.makedirs(f"{stage}/{folder}", exist_ok=True)
    os.symlink("/run", f"{stage}/var/run")
    os.mknod(f"{stage}/dev/console", 0o600 | stat.S_IFCHR, os.makedev(5, 1))
    shutil.copy(agent, f"{stage}/init")
    for program in ("containerd", "kubelet"):
        shutil.copy(standin, f"{stage}/usr/bin/{program}")
    put_site(stage, site, device_key)
    copy_modules(modules, release, stage)
    out = archive(stage, world.path(f"{name}.cpio"))
    shutil.rmtree(stage)
    return out


def archive(stage, out):
    """A cpio archive of a folder, in the form that the kernel unpacks."""
    subprocess.run(f"cd '{stage}' && find . -print0 | cpio --null -o -H newc --quiet -R 0:0 >'{out}'", shell=True, check=True)
    return out


def node_initramfs(world, name, agent, site, modules, device_key=None):
    """The initramfs of a machine with a node image: the agent, site.conf, and before them the archive of the image's modules, which the
    kernel unpacks as one. Returns its path."""
    stage, out = world.path(f"{name}.root"), world.path(f"{name}.cpio")
    for folder in ("dev", "proc", "sys", "run", "tmp", "etc/joinboot"):
        os.makedirs(f"{stage}/{folder}", exist_ok=True)
    os.mknod(f"{stage}/dev/console", 0o600 | stat.S_IFCHR, os.makedev(5, 1))
    shutil.copy(agent, f"{stage}/init")
    put_site(stage, site, device_key)
    archive(stage, out + ".own")
    shutil.rmtree(stage)
    with open(out, "wb") as whole:
        for part in (modules, out + ".own"):
            with open(part, "rb") as f:
                shutil.copyfileobj(f, whole)
            whole.write(bytes(-whole.tell() % 512))
    os.unlink(out + ".own")
    return out


# Ways to attach a disk whose drive is d0.
DISKS = {
    "virtio-blk": ["-device", "virtio-blk-pci,drive=d0"],
    "nvme": ["-device", "nvme,drive=d0,serial=joinboot0"],
    "ahci": ["-device", "ich9-ahci,id=ahci0", "-device", "ide-hd,drive=d0,bus=ahci0.0"],
}


# The emulator's own modules take the place of those of another version, in a mount namespace of its own.
NEWER = """here=$1 system=$2 modules=/usr/lib/x86_64-linux-gnu/qemu; shift 2
[ ! -d $modules ] || mount --bind $here$modules $modules
exec $here/usr/bin/qemu-system-$system -L $here/usr/share/qemu -L $here/usr/share/seabios "$@"
"""


def newer_qemu(top, system="x86_64"):
    """The command of a QEMU that is newer than the distribution's, brought by tools/fetch. It has the card igb. Under version 7.2
    a node with two processors was seen to hang once, both of them locked up; under 10.0 none was."""
    fetch = subprocess.run([os.path.join(top, "tools/fetch"), "qemu"], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    if fetch.returncode != 0:
        raise LabError("no newer QEMU: see above")
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", NEWER, "qemu", fetch.stdout.strip().splitlines()[-1], system]


def host_interface(world, mac):
    """A file with the SMBIOS structure 42 of a network host interface: a USB device of the second form, which names its card by MAC (DSP0270)."""
    device = bytes([4, 13]) + struct.pack("<HHB", 0x1d6b, 0x0102, 0) + bytes.fromhex(mac.replace(":", ""))
    body = bytes([0x40, len(device)]) + device + bytes([1, 4, 0])
    path = world.path("smbios42")
    with open(path, "wb") as f:
        f.write(struct.pack("<BBH", 42, 4 + len(body), 0x2a00) + body + bytes(2))
    return path


class Machine:
    """One power-on of a machine. Console lines go to `on_line` as they come, and to the console log.

    disk is the path of a raw image, which keeps what the machine wrote when the plug is pulled; attach one of DISKS; nic a network card. emulator is
    the command of another QEMU; control the path of a socket to be, for press_power_button(); link, if there is a second network card, its tap and MAC:
    on x86_64 the firmware names it as the one that leads to the machine's BMC.
    """

    def __init__(self, world, ns, tap, arch, image, ramfs, console_log, on_line, append="", mac=MAC, uuid=UUID, serial=SERIAL, memory=512,
                 rtc="", cpus=1, nic=None, disk=None, attach="virtio-blk", control=None, emulator=(),
                 link=None):
        a = ARCHES[arch]
        argv = ["ip", "netns", "exec", ns, *(emulator or [a["qemu"]]), *a["machine"], "-m", str(memory), "-smp", str(cpus), "-nodefaults", "-no-user-config",
                "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel", image, "-initrd", ramfs,
                "-append", f"{a['kernel']} quiet panic=-1 {append}",
                "-netdev", f"tap,id=n0,ifname={tap},script=no,downscript=no", "-device", f"{nic or a['net']},netdev=n0,mac={mac},romfile="]
        if link:
            argv += ["-netdev", f"tap,id=n1,ifname={link[0]},script=no,downscript=no", "-device", f"{nic or a['net']},netdev=n1,mac={link[1]},romfile="]
        if disk:
            argv += ["-drive", f"file={disk},if=none,id=d0,format=raw,discard=unmap", *DISKS[attach]]
        if control:
            argv += ["-qmp", f"unix:{control},server=on,wait=off"]
        if rtc:
            argv += ["-rtc", f"base={rtc}"]
        if arch == "x86_64":
            argv += ["-uuid", uuid, "-smbios", f"type=1,serial={serial}"]
            if link:
                argv += ["-smbios", f"file={host_interface(world, link[1])}"]
        self.log, self.control = open(console_log, "ab", buffering=0), control
        self.began = time.monotonic()
        self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        world.stack.callback(self.power_off)
        self.thread = threading.Thread(target=self._read, args=(on_line,), daemon=True)
        self.thread.start()

    def _read(self, on_line):
        for raw in self.proc.stdout:
            self.log.write(raw)
            on_line(raw.decode(errors="replace").rstrip("\r\n"))

    def alive(self):
        return self.proc.poll() is None

    def power_off(self):
        """Pulls the plug."""
        if self.alive():
            self.proc.kill()
        self.proc.wait()
        self.thread.join(5)
        self.log.close()

    def press_power_button(self):
        """The ACPI button, by QEMU's monitor (QMP)."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.control)
            answers = s.makefile("r")
            answers.readline()
            for command in ("qmp_capabilities", "system_powerdown"):
                s.sendall(json.dumps({"execute": command}).encode() + b"\n")
                while "return" not in json.loads(answers.readline() or '{"return": 0}'):
                    pass
