"""The lab of founded.py with a machine under QEMU as the first node: it boots the control plane's node image from nothing, and its agent, as PID 1, runs
`kubeadm init`.

An emulated processor takes tens of times as long as a real one. So the operator's documents give it time, as they would to any slow machine: waits of a
quarter of an hour, keys that are made at once (ECDSA), a garbage collection that comes seldom, and no election among one of each.
"""
import machine
import podroutes
from founded import TOP, Founded, bracket
from nodes import URL, Node, Spec
from proc import LabError, run, wait_for

MEMORY_MIB, ADMIT_S = 4096, 900
KERNEL = "mitigations=off no5lvl"
WAITS = ("controlPlaneComponentHealthCheck", "kubeletHealthCheck", "kubernetesAPICall", "etcdAPICall", "tlsBootstrap", "discovery")
SELDOM = "  extraEnvs:\n  - name: GOGC\n    value: \"400\"\n"
ALONE = "  extraArgs:\n  - name: leader-elect\n    value: \"false\"\n"
# The listener is there before etcd has a file; the first handshake comes when its data is on the disk.
SHAKE = """import socket, ssl, sys
ssl._create_unverified_context().wrap_socket(socket.create_connection((sys.argv[1], 2379), 3))
"""


class Emulated(Founded):
    registration = ""
    timeouts = "timeouts:\n" + "".join(f"  {name}: 15m0s\n" for name in WAITS)
    cluster = (f"encryptionAlgorithm: ECDSA-P256\netcd:\n  local:\n    extraEnvs:\n    - name: GOGC\n      value: \"400\"\n"
               f"controllerManager:\n{ALONE}{SELDOM}scheduler:\n{ALONE}{SELDOM}")
    api_server = SELDOM

    def __init__(self, world, families):
        super().__init__(world, families)
        self.emulator, self.watch = machine.newer_qemu(TOP), None

    def site(self):
        return self.op.site(self.ca, URL, extra=["root = PARTLABEL=joinboot-root", "state = PARTLABEL=joinboot-state",
                                                 "images = /usr/share/joinboot/images", "families-wait = 20"])

    def machine(self, n):
        """The n-th machine, off, with a blank disk."""
        return Node(self, Spec(n), memory=MEMORY_MIB)

    def etcd_serves(self, spec):
        """Whether a node's etcd answers, and so has data."""
        return run("ip", "netns", "exec", self.control.ns, "python3", "-c", SHAKE, spec.address[self.families[0]], check=False).returncode == 0

    def admit(self, spec):
        """After init: kubectl works, and pods get their routes. Its API server answers late: what did not come is asked for again."""
        def test():
            try:
                super(Emulated, self).admit(spec)
                server = f"{bracket(spec.address[self.families[0]])}:6443"
                return self.control.kubectl("apply", "--validate=false", "-f", "-", data=podroutes.manifests(self.image.test, server))
            except LabError:
                return False
        wait_for("an administrator", test, ADMIT_S, 1)
