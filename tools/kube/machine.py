"""What the commands of this folder need from the machine: files, processes, mounts, run folders."""

import ctypes
import json
import os
import re
import subprocess
import time

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x20000, 0x2000000, 0x4000000
CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x8000000, 0x20000000, 0x40000000
PR_SET_PDEATHSIG = 1
HERE = os.path.dirname(os.path.realpath(__file__))
libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """Something that the user is told in one line."""


def call(function, *args):
    if function(*args) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function.__name__}: {os.strerror(error)}")


def run(*command, **options):
    """A command that must succeed; its stdout."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: exit {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, mode)) as out:
        out.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def base():
    """The folder of all run folders; short-lived, never on a disk if the machine is an ordinary one."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return os.environ.get("JOINBOOT_RUN") or (f"{runtime}/joinboot" if runtime else "/run/joinboot")


def folder_of(kind, name):
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", name):
        raise Failure(f"bad name {name!r}: lower-case letters, digits and '-', at most 32")
    if kind == "cluster" and name.startswith("node-"):
        raise Failure(f"bad name {name!r}: a cluster's name does not start with node-")
    return f"{base()}/{name}" if kind == "cluster" else f"{base()}/node-{name}"


def binaries():
    """The folder that tools/kube/build prints; its progress goes on to our stderr."""
    done = subprocess.run([f"{HERE}/build"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failure("tools/kube/build failed")
    return done.stdout.strip().splitlines()[-1]


def need_root(*tools):
    if os.geteuid() != 0:
        raise Failure("this needs root (namespaces, mounts): run it with sudo")
    for tool in tools:
        if subprocess.run(["sh", "-c", f"command -v {tool}"], stdout=subprocess.DEVNULL, check=False).returncode != 0:
            raise Failure(f"{tool} is missing: make setup")


# ---- processes -------------------------------------------------------------------------------------------------

def started(pid):
    """When a process started, in clock ticks, or None; with the PID it names a process for certain."""
    try:
        fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def alive(ident):
    return bool(ident) and started(ident[0]) == ident[1]


def load(folder):
    try:
        return json.loads(read(f"{folder}/state.json"))
    except (OSError, ValueError):
        return None


def save(folder, state):
    write(f"{folder}/state.new", json.dumps(state, indent=1), 0o600)
    os.rename(f"{folder}/state.new", f"{folder}/state.json")


def spawn(command, log, **options):
    """Starts a program of the sandbox, output to a log file."""
    with open(log, "ab") as out:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                                **options)


def wait_for(what, test, seconds, watch=()):
    """Polls until test() is true; fails at once when a program in `watch` (name -> Popen) has ended."""
    end = time.monotonic() + seconds
    while not test():
        for name, process in dict(watch).items():
            if process.poll() is not None:
                raise Failure(f"{name} ended with {process.returncode} while waiting for {what}")
        if time.monotonic() > end:
            raise Failure(f"no {what} after {seconds} s")
        time.sleep(0.05)


# ---- mounts ----------------------------------------------------------------------------------------------------

def mount(*args):
    run("mount", *args)


def private_mounts(folder, overlays):
    """A mount namespace in which writes to `overlays` end in a tmpfs; the tmpfs's path is returned."""
    call(libc.unshare, CLONE_NEWNS)
    mount("--make-rprivate", "/")
    fs = f"{folder}/fs"
    os.makedirs(fs, exist_ok=True)
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", fs)
    for path in overlays:
        upper, work = f"{fs}/upper{path}", f"{fs}/work{path}"
        os.makedirs(upper)
        os.makedirs(work)
        mount("-t", "overlay", "-o", f"lowerdir={path},upperdir={upper},workdir={work}", "overlay", path)
    return fs


def install_systemctl(mode):
    """kubeadm asks systemctl; inside a sandbox it gets an answer from tools/kube/systemctl. mode: none or start."""
    script = read(f"{HERE}/systemctl").replace("@KUBELET@", mode)
    if os.path.islink("/usr/bin/systemctl"):
        os.unlink("/usr/bin/systemctl")
    write("/usr/bin/systemctl", script)
    os.chmod("/usr/bin/systemctl", 0o755)
