"""A cold machine under QEMU makes a cluster: its agent, as PID 1, runs `kubeadm init`, and the plug is pulled in the middle of it. suite_control shows
more of that, in places of this machine.

All tests are about one machine. They run in the order of their names; each asks for what it needs.
"""
import os
import time

from emulated import KERNEL, Emulated
from nodes import Spec
from proc import LabError, wait_for
from servers import TOKEN
from suite_control import KEY, said
from suite_control import Base as Control

KUBEADM = ("commit", "discover", "kubeadm")


class Founder(Control):
    place, wait_s = Emulated, int(os.environ.get("FOUNDER_S") or 900)
    spec, node, half_done, founded = Spec(0), None, False, False

    def power_on(self):
        """The machine, whose plug is pulled if it is on, from nothing; the first time with a blank disk and its documents on offer."""
        if not self.node:
            type(self).node = self.lab.machine(0)
            self.lab.offer(self.spec, self.lab.init(self.spec))
        self.node.power_off()
        return self.node.power_on(append=KERNEL)

    def passed(self, what):
        print(f"    power-on to {what} {time.monotonic() - self.node.machine.began:.0f} s", flush=True)

    def init(self):
        """The machine's agent is about to run kubeadm, or does."""
        if not self.half_done:
            return self.power_on()
        self.lab.offer(self.spec, self.lab.init(self.spec), "reset: true\n")
        self.noted(self.node, "what the earlier join left is wiped")
        return self.node

    def first(self):
        """The machine as the cluster's first node. The plug is pulled once while init is young: what is there is wiped, and it comes to its end all the
        same."""
        if self.founded:
            return self.node
        node = self.init()
        node.wait("a certificate", lambda e: said(e, 'Generating "apiserver"'), self.wait_s)
        self.passed("a cut early in init")
        self.power_on()
        self.noted(node, "kubeadm did not end")
        self.noted(node, "what the earlier join left is wiped")
        self.joined(node, "init")
        self.lab.admit(self.spec)
        type(self).founded = True
        return node

    def show5_machine_cut_late(self):
        """The plug is pulled when etcd has data: the next boot stops by its name, and kubeadm is not run."""
        node = self.power_on()
        wait_for("etcd", lambda: self.lab.etcd_serves(self.spec), self.wait_s, 0.5)
        self.passed("a cut when etcd has data")
        self.power_on()
        self.noted(node, "kubeadm did not end")
        type(self).half_done = True
        for _ in range(2):  # and it stays so
            node.wait("the stop", lambda e: e.event == "error" or e.phase in KUBEADM, self.wait_s)
            self.assertEqual((node.events[-1].get("code"), node.events[-1].phase), ("kubeadm.half-done", "accept"), node.console()[-4000:])
        self.passed("the stop by its name, twice")
        self.assertFalse([e for e in node.events if e.phase in KUBEADM])

    def show5_machine_init(self):
        """A cut early in init is recovered; it ends with a dual-stack cluster. After a late cut, once a newer bundle said reset."""
        node = self.first()
        self.is_control_plane(self.spec)
        self.passed("Ready, /livez over both families")
        self.has_members(self.spec)
        text = node.console()
        for what, found in (("token", TOKEN.split(".")[1] in text), ("certificate key", self.control.key in text), ("private key", KEY.search(text))):
            self.assertFalse(found, f"a {what} is on the console")

    def show5_machine_power_cycle(self):
        """The plug is pulled with the config server stopped: the same Node, its API server good, and kubeadm is not run again."""
        node = self.first()
        before = self.is_control_plane(self.spec)
        node.power_off()
        self.assertRaises(LabError, self.control.livez, self.spec.address["ipv4"])
        self.lab.web.stop()
        self.addCleanup(self.lab.web.start)
        self.power_on()
        self.joined(node, "the same node again", may_fail="fetch")
        self.assertFalse([e for e in node.events if e.phase in ("accept", *KUBEADM)])
        self.eventually("another boot", True, lambda: self.boot() != before["status"]["nodeInfo"]["bootID"])
        self.assertEqual(self.is_control_plane(self.spec)["metadata"]["uid"], before["metadata"]["uid"])
        self.passed("Ready again, /livez over both families")
        self.has_members(self.spec)

    def boot(self):
        return self.control.get("node", self.spec.name)["status"]["nodeInfo"]["bootID"]
