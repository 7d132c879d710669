"""signing.py: sign, verify, validate: what goes into a bundle, and everything that sign refuses."""
import base64
import datetime
import json
import os
import re

NODE = """\
apiVersion: joinboot/v1alpha1
kind: NodeJoin
name: node-3
binding:
  uuid: 8f1c1f0e-3f2a-4a5e-9b54-0c8d6f7a1b2c
  serial: C0FFEE42
  macs: ["52:54:00:12:34:56"]
cluster: lab
sequence: 7
issuedAt: "2026-01-01T00:00:00Z"
expiresAt: "2036-01-01T00:00:00Z"
families: [ipv4, ipv6]
"""
JOIN = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: 10.100.0.1:6443
    token: clvldh.vjjwg16ucnhp94qr
    caCertHashes:
    - sha256:a4425f1b5c5c5d8d7a9e0f3b2c1d4e5f60718293a4b5c6d7e8f9010203040506
nodeRegistration:
  imagePullSerial: false
  kubeletExtraArgs:
  - name: node-ip
    value: 10.100.0.2,fd00:1:2:3::3
"""
CLUSTER = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.2
controlPlaneEndpoint: 10.100.0.1:6443
networking:
  podSubnet: 10.244.0.0/16,2001:db8:42:0::/56
  serviceSubnet: 10.96.0.0/16,2001:db8:42:1::/112
apiServer:
  certSANs: ["2001:db8:42:1::1"]
"""
INIT = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens:
- token: clvldh.vjjwg16ucnhp94qr
certificateKey: e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204
localAPIEndpoint:
  advertiseAddress: 10.100.0.1
nodeRegistration:
  kubeletExtraArgs:
  - name: node-ip
    value: 10.100.0.2,fd00:1:2:3::2
"""
CONTROL_PLANE = JOIN + """\
controlPlane:
  localAPIEndpoint:
    advertiseAddress: 10.100.0.2
  certificateKey: e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204
"""
SECRETS = ["vjjwg16ucnhp94qr", "e6a2eb8581237ab72a4f494f30285ec1"]
SIGN = ["sign", "--key", "site.key", "--node", "node.yaml", "--config", "join.yaml"]


def run(run):
    run.write("node.yaml", NODE)
    run.write("join.yaml", JOIN)
    signs(run)
    options(run)
    refused_nodes(run)
    refused_joins(run)
    roles(run)
    usage(run)
    verifies(run)
    validates(run)
    examples(run)


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def payload(run, bundle):
    return run.joinctl("verify", "--key", "site.pub", "--payload", bundle).out


def signs(run):
    a = run.expect("sign", [*SIGN, "-o", "node.jws"], 0, out=["node.jws: node-3, sequence 7, until 2036-01-01T00:00:00Z, key "])
    kid = run.joinctl("thumbprint", "site.key").out.strip()
    run.case("sign names the key", kid in a.out, a)
    header, _, signature = run.read("node.jws").decode().split(".")
    run.case("the header is the one exact form", decode(header).decode() == f'{{"alg":"ES256","kid":"{kid}","typ":"joinboot-nodejoin+jws"}}')
    run.case("the signature is r and s", len(decode(signature)) == 64)
    text = payload(run, "node.jws")
    first, second = text.split("---\n")
    run.case("NodeJoin comes first", "kind: \"NodeJoin\"" in first and "kind: \"JoinConfiguration\"" in second, text)
    run.case("strings are quoted", 'token: "clvldh.vjjwg16ucnhp94qr"' in text and 'serial: "C0FFEE42"' in text and '- "ipv4"' in text, text)
    run.case("numbers and booleans are plain", "sequence: 7\n" in text and "imagePullSerial: false\n" in text, text)
    run.case("the bundle is not a secret file's mode", os.stat(run.path("node.jws")).st_mode & 0o777 == 0o644)
    run.case("no temporary file stays", [n for n in os.listdir(run.folder) if n.startswith("node.jws.")] == [])
    run.write("again.node.yaml", first)
    run.write("again.join.yaml", second)
    run.expect("the payload can be signed again", ["sign", "--key", "site.key", "--node", "again.node.yaml", "--config", "again.join.yaml", "-o", "again.jws"], 0)
    run.case("and is the same then", payload(run, "again.jws") == text)
    a = run.expect("sign to stdout", [*SIGN, "-o", "-"], 0)
    run.case("stdout has the bundle only", a.out.count(".") == 2 and "\n" not in a.out, a)
    run.expect("a document from stdin", ["sign", "--key", "site.key", "--node", "-", "--config", "join.yaml", "-o", "node.jws"], 0, stdin=NODE)
    nasty = NODE.replace("serial: C0FFEE42", 'serial: "a\\"b \\\\c: #d"')
    run.write("nasty.yaml", nasty)
    run.expect("quotes and backslashes", ["sign", "--key", "site.key", "--node", "nasty.yaml", "--config", "join.yaml", "-o", "nasty.jws"], 0)
    run.case("are escaped", 'serial: "a\\"b \\\\c: #d"' in payload(run, "nasty.jws"), payload(run, "nasty.jws"))


def stamp(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def options(run):
    bare = "".join(line + "\n" for line in NODE.splitlines() if not line.startswith(("sequence", "issuedAt", "expiresAt")))
    args = ["sign", "--key", "site.key", "--node", run.write("bare.yaml", bare), "--config", "join.yaml", "-o", "bare.jws"]
    run.expect("a missing sequence is refused", args, 1, err="bare.yaml:")
    at = ["--at", "2026-11-23T04:50:51Z"]
    run.expect("sequence and time from options", [*args, "--sequence", "12", "--valid", "36h", *at], 0, out="sequence 12, until 2026-11-24T16:50:51Z")
    text = payload(run, "bare.jws")
    run.case("are in the payload", 'issuedAt: "2026-11-23T04:50:51Z"' in text and "sequence: 12\n" in text, text)
    for valid, until in (("90s", "2026-11-23T04:52:21Z"), ("30m", "2026-11-23T05:20:51Z"), ("7d", "2026-11-30T04:50:51Z")):
        run.expect(f"--valid {valid}", [*args, "--sequence", "12", "--valid", valid, *at], 0, out=until)
    run.expect("options replace the document's fields", [*SIGN, "-o", "node.jws", "--sequence", "8", "--valid", "1h", *at], 0,
               out="sequence 8, until 2026-11-23T05:50:51Z")
    for valid in ("", "h", "1", "0h", "-1h", "1w", "1h30m", "01h"):
        run.expect(f"--valid {valid!r} is not understood", [*args, "--valid", valid], 2, err="--valid wants")
    for sequence in ("", "-1", "01", "18446744073709551616", "x"):
        run.expect(f"--sequence {sequence!r} is not understood", [*args, "--sequence", sequence], 2, err="--sequence wants")
    run.expect("--at is a time", [*args, "--at", "today"], 2, err="--at wants")
    run.expect("sequence 0", [*SIGN, "-o", "zero.jws", "--sequence", "0"], 1, err="sequence")


def refused_nodes(run):
    rows = [
        # name, old text, new text, what the refusal holds
        ("expired", "2036-01-01", "2026-01-02", ["bad.yaml:11:", "expiresAt:", "(config.expired)"]),
        ("issued in the future", "2026-01-01", "2035-01-01", ["bad.yaml:10:", "issuedAt:", "(config.not-yet-valid)"]),
        ("unknown field", "cluster: lab", "cluster: lab\nclutter: 1", ["bad.yaml:9:", "clutter:", "(config.field)"]),
        ("doubled field", "cluster: lab", "cluster: lab\ncluster: lab", ["bad.yaml:9:", "(config.field)"]),
        ("no binding", "  uuid: 8f1c1f0e-3f2a-4a5e-9b54-0c8d6f7a1b2c\n  serial: C0FFEE42\n  macs: [\"52:54:00:12:34:56\"]\n", "  {}\n", ["(config.field)"]),
        ("bad uuid", "8f1c1f0e-3f2a", "8f1c1f0e-3f2", ["bad.yaml:5:", "binding.uuid:", "(config.field)"]),
        ("bad mac", "52:54:00:12:34:56", "52:54:00:12:34", ["bad.yaml:7:", "binding.macs[0]:", "(config.field)"]),
        ("bad name", "name: node-3", "name: Node_3", ["bad.yaml:3:", " name:", "(config.field)"]),
        ("name like a number", "name: node-3", "name: 1.10", ["bad.yaml:3:", " name:", "(config.field)"]),
        ("unknown family", "ipv4, ipv6", "ipv4, ipx", ["families[1]:", "(config.field)"]),
        ("sealed", "families: [ipv4, ipv6]", "sealed: a.b.c.d.e", ["(seal.form)"]),
        ("other apiVersion", "joinboot/v1alpha1", "joinboot/v2", ["(config.kind)"]),
        ("other kind", "kind: NodeJoin", "kind: Node", ["(config.kind)"]),
        ("anchor", "name: node-3", "name: &a node-3", ["bad.yaml:3:", "(config.syntax)"]),
        ("not YAML", "binding:", "binding: [", ["bad.yaml:", "(config.syntax)"]),
        ("both documents in one file", "families: [ipv4, ipv6]\n", "families: [ipv4, ipv6]\n---\n" + JOIN, ["--config", "(config.kind)"]),
    ]
    run.write("never.jws", "old")
    for name, old, new, want in rows:
        assert old in NODE
        run.write("bad.yaml", NODE.replace(old, new))
        run.expect(f"node: {name}", ["sign", "--key", "site.key", "--node", "bad.yaml", "--config", "join.yaml", "-o", "never.jws"], 1, err=want)
    run.case("nothing was written", run.read("never.jws") == b"old")


def refused_joins(run):
    rows = [
        ("init document", "kind: JoinConfiguration", "kind: InitConfiguration", ["bad.yaml:4:", "discovery:", "(config.field)"]),
        ("join and init", "    value: 10.100.0.2,fd00:1:2:3::3\n", "    value: 10.100.0.2,fd00:1:2:3::3\n---\n" + CLUSTER, ["bad.yaml:16:", "(config.kind)"]),
        ("half a certificate key", "nodeRegistration:", "controlPlane: {certificateKey: 00112233445566778899}\nnodeRegistration:",
         ["bad.yaml:9:", "controlPlane.certificateKey:", "(config.field)"]),
        ("kubelet document", "kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration", "kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration", ["(config.kind)"]),
        ("two documents", "    value: 10.100.0.2,fd00:1:2:3::3\n", "    value: 10.100.0.2,fd00:1:2:3::3\n---\n" + JOIN, ["(config.kind)"]),
        ("bad token", "clvldh.vjjwg16ucnhp94qr", "clvldh.VJJWG16UCNHP94QR", ["bad.yaml:6:", "discovery.bootstrapToken.token:", "(config.field)"]),
        ("bad pin", "sha256:a4425f", "md5:a4425f", ["bad.yaml:8:", "discovery.bootstrapToken.caCertHashes[0]:", "(config.field)"]),
        ("no pin", "    caCertHashes:\n    - sha256:a4425f1b5c5c5d8d7a9e0f3b2c1d4e5f60718293a4b5c6d7e8f9010203040506\n", "", ["caCertHashes", "(config.field)"]),
        ("unsafe", "    caCertHashes:", "    unsafeSkipCAVerification: true\n    caCertHashes:", ["unsafeSkipCAVerification", "(config.unsafe)"]),
        ("unknown field", "discovery:", "discoverx: 1\ndiscovery:", ["bad.yaml:3:", "discoverx:", "(config.field)"]),
        ("a URL with a kubeconfig", JOIN[JOIN.index("  bootstrapToken:"):JOIN.index("nodeRegistration:")],
         "  file: {kubeConfigPath: 'https://a.example/x'}\n", ["discovery.file:", "a URL is not fetched", "(config.unsupported)"]),
        ("dry run", "discovery:", "dryRun: true\ndiscovery:", ["dryRun:", "(config.unsupported)"]),
        ("two node-ips of one family", "10.100.0.2,fd00:1:2:3::3", "10.100.0.2,10.100.0.3", ["bad.yaml:13:", "nodeRegistration.kubeletExtraArgs[0]", "(config.field)"]),
        ("another node's name", "nodeRegistration:", "nodeRegistration:\n  name: node-4", ["bad.yaml:10:", "nodeRegistration.name:", "(config.field)"]),
    ]
    for name, old, new, want in rows:
        assert old in JOIN
        run.write("bad.yaml", JOIN.replace(old, new, 1))
        a = run.expect(f"join: {name}", ["sign", "--key", "site.key", "--node", "node.yaml", "--config", "bad.yaml", "-o", "never.jws"], 1, err=want)
        run.case(f"join: {name}: is placed in the operator's file", re.match(r"bad\.yaml:[1-9]", a.err), a)
        run.case(f"join: {name}: the token is not printed", "vjjwg16ucnhp94qr" not in a.err.lower(), a)
    run.write("unsafe.yaml", JOIN.replace("    caCertHashes:", "    unsafeSkipCAVerification: true\n    caCertHashes:"))
    run.expect("unsafe with permission", ["sign", "--key", "site.key", "--node", "node.yaml", "--config", "unsafe.yaml", "-o", "unsafe.jws",
                                          "--permit-unsafe-skip-ca"], 0)
    run.case("nothing else was written", run.read("never.jws") == b"old")


def roles(run):
    """What a bundle may make of a machine, and what is noted about it."""
    quiet = {"control-plane": CONTROL_PLANE, "init": INIT + "---\n" + CLUSTER, "init-turned": CLUSTER + "---\n" + INIT, "cluster": CLUSTER}
    for name, text in quiet.items():
        run.write(f"{name}.yaml", text)
        a = run.expect(f"sign {name}", ["sign", "--key", "site.key", "--node", "node.yaml", "--config", f"{name}.yaml", "-o", f"{name}.jws"], 0)
        run.case(f"sign {name}: nothing is noted", "note:" not in a.out, a)
        run.case(f"sign {name}: no secret is printed", not any(s in a.out for s in SECRETS), a)
        documents = payload(run, f"{name}.jws").split("---\n")
        run.case(f"sign {name}: all documents are signed", len(documents) == 1 + len(text.split("---\n")), documents)
    rows = [
        ("no endpoint", CLUSTER.replace("controlPlaneEndpoint: 10.100.0.1:6443\n", ""), ":1:1: without controlPlaneEndpoint"),
        ("no version", CLUSTER.replace("kubernetesVersion: v1.36.2\n", ""), ":1:1: without kubernetesVersion"),
        ("no name for the second service address", CLUSTER.replace('certSANs: ["2001:db8:42:1::1"]', "{}"), ":7:18: networking.serviceSubnet: the API server's"),
        ("services of one family", CLUSTER.replace(",2001:db8:42:1::/112", ""), ":7:18: networking.serviceSubnet: pods have both families and services IPv4"),
        ("default services", CLUSTER.replace("  serviceSubnet: 10.96.0.0/16,2001:db8:42:1::/112\n", ""), "networking: pods have both families and services IPv4"),
        ("another order", CLUSTER.replace("10.244.0.0/16,2001:db8:42:0::/56", "2001:db8:42:0::/56,10.244.0.0/16"), "begin with different families"),
        ("pods among services", CLUSTER.replace("10.244.0.0/16", "10.96.4.0/22"), "podSubnet: podSubnet lies in serviceSubnet"),
        ("a node of one family", INIT.replace(",fd00:1:2:3::2", "") + "---\n" + CLUSTER, "kubeletExtraArgs[0].value: node-ip has IPv4 and podSubnet both families"),
        ("node-ip and NodeJoin", JOIN.replace(",fd00:1:2:3::3", ""), "kubeletExtraArgs[0].value: NodeJoin requires both families and node-ip has IPv4"),
        ("a token for ever", INIT.replace("94qr\n", "94qr\n  ttl: 0s\n", 1) + "---\n" + CLUSTER, "bootstrapTokens: a token with ttl 0"),
        ("no certificate key", re.sub("  certificateKey.*\n", "", CONTROL_PLANE), "controlPlane: without certificateKey"),
        ("no advertised address", CONTROL_PLANE.replace("advertiseAddress: 10.100.0.2", "bindPort: 6443"), "without localAPIEndpoint.advertiseAddress"),
    ]
    for name, text, want in rows:
        run.write("noted.yaml", text)
        a = run.expect(f"note: {name}", ["sign", "--key", "site.key", "--node", "node.yaml", "--config", "noted.yaml", "-o", "noted.jws"], 0, out=want)
        expected = 2 if name == "a node of one family" else 1  # NodeJoin wants both
        run.case(f"note: {name}: nothing else is noted", a.out.count("note: noted.yaml:") == expected, a)
    a = run.expect("no note on a machine's stdout", ["sign", "--key", "site.key", "--node", "node.yaml", "--config", "noted.yaml", "-o", "-"], 0)
    run.case("only the bundle is there", "note" not in a.out and a.out.count(".") == 2, a)


def usage(run):
    run.expect("sign without anything", ["sign"], 2, err="is missing")
    run.expect("sign without -o", SIGN, 2, err="is missing")
    run.expect("sign with a public key", ["sign", "--key", "site.pub", *SIGN[3:], "-o", "x"], 1, err="site.pub: not a private P-256 key as JWK (input.syntax)")
    run.expect("sign with another file as key", ["sign", "--key", "node.yaml", *SIGN[3:], "-o", "x"], 1, err="node.yaml: not a private")
    run.expect("sign with a missing key", ["sign", "--key", "no.key", *SIGN[3:], "-o", "x"], 2, err="no.key: cannot be opened")
    run.expect("stdin twice", ["sign", "--key", "site.key", "--node", "-", "--config", "-", "-o", "x"], 2, err="only one of the files", stdin=NODE)
    run.expect("sign into a missing folder", [*SIGN, "-o", "no/such"], 2, err="no/such: cannot be written")
    a = run.expect("a key's text is no argument", ["sign", "--key", run.read("site.key").decode(), *SIGN[3:], "-o", "x"], 2)
    run.case("and is not accepted as one", "cannot be opened" in a.err, a)


def site_text(run):
    root = base64.b64encode(run.read("ca0.der")).decode()
    public = json.loads(run.read("site.pub"))
    return f"trust = {json.dumps(public)}\ntls-root = {root}\ncluster = lab\nurl = https://config.example/n\n"


def verifies(run):
    run.write("site.conf", site_text(run))
    kid = run.joinctl("thumbprint", "site.key").out
    run.joinctl(*SIGN, "-o", "node.jws")
    run.expect("verify --site", ["verify", "--site", "site.conf", "node.jws"], 0, out=kid)
    run.expect("verify --key", ["verify", "--key", "site.pub", "node.jws"], 0, out=kid)
    run.expect("verify from stdin", ["verify", "--key", "site.pub", "-"], 0, out=kid, stdin=run.read("node.jws"))
    run.expect("verify by another key", ["verify", "--key", "other.pub", "node.jws"], 1, err="(config.key)")
    run.expect("verify wants a public key", ["verify", "--key", "site.key", "node.jws"], 1, err="site.key: not the JWK of a public P-256 key (input.syntax)")
    run.expect("verify without a key", ["verify", "node.jws"], 2, err="either --site or --key")
    run.expect("verify with both", ["verify", "--key", "site.pub", "--site", "site.conf", "node.jws"], 2, err="either --site or --key")
    run.expect("verify with a bad site", ["verify", "--site", "join.yaml", "node.jws"], 1, err="join.yaml:1:1:")
    header, body, signature = run.read("node.jws").decode().split(".")
    swapped = base64.urlsafe_b64encode(decode(body).replace(b"node-3", b"node-4")).rstrip(b"=").decode()
    other_header = base64.urlsafe_b64encode(decode(header).replace(b"ES256", b"HS256")).rstrip(b"=").decode()
    rows = {
        "changed payload": (f"{header}.{swapped}.{signature}", "config.signature"),
        "changed header": (f"{other_header}.{body}.{signature}", "config.header"),
        "line end behind it": (f"{header}.{body}.{signature}\n", "config.envelope"),
        "two parts": (f"{header}.{body}", "config.envelope"),
        "no signature": (f"{header}.{body}.", "config.envelope"),
        "padding": (f"{header}.{body}.{signature}==", "config.envelope"),
        "empty": ("", "config.envelope"),
        "too large": ("A" * 200000, "config.envelope"),
    }
    for name, (text, error) in rows.items():
        run.expect(f"verify: {name}", ["verify", "--key", "site.pub", "-"], 1, err=f"({error})", stdin=text)
        run.expect(f"verify --payload: {name}", ["verify", "--key", "site.pub", "--payload", "-"], 1, err=f"({error})", stdin=text)


def validates(run):
    run.expect("validate", ["validate", "join.yaml"], 0, out="ok\n")
    run.expect("validate from stdin", ["validate", "-"], 0, stdin=JOIN)
    docs = json.loads(run.expect("validate -o json", ["validate", "-o", "json", "join.yaml"], 0).out)
    run.case("is one array of documents", isinstance(docs, list) and [d["kind"] for d in docs] == ["JoinConfiguration"], docs)
    doc = docs[0]
    run.case("has defaults filled in", doc["caCertPath"] == "/etc/kubernetes/pki/ca.crt" and doc["timeouts"]["discovery"] == "5m0s"
             and doc["discovery"]["tlsBootstrapToken"] == "clvldh.vjjwg16ucnhp94qr", doc)
    run.case("leaves out a name that is not there", "name" not in doc["nodeRegistration"], doc)
    run.expect("validate accepts a control plane", ["validate", "-"], 0, stdin=JOIN + "controlPlane:\n  localAPIEndpoint:\n    advertiseAddress: 10.100.0.2\n")
    docs = json.loads(run.expect("validate -o json of init", ["validate", "-o", "json", "init.yaml"], 0).out)
    run.case("is both documents, init first", [d["kind"] for d in docs] == ["InitConfiguration", "ClusterConfiguration"], docs)
    run.case("has init's defaults", docs[0]["bootstrapTokens"][0] == {
        "token": "clvldh.vjjwg16ucnhp94qr", "ttl": "24h0m0s", "usages": ["signing", "authentication"],
        "groups": ["system:bootstrappers:kubeadm:default-node-token"]} and docs[0]["localAPIEndpoint"]["bindPort"] == 6443
        and docs[0]["nodeRegistration"]["taints"] == [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}], docs[0])
    run.case("has cluster's defaults", docs[1]["networking"]["dnsDomain"] == "cluster.local" and docs[1]["etcd"] == {"local": {"dataDir": "/var/lib/etcd"}}
             and docs[1]["clusterName"] == "kubernetes" and docs[1]["caCertificateValidityPeriod"] == "87600h0m0s" and docs[1]["proxy"] == {}, docs[1])
    a = run.expect("validate notes", ["validate", "-"], 0, out=["ok\n", "note: stdin:1:1: without controlPlaneEndpoint", "without kubernetesVersion"],
                   stdin="apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n")
    run.case("validate notes nothing in a good document", run.joinctl("validate", "init.yaml").out == "ok\n")
    run.expect("validate: a kubelet document beside it", ["validate", "-"], 1, err="(config.kind)",
               stdin=CLUSTER + "---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n")
    run.expect("validate: position in the second document", ["validate", "-"], 1, err=["stdin:18:14: networking.podSubnet: ", " (config.field)\n"],
               stdin=INIT + "---\n" + CLUSTER.replace("10.244.0.0/16,", "10.244.0.0/16, "))
    run.expect("validate: an empty file", ["validate", "-"], 1, err="(config.kind)")
    run.expect("validate: NodeJoin", ["validate", "node.yaml"], 1, err="node.yaml:2:")
    run.expect("validate: too large", ["validate", "-"], 1, err="stdin:", stdin=JOIN + "#" * 70000)
    run.expect("validate: position and path", ["validate", "-"], 1, stdin=JOIN.replace("10.100.0.1:6443", "10.100.0.1"),
               err=["stdin:5:24: discovery.bootstrapToken.apiServerEndpoint: ", " (config.field)\n"])
    by_file = JOIN[:JOIN.index("  bootstrapToken:")] + "  file: {kubeConfigPath: PATH}\n" + JOIN[JOIN.index("nodeRegistration:"):]
    run.expect("validate: discovery.file that is here", ["validate", "-"], 0, stdin=by_file.replace("PATH", "/dev/null"))
    run.expect("validate: discovery.file that is not here", ["validate", "-"], 1, stdin=by_file.replace("PATH", "/not/here"),
               err=["stdin:4:26: discovery.file.kubeConfigPath: ", " (config.field)\n"])
    run.write("by-file.yaml", by_file.replace("PATH", "/not/here"))
    run.expect("sign: discovery.file is the joining machine's", ["sign", "--key", "site.key", "--node", "node.yaml", "--config", "by-file.yaml", "-o", "by-file.jws"], 0)
    run.expect("validate -o yaml", ["validate", "-o", "yaml", "join.yaml"], 2, err="-o wants json")


def examples(run):
    for role in ("worker", "control-plane", "init"):
        for family in ("ipv4", "ipv6", "dual"):
            for what in ("nodejoin", "join"):
                run.write(f"e.{what}", run.joinctl("example", what, "--role", role, "--family", family).out)
            a = run.expect(f"the {role}'s {family} example is good", ["sign", "--key", "site.key", "--node", "e.nodejoin", "--config", "e.join", "-o", "e.jws"], 0)
            run.case(f"and nothing is noted about the {role}'s {family} example", "note:" not in a.out, a)
    for what in ("nodejoin", "join", "site"):
        run.write(f"example.{what}", run.joinctl("example", what).out)
    run.expect("the example documents are good", ["sign", "--key", "site.key", "--node", "example.nodejoin", "--config", "example.join", "-o", "example.jws"], 0)
    run.expect("the example site trusts nobody", ["verify", "--site", "example.site", "example.jws"], 1, err="(site.key)")
    lines = [line for line in site_text(run).splitlines() if line.startswith(("trust", "tls-root"))]
    run.write("example.site", run.read("example.site").decode() + "\n".join(lines) + "\n")
    run.expect("with a key and a root it is complete", ["verify", "--site", "example.site", "example.jws"], 0)
    run.expect("and the machine of the example would join", ["explain", "--site", "example.site", "example.jws", "--as",
               "uuid=8f1c1f0e-3f2a-4a5e-9b54-0c8d6f7a1b2c,serial=C0FFEE42,mac=52:54:00:12:34:56"], 0, out="accepted")
