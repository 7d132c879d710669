"""make lab CLUSTER=kubernetes: a control plane comes up, cold machines boot the node image and become its nodes, live; then the nodes, their
pods' addresses and the times, and with SHELL=1 a shell that has kubectl.
"""
import os
import signal
import subprocess
import sys

import journal
from nodes import NODES_MAX, READY_S, TOP, Image, NodeLab
from proc import LabError, wait_for

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: pod-on-{node}}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 1
  containers:
  - {{name: main, image: "{image}", imagePullPolicy: Never, command: [sleep, infinity]}}
"""
COLUMNS = "custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,NODE:.spec.nodeName,PHASE:.status.phase,ADDRESSES:.status.podIPs[*].ip"


def count_of(text):
    """NODES as a number."""
    if text and not (text.isdigit() and 1 <= int(text) <= NODES_MAX):
        raise LabError(f"NODES={text}: 1 to {NODES_MAX}")
    return int(text or 1)


class Live:
    def __init__(self, world, screen, out, count):
        self.world, self.screen, self.out, self.count = world, screen, out, count
        self.events = {}

    def line(self, node, text):
        e = journal.parse(text)
        if e:
            self.events.setdefault(node.name, []).append(e)
            self.screen.event(e, f"{node.name}  " if self.count > 1 else "")

    def boot(self):
        say = self.screen.say
        image = Image(self.world, TOP)
        self.lab = NodeLab(self.world, "lab", image=image)
        say(f"cluster: real Kubernetes {self.lab.control.env['VERSION']} at {self.lab.control.env['ENDPOINT']}, kube-proxy and coredns as pods of the nodes")
        self.nodes = [self.lab.node(n, out=self.out, on_line=self.line) for n in range(self.count)]
        say(f"power on: {', '.join(n.name for n in self.nodes)}, blank disks, no KVM needed\n")
        for node in self.nodes:
            node.power_on()

    def follow(self):
        """Until all nodes are Ready and a pod runs on each; False if the time was over."""
        limit = READY_S * (1 + self.count // 2)
        try:
            for node in self.nodes:
                registered, ready = node.wait_ready(limit)
                self.screen.say(f"  {node.name}: registered {registered:.1f} s, Ready {ready:.1f} s after power-on")
                self.lab.control.kubectl("apply", "-f", "-", data=POD.format(node=node.name, image=self.lab.image.test))
            wait_for("a pod on each node", self.pods_run, 60, 0.5)
        except LabError as e:
            print(f"lab: {e}", file=sys.stderr)
            return False
        return True

    def pods_run(self):
        pods = self.lab.control.get("pods")["items"]
        return len(pods) == self.count and all(p["status"].get("phase") == "Running" for p in pods)

    def finish(self, ready):
        say = self.screen.say
        for node in self.nodes:
            name = "report.json" if node is self.nodes[0] else f"report-{node.name}.json"
            journal.write_report(os.path.join(self.out, name), journal.report(self.events.get(node.name, []), "linux", "x86_64", "kubernetes"))
        say("\n" + self.lab.control.kubectl("get", "nodes", "-o", "wide"))
        say(self.lab.control.kubectl("get", "pods", "-A", "-o", COLUMNS))
        say("power-on to registered, to Ready (seconds)")
        for node in self.nodes:
            say(f"  {node.name:<8} " + " ".join("      -" if t is None else f"{t:7.1f}" for t in node.times()))
        say(f"{self.out}/report.json  " + "  ".join(node.log for node in self.nodes))
        return 0 if ready else 1

    def shell(self):
        """A shell where the control plane runs, with its kubectl; the nodes live until it ends."""
        control = self.lab.control
        env = {**os.environ, "KUBECONFIG": control.env["KUBECONFIG"], "PATH": f"{control.env['KUBE_BIN']}:{os.environ['PATH']}",
               "PS1": "joinboot-lab# "}
        terminal = sys.stdin.isatty()
        self.screen.say("\nkubectl is ready, and so are the machines' addresses; the shell's end is the end of the lab." if terminal else "")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        subprocess.run(["ip", "netns", "exec", control.ns, "bash", "--norc", *(["-i"] if terminal else ["-s"])], env=env, check=False,
                       preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def run(self, shell):
        self.boot()
        status = self.finish(self.follow())
        if shell:
            self.shell()
        return status
