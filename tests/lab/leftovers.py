"""leftovers.py save|compare: the state of the machine before and after the tests must be the same.

Compares network sysctls, network namespaces, links and addresses, mounts, /etc/kubernetes, /var/lib/kubelet, kernel.panic and its relatives, and
processes of the programs that the tests start. Prints what differs; exit 1 if anything does.
"""
import glob
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STATE = os.path.join(TOP, os.environ.get("BUILD") or "build", "test-logs", "before.json")
PROGRAMS = ("joinboot", "dnsmasq", "nginx", "qemu-system", "tcpdump", "kube-apiserver", "kube-controller", "kube-scheduler", "kubelet", "etcd",
            "containerd", "standin")
KERNEL = ("kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom", "kernel/hostname", "net/ipv4/ip_forward",
          "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")


def text(*argv):
    return subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL).stdout


def read(path):
    try:
        with open(path) as f:
            return f.read().strip()
    except OSError:
        return ""


def tree(folder):
    """Names, sizes and times of all files below a folder; "absent" if there is none."""
    if not os.path.isdir(folder):
        return "absent"
    return sorted((os.path.join(d, f), os.lstat(os.path.join(d, f)).st_size) for d, _, files in os.walk(folder) for f in files)


def processes():
    found = []
    for path in glob.glob("/proc/[0-9]*/comm"):
        name = read(path)
        if name.startswith(PROGRAMS):
            found.append(f"{path.split('/')[2]} {name}")
    return sorted(found)


def snapshot():
    conf = {p: read(p) for p in glob.glob("/proc/sys/net/ipv[46]/conf/*/*") if os.access(p, os.R_OK)}
    conf.update({p: read(f"/proc/sys/{p}") for p in KERNEL})
    return {"sysctls": conf, "namespaces": sorted(text("ip", "netns", "list").splitlines()),
            "links": sorted(line.split("\\")[0] for line in text("ip", "-o", "link").splitlines()),
            "addresses": sorted(" ".join(line.split()[1:4]) for line in text("ip", "-o", "addr").splitlines()),
            "mounts": sorted(" ".join(line.split()[:3]) for line in read("/proc/self/mounts").splitlines()),
            "/etc/kubernetes": tree("/etc/kubernetes"), "/var/lib/kubelet": tree("/var/lib/kubelet"), "processes": processes(),
            "cgroups": sorted(d for d in glob.glob("/sys/fs/cgroup/*/*") + glob.glob("/sys/fs/cgroup/*") if os.path.isdir(d))}


def differences(before, after):
    for key in before:
        if before[key] == after[key]:
            continue
        if isinstance(before[key], dict):
            for k in sorted(set(before[key]) | set(after[key])):
                if before[key].get(k) != after[key].get(k):
                    yield f"{key}: {k}: {before[key].get(k)} -> {after[key].get(k)}"
        elif isinstance(before[key], list) and isinstance(after[key], list):
            yield from (f"{key}: gone: {x}" for x in before[key] if x not in after[key])
            yield from (f"{key}: new: {x}" for x in after[key] if x not in before[key])
        else:
            yield f"{key}: {before[key]} -> {after[key]}"


def main():
    os.makedirs(os.path.dirname(STATE), exist_ok=True)
    if sys.argv[1] == "save":
        with open(STATE, "w") as f:
            json.dump(snapshot(), f)
        return 0
    with open(STATE) as f:
        before = json.load(f)
    found = list(differences(before, json.loads(json.dumps(snapshot()))))
    for line in found:
        print(line)
    print("the machine is as it was" if not found else f"{len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
