"""The lab's cluster without Kubernetes: start() -> (namespace, bridge), pin, notice."""
import pki
from servers import Nginx
from standin import NOTICE, Standin


class StandinCluster:
    notice = NOTICE
    kubelet_notice = "it shows what it was given; a real kubelet runs in `make test`"

    def __init__(self, world):
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
