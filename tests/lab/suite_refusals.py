"""show4: each refusal by the shipped agent, with one faulty peer or object.

Every test asserts the error's name and phase, that no kubelet was started by then, and that the same run joins once the fault is mended.
"""
import re
import time
import unittest

import forge
import standin
from bundle import Operator, stamp
from proc import wait_for
from rack import Pki, Rack


class Refusals(unittest.TestCase):
    def refuse(self, rack, code, phase, mend, timeout=20, **boot):
        """Boots, waits for exactly this error, mends the fault, and waits until the same run has joined."""
        rack.servers()
        rack.boot(**boot)
        rack.wait_error(code, phase, timeout)
        self.assertFalse(rack.kubelet_started(), "kubelet was started although the config was refused")
        mend()
        rack.wait_joined()
        self.assertTrue(rack.kubelet_started())

    # --- the bundle

    def bundle(self, code, phase, make, sequence=2, **join):
        """A bundle that must be refused is published first, then a good one."""
        with Rack() as rack:
            made = make(rack)
            rack.publish(made)
            self.refuse(rack, code, phase, lambda: rack.publish(rack.good(sequence=sequence)))

    def show4_bad_signature(self):
        def make(rack):
            text = bytearray(open(rack.good(), "rb").read().strip())
            text[-20] = ord("A") if text[-20] != ord("A") else ord("B")
            return bytes(text)
        self.bundle("config.signature", "verify", make)

    def show4_bad_payload(self):
        def make(rack):
            header, payload, signature = open(rack.good()).read().strip().split(".")
            other = forge.b64url(forge.unb64url(payload).replace(b"node-2", b"node-3"))
            return f"{header}.{other}.{signature}".encode()
        self.bundle("config.signature", "verify", make)

    def show4_unknown_key(self):
        def make(rack):
            return Operator(rack.world, rack.joinctl, name="stranger").sign(rack.node(), rack.join())
        self.bundle("config.key", "verify", make)

    def header(self, code, change):
        def make(rack):
            good = rack.good()
            return forge.with_header(good, change(forge.header_of(good)), rack.op.key, rack.folder)
        self.bundle(code, "verify", make)

    def show4_header_alg(self):
        self.header("config.header", lambda h: h.replace(b"ES256", b"none"))

    def show4_header_typ(self):
        self.header("config.header", lambda h: h.replace(b'"typ":"', b'"typ":"x'))

    def show4_header_kid(self):
        self.header("config.header", lambda h: re.sub(b'"kid":"[^"]*"', b'"kid":"' + b"A" * 43 + b'"', h))

    def show4_header_crit(self):
        self.header("config.header", lambda h: h[:-1] + b',"crit":["exp"]}')

    def show4_header_space(self):
        self.header("config.header", lambda h: h.replace(b",", b", ", 1))

    def show4_not_a_bundle(self):
        self.bundle("config.envelope", "verify", lambda rack: b"<html>not found</html>")

    def show4_other_node(self):
        self.bundle("config.binding", "accept", lambda r: r.op.sign(r.node(uuid="00000000-0000-4000-8000-000000000001"), r.join()))

    def show4_other_cluster(self):
        self.bundle("config.cluster", "accept", lambda r: r.op.sign(r.node(cluster="another"), r.join()))

    def show4_expired(self):
        self.bundle("config.expired", "accept",
                    lambda r: r.op.sign(r.node(issued=-7200, expires=-3600), r.join(), extra=["--at", stamp(-5400)]))

    def show4_node_ip_elsewhere(self):
        self.bundle("configure.node-ip", "network", lambda r: r.op.sign(r.node(), r.join(node_ip="10.100.0.77,fd00:1:2:3::3")))

    def show4_static_address_mended(self):
        """The network section itself was wrong: what it set up does not outlive the bundle."""
        wrong = {"ipv4": {"addresses": ["10.100.0.66/24"]}, "ipv6": {"addresses": ["fd00:1:2:3::66/64"]}}
        self.bundle("configure.node-ip", "network", lambda r: r.op.sign(r.node(network=wrong), r.join()))

    def show4_bad_pin(self):
        self.bundle("discover.pin", "discover", lambda r: r.op.sign(r.node(), r.join(pin="sha256:" + "0" * 64)))

    def show4_wrong_token(self):
        self.bundle("discover.jws", "discover", lambda r: r.op.sign(r.node(), r.join(token="clvldh.0000000000000000")))

    def second_boot(self, code, make):
        """Joins with sequence 5, loses power, and is then offered another bundle."""
        with Rack() as rack:
            rack.publish(rack.good(sequence=5))
            rack.servers()
            rack.boot()
            rack.wait_joined()
            rack.power_cut()
            rack.events.clear()
            rack.publish(make(rack))
            rack.boot()
            rack.wait_error(code, "accept")
            self.assertFalse(rack.kubelet_started())
            rack.publish(rack.good(sequence=6))
            rack.wait_joined()

    def show4_lower_sequence(self):
        self.second_boot("config.sequence", lambda r: r.good(sequence=4))

    def show4_equal_sequence_other_bytes(self):
        self.second_boot("config.equivocation", lambda r: r.good(sequence=5, expires=7200))

    # --- the config server

    def web(self, code, leaf, listen=None, timeout=20):
        with Rack(config_leaf=leaf(Pki.get())) as rack:
            rack.publish(rack.good())

            def mend():
                rack.web.servers[0].update(cert=rack.pki.config_leaf[0], key=rack.pki.config_leaf[1])
                rack.web.restart()
            self.refuse(rack, code, "fetch", mend, timeout)

    def show4_tls_root(self):
        self.web("tls.root", lambda p: p.other.leaf("config-other", "DNS:config.joinboot.lab"))

    def show4_tls_name(self):
        self.web("tls.name", lambda p: p.config.leaf("config-name", "DNS:elsewhere.joinboot.lab"))

    def show4_tls_expired(self):
        self.web("tls.expired", lambda p: p.config.leaf("config-old", "DNS:config.joinboot.lab", start="20200101000000Z", end="20210101000000Z"))

    def show4_tls_usage(self):
        self.web("tls.usage", lambda p: p.config.leaf("config-client", "DNS:config.joinboot.lab", usage="clientAuth"))

    def show4_plain_http(self):
        """A site that says http is refused before anything is sent; there is nothing to mend without another image."""
        with Rack() as rack:
            rack.publish(rack.good())
            rack.url = rack.url.replace("https", "http")
            rack.servers()
            rack.boot()
            rack.wait_error("fetch.plain-http", "locate")
            self.assertEqual(rack.web.access(), [])

    def show4_redirect_to_http(self):
        with Rack() as rack:
            rack.publish(rack.good())
            rack.web.servers[0]["extra"] = "location / { return 302 http://config.joinboot.lab/node.jws; }"

            def mend():
                rack.web.servers[0]["extra"] = ""
                rack.web.restart()
            self.refuse(rack, "fetch.redirect", "fetch", mend)

    def bad_body(self, kind, code, timeout):
        with Rack(config_listen=["[fd00:1:2:3::1]:443"]) as rack:
            bundle = rack.good()
            rack.publish(bundle)
            rack.dns.start()
            rack.api.start()
            script = rack.world.write("server.py", forge.TLS_SERVER)
            server = rack.world.popen(["python3", script, kind, *rack.pki.config_leaf, "fd00:1:2:3::1", bundle], ns=rack.net, log="server.log")
            wait_for("server", lambda: "listening" in rack.world.tail("server.log"))
            rack.boot()
            began = time.monotonic()
            rack.wait_error(code, "fetch", timeout)
            self.assertLess(time.monotonic() - began, timeout)
            self.assertFalse(rack.kubelet_started())
            server.kill()
            server.wait()
            rack.web.start()
            rack.wait_joined()

    def show4_truncated_body(self):
        self.bad_body("truncated", "fetch.closed", 15)

    def show4_slow_body(self):
        self.bad_body("slow", "fetch.slow", 33)

    # --- the cluster

    def show4_jws_bad(self):
        with Rack() as rack:
            rack.publish(rack.good())
            good = standin.jws(rack.cluster.kubeconfig)
            rack.cluster.publish_cluster_info(signature=good[:-1] + ("A" if good[-1] != "A" else "B"))
            self.refuse(rack, "discover.jws", "discover", rack.cluster.publish_cluster_info)

    def show4_jws_missing(self):
        with Rack() as rack:
            rack.publish(rack.good())
            rack.cluster.publish_cluster_info(signature="")
            self.refuse(rack, "discover.jws-missing", "discover", rack.cluster.publish_cluster_info)

    def api(self, code, leaf):
        with Rack(api_leaf=leaf(Pki.get())) as rack:
            rack.publish(rack.good())

            def mend():
                for line in rack.api.access():
                    self.assertTrue("cluster-info" in line and line.endswith('"-"'), f"said to a peer that is not verified: {line}")
                rack.api.servers[0].update(cert=rack.pki.api_leaf[0], key=rack.pki.api_leaf[1])
                rack.api.restart()
            self.refuse(rack, code, "discover", mend)
            self.assertTrue(any("Bearer clvldh." in line for line in rack.api.access()), "the log would not show the token")

    def show4_api_other_ca(self):
        self.api("discover.chain", lambda p: p.other.leaf("api-other", "IP:10.100.0.1"))

    def show4_api_without_server_auth(self):
        self.api("tls.usage", lambda p: p.cluster.leaf("api-client", "IP:10.100.0.1", usage="clientAuth"))

    def show4_node_ready_exists(self):
        path = "api/v1/nodes/node-2"
        with Rack() as rack:
            rack.publish(rack.good())
            rack.cluster.put(path, standin.ready_node("node-2"))
            self.refuse(rack, "configure.node-exists", "configure", lambda: rack.cluster.remove(path))

    # --- the network

    def show4_family_missing(self):
        with Rack(ra=False) as rack:
            rack.publish(rack.good())

            def mend():
                rack.dns.stop()
                rack.dns = rack.dnsmasq(ra=True).start()
            self.refuse(rack, "address.family-missing", "address", mend)

    def show4_duplicate_after_800ms(self):
        with Rack() as rack:
            rack.publish(rack.good())
            rack.servers()
            forge.sender(rack.world, rack.net, "br0", forge.advertisement("fd00:1:2:3::3", "52:54:00:00:00:99"), rack.world.path("go"), 0.8)
            rack.boot()
            rack.wait("network", lambda e: e.phase == "network" and e.event == "done")
            rack.world.write("go", "")
            e = rack.wait("error", lambda e: e.event == "error")
            self.assertEqual((e.get("code"), e.phase), ("address.duplicate", "handoff"))
            self.assertIn("52:54:00:00:00:99", e.get("text"))
            self.assertFalse(rack.kubelet_started())
            rack.wait_joined()
