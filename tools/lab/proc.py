"""Processes, namespaces and clean-up for the lab and its tests.

Everything that is started or made is pushed on one ExitStack and taken back in reverse order, whatever happens. Processes are ended by pid.
"""
import contextlib
import os
import signal
import subprocess
import sys
import time


class LabError(Exception):
    """Something that the lab needs did not work; the text is for the operator."""


def run(*argv, check=True, capture=False, **kw):
    """Runs a program to its end. Returns its output as text if `capture`."""
    done = subprocess.run([str(a) for a in argv], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE if capture else subprocess.DEVNULL, stderr=subprocess.PIPE, **kw)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(str(a) for a in argv)}: {done.stderr.strip() or 'exit ' + str(done.returncode)}")
    return done.stdout if capture else done


def stop(proc, grace=3.0):
    """Ends a process that we started: SIGTERM, then SIGKILL after the grace time."""
    if proc.poll() is None:
        proc.send_signal(signal.SIGTERM)
        try:
            proc.wait(grace)
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.wait()


def wait_for(what, test, timeout=10.0, step=0.02):
    """Polls until test() is true; LabError with `what` after the timeout."""
    end = time.monotonic() + timeout
    while True:
        got = test()
        if got:
            return got
        if time.monotonic() > end:
            raise LabError(f"{what}: not within {timeout:g} s")
        time.sleep(step)


class World:
    """A private set of network namespaces, links, processes and a folder; all gone when the world ends."""

    def __init__(self, name, folder):
        self.prefix = f"jb{os.getpid()}-{name}"
        self.folder = folder
        self.stack = contextlib.ExitStack()
        self.count = 0

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        return self

    def __exit__(self, *exc):
        self.stack.close()

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, data, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        os.chmod(path, mode)
        return path

    def netns(self, name):
        """A network namespace with loopback up. Returns its full name."""
        full = f"{self.prefix}-{name}"
        run("ip", "netns", "add", full)
        self.stack.callback(run, "ip", "netns", "del", full, check=False)
        run("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def ip(self, ns, *words):
        run("ip", "-n", ns, *words)

    def sysctl(self, ns, key, value):
        run("ip", "netns", "exec", ns, "sh", "-c", f"echo {value} > /proc/sys/{key.replace('.', '/')}")

    def bridge(self, ns, name="br0", addresses=()):
        """A bridge in a namespace, with addresses that are usable at once."""
        self.ip(ns, "link", "add", name, "type", "bridge")
        self.sysctl(ns, f"net.ipv6.conf.{name}.accept_dad", 0)
        self.ip(ns, "link", "set", name, "up")
        for address in addresses:
            self.ip(ns, "addr", "add", address, "dev", name, *(["nodad"] if ":" in address else []))

    def plug(self, ns, bridge, other, ifname, mac=None):
        """A cable between a bridge and another namespace."""
        self.count += 1
        end = f"v{self.count}"
        run("ip", "-n", ns, "link", "add", end, "type", "veth", "peer", "name", ifname, "netns", other)
        if mac:
            self.ip(other, "link", "set", ifname, "address", mac)
        # The kernel of the node must not configure the NIC that the agent's own stack owns.
        self.sysctl(other, f"net.ipv6.conf.{ifname}.disable_ipv6", 1)
        self.ip(ns, "link", "set", end, "master", bridge, "up")
        return end

    def tap(self, ns, bridge, name="tap0"):
        self.ip(ns, "tuntap", "add", name, "mode", "tap")
        self.sysctl(ns, f"net.ipv6.conf.{name}.disable_ipv6", 1)
        self.ip(ns, "link", "set", name, "master", bridge, "up")
        return name

    def popen(self, argv, ns=None, log=None, **kw):
        """Starts a process, inside a namespace if one is named; it is ended with the world."""
        argv = [str(a) for a in argv]
        if ns:
            argv = ["ip", "netns", "exec", ns, *argv]
        out = kw.pop("stdout", None)
        if log:
            out = self.stack.enter_context(open(self.path(log), "ab", buffering=0))
        proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=kw.pop("stderr", subprocess.STDOUT), **kw)
        self.stack.callback(stop, proc)
        return proc

    def tail(self, log, lines=5):
        try:
            with open(self.path(log), errors="replace") as f:
                return "".join(f.readlines()[-lines:]).strip()
        except OSError:
            return ""


def need_root():
    if os.geteuid() != 0:
        print("this needs root, for network namespaces: run it with sudo", file=sys.stderr)
        sys.exit(2)
