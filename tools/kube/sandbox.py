"""Namespaces in which real Kubernetes programs run without touching the machine.

A sandbox is one process tree:

    janitor          ordinary process of the machine; waits for init and then takes everything away
      init           PID 1 of a PID namespace, with a mount, UTS, IPC and (for nodes) cgroup namespace of its own,
                     inside a given network namespace; starts the programs and reaps them

Invariants: whatever happens to a program, the end of init ends all of them (the kernel does it); the end of the
janitor ends init; the janitor removes what the folder's state.json names: cgroups, namespace, bridge, kernel settings,
and at last the folder. Where even the janitor was killed, `end` does the same from the same file.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from machine import (CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS, PR_SET_PDEATHSIG,
                     Failure, alive, base, call, libc, load, read, run, save, started, wait_for, write)

# kubelet writes these; they belong to the whole machine, not to a namespace
SYSCTLS = ("kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory",
           "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


# ---- life and end ----------------------------------------------------------------------------------------------

def exit_on_signals():
    """SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that `except` and `finally` take everything away."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))


def launch(folder, state, body, tied=False):
    """Starts janitor and init; body(report) runs in init and returns what `env` shows. Returns it.
    tied: all ends when the calling process does, however that ends."""
    reader, writer = os.pipe()
    save(folder, state)
    signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    janitor = os.fork()
    if janitor == 0:
        os.close(reader)
        be_janitor(folder, state, body, writer)
    os.close(writer)
    asked = []

    def ask_end(number, _):
        asked.append(number)
        os.kill(janitor, signal.SIGTERM)
    previous = {number: signal.signal(number, ask_end) for number in END_SIGNALS}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)
    env, begin = None, time.monotonic()
    with os.fdopen(reader, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("ready "):
                env = json.loads(line[6:])
                if tied:
                    break
                os.kill(janitor, signal.SIGUSR1)  # its answer is the end of the lines
                continue
            print(f"[{time.monotonic() - begin:5.1f} s] {line}", end="", file=sys.stderr, flush=True)
    for number, handler in previous.items():
        signal.signal(number, handler)
    if env is None or asked:
        os.waitpid(janitor, 0)
        end(folder)
        raise Failure("did not start (see above); everything was taken away again")
    save(folder, dict(load(folder), env=env))
    return env


def be_janitor(folder, state, body, writer):
    """Never returns. Until SIGUSR1 says that the sandbox shall stay, it ends when the process that started it does."""
    os.setsid()
    awaited = {signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGTERM)
    silence(f"{folder}/janitor.log")
    me = os.getpid()
    state["janitor"] = [me, started(me)]
    home = os.open("/proc/self/ns/pid", os.O_RDONLY)
    call(libc.unshare, CLONE_NEWPID)
    init = os.fork()
    if init == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        be_init(folder, state, body, writer)
    call(libc.setns, home, CLONE_NEWPID)  # else no child could be started once init is gone
    state["init"] = [init, started(init)]
    save(folder, state)
    while True:
        number = signal.sigwait(awaited)
        if number == signal.SIGTERM:
            os.kill(init, signal.SIGKILL)
        if number == signal.SIGUSR1:
            call(libc.prctl, PR_SET_PDEATHSIG, 0)
            os.close(writer)
            continue
        if os.waitpid(init, 0 if number == signal.SIGTERM else os.WNOHANG)[0] == init:
            break
    try:
        clean(folder, load(folder) or state)
    finally:
        os._exit(0)


def silence(log):
    with open("/dev/null", "rb") as null, open(log, "ab") as out:
        os.dup2(null.fileno(), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)


def be_init(folder, state, body, writer):
    """PID 1: never returns."""
    def report(text):
        os.write(writer, (text + "\n").encode())
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code, logs = 1, os.open(f"{folder}/logs", os.O_RDONLY)
    try:
        call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL)
        wait_for("state file", lambda: (load(folder) or {}).get("init"), 10)
        state = load(folder)
        with open(f"/run/netns/{state['netns']}", "rb") as net:
            call(libc.setns, net.fileno(), CLONE_NEWNET)
        call(libc.unshare, CLONE_NEWUTS | CLONE_NEWIPC)
        report("ready " + json.dumps(body(report)))
        code = 0
    except BaseException as error:  # the one place where a failure must reach the user, whatever it is
        try:
            report(f"FAILED: {error}")
            for line in tails(logs):
                report(line)
        except OSError:
            pass
    if code == 0:
        os.close(writer)
        reap()
    os._exit(code)


def tails(logs, count=8):
    """The last lines of each log in an open folder (its path may be hidden by a mount)."""
    for name in sorted(os.listdir(logs)):
        with open(os.open(name, os.O_RDONLY, dir_fd=logs), encoding="utf-8", errors="replace") as file:
            for line in file.readlines()[-count:]:
                yield f"{name}: {line.rstrip()[:400]}"


def reap():
    while True:
        try:
            pid, status = os.wait()
            print(f"process {pid} ended with {status:#x}", file=sys.stderr, flush=True)
        except ChildProcessError:
            time.sleep(0.2)


def end(folder):
    """Ends a sandbox and waits until nothing of it is left; harmless if there is none."""
    state = load(folder)
    if not os.path.isdir(folder):
        return False
    if state and alive(state.get("janitor")):
        janitor = state["janitor"]
        os.kill(janitor[0], signal.SIGTERM)
        wait_for("end of the sandbox", lambda: not alive(janitor), 30)
    clean(folder, state or {})
    return True


def clean(folder, state):
    """Takes away all that state.json names. Each step may fail; the others still run, the failures are told."""
    failures = []
    for step in (end_init, remove_network, remove_cgroups, restore_sysctls):
        try:
            step(state)
        except (OSError, Failure) as error:
            failures.append(str(error))
    shutil.rmtree(folder, ignore_errors=True)
    sysctl_users(lambda record: None)
    if failures:
        print("joinboot: not everything could be taken away: " + "; ".join(failures), file=sys.stderr)


def end_init(state):
    if alive(state.get("init")):
        os.kill(state["init"][0], signal.SIGKILL)
        wait_for("end of init", lambda: not alive(state["init"]), 20)


def remove_network(state):
    name = state.get("netns")
    if not name or not os.path.exists(f"/run/netns/{name}"):
        return
    if state.get("owns_netns"):
        run("ip", "netns", "del", name)
        return
    for link in state.get("links", ()):
        ports = subprocess.run(["ip", "-n", name, "-j", "link", "show", "master", link], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, check=False).stdout
        for gone in [port["ifname"] for port in json.loads(ports or b"[]") if port] + [link]:
            subprocess.run(["ip", "-n", name, "link", "del", gone], stderr=subprocess.DEVNULL, check=False)


def remove_cgroups(state):
    for top in state.get("cgroups", ()):
        wait_for(f"empty cgroup {top}", lambda path=top: remove_tree(path), 10)
    for path, text in state.get("cgroup_undo", ()):
        write(path, text)


def remove_tree(top):
    """cgroup folders go by rmdir, the lowest first."""
    for path, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(path)
        except OSError:
            return False
    return True


# ---- kernel settings of the machine ----------------------------------------------------------------------------

def sysctl_users(change):
    """Runs change(record) under a lock; record: {"values": {name: text}, "users": [names]}."""
    os.makedirs(base(), mode=0o700, exist_ok=True)
    with open(f"{base()}/lock", "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = f"{base()}/sysctls.json"
        record = json.loads(read(path)) if os.path.exists(path) else {"values": {}, "users": []}
        change(record)
        if record["users"]:
            write(path, json.dumps(record))
        elif os.path.exists(path):
            os.unlink(path)
        if os.listdir(base()) == ["lock"]:
            shutil.rmtree(base())


def keep_sysctls(user):
    """The first user saves the values, the last one writes them back."""
    def change(record):
        if not record["users"]:
            record["values"] = {name: read(f"/proc/sys/{name}") for name in SYSCTLS if os.path.exists(f"/proc/sys/{name}")}
        record["users"].append(user)
    sysctl_users(change)


def restore_sysctls(state):
    user = state.get("sysctl_user")
    if not user:
        return

    def change(record):
        record["users"] = [other for other in record["users"] if other != user]
        for name, text in record["values"].items() if not record["users"] else ():
            if read(f"/proc/sys/{name}") != text:
                write(f"/proc/sys/{name}", text)
    sysctl_users(change)


# ---- a command inside ------------------------------------------------------------------------------------------

def inside(folder, command, environment, output=None):
    """Runs a command in a sandbox, with our stdin, stdout (or `output`), stderr; signals are passed on; its exit code."""
    state = load(folder)
    if not state or not alive(state.get("init")):
        raise Failure(f"nothing runs in {folder}")
    pid = state["init"][0]
    spaces = {"cgroup": CLONE_NEWCGROUP, "ipc": CLONE_NEWIPC, "uts": CLONE_NEWUTS, "net": CLONE_NEWNET,
              "pid": CLONE_NEWPID, "mnt": CLONE_NEWNS}
    files = [(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY), flag) for name, flag in spaces.items()]
    gate, opener = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(opener)
        if output is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY) if output == subprocess.DEVNULL else output, 1)
        os._exit(enter_and_run(state, files, gate, command, environment))
    for number in END_SIGNALS:
        signal.signal(number, lambda n, _: os.kill(worker, n))
    os.close(opener)
    return os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) % 256


def enter_and_run(state, files, gate, command, environment):
    """The part of `inside` that leaves the machine's namespaces; a process of its own, so that ours stays whole."""
    os.read(gate, 1)
    call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL)
    for path in state.get("leaves", state.get("cgroups", ())):
        write(f"{path}/cgroup.procs", "0")
    for fd, flag in files:
        call(libc.setns, fd, flag)
        os.close(fd)
    child = os.fork()
    if child == 0:
        call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir("/")
        try:
            os.execvpe(command[0], command, environment)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
            os._exit(127)
    for number in END_SIGNALS:
        signal.signal(number, lambda n, _: os.kill(child, n))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code
