"""Real nodes: machines under QEMU boot the node image from nothing, become nodes of a real control plane, and are that again after every power cut.

Nodes has one dual-stack cluster for all its tests; a test asks for the machines that it needs. SingleStack starts a cluster per family.
"""
import atexit
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import unittest

from nodes import DUAL, READY_S, Image, NodeLab
from proc import LabError, World, run, stop, wait_for
from rack import BUILD, TOP
from servers import TOKEN

RUNS_S = 240
LIFETIME_S = 20
FAR = "2001:db8:ffff::1"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
WEB = "mkdir -p /tmp/www; echo I am $HOSTNAME | tee /tmp/www/name; exec httpd -f -p '[::]:8080' -h /tmp/www"
STREAM = "exec nc -ll -p 7000 -e /bin/sh -c 'i=0; while echo $i; do i=$((i+1)); sleep 0.2; done'"
# Prints the numbers that a pod streams, and the time of each, until it is ended or the stream is.
READER = """import socket, sys, time
for line in socket.create_connection((sys.argv[1], 7000)).makefile():
    print(f"{time.monotonic():.2f}", line.strip(), flush=True)
"""
FOLDERS = "/var/lib/kubelet /var/lib/containerd /var/lib/cni /etc/cni/net.d"
WIPES_S = 1
FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"


class Base(unittest.TestCase):
    """A cluster for a class of tests, its machines, and pods on them."""
    families = DUAL
    image = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="joinboot-nodes-")
        cls.addClassCleanup(shutil.rmtree, folder, True)
        cls.world = World("nodes", folder)
        cls.world.__enter__()
        cls.addClassCleanup(cls.world.stack.close)
        # Ctrl-C leaves the class's clean-up out; the last that is registered runs first.
        atexit.register(shutil.rmtree, folder, True)
        atexit.register(cls.world.stack.close)
        cls.lab = NodeLab(cls.world, "nodes", cls.families, Image(cls.world), LIFETIME_S)
        cls.control, cls.machines = cls.lab.control, {}

    def machine(self, n):
        """The n-th machine, powered on and Ready."""
        return self.all_ready(n)[0]

    def all_ready(self, *numbers):
        """Several machines, which boot at the same time."""
        for n in numbers:
            if n not in self.machines:
                self.machines[n] = self.lab.node(n)
            if not self.machines[n].machine:
                self.machines[n].power_on()
        for n in numbers:
            self.machines[n].wait_ready()
        return [self.machines[n] for n in numbers]

    def pod(self, name, node, script, wait=True, mounts=(), **spec):
        """Makes a pod that runs a script, on a node; returns its addresses once it runs."""
        privileged = {"securityContext": {"privileged": True}} if spec.get("hostNetwork") else {}
        container = {"name": "main", "image": self.lab.image.test, "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", script],
                     "volumeMounts": list(mounts), **privileged}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"pod": name}},
                "spec": {"nodeName": node.name, "terminationGracePeriodSeconds": 0, "containers": [container], **spec}}
        self.control.kubectl("apply", "-f", "-", data=json.dumps(body))
        self.addCleanup(self.control.kubectl, "delete", "pod", name, "--ignore-not-found", "--force", "--grace-period=0", "--wait=false")
        return self.running(name) if wait else None

    def on_host(self, name, node, script):
        """A pod in the node's own network and process namespaces, the node's root at /host."""
        volume = {"name": "root", "hostPath": {"path": "/"}}
        return self.pod(name, node, script, hostNetwork=True, hostPID=True, volumes=[volume], mounts=[{"name": "root", "mountPath": "/host"}])

    def status(self, name):
        return self.control.get("pod", name)["status"]

    def running(self, name, restarts=0):
        """A pod's addresses, once it runs and was restarted that often."""
        def look():
            status = self.status(name)
            state = (status.get("containerStatuses") or [{}])[0]
            return state.get("ready") and state["restartCount"] >= restarts and [x["ip"] for x in status["podIPs"]]
        try:
            return wait_for(f"pod {name}", look, RUNS_S, 0.5)
        except LabError as e:
            raise AssertionError(f"{e}\n{self.control.kubectl('describe', 'pod', name)[-3000:]}") from None

    def sh(self, pod, script):
        """What a script in a pod prints."""
        return self.control.kubectl("exec", pod, "--", "/bin/sh", "-c", script)

    def eventually(self, what, wanted, look, timeout=90):
        """The lab's programs answer late rather than wrongly while the machine is busy: a LabError is tried again."""
        def test():
            try:
                return look() == wanted
            except LabError:
                return False
        wait_for(what, test, timeout, 0.5)

    def ready_with(self, name, families):
        """The Node object has the addresses and the podCIDRs of just these families."""
        node = self.control.get("node", name)
        spec = next(m.spec for m in self.machines.values() if m.name == name)
        internal = [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
        self.assertEqual(internal, [spec.address[f] for f in families])
        self.assertEqual([":" in c for c in node["spec"]["podCIDRs"]], [f == "ipv6" for f in families])
        self.assertEqual({c["type"]: c["status"] for c in node["status"]["conditions"]}["Ready"], "True")
        return node

    def csrs(self):
        return sorted(c["metadata"]["name"] for c in self.control.get("csr")["items"])


class Nodes(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        run("ip", "-n", cls.control.ns, "-6", "address", "add", f"{FAR}/128", "dev", "lo", "nodad")

    def show1_cold_machine(self):
        """Both InternalIPs and both podCIDRs; a pod with both addresses."""
        node = self.machine(0)
        registered, ready = node.times()
        print(f"    power-on to registered {registered:.1f} s, to Ready {ready:.1f} s", flush=True)
        self.ready_with(node.name, DUAL)
        addresses = self.pod("hello", node, "sleep infinity")
        self.assertEqual([":" in a for a in addresses], [False, True])

    def show1_power_cycles(self):
        """Three times the plug is pulled, with the config server stopped and the token deleted: the same Node, no new CSR, Ready, a pod runs."""
        node = self.machine(0)
        uid, csrs = self.control.get("node", node.name)["metadata"]["uid"], self.csrs()
        self.lab.web.stop()
        self.addCleanup(self.lab.web.start)
        self.control.delete_token()
        self.addCleanup(self.control.token, TOKEN)
        took = []
        for n in range(3):
            node.power_off()
            node.power_on()
            took.append(node.wait_ready()[1])
            self.assertEqual(self.ready_with(node.name, DUAL)["metadata"]["uid"], uid)
            self.assertEqual(self.csrs(), csrs)
            self.pod(f"cycle{n}", node, "sleep infinity")
        records = re.findall(r'\{"apiVersion":"joinboot/v1alpha1","kind":"Enrolment".*\}\}', node.console())
        self.assertEqual((len(records), len(set(records))), (4, 1), "the device key is made once, and kept on the state partition")
        print(f"    power-on to Ready again {', '.join(f'{t:.1f}' for t in took)} s, median {statistics.median(took):.1f} s", flush=True)

    # --- two machines

    def two(self):
        """Two machines, a pod on each, and a service for the second one's."""
        nodes = self.all_ready(0, 1)
        for name, node in zip(("a", "b"), nodes):
            self.pod(name, node, WEB, wait=False)
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                   "spec": {"selector": {"pod": "b"}, "ports": [{"port": 80, "targetPort": 8080}], "ipFamilyPolicy": "RequireDualStack"}}
        self.control.kubectl("apply", "-f", "-", data=json.dumps(service))
        self.addCleanup(self.control.kubectl, "delete", "service", "web", "--ignore-not-found")
        self.control.kubectl("-n", "kube-system", "patch", "service", "kube-dns", "-p", '{"spec": {"ipFamilyPolicy": "RequireDualStack"}}')
        return nodes

    def wait_addons(self):
        for kind in ("daemonset/kube-proxy", "deployment/coredns", "daemonset/lab-routes"):
            self.control.kubectl("-n", "kube-system", "rollout", "status", kind, "--timeout=120s")

    def use(self, restarts=0):
        """Everything that a pod may expect of its cluster, in both families."""
        self.running("a", restarts)
        b = self.running("b", restarts)
        self.wait_addons()
        said = "I am b\n"
        for address in b + self.control.get("service", "web")["spec"]["clusterIPs"]:
            port = 8080 if address in b else 80
            host = f"[{address}]" if ":" in address else address
            with self.subTest("from a to b", address=address):
                self.eventually(address, said, lambda: self.sh("a", f"timeout 9 wget -qO- http://{host}:{port}/name"))
        name = "web.default.svc.cluster.local"
        addresses = self.control.get("service", "web")["spec"]["clusterIPs"]
        servers = self.control.get("-n", "kube-system", "service", "kube-dns")["spec"]["clusterIPs"]
        self.assertEqual([":" in s for s in servers], [False, True])
        for server in servers:
            for kind, address in zip(("a", "aaaa"), addresses):
                with self.subTest("DNS", server=server, kind=kind):
                    self.eventually("DNS", True, lambda: address in self.sh("a", f"nslookup -type={kind} {name} {server}"))
        self.eventually("by name", said, lambda: self.sh("a", "timeout 9 wget -qO- http://web/name"))
        self.assertEqual(self.control.kubectl("logs", "b"), said)
        self.assertEqual(self.sh("a", f"cat {ACCOUNT}/namespace; test -s {ACCOUNT}/token && test -s {ACCOUNT}/ca.crt && echo"), "default\n")
        self.forwarded(said)

    def forwarded(self, said):
        """kubectl port-forward carries a request to the pod b."""
        log = f"forward{time.monotonic_ns()}.log"
        proc = self.world.popen([*self.control.kubectl_argv(), "port-forward", "pod/b", "18080:8080"], ns=self.control.ns, log=log)
        try:
            wait_for("port-forward", lambda: "Forwarding" in self.world.tail(log) or proc.poll() is not None, 20)
            got = run("ip", "netns", "exec", self.control.ns, "python3", "-c", FETCH, "http://127.0.0.1:18080/name", capture=True)
        finally:
            stop(proc)
        self.assertEqual(got.strip(), said.strip())

    def show2_pods_and_services(self):
        """Pod to pod across nodes, services, DNS, logs, exec, port-forward; all again after both machines were rebooted."""
        nodes = self.two()
        self.use()
        for node in nodes:
            node.power_off()
            node.power_on()
        for node in nodes:
            node.wait_ready()
        self.use(restarts=1)

    def show2_network_lives_on(self):
        """A bridge made after hand-over has IPv6, and the default route outlives three router lifetimes."""
        node = self.machine(0)
        self.pod("host", node, "sleep infinity", hostNetwork=True, hostPID=True)
        # With the node's own ip: the test image's knows too little.
        got = self.sh("host", "nsenter -t 1 -m -n -- /bin/sh -ec 'ip link add jbt type bridge; ip link add jbt0 type veth peer name jbt1; "
                              "ip link set jbt0 master jbt; for l in jbt jbt0 jbt1; do ip link set $l up; done; sleep 4; "
                              "ip -6 address show dev jbt; ip link delete jbt0; ip link delete jbt'")
        self.assertIn("inet6 fe80::", got)
        time.sleep(max(0.0, node.machine.began + node.times()[1] + 3 * LIFETIME_S - time.monotonic()))
        self.assertIn("default via fe80::", self.sh("host", "nsenter -t 1 -m -n -- /bin/ip -6 route show default"))
        self.sh("host", f"ping -6 -c 1 -W 5 {FAR}")

    # --- supervision

    def pid(self, program):
        """Of a program on the node, as the pod `host` sees it; empty while the pod cannot be asked."""
        try:
            return self.sh("host", f"pidof {program}").split()[0]
        except (LabError, IndexError):
            return ""

    def kill(self, program):
        """SIGKILL by way of a pod; the way itself may break at once."""
        before = self.pid(program)
        self.assertTrue(before)
        run(*self.in_cluster("exec", "host", "--", "kill", "-9", before), check=False)
        wait_for(f"another {program}", lambda: self.pid(program) not in ("", before), 60, 0.5)

    def in_cluster(self, *argv):
        return ["ip", "netns", "exec", self.control.ns, *self.control.kubectl_argv(), *argv]

    def show4_stream_goes_on(self):
        """containerd and kubelet are killed while a pod streams: the same connection goes on, and new pods run."""
        node = self.machine(0)
        self.pod("host", node, "sleep infinity", hostNetwork=True, hostPID=True)
        address = self.pod("stream", node, STREAM)[-1]
        reader = self.world.write("reader.py", READER)
        proc = self.world.popen(["python3", reader, address], ns=self.control.ns, log="stream.log")
        wait_for("stream", lambda: self.world.tail("stream.log"))
        for n, program in enumerate(("containerd", "kubelet")):
            self.kill(program)
            self.pod(f"after{n}", node, "sleep infinity")
        self.assertIsNone(proc.poll(), "the stream ended")
        stop(proc)
        with open(self.world.path("stream.log")) as f:
            rows = [line.split() for line in f.read().splitlines() if line.count(" ") == 1]
        self.assertEqual([int(n) for _, n in rows], list(range(len(rows))))
        pause = max(float(b[0]) - float(a[0]) for a, b in zip(rows, rows[1:]))
        print(f"    {len(rows)} lines, longest pause {pause:.1f} s", flush=True)
        self.assertLess(pause, 5)

    # --- hardware

    def boots_on(self, n, nic, attach):
        node = self.machines[n] = self.lab.node(n)
        try:
            node.power_on(nic=nic, attach=attach)
            ready = node.wait_ready()[1]
            self.ready_with(node.name, DUAL)
            print(f"    {nic} and {attach}: Ready after {ready:.1f} s", flush=True)
        finally:
            node.power_off()
            self.control.kubectl("delete", "node", node.name, "--ignore-not-found", "--wait=false")

    def show8_e1000e_nvme(self):
        self.boots_on(2, "e1000e", "nvme")

    def show8_virtio_ahci(self):
        self.boots_on(3, "virtio-net-pci", "ahci")

    def show8_igb_virtio_blk(self):
        self.boots_on(4, "igb", "virtio-blk")

    # --- joining again

    def show9_wiped_machine(self):
        """The disk of a node is replaced: while its Node is Ready the machine is refused by name; once the operator has deleted that, it joins."""
        node = self.machine(0)
        uid = self.control.get("node", node.name)["metadata"]["uid"]
        node.power_off()
        node.blank()
        node.power_on()
        node.wait_error("configure.node-exists", "configure", READY_S)
        self.control.kubectl("delete", "node", node.name, "--wait=false")
        node.wait_ready()
        self.assertNotEqual(self.ready_with(node.name, DUAL)["metadata"]["uid"], uid)

    def show9_reset(self):
        """A newer bundle says reset and another name: the same disk becomes another node, and nothing of the first one is left on it, though the plug
        is pulled while it is wiped."""
        node = self.machine(0)
        self.on_host("marks", node, f"for d in {FOLDERS}; do echo mark >/host$d/mark || exit 1; done; sync; sleep infinity")
        self.control.kubectl("delete", "pod", "marks", "--force", "--grace-period=0")
        self.control.kubectl("delete", "node", node.name, "--wait=false")
        node.power_off()
        csrs = self.csrs()
        self.addCleanup(self.forget, node, node.name)
        node.name = node.spec.name = "other"
        self.lab.publish(node.spec, extra="reset: true\n")
        node.power_on()
        node.wait("the wipe", lambda e: e.event == "note" and "is wiped" in e.get("text"), READY_S)
        time.sleep(WIPES_S)
        node.power_off()
        node.power_on()
        node.wait_ready()
        self.ready_with("other", DUAL)
        self.on_host("look", node, "sleep infinity")
        left = self.sh("look", f"for d in {FOLDERS}; do ls -d /host$d/mark 2>/dev/null; done; true")
        self.assertEqual(left, "")
        self.assertEqual(len(self.csrs()), len(csrs) + 1)

    def forget(self, node, name):
        """Gives a machine that was renamed its name and a blank disk again."""
        node.power_off()
        self.control.kubectl("delete", "node", node.name, "--ignore-not-found", "--wait=false")
        node.name = node.spec.name = name
        self.lab.publish(node.spec)
        node.blank()

    def show9_dead_token(self):
        """The token is dead: a named refusal, a retry, and a join once there is one again; nobody touches the machine."""
        node = self.machines[5] = self.lab.node(5)
        self.control.delete_token()
        try:
            node.power_on()
            e = node.wait("an error", lambda e: e.event == "error", READY_S)
            self.assertEqual(e.phase, "discover", f"{e.get('code')} in {e.phase}")
            print(f"    {e.get('code')}", flush=True)
        finally:
            self.control.token(TOKEN)
        node.wait_ready()
        node.power_off()
        self.control.kubectl("delete", "node", node.name, "--wait=false")


class SingleStack(Base):
    """A worker of a cluster that has one family."""
    @classmethod
    def setUpClass(cls):
        pass

    def whole(self, family):
        type(self).families = (family,)
        super().setUpClass()
        self.addCleanup(self.world.stack.close)
        node = self.machine(0)
        print(f"    {family} only: Ready after {node.times()[1]:.1f} s", flush=True)
        self.ready_with(node.name, (family,))
        addresses = self.pod("hello", node, "sleep infinity")
        self.assertEqual([":" in a for a in addresses], [family == "ipv6"])

    def show6_ipv4(self):
        self.whole("ipv4")

    def show6_ipv6(self):
        self.whole("ipv6")


class Command(unittest.TestCase):
    """make lab CLUSTER=kubernetes, as an operator runs it."""

    def test_lab_with_a_shell(self):
        """One machine; the nodes, the pods' addresses and the times are shown; the shell has a kubectl that works."""
        env = {**os.environ, "BUILD": BUILD, "CLUSTER": "kubernetes", "NODES": "1", "BOARD": "", "FAULT": "", "ARCH": "", "LAB_SHELL": "1"}
        done = subprocess.run([os.path.join(TOP, "tools/lab/lab")], cwd=TOP, text=True, input="kubectl get nodes -o name\n", env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        for said in ("node-2", "pod-on-node-2", "10.244.", "2001:db8:42:", "to Ready (seconds)"):
            self.assertIn(said, done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1], "node/node-2")
        with open(os.path.join(BUILD, "lab/report.json")) as f:
            report = json.load(f)
        self.assertEqual((report["result"], report["cluster"]), ("joined", "kubernetes"))
