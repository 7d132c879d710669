"""The two clusters of the lab behind one interface: start() -> (namespace, bridge), pin, notice."""
import os
import subprocess

import pki
from proc import LabError, run
from servers import Nginx
from standin import NOTICE, Standin


class StandinCluster:
    notice = NOTICE
    kubelet_notice = "it shows what it was given; a real kubelet runs in `make test`"

    def __init__(self, world, top):
        self.world = world

    def start(self):
        ns = self.world.netns("net")
        self.world.bridge(ns, "br0", ["10.100.0.1/24", "fd00:1:2:3::1/64"])
        ca = pki.Authority(self.world.path("cluster-ca"), "kubernetes", rsa=True)
        cert, key = ca.leaf("apiserver", "DNS:kubernetes,DNS:kubernetes.default,IP:10.96.0.1,IP:10.100.0.1,IP:fd00:1:2:3::1")
        self.standin = Standin(self.world, ca, cert, key)
        self.web = Nginx(self.world, ns, [self.standin.server()], name="cluster").start()
        self.pin = ca.pin()
        return ns, "br0"


class KubernetesCluster:
    kubelet_notice = "the API server is real; real nodes from QEMU are not part of this version"

    def __init__(self, world, top):
        self.world, self.tool = world, os.path.join(top, "tools/kube/cluster")
        self.name = f"lab{os.getpid()}"

    def start(self):
        done = subprocess.run([self.tool, "up", "--name", self.name], stdin=subprocess.DEVNULL)
        self.world.stack.callback(run, self.tool, "down", self.name, check=False)
        if done.returncode != 0:
            raise LabError("the control plane did not start")
        env = dict(line.split("=", 1) for line in run(self.tool, "env", self.name, capture=True).splitlines() if "=" in line)
        self.env, self.pin = env, env["PIN"]
        self.notice = f"real kube-apiserver {env.get('VERSION', '')} at {env.get('ENDPOINT', '10.100.0.1:6443')}"
        return env["NETNS"], env.get("BRIDGE", "jbbr")
