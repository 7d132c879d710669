"""The operator's side of the lab: a signing key, the site configuration and signed bundles, all made with joinctl as an operator would."""
import base64
import datetime
import json
import os

from proc import run
from servers import TOKEN


def stamp(seconds=0, now=None):
    when = (now or datetime.datetime.now(datetime.timezone.utc)) + datetime.timedelta(seconds=seconds)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class Operator:
    """A folder with one signing key."""

    def __init__(self, world, joinctl, name="operator"):
        self.world, self.joinctl, self.folder = world, joinctl, world.path(name)
        os.makedirs(self.folder, exist_ok=True)
        self.key = os.path.join(self.folder, "site.jwk")
        run(joinctl, "keygen", "--out", self.key)
        with open(self.key) as f:
            private = json.load(f)
        self.public = json.dumps({k: private[k] for k in ("crv", "kty", "x", "y")}, separators=(",", ":"))

    def site(self, ca, url, cluster="lab", extra=()):
        """The text of a site.conf that trusts this key and this CA. url None: that of a machine which asks only its BMC."""
        root = base64.b64encode(ca.der()).decode()
        where = [f"url = {url}"] if url else []
        return "\n".join([f"trust = {self.public}", f"tls-root = {root}", f"cluster = {cluster}", *where, *extra]) + "\n"

    def device_key(self, name):
        """A new device key for a machine's image, and what a bundle is sealed to. Returns the paths of both."""
        key, public = (os.path.join(self.folder, f"{name}.{x}") for x in ("device.key", "jwk"))
        text = run(self.joinctl, "keygen", "--device", "--out", key, capture=True)
        with open(public, "w") as f:
            f.write(text)
        return key, public

    def node(self, name="node-2", macs=(), uuid=None, serial=None, cluster="lab", sequence=1, issued=-60, expires=86400, families="[ipv4, ipv6]",
             network=None, extra=""):
        binding = [f"  macs: [{', '.join(json.dumps(m) for m in macs)}]"] if macs else []
        binding += [f"  uuid: \"{uuid}\""] if uuid else []
        binding += [f"  serial: \"{serial}\""] if serial else []
        text = ["apiVersion: joinboot/v1alpha1", "kind: NodeJoin", f"name: {name}", "binding:", *binding, f"cluster: {cluster}",
                f"sequence: {sequence}", f"issuedAt: \"{stamp(issued)}\"", f"expiresAt: \"{stamp(expires)}\"", f"families: {families}"]
        for family, fields in (network or {}).items():
            if "network:" not in text:
                text.append("network:")
            text.append(f"  {family}:")
            text += [f"    {k}: {json.dumps(v)}" for k, v in fields.items()]
        return "\n".join(text) + "\n" + extra

    @staticmethod
    def join(pin, endpoint="10.100.0.1:6443", token=TOKEN, node_ip="10.100.0.2,fd00:1:2:3::3", name=None, extra=""):
        text = ["apiVersion: kubeadm.k8s.io/v1beta4", "kind: JoinConfiguration", "discovery:", "  bootstrapToken:",
                f"    apiServerEndpoint: {json.dumps(endpoint) if endpoint.startswith('[') else endpoint}", f"    token: {token}", "    caCertHashes:", f"    - {pin}"]
        if node_ip or name:
            text.append("nodeRegistration:")
        if name:
            text.append(f"  name: {name}")
        if node_ip:
            text += ["  kubeletExtraArgs:", "  - name: node-ip", f"    value: {node_ip}"]
        return "\n".join(text) + "\n" + extra

    def sign(self, node, join, out="bundle.jws", extra=()):
        """Signs with joinctl; returns the path of the bundle."""
        n, j, b = (os.path.join(self.folder, x) for x in ("node.yaml", "join.yaml", out))
        for path, text in ((n, node), (j, join)):
            with open(path, "w") as f:
                f.write(text)
        if os.path.exists(b):
            os.unlink(b)
        run(self.joinctl, "sign", "--key", self.key, "--node", n, "--config", j, "-o", b, *extra)
        return b
