"""The whole path in network namespaces, with real dnsmasq and nginx and the shipped agent; cluster and kubelet are the lab's stand-ins."""
import base64
import json
import os
import re
import time
import unittest

import journal
from proc import run, stop, wait_for
from rack import BUILD, CONFIG, MAC, UUID, Rack
from servers import TOKEN, Capture, Nginx
from standin import Standin


# A log server: a datagram a line.
SINK = """import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
with open(sys.argv[3], "w") as out:
    while True:
        print(s.recv(4096).decode(), file=out, flush=True)
"""
SYSLOG = re.compile(r"^<(?:27|29|30|31)>1 (?:-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?P<host>[!-~]+) joinboot - (?P<phase>[a-z]+) - (?P<text>.*)$")


def in_node(rack, *argv):
    """Output of a command in the node's namespaces."""
    return run("nsenter", "-t", str(rack.agent_pid()), "-n", "-m", "-u", *argv, capture=True)


def agent_process(rack):
    """The PID of the agent itself: the child of the node's first process that is the agent's binary."""
    first = rack.agent_pid()
    with open(f"/proc/{first}/task/{first}/children") as f:
        return int(f.read().split()[0])


def memory_has(pid, text):
    """True if a process has these bytes anywhere in its writable memory."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            low, high = (int(x, 16) for x in line.split()[0].split("-"))
            if "w" in line.split()[1] and "[v" not in line:
                mem.seek(low)
                if text in mem.read(high - low):
                    return True
    return False


class Join(unittest.TestCase):
    def boot(self, rack, node=None, join=None):
        rack.publish(rack.op.sign(node or rack.node(), join or rack.join()))
        rack.servers()
        rack.boot()

    def show3_addresses_files_and_secrets(self):
        """Both families of the seed's worker document: 10.100.0.2 by reservation, fd00:1:2:3::3 by NodeJoin; nothing secret stays."""
        with Rack() as rack:
            capture = Capture(rack.world, rack.net, "br0")
            self.boot(rack)
            rack.wait_joined()
            addresses = in_node(rack, "ip", "-o", "addr", "show", "dev", "eth0")
            self.assertIn("10.100.0.2/24", addresses)
            self.assertIn("fd00:1:2:3::3/64", addresses)
            self.assertIn("default via fe80", in_node(rack, "ip", "-6", "route"))
            self.assertIn("default via 10.100.0.1", in_node(rack, "ip", "route"))
            for key, value in (("net/ipv4/ip_forward", "1"), ("net/ipv6/conf/all/forwarding", "1"), ("net/ipv6/conf/default/disable_ipv6", "0"),
                               ("net/ipv6/conf/eth0/accept_ra", "2"), ("net/ipv6/conf/eth0/autoconf", "0")):
                self.assertEqual(in_node(rack, "cat", f"/proc/sys/{key}").strip(), value, key)
            self.assertEqual(in_node(rack, "hostname").strip(), "node-2")
            self.assertIsNone(rack.node_file("/etc/kubernetes/bootstrap-kubelet.conf"))
            self.assertEqual(rack.node_file("/var/lib/kubelet/kubeadm-flags.env"),
                             b'KUBELET_KUBEADM_ARGS="--node-ip=10.100.0.2,fd00:1:2:3::3"\n')
            secret = TOKEN.split(".")[1]
            self.assertNotIn(secret, rack.console())
            self.assertFalse(memory_has(agent_process(rack), secret.encode()), "the token is still in the agent's memory")
            capture.stop()
            with open(capture.file, "rb") as f:
                self.assertNotIn(secret.encode(), f.read())
            self.assertEqual(capture.connections(6443), 1)
            self.assertEqual(capture.connections(443), 1)

    def show3_later_bridges_have_ipv6(self):
        with Rack() as rack:
            self.boot(rack)
            rack.wait_joined()
            in_node(rack, "ip", "link", "add", "cni0", "type", "bridge")
            in_node(rack, "ip", "link", "set", "cni0", "up")
            self.assertEqual(in_node(rack, "cat", "/proc/sys/net/ipv6/conf/cni0/disable_ipv6").strip(), "0")

    def test_report_is_complete(self):
        with Rack() as rack:
            self.boot(rack)
            rack.wait_joined()
            data = journal.report(rack.events, "linux", "x86_64", "stand-in")
            self.assertEqual(data["result"], "joined")
            self.assertEqual(data["families"]["ipv4"]["address"], "10.100.0.2/24")
            self.assertEqual(data["families"]["ipv6"]["address"], "fd00:1:2:3::3/64")
            self.assertEqual(data["fetch"]["family"], "ipv6")
            self.assertEqual(data["fetch"]["tls"], "TLSv1.3")
            self.assertEqual(data["discover"]["family"], "ipv4")
            self.assertEqual([f["mode"] for f in data["kubelet"]["files"] if f["path"].endswith("bootstrap-kubelet.conf")], ["0600"])
            self.assertEqual(len(data["kubelet"]["files"]), 5)
            self.assertIn("--config=/var/lib/kubelet/config.yaml", data["kubelet"]["argv"])

    def test_journal_reaches_a_log_server(self):
        """Every line of the console, in order and in RFC 5424's form, by lwIP before the hand-over and by the kernel after it; nothing secret."""
        for server, port in (("fd00:1:2:3::1", 514), ("10.100.0.1", 1514)):
            with self.subTest(server), Rack() as rack:
                sink = rack.world.path("syslog")
                proc = rack.world.popen(["python3", "-c", SINK, server, str(port), sink], ns=rack.net)
                wait_for("log server", lambda: os.path.exists(sink))
                rack.site_extra = [f"syslog = {server}" if port == 514 else f"syslog = {server}:{port}"]
                self.boot(rack)
                rack.wait_joined()

                def lines():
                    with open(sink, encoding="utf-8") as f:
                        return f.read().splitlines()
                wait_for("the last line", lambda: any(" joined - done " in x for x in lines()))
                got = lines()
                stop(proc)
                self.assertTrue(all(SYSLOG.match(x) for x in got), got)
                console = [x for x in rack.console().splitlines() if x.startswith("joinboot[")]
                self.assertEqual([SYSLOG.match(x).group("phase", "text") for x in got],
                                 [tuple(x.split(" ", 2)[1:]) for x in console][:len(got)])
                self.assertGreaterEqual(len(got), len(console) - 2)
                self.assertEqual({SYSLOG.match(x).group("host") for x in got[-5:]}, {"node-2"})
                self.assertNotIn(TOKEN.split(".")[1], "".join(got))

    def test_reports_reach_a_web_server(self):
        """A failure and the end of the preparations, as JSON, by POST, to a real nginx that keeps the bodies; nothing secret; a join like any other."""
        with Rack() as rack:
            keep = "client_body_in_file_only on; client_max_body_size 1k;"
            rack.web = Nginx(rack.world, rack.net, [
                rack.config_server(f"location = /report {{ {keep} proxy_pass http://127.0.0.1:8081; }}"),
                {"listen": ["127.0.0.1:8081"], "root": rack.www, "extra": "location / { return 204; }"}])
            rack.site_extra = [f"report-url = https://{CONFIG}/report"]
            rack.servers()
            rack.boot()
            e = rack.wait("a failure", lambda e: e.event == "error" and e.phase == "fetch", 30)

            def reports():
                folder = rack.world.path("nginx", "client_body")
                texts = []
                for name in sorted(os.listdir(folder)):
                    with open(os.path.join(folder, name), encoding="utf-8") as f:
                        texts.append(f.read())
                return [json.loads(text) for text in texts if text.endswith("}")]
            wait_for("the failure's report", lambda: len(reports()) == 1)
            rack.publish(rack.op.sign(rack.node(), rack.join()))
            rack.wait_joined()
            wait_for("the last report", lambda: len(reports()) == 2)
            failed, ready = reports()
            self.assertEqual((failed["event"], failed["phase"], failed["code"], failed["sequence"], failed["node"]), ("failed", "fetch", e.get("code"), 0, ""))
            self.assertEqual((ready["event"], ready["code"], ready["sequence"], ready["node"], ready["uuid"], ready["mac"]),
                             ("ready", "ok", 1, "node-2", UUID, MAC))
            self.assertNotIn(TOKEN.split(".")[1], json.dumps([failed, ready]))
            self.assertEqual(sum("TLSv1.3 \"POST /report" in line and " 204 " in line for line in rack.web.access()), 2)
            self.assertNotIn("report", [x.phase for x in rack.events])

    def test_sealed(self):
        """Enrolled from its own console, then joined with a bundle that nobody else can read; sealing is required. The token stays nowhere."""
        secret = TOKEN.split(".")[1]
        with Rack() as rack:
            rack.site_extra = ["sealed = required"]
            rack.publish(rack.op.sign(rack.node(), rack.join()))
            rack.servers()
            rack.boot()
            rack.wait("accept", lambda e: e.event == "error" and e.get("code") == "seal.required", 20)
            record = [line for line in rack.console().splitlines() if '"kind":"Enrolment"' in line]
            self.assertEqual(len(record), 1)
            path = rack.world.write("record.json", record[0])
            self.assertEqual(run(os.path.join(BUILD, "x86_64/joinboot"), "--enrol", "--state", rack.world.path("state"), "--identity", f"uuid={UUID}",
                                 capture=True).split('"kid"')[1].strip(), record[0].split('"kid"')[1].strip())
            self.assertEqual(os.stat(rack.world.path("state.key")).st_mode & 0o777, 0o600)
            bundle = rack.op.sign(rack.node(sequence=2), rack.join(), extra=["--seal-to", path])
            with open(bundle, "rb") as f:
                payload = f.read().split(b".")[1]
            self.assertNotIn(secret.encode(), base64.urlsafe_b64decode(payload + b"=="))
            rack.publish(bundle)
            rack.wait_joined()
            self.assertNotIn(secret, rack.console())
            with open(rack.world.path("state.key"), "rb") as f:
                key = f.read()[:32]
            agent = agent_process(rack)
            self.assertFalse(memory_has(agent, secret.encode()), "the token is still in the agent's memory")
            self.assertFalse(memory_has(agent, key), "the device key is still in the agent's memory")

    def test_fills_in_node_ip(self):
        with Rack() as rack:
            self.boot(rack, join=rack.join(node_ip=None))
            rack.wait_joined()
            self.assertEqual(rack.node_file("/var/lib/kubelet/kubeadm-flags.env"),
                             b'KUBELET_KUBEADM_ARGS="--node-ip=10.100.0.2,fd00:1:2:3::3"\n')

    def test_endpoint_is_a_name(self):
        with Rack() as rack:
            self.boot(rack, join=rack.join(endpoint="api.joinboot.lab:6443"))
            rack.wait_joined()

    def test_one_family_if_the_site_says_so(self):
        with Rack(ra=False) as rack:
            rack.site_extra = ["one-family = yes"]
            self.boot(rack, node=rack.node(families="[ipv4]", network={}), join=rack.join(node_ip="10.100.0.2"))
            rack.wait("address", lambda e: e.phase == "address" and e.event == "done", 15)
            rack.wait_joined()

    def test_dead_ipv6_falls_back(self):
        """The config server's IPv6 address is a black hole: the race goes on over IPv4 after 250 ms."""
        with Rack(config_listen=["10.100.0.1:443"]) as rack:
            self._point_at(rack, "fd00:1:2:3::beef")
            self.boot(rack)
            e = rack.wait("fetch", lambda e: e.phase == "fetch" and e.event == "done")
            self.assertEqual(e.get("family"), "ipv4")
            self.assertLess(e.num("ms"), 2500)
            rack.wait_joined()

    @staticmethod
    def _point_at(rack, address):
        with open(rack.dns.conf) as f:
            text = f.read()
        with open(rack.dns.conf, "w") as f:
            f.write(text.replace("host-record=config.joinboot.lab,fd00:1:2:3::1", f"host-record=config.joinboot.lab,{address}"))

    def test_rogue_that_answers_first(self):
        """A rogue is the first to answer DHCP, and sends RAs ten times as often; its resolver names itself as the config server. The honest one is reached."""
        with Rack() as rack:
            self._rogue(rack)
            honest = rack.dnsmasq(extra=["dhcp-reply-delay=1"])
            rack.publish(rack.op.sign(rack.node(), rack.join()))
            rack.web.start()
            rack.api.start()
            rack.boot()
            e = rack.wait("refusal", lambda e: e.phase == "fetch" and e.event == "error", 30)
            self.assertEqual(e.get("code"), "tls.root")
            honest.start()
            rack.wait("another path", lambda e: e.event == "note" and "another DHCP server" in e.get("text"), 60)
            rack.wait_joined(120)
            self.assertIn("default via 10.100.0.1 ", in_node(rack, "ip", "route"))

    @staticmethod
    def _rogue(rack):
        """A second machine on the segment with DHCP, RA, DNS and a config server of its own, whose certificate is of another CA."""
        w, address, prefix = rack.world, "10.100.0.66", "fd00:bad::"
        ns = w.netns("rogue")
        w.plug(rack.net, "br0", ns, "eth0")
        for key, value in (("disable_ipv6", 0), ("accept_dad", 0)):
            w.sysctl(ns, f"net.ipv6.conf.eth0.{key}", value)
        w.ip(ns, "link", "set", "eth0", "up")
        w.ip(ns, "addr", "add", f"{address}/24", "dev", "eth0")
        w.ip(ns, "addr", "add", f"{prefix}66/64", "dev", "eth0", "nodad")
        conf = w.write("rogue.conf", "\n".join([
            "no-resolv", "no-hosts", "keep-in-foreground", "log-facility=-", "bind-interfaces", "interface=eth0", "except-interface=lo", "no-ping", "user=root",
            f"pid-file={w.path('rogue.pid')}", f"dhcp-leasefile={w.path('rogue.leases')}", "dhcp-range=10.100.0.150,10.100.0.160,255.255.255.0,1h",
            "dhcp-authoritative", f"dhcp-option=option:router,{address}", f"dhcp-option=option:dns-server,{address}", "enable-ra",
            f"dhcp-range={prefix},ra-only,64,1h", f"dhcp-option=option6:dns-server,[{prefix}66]", "ra-param=eth0,high,4,600",
            f"address=/#/{address}", f"address=/#/{prefix}66"]) + "\n")
        w.popen(["dnsmasq", f"--conf-file={conf}"], ns=ns, log="rogue.log")
        wait_for("rogue", lambda: "started" in w.tail("rogue.log", 30))
        cert, key = rack.pki.other.leaf("rogue", "DNS:config.joinboot.lab")
        Nginx(w, ns, [{"listen": [f"{address}:443", f"[{prefix}66]:443"], "cert": cert, "key": key, "root": rack.www}], name="rogue-web").start()

    def test_stops_cleanly(self):
        with Rack() as rack:
            self.boot(rack)
            rack.wait_joined()
            self.assertEqual(rack.stop_agent(), 0)

    def test_stops_cleanly_before_it_joined(self):
        with Rack(ra=False) as rack:
            self.boot(rack)
            rack.wait("clock or wait", lambda e: e.event == "wait")
            self.assertEqual(rack.stop_agent(), 0)

    def test_kubelet_keeps_exiting(self):
        with Rack() as rack:
            rack.publish(rack.good())
            rack.servers()
            rack.boot(wrapper=["sh", "-c", 'touch /etc/standin-fail; exec "$@"', "sh"])
            e = rack.wait("error", lambda e: e.event == "error", 30)
            self.assertEqual((e.get("code"), e.phase), ("joined.kubelet-exits", "joined"))
            self.assertIn("told to fail", rack.console())
            in_node(rack, "rm", "/etc/standin-fail")
            rack.wait_joined(60)

    def test_other_host_in_cluster_info(self):
        """cluster-info names another host: a second, verified connection, and the token goes only there."""
        with Rack() as rack:
            rack.publish(rack.good())
            cert = rack.pki.cluster.leaf("elsewhere", "IP:10.100.0.9")
            run("ip", "-n", rack.net, "addr", "add", "10.100.0.9/24", "dev", "br0")
            other = Standin(rack.world, rack.pki.cluster, *cert, name="elsewhere", listen=["10.100.0.9:6443"])
            rack.cluster.__init__(rack.world, rack.pki.cluster, *rack.api_leaf, server="https://10.100.0.9:6443", listen=["10.100.0.1:6443"])
            rack.api.servers = [rack.cluster.server()]
            second = Nginx(rack.world, rack.net, [other.server()], name="second")
            rack.servers()
            second.start()
            rack.boot()
            rack.wait_joined()
            first = [line.split('"')[1] for line in rack.api.access()]
            self.assertEqual([x for x in first if "kube-public" not in x], [], "the first host was asked for more than cluster-info")
            self.assertTrue(any("kubelet-config" in line for line in second.access()))

    def show6_power_cuts_while_booting(self):
        """Power is cut at ten moments of the boot, in a row, on one state file; after that it joins, and an older bundle is still refused."""
        with Rack() as rack:
            rack.publish(rack.good(sequence=5))
            rack.servers()
            for step in range(10):
                rack.boot()
                time.sleep(0.02 + 0.12 * step)
                rack.power_cut()
            rack.boot()
            rack.wait_joined()
            rack.power_cut()
            rack.events.clear()
            rack.publish(rack.good(sequence=4))
            rack.boot()
            rack.wait_error("config.sequence", "accept")

    def show7_memory(self):
        """VmHWM of the agent after joining is at most 2 MB."""
        with Rack() as rack:
            self.boot(rack)
            rack.wait_joined()
            with open(f"/proc/{agent_process(rack)}/status") as f:
                peak = int(re.search(r"VmHWM:\s+(\d+) kB", f.read())[1])
            print(f"           VmHWM {peak} kB")
            self.assertLessEqual(peak, 2048)

    def test_asan_build_joins(self):
        """The same agent under ASan and UBSan, through the whole path."""
        with Rack() as rack:
            rack.publish(rack.good())
            rack.servers()
            rack.boot(binary=os.path.join(BUILD, "host/joinboot-asan"))
            rack.wait_joined()
            self.assertEqual(rack.stop_agent(), 0)
            self.assertNotIn("ERROR: AddressSanitizer", rack.console())
            self.assertNotIn("runtime error", rack.console())

