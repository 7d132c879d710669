"""Against a real control plane: kubeadm's files beside the agent's, what goes over the wire, a real kubelet, tokens that die.

One cluster is started for all tests of the class; each test uses one of two places for a node. In the place "kubeadm" the real kubeadm joins, in
the place "agent" the shipped agent. Comparing their files is in kube_parity.py.
"""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import standin
from kube import FILES, OTHER_MAC, TOP, Agent, KubeLab, Place, build_folder
from kube_failures import Failures
from kube_parity import DATA, Parity, read
from proc import World, wait_for
from servers import TOKEN, Capture
from suite_network import memory_has

SECRET = TOKEN.split(".")[1]
BOOTSTRAPPER = f"system:bootstrap:{TOKEN.split('.')[0]}"
KUBEADM_ADDRESSES = ("10.100.0.10/24", "fd00:1:2:3::10/64")
SLEEPER = "#!/bin/sh\n[ \"$1\" != --version ] || exec echo Kubernetes %s\nexec sleep 600\n"
TIMEOUT = 30
API = "/api/v1"
CLUSTER_INFO = f"{API}/namespaces/kube-public/configmaps/cluster-info"
AFTER_TRUST = [f"{API}/namespaces/kube-system/configmaps/kubeadm-config", f"{API}/namespaces/kube-system/configmaps/kubelet-config",
               f"{API}/nodes/node-2"]


def of_agent(events):
    """(address, user, path) of the agent's requests among audit events, sorted."""
    return sorted((e["sourceIPs"][0], e["user"]["username"], e["requestURI"]) for e in events if e.get("userAgent") == "joinboot")


class Kube(Parity, Failures, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="joinboot-kube-")
        cls.addClassCleanup(shutil.rmtree, folder, True)
        cls.world = World("kube", folder)
        cls.world.__enter__()
        cls.addClassCleanup(cls.world.stack.close)
        cls.lab = KubeLab(cls.world, "kt")
        cls.control = cls.lab.control
        cls.sleeper = cls.lab.program("sleeper", SLEEPER % cls.control.version())
        cls.standin = cls.lab.standin("kubelet")
        cls.other = Place(cls.world, cls.control, "kubeadm", OTHER_MAC).start("--no-kubelet", "--with-containerd")
        cls.other.link_for_kubeadm(KUBEADM_ADDRESSES)
        cls.place = Place(cls.world, cls.control, "agent").start("--no-kubelet", "--with-containerd")

    def setUp(self):
        self.agents = []

    def tearDown(self):
        for agent in self.agents:
            agent.stop()
        for place in (self.place, self.other):
            place.forget()
            place.resolved(False)

    def agent(self, site=None, place=None):
        self.agents.append(Agent(place or self.place, site or self.lab.site(self.sleeper)))
        return self.agents[-1]

    # --- the wire

    def show2_one_connection(self):
        """One connection to the API server; only the requests of DESIGN section 6, and the token never before trust."""
        self.lab.publish(self.lab.join())
        capture = Capture(self.world, self.control.ns, self.control.bridge, "one.pcap", "tcp port 6443")
        since = self.control.audit_size()
        agent = self.agent(self.lab.site(self.standin))
        agent.wait_joined(TIMEOUT)
        wait_for("audit", lambda: len(of_agent(self.control.audit(since))) >= 4)
        wait_for("capture", lambda: capture.connections(6443) >= 1)
        capture.stop()
        self.assertEqual(capture.connections(6443), 1)
        wanted = [("10.100.0.2", "system:anonymous", CLUSTER_INFO)] + [("10.100.0.2", BOOTSTRAPPER, path) for path in AFTER_TRUST]
        self.assertEqual(of_agent(self.control.audit(since)), wanted)
        self.assertEqual([e for e in self.control.audit(since) if e["sourceIPs"][0] in ("10.100.0.2", "fd00:1:2:3::3")
                          and e.get("userAgent") != "joinboot"], [])

    def name_host(self, server):
        """Puts another server into cluster-info and waits until the bootstrap signer has signed it again."""
        def info():
            return self.control.get("-n", "kube-public", "configmap", "cluster-info")["data"]
        old = info()["kubeconfig"]
        line = next(x for x in old.splitlines() if x.strip().startswith("server:"))
        text = old.replace(line, line.split("server:")[0] + f"server: {server}")
        self.control.edit_config_map("cluster-info", "kubeconfig", text, namespace="kube-public")
        wait_for("new signature", lambda: info().get(f"jws-kubeconfig-{TOKEN.split('.')[0]}") == standin.jws(text), 20, 0.1)

    def show2_other_host(self):
        """cluster-info names the API server's other address: a second connection, and the token only there; kubelet gets that address."""
        self.name_host("https://[fd00:1:2:3::1]:6443")
        self.addCleanup(self.name_host, "https://10.100.0.1:6443")
        join = self.lab.join()
        self.lab.publish(join)
        wanted = self.kubeadm(join)
        capture = Capture(self.world, self.control.ns, self.control.bridge, "two.pcap", "tcp port 6443")
        since = self.control.audit_size()
        agent = self.agent()
        agent.wait_files(TIMEOUT)
        self.assertEqual(self.place.files(), wanted)
        self.assertIn(b"server: https://[fd00:1:2:3::1]:6443", wanted[FILES[0]][1])
        wait_for("second connection", lambda: capture.connections(6443) >= 2)
        capture.stop()
        self.assertEqual(capture.connections(6443), 2)
        seen = of_agent(self.control.audit(since))
        self.assertEqual([x[1:] for x in seen if ":" not in x[0]], [("system:anonymous", CLUSTER_INFO)])
        self.assertEqual([x[1:] for x in seen if ":" in x[0]], [(BOOTSTRAPPER, path) for path in AFTER_TRUST])

    # --- a real kubelet

    def real_place(self):
        """The agent's place anew, without containerd: the agent starts it, and kubelet. The configuration is that of the other place."""
        self.place.stop()
        self.addCleanup(lambda: (self.place.stop(), self.place.start("--no-kubelet", "--with-containerd")))
        self.place.start("--no-kubelet")
        self.control.kubelet_config(f"{DATA}/real-kubelet.yaml")
        for path in ("/etc/containerd/config.toml", "/etc/cni/net.d/10-joinboot.conflist"):
            os.makedirs(os.path.dirname(self.place.root + path), exist_ok=True)
            shutil.copy(self.other.root + path, self.place.root + path)

    def real_agent(self):
        self.lab.publish(self.lab.join())
        return self.agent(self.lab.site("/usr/bin/kubelet", "/usr/bin/containerd"))

    def programs(self):
        """The commands of the processes that run in the place, as {name: pid}."""
        root, found = os.readlink(f"{os.path.dirname(self.place.root)}/ns/pid"), {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/ns/pid") == root:
                    found[read(f"/proc/{pid}/comm").strip()] = int(pid)
            except OSError:
                continue
        return found

    def files_with(self, text):
        """Paths of the node's files, made since it was started, in which these bytes stand."""
        since, found = os.stat(f"{self.place.root}/run/joinboot-node").st_ctime, []
        folders = [self.place.root + x for x in ("/etc", "/run", "/var/lib", "/var/log", "/opt")]
        for folder in folders:
            for base, _, names in os.walk(folder):
                for path in (f"{base}/{name}" for name in names):
                    if not os.path.isfile(path) or os.path.islink(path) or os.lstat(path).st_ctime < since - 1:
                        continue
                    with open(path, "rb") as f:
                        if text in f.read():
                            found.append(path[len(self.place.root):])
        return found

    def node_gone(self):
        self.control.kubectl("delete", "node", "node-2", "--ignore-not-found")
        self.control.kubectl("delete", "csr", "--all")

    def show3_real_kubelet(self):
        """Real kubelet and containerd, started by the agent: a Ready Node with both addresses; then no token is left anywhere on the node."""
        self.real_place()
        self.addCleanup(self.node_gone)
        agent = self.real_agent()
        agent.wait_files(TIMEOUT)
        self.assertTrue(memory_has(agent.pid(), SECRET.encode()), "the search would not find the token")
        agent.wait_joined(TIMEOUT)
        wait_for("Node", lambda: self.control.get("nodes")["items"], TIMEOUT, 0.2)
        node = self.control.get("node", "node-2")
        self.assertEqual([a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"], ["10.100.0.2", "fd00:1:2:3::3"])
        self.assertNotIn(FILES[0], self.place.files())
        self.assertEqual(self.files_with(SECRET.encode()), [])
        self.assertFalse(memory_has(agent.pid(), SECRET.encode()), "the token is still in the agent's memory")
        self.assertNotIn(SECRET, agent.console())
        kubelet = self.programs()["kubelet"]
        self.assertIn("containerd", self.programs())

        def ready():
            conditions = self.control.get("node", "node-2")["status"]["conditions"]
            return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        wait_for("Ready node", ready, TIMEOUT, 0.3)
        self.assertEqual(self.programs()["kubelet"], kubelet, "kubelet was restarted")
        self.assertEqual(agent.stop(), 0)
        self.assertNotIn("kubelet", self.programs())

    def show7_kubeadm_goes_on(self):
        """`kubeadm upgrade node` and `kubeadm reset` on a node that the agent joined; then the agent joins what was reset."""
        self.real_place()
        self.addCleanup(self.node_gone)
        agent = self.real_agent()
        agent.wait_joined(TIMEOUT)
        before = self.place.files()
        done = self.place.run("kubeadm", "upgrade", "node", "--ignore-preflight-errors=SystemVerification")
        self.assertIn("configuration for this node was successfully upgraded", done)
        after = self.place.files()
        for path in FILES[1:]:
            self.assertEqual(after[path], before[path], f"{path} is not what kubeadm upgrade node writes")
        done = self.place.run("kubeadm", "reset", "--force", "--cleanup-tmp-dir")
        self.assertIn("The reset process does not", done)
        self.assertEqual([p for p in self.place.files() if p.startswith("/etc/kubernetes/") and not p.endswith("/")], [])
        agent.stop()
        self.node_gone()
        self.lab.publish(self.lab.join())
        self.agent(self.lab.site("/usr/bin/kubelet", "/usr/bin/containerd")).wait_joined(TIMEOUT)

    def show4_csr_pending(self):
        """Nobody approves the certificate request: named, and once it is approved the same run joins."""
        self.real_place()
        self.addCleanup(self.node_gone)
        binding = self.control.get("clusterrolebinding", "kubeadm:node-autoapprove-bootstrap")
        self.addCleanup(lambda: self.control.kubectl("apply", "-f", "-", data=json.dumps(
            {**binding, "metadata": {"name": binding["metadata"]["name"]}})))
        self.control.kubectl("delete", "clusterrolebinding", "kubeadm:node-autoapprove-bootstrap")
        agent = self.real_agent()
        agent.wait_error("joined.csr-pending", "joined", TIMEOUT + 40)
        self.assertTrue(agent.kubelet_started())
        self.assertEqual(self.files_with(SECRET.encode()), [FILES[0]])
        self.control.kubectl("certificate", "approve", self.control.get("csr")["items"][0]["metadata"]["name"])
        agent.wait_joined(TIMEOUT)
        self.assertNotIn(FILES[0], self.place.files())


class Tools(unittest.TestCase):
    def test_old_go_branch(self):
        """With an older Go alone in PATH, tools/kube takes the pinned toolchain module."""
        done = subprocess.run([os.path.join(TOP, "tools/kube/go"), "--self-test"], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("the pinned toolchain was taken and builds a program", done.stdout)

    def show7_benchmark(self):
        """The benchmark as an operator runs it, with three runs: the agent is the faster one, and by far the smaller one."""
        done = subprocess.run([os.path.join(TOP, "tools/lab/bench")], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env={**os.environ, "BENCH_RUNS": "3"})
        self.assertEqual(done.returncode, 0, done.stdout)
        print(done.stdout)
        data = json.loads(read(os.path.join(build_folder(), "bench.json")))
        agent, kubeadm = (data["rows"][name] for name in ("agent, files ready", "kubeadm join, files ready"))
        self.assertEqual(len(agent["runs_ms"]), 3)
        self.assertLess(agent["median_ms"] * 2, kubeadm["median_ms"])
        self.assertLess(agent["cpu_ms"] * 5, kubeadm["cpu_ms"])
        self.assertLess(agent["peak_kib"] * 10, kubeadm["peak_kib"])
