"""A cgroup of its own for a sandbox, in every hierarchy of the machine (cgroup v1, v2, or both).

In v1 the sandbox's cgroup lies below the caller's own, so that the caller's limits hold. In v2 it lies below the root,
because a cgroup that has processes cannot hand controllers down; processes stay in its child `init`.
"""

import os

import machine

V2_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids")


def hierarchies():
    """[(mount point, options of the hierarchy or "" for v2, folder of the calling process)]"""
    own = {}
    for line in machine.read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        own[frozenset(controllers.split(","))] = path
    found = []
    for line in machine.read("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        root, point = left.split()[3:5]
        kind, _, options = right.split(" ", 2)
        if kind not in ("cgroup", "cgroup2"):
            continue
        names = [word for word in options.split(",") if word not in ("rw", "ro") and not word.startswith("release_agent")]
        names = [word for word in names if word not in ("xattr", "clone_children", "noprefix")] if kind == "cgroup" else []
        path = own.get(frozenset(names or [""]), "/")
        inner = os.path.relpath(path, root) if path.startswith(root) else "."
        found.append((point, ",".join(names), os.path.normpath(f"{point}/{inner}")))
    return found


def pure_v2(found):
    return any(point == "/sys/fs/cgroup" and not names for point, names, _ in found)


def make(name):
    """Makes the cgroups; what state.json keeps: those to remove, those that processes join, what to write back."""
    found = hierarchies()
    if pure_v2(found):
        return make_v2(name)
    tops = []
    for _, names, own in found:
        top = f"{own}/{name}"
        os.makedirs(top, exist_ok=True)
        tops.append(top)
        if "cpuset" in names.split(","):
            for file in ("cpuset.cpus", "cpuset.mems"):
                machine.write(f"{top}/{file}", machine.read(f"{own}/{file}"))
    return {"cgroups": tops, "leaves": tops, "cgroup_undo": []}


def make_v2(name):
    root = "/sys/fs/cgroup"
    top, control = f"{root}/{name}", f"{root}/cgroup.subtree_control"
    there, able = machine.read(control).split(), machine.read(f"{root}/cgroup.controllers").split()
    missing = [word for word in V2_CONTROLLERS if word in able and word not in there]
    for word in missing:
        machine.write(control, f"+{word}")
    os.makedirs(f"{top}/init", exist_ok=True)
    return {"cgroups": [top], "leaves": [f"{top}/init"], "cgroup_undo": [[control, f"-{word}"] for word in missing]}


def join(tops):
    """Moves the calling process; the cgroup namespace that it makes next has these as its roots."""
    for top in tops:
        machine.write(f"{top}/cgroup.procs", "0")


def mount_own(found):
    """Mounts the hierarchies again, below a fresh /sys, as the cgroup namespace of the caller sees them."""
    if pure_v2(found):
        machine.mount("-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
        machine.write("/sys/fs/cgroup/init/cgroup.procs", "0")
        for word in machine.read("/sys/fs/cgroup/cgroup.controllers").split():
            if word in V2_CONTROLLERS:
                machine.write("/sys/fs/cgroup/cgroup.subtree_control", f"+{word}")
        return
    machine.mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/sys/fs/cgroup")
    for point, names, _ in found:
        os.makedirs(point, exist_ok=True)
        if not names:
            machine.mount("-t", "cgroup2", "cgroup2", point)
        else:
            machine.mount("-t", "cgroup", "-o", f"none,{names}" if names.startswith("name=") else names, "cgroup", point)
