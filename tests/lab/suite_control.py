"""Real control planes: nodes become them from nothing, by the real `kubeadm init` and `kubeadm join` that the shipped agent runs, with real etcd, API
server, kubelet and containerd. The nodes are places of this machine (tools/lab/founded.py).

Founding has one cluster for all its tests; a test asks for what it needs of it. The others have one each.
"""
import atexit
import os
import re
import shutil
import tempfile
import time
import unittest

from founded import Founded, Spec, Spot
from nodes import DUAL
from proc import LabError, World, wait_for
from servers import TOKEN

WAIT_S = int(os.environ.get("CONTROL_S") or 240)
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
KEY = re.compile(r"BEGIN [A-Z ]*PRIVATE KEY")


def said(e, text):
    return (e.phase, e.event) == ("kubeadm", "says") and text in e.get("line")


class Base(unittest.TestCase):
    """A network for a class of tests, without a cluster."""
    families, place, wait_s = DUAL, Founded, WAIT_S

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="joinboot-control-")
        cls.addClassCleanup(shutil.rmtree, folder, True)
        cls.world = World("control", folder)
        cls.world.__enter__()
        cls.addClassCleanup(cls.world.stack.close)
        # Ctrl-C leaves the class's clean-up out; the last that is registered runs first.
        atexit.register(shutil.rmtree, folder, True)
        atexit.register(cls.world.stack.close)
        cls.lab = cls.place(cls.world, cls.families)
        cls.control, cls.spots = cls.lab.control, {}

    def spot(self, n):
        if n not in self.spots:
            self.spots[n] = Spot(self.lab, Spec(n))
        return self.spots[n]

    def noted(self, agent, text):
        agent.wait(text, lambda e: e.event == "note" and text in e.get("text"), self.wait_s)

    def joined(self, agent, what, may_fail=""):
        """Until the last row is done, without an error but in the phase `may_fail`; prints how long that took by the agent's own clock."""
        done = agent.wait("joined", lambda e: e.event == "error" and e.phase != may_fail or (e.phase, e.event) == ("joined", "done"), self.wait_s)
        self.assertEqual(done.event, "done", f"{done.get('code')} in {done.phase}\n{agent.console()[-4000:]}")
        row = [e for e in agent.events if (e.phase, e.event) == ("kubeadm", "done")]
        print(f"    {what}: start to joined {done.ms / 1000:.1f} s" + (f", kubeadm {row[-1].num('ms') / 1000:.1f} s of it" if row else ""), flush=True)

    def eventually(self, what, wanted, look):
        """The API server answers late rather than wrongly while the machine is busy: a LabError is tried again."""
        def test():
            try:
                return look() == wanted
            except LabError:
                return False
        wait_for(what, test, self.wait_s, 0.3)

    def ready(self, spec):
        """The Node, once it is Ready: its addresses and podCIDRs are of just these families."""
        def status():
            conditions = self.control.get("node", spec.name)["status"]["conditions"]
            return {c["type"]: c["status"] for c in conditions}["Ready"]
        self.eventually(f"{spec.name} Ready", "True", status)
        node = self.control.get("node", spec.name)
        self.assertEqual([a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"], [spec.address[f] for f in self.families])
        self.assertEqual([":" in c for c in node["spec"]["podCIDRs"]], [f == "ipv6" for f in self.families])
        return node

    def is_control_plane(self, spec):
        """The Node is Ready and says what kubeadm says of such a node; its API server answers over each family, by a certificate for that address."""
        node = self.ready(spec)
        self.assertIn(CONTROL_PLANE, node["metadata"]["labels"])
        self.assertIn((CONTROL_PLANE, "NoSchedule"), [(t["key"], t["effect"]) for t in node["spec"].get("taints", ())])
        for family in self.families:
            with self.subTest("/livez", address=spec.address[family]):
                self.eventually("/livez", "ok", lambda: self.control.livez(spec.address[family]))
        return node

    def has_members(self, *specs):
        """Each one's etcd knows just these members, all of them with a vote."""
        for spec in specs:
            self.eventually("etcd's members", [(s.name, False) for s in specs], lambda: self.control.etcd_members(spec.address[self.families[0]]))

    def keeps_secrets(self, spot):
        """Token, certificate key and private keys are neither on the console nor in logs; the token is in no file but kubeadm's Secret has it."""
        texts = [("the console", spot.agent.console())]
        for folder, _, names in os.walk(f"{spot.root}/var/log"):
            for path in (f"{folder}/{name}" for name in names):
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, errors="replace") as f:
                        texts.append((path, f.read()))
        self.assertIn(f"{spot.root}/var/log/job.log", [where for where, _ in texts])
        for where, text in texts:
            for what, found in (("token", TOKEN.split(".")[1] in text), ("certificate key", self.control.key in text), ("private key", KEY.search(text))):
                self.assertFalse(found, f"a {what} is in {where}")
        for path in ("/run/joinboot/kubeadm.yaml", "/etc/kubernetes/bootstrap-kubelet.conf"):
            self.assertFalse(os.path.exists(spot.root + path), path)

    def init(self, spot, extra=""):
        """Offers the first node its documents, and switches it on; its agent."""
        self.lab.offer(spot.spec, self.lab.init(spot.spec), extra)
        return spot.power_on()


class Founding(Base):
    def first(self):
        """The first node. The power goes once while its init is young: what is there is wiped, and it comes to its end all the same."""
        if 0 in self.spots:
            return self.spots[0]
        spot = self.spot(0)
        agent = self.init(spot)
        agent.wait("a certificate", lambda e: said(e, 'Generating "apiserver"'), WAIT_S)
        spot.power_cut()
        self.assertFalse(os.path.exists(f"{spot.root}/var/lib/etcd/member"), "that was too late for this test")
        self.assertFalse(os.path.exists(f"{spot.root}/etc/kubernetes/manifests/etcd.yaml"), "that was too late for this test")
        agent = spot.power_on()
        self.noted(agent, "kubeadm did not end")
        self.noted(agent, "what the earlier join left is wiped")
        self.joined(agent, "init")
        self.lab.admit(spot.spec)
        return spot

    def second(self):
        """Another control-plane node."""
        self.first()
        if 1 in self.spots:
            return self.spots[1]
        spot = self.spot(1)
        self.lab.offer(spot.spec, self.lab.join_control_plane(spot.spec))
        self.joined(self.without_endpoint(spot), "control-plane join")
        return spot

    def without_endpoint(self, spot):
        """While the cluster has no controlPlaneEndpoint the agent says so, and kubeadm is not run; once it has one, nobody touches the node."""
        whole = self.control.get("-n", "kube-system", "configmap", "kubeadm-config")["data"]["ClusterConfiguration"]
        self.control.edit_config_map("kubeadm-config", "ClusterConfiguration", re.sub(r"(?m)^controlPlaneEndpoint:.*\n", "", whole))
        try:
            agent = spot.power_on()
            agent.wait_error("kubeadm.no-endpoint", "configure", WAIT_S)
        finally:
            self.control.edit_config_map("kubeadm-config", "ClusterConfiguration", whole)
        self.assertFalse([e for e in agent.events if e.phase == "kubeadm"])
        agent.wait("another try", lambda e: (e.phase, e.event) == ("configure", "done"), WAIT_S)
        return agent

    def show5_init(self):
        """A cut early in `kubeadm init` is recovered; it ends with a dual-stack cluster."""
        spot = self.first()
        self.is_control_plane(spot.spec)
        self.has_members(*[self.spots[n].spec for n in sorted(self.spots) if n < 2])
        self.keeps_secrets(spot)

    def show5_join_control_plane(self):
        """Two control-plane nodes, etcd with two members, the new API server good over both families."""
        spots = [self.first(), self.second()]
        for spot in spots:
            self.is_control_plane(spot.spec)
            self.keeps_secrets(spot)
        self.has_members(*[s.spec for s in spots])
        self.assertEqual(sorted(n["metadata"]["name"] for n in self.control.get("nodes", "-l", CONTROL_PLANE)["items"]), [s.spec.name for s in spots])

    def show5_join_worker(self):
        """The cluster's first worker joins by its agent."""
        self.first()
        self.lab.cgroup_v1()
        spot = self.spot(2)
        self.lab.offer(spot.spec, self.lab.join(spot.spec))
        self.joined(spot.power_on(), "worker join")
        self.assertNotIn(CONTROL_PLANE, self.ready(spot.spec)["metadata"]["labels"])

    def show5_power_cut_of_a_node(self):
        """The power of a control-plane node goes, with the config server stopped: it comes back as the same Node, and kubeadm is not run again."""
        spot = self.first()
        before = self.is_control_plane(spot.spec)["metadata"]["uid"]
        spot.power_cut()
        self.assertRaises(LabError, self.control.livez, spot.spec.address[self.families[0]])
        self.lab.web.stop()
        self.addCleanup(self.lab.web.start)
        agent = spot.power_on()
        self.joined(agent, "the same node again", may_fail="fetch")
        self.assertFalse([e for e in agent.events if e.phase in ("accept", "kubeadm", "discover")])
        self.assertEqual(self.is_control_plane(spot.spec)["metadata"]["uid"], before)
        self.keeps_secrets(spot)


class HalfDone(Base):
    def show5_late_cut(self):
        """Cut off when etcd has data, init stops by its name and touches nothing; a newer bundle that says reset makes the cluster."""
        spot = self.spot(0)
        agent = self.init(spot)
        agent.wait("etcd", lambda e: said(e, "kube-apiserver is healthy"), WAIT_S)
        spot.power_cut()
        member = os.stat(f"{spot.root}/var/lib/etcd/member").st_ino
        agent = spot.power_on()
        agent.wait_error("kubeadm.half-done", "accept", WAIT_S)
        self.lab.offer(spot.spec, self.lab.init(spot.spec))
        for _ in range(2):  # the first may have been under way
            agent.wait("the newer bundle", lambda e: (e.phase, e.event) == ("fetch", "done"), WAIT_S)
        agent.wait_error("kubeadm.half-done", "accept", WAIT_S)
        time.sleep(3)
        self.assertFalse([e for e in agent.events if e.phase in ("commit", "kubeadm")])
        self.assertEqual(os.stat(f"{spot.root}/var/lib/etcd/member").st_ino, member)
        self.lab.offer(spot.spec, self.lab.init(spot.spec), "reset: true\n")
        self.noted(agent, "what the earlier join left is wiped")
        self.joined(agent, "init, after a reset")
        self.lab.admit(spot.spec)
        self.is_control_plane(spot.spec)
        self.has_members(spot.spec)
        self.keeps_secrets(spot)


class SingleStack(Base):
    """A cluster of one family; nothing waits for the other one."""
    @classmethod
    def setUpClass(cls):
        pass

    def whole(self, family):
        type(self).families = (family,)
        super().setUpClass()
        self.addCleanup(self.world.stack.close)
        spot = self.spot(0)
        self.joined(self.init(spot), f"init, {family} only")
        self.lab.admit(spot.spec)
        self.is_control_plane(spot.spec)
        self.has_members(spot.spec)

    def show5_init_ipv4(self):
        self.whole("ipv4")

    def show5_init_ipv6(self):
        self.whole("ipv6")
