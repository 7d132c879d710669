"""sealing.py: sign --seal-to, unseal, keygen --device: who can read what, and what anybody can say of a sealed bundle."""
import base64
import json
import os
import stat

from explaining import AT, CHECKS, MACHINE, ask
from signing import CLUSTER, CONTROL_PLANE, INIT, JOIN, NODE, SECRETS, SIGN, decode, payload

RECORD = {"apiVersion": "joinboot/v1alpha1", "kind": "Enrolment", "uuid": "8f1c1f0e-3f2a-4a5e-9b54-0c8d6f7a1b2c", "serial": "C0FFEE42",
          "macs": ["52:54:00:12:34:56", "52:54:00:12:34:57"]}


def run(run):
    keys(run)
    seals(run)
    records(run)
    roles(run)
    refusals(run)
    says(run)


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sealed(run, bundle):
    """The JWE in a bundle's payload."""
    line = [line for line in payload(run, bundle).splitlines() if line.startswith("sealed: ")]
    return line[0].split('"')[1] if line else ""


def keys(run):
    for name in ("one", "two"):
        a = run.expect(f"keygen --device {name}", ["keygen", "--device", "--out", f"{name}.device"], 0)
        run.write(f"{name}.jwk", a.out)
    run.case("prints a public JWK alone", set(json.loads(run.read("one.jwk"))) == {"kty", "crv", "x", "y"} and run.read("one.jwk").count(b"\n") == 1)
    area = run.read("one.device")
    run.case("writes an area of 64 bytes, 0600", len(area) == 64 and stat.S_IMODE(os.stat(run.path("one.device")).st_mode) == 0o600)
    run.case("prints nothing of its secret", b64url(area[:32]).encode() not in run.read("one.jwk"))
    run.expect("keygen --device never overwrites", ["keygen", "--device", "--out", "one.device"], 2, err="File exists")


def seals(run):
    kid = run.joinctl("thumbprint", "one.jwk").out.strip()
    a = run.expect("sign --seal-to", [*SIGN, "--seal-to", "one.jwk", "-o", "sealed.jws"], 0, out=f", sealed to {kid}\n")
    text = payload(run, "sealed.jws")
    run.case("the payload has NodeJoin alone", "---" not in text and "kubeadm" not in text and "name: \"node-3\"" in text, text)
    run.case("the role stands beside it", 'role: "worker"' in text or "role: worker" in text, text)
    whole = b"".join(decode(p.decode()) if p else b"" for p in run.read("sealed.jws").split(b"."))
    run.case("no secret is in the bundle", not any(s.encode() in whole for s in SECRETS) and not any(s in a.out for s in SECRETS), a)
    parts = sealed(run, "sealed.jws").split(".")
    header = json.loads(decode(parts[0]))
    run.case("the JWE's header is the one form", list(header) == ["alg", "enc", "epk", "kid"] and header["alg"] == "ECDH-ES" and header["enc"] == "A256GCM"
             and list(header["epk"]) == ["crv", "kty", "x", "y"] and header["kid"] == kid, header)
    run.case("with no encrypted key, 12 and 16 bytes", parts[1] == "" and len(decode(parts[2])) == 12 and len(decode(parts[4])) == 16, parts)
    run.joinctl(*SIGN, "--seal-to", "one.jwk", "-o", "again.sealed.jws")
    run.case("the ephemeral key and the iv are new each time",
             json.loads(decode(sealed(run, "again.sealed.jws").split(".")[0]))["epk"] != header["epk"] and sealed(run, "again.sealed.jws").split(".")[2] != parts[2])
    run.joinctl(*SIGN, "-o", "clear.jws")
    documents = payload(run, "clear.jws").split("---\n", 1)[1]
    open_it = ["unseal", "--site", "site.conf", "--key", "one.device"]
    a = run.expect("unseal", [*open_it, "sealed.jws"], 0)
    run.case("gives the documents that a bundle in clear has", a.out == documents, a)
    area = run.read("one.device")
    jwk = {**json.loads(run.read("one.jwk")), "d": b64url(area[:32])}
    run.write("one.private.jwk", json.dumps(jwk))
    run.expect("unseal with a JWK", ["unseal", "--site", "site.conf", "--key", "one.private.jwk", "sealed.jws"], 0, out=documents)
    a = run.expect("unseal with another machine's key", ["unseal", "--site", "site.conf", "--key", "two.device", "sealed.jws"], 1, err=["sealed:", "(seal.recipient)"])
    run.case("prints nothing", a.out == "", a)
    run.expect("unseal a bundle in clear", [*open_it, "clear.jws"], 1, err=["joinctl verify --payload", "(config.kind)"])
    run.expect("unseal needs a site", ["unseal", "--key", "one.device", "sealed.jws"], 2, err="--site and --key are needed")
    run.write("damaged.device", bytes([area[0] ^ 1]) + area[1:])
    run.expect("unseal with a damaged key", ["unseal", "--site", "site.conf", "--key", "damaged.device", "sealed.jws"], 1, err="(device.key)")
    run.expect("unseal with a public key", ["unseal", "--site", "site.conf", "--key", "one.jwk", "sealed.jws"], 1, err="(input.syntax)")
    run.joinctl("sign", "--key", "other.key", *SIGN[3:], "--seal-to", "one.jwk", "-o", "stranger.jws")
    a = run.expect("unseal what a stranger signed", [*open_it, "stranger.jws"], 1, err="(config.key)")
    run.case("opens nothing", a.out == "", a)


def records(run):
    key = json.loads(run.read("one.jwk"))
    kid = run.joinctl("thumbprint", "one.jwk").out.strip()
    good = {**RECORD, "kid": kid, "key": key}
    run.write("one.record", json.dumps(good) + "\n")
    run.expect("sign --seal-to a record", [*SIGN, "--seal-to", "one.record", "-o", "record.jws"], 0, out=f"sealed to {kid}")
    run.expect("from stdin", [*SIGN, "--seal-to", "-", "-o", "record.jws"], 0, stdin=json.dumps(good))
    rows = [
        ("of another uuid", {"uuid": "00000000-3f2a-4a5e-9b54-0c8d6f7a1b2c"}, "(config.binding)"),
        ("of another serial", {"serial": "C0FFEE43"}, "(config.binding)"),
        ("without the MAC", {"macs": []}, "(config.binding)"),
        ("with another kid", {"kid": "A" * 43}, "(input.syntax)"),
        ("of another kind", {"kind": "Enrollment"}, "(input.syntax)"),
        ("of another version", {"apiVersion": "joinboot/v2"}, "(input.syntax)"),
        ("with an unknown member", {"x": 1}, "(input.syntax)"),
        ("with a bad MAC", {"macs": ["52:54"]}, "(input.syntax)"),
        ("with a private key", {"key": {**key, "d": "A" * 43}}, "(input.syntax)"),
        ("with a point off the curve", {"key": {**key, "y": "A" * 43}}, "(input.syntax)"),
    ]
    for name, change, error in rows:
        run.write("bad.record", json.dumps({**good, **change}))
        run.expect(f"a record {name}", [*SIGN, "--seal-to", "bad.record", "-o", "never.sealed.jws"], 1, err=error)
    for missing in ("kid", "key", "kind", "apiVersion"):
        run.write("bad.record", json.dumps({k: v for k, v in good.items() if k != missing}))
        run.expect(f"a record without {missing}", [*SIGN, "--seal-to", "bad.record", "-o", "never.sealed.jws"], 1, err="(input.syntax)")
    run.expect("a record that is a document", [*SIGN, "--seal-to", "node.yaml", "-o", "never.sealed.jws"], 1, err="neither an enrolment record")
    for name, says, error in (("for ECDH", {"use": "enc", "alg": "ECDH-ES", "key_ops": ["deriveBits"]}, None), ("for signatures", {"use": "sig"}, "(input.syntax)"),
                              ("that only verifies", {"key_ops": ["verify"]}, "(input.syntax)"), ("for ES256", {"alg": "ES256"}, "(input.syntax)")):
        for form, text in (("a JWK", {**key, **says}), ("a record's key", {**good, "key": {**key, **says}})):
            run.write("bad.record", json.dumps(text))
            run.expect(f"{form} {name}", [*SIGN, "--seal-to", "bad.record", "-o", "never.sealed.jws" if error else "ecdh.jws"], 1 if error else 0,
                       **({"err": error} if error else {"out": f"sealed to {kid}"}))
    run.write("ecdh.jwk", json.dumps({**key, "use": "enc"}))
    run.expect("the thumbprint of a key for ECDH", ["thumbprint", "ecdh.jwk"], 0, out=kid)
    run.case("nothing was written", not os.path.exists(run.path("never.sealed.jws")))


def roles(run):
    for role, text in {"control-plane": CONTROL_PLANE, "init": INIT + "---\n" + CLUSTER}.items():
        run.write("role.yaml", text)
        run.expect(f"a sealed {role}", ["sign", "--key", "site.key", "--node", "node.yaml", "--config", "role.yaml", "--seal-to", "one.jwk", "-o", "role.jws"], 0)
        run.case(f"says that it is {role}", f'role: "{role}"' in payload(run, "role.jws").replace(f"role: {role}\n", f'role: "{role}"\n'))
        a = run.expect(f"and is whole behind the seal of a {role}", ["unseal", "--site", "site.conf", "--key", "one.device", "role.jws"], 0)
        run.case(f"with all documents of a {role}", a.out.count("---\n") == text.count("---\n"), a)
    run.write("role.node.yaml", NODE + "role: init\n")
    run.expect("another role than the documents'", ["sign", "--key", "site.key", "--node", "role.node.yaml", "--config", "join.yaml", "-o", "x.jws"], 1,
               err=["role", "(config.field)"])


def refusals(run):
    jwe = sealed(run, "sealed.jws")
    parts = jwe.split(".")
    rows = [
        ("a truncated tag", ".".join(parts[:4] + [b64url(decode(parts[4])[:12])]), "(seal.tag)"),
        ("an encrypted key", ".".join([parts[0], "AAAA", *parts[2:]]), "(seal.form)"),
        ("a long iv", ".".join([*parts[:2], b64url(bytes(16)), *parts[3:]]), "(seal.form)"),
        ("four parts", ".".join(parts[:4]), "(seal.form)"),
        ("another algorithm", ".".join([b64url(decode(parts[0]).replace(b"ECDH-ES", b"RSA-OAE")), *parts[1:]]), "(seal.header)"),
    ]
    for name, text, error in rows:
        run.write("bad.yaml", NODE + f'role: worker\nsealed: "{text}"\n')
        run.expect(f"sealed: {name}", ["sign", "--key", "site.key", "--node", "bad.yaml", "--config", "join.yaml", "-o", "x.jws"], 1, err=["sealed:", error])
    run.write("bad.yaml", NODE + f'role: worker\nsealed: "{jwe}"\n')
    run.expect("sealed and in clear", ["sign", "--key", "site.key", "--node", "bad.yaml", "--config", "join.yaml", "-o", "x.jws"], 1, err=["sealed:", "(config.sealed)"])
    run.write("large.yaml", JOIN + "patches:\n  directory: /" + "p/" * 30000 + "\n")
    a = run.expect("more than fits behind a seal", ["sign", "--key", "site.key", "--node", "node.yaml", "--config", "large.yaml", "--seal-to", "one.jwk", "-o", "x.jws"], 1)
    run.case("is a limit that is named", "internal.limit" in a.err or "config." in a.err or "internal.memory" in a.err, a)


def says(run):
    bundle = run.read("sealed.jws")
    kid = run.joinctl("thumbprint", "one.jwk").out.strip()
    run.expect("verify a sealed bundle", ["verify", "--site", "site.conf", "sealed.jws"], 0)
    ask(run, "a sealed bundle", None, None, stdin=bundle)
    ask(run, "a sealed bundle for another machine", "config.binding", "binding", stdin=bundle, machine=MACHINE.replace("C0FFEE42", "C0FFEE43"))
    run.write("seal.conf", run.read("site.conf").decode() + "sealed = required\n")
    ask(run, "a sealed bundle where sealing is required", None, None, stdin=bundle, site="seal.conf")
    ask(run, "a bundle in clear where sealing is required", "seal.required", "sealing", site="seal.conf")
    run.case("the last check is sealing", CHECKS[-1] == "sealing")
    a = run.joinctl("explain", "--site", "site.conf", "--as", MACHINE, *AT, "-o", "json", "sealed.jws")
    asks = json.loads(a.out)["asks"]
    run.case("explain says to whom, and the role", asks["sealedTo"] == kid and asks["role"] == "worker" and "token" not in asks, a)
    run.write("seal.conf", run.read("site.conf").decode() + "sealed = always\n")
    run.expect("another word in the site", ["verify", "--site", "seal.conf", "sealed.jws"], 1, err="(site.syntax)")
