"""explaining.py: explain: every check in the agent's order, and each refusal by its name."""
import base64
import hashlib
import json

from signing import JOIN, NODE, SECRETS, SIGN, decode

MACHINE = "uuid=8f1c1f0e-3f2a-4a5e-9b54-0c8d6f7a1b2c,serial=C0FFEE42,mac=52:54:00:12:34:56"
AT = ["--at", "2026-11-23T04:50:51Z"]
CHECKS = ["envelope", "key", "header", "signature", "syntax", "documents", "fields", "seal", "supported", "permitted", "binding", "cluster", "sequence", "same",
          "expiry", "issue", "sealing"]


def run(run):
    run.joinctl(*SIGN, "-o", "node.jws")
    run.write("other.conf", run.read("site.conf").decode().replace("cluster = lab", "cluster = prod"))
    accepts(run)
    refuses(run)
    envelopes(run)
    asks(run)
    usage(run)


def ask(run, name, error, check, *args, machine=MACHINE, site="site.conf", stdin=None, time=AT):
    """explain refuses with this error at this check (None: accepts); text and JSON agree."""
    full = ["explain", "--site", site, "--as", machine, *time, *args, "-" if stdin is not None else "node.jws"]
    a = run.joinctl(*full, stdin=stdin or b"")
    j = run.joinctl(*full, "-o", "json", stdin=stdin or b"")
    rows = [line.split()[:2] for line in a.out.splitlines()[:len(CHECKS)]]
    at = CHECKS.index(check) if check else len(CHECKS)
    want = [["yes", c] for c in CHECKS[:at]] + ([["no", check]] if check else []) + [["-", c] for c in CHECKS[at + 1:]]
    good = a.code == j.code == (1 if check else 0) and rows == want
    good = good and (f"refused: {error}\n" in a.out and f"({error})\n" in a.err if check else "accepted\n" in a.out and not a.err)
    doc = json.loads(j.out) if j.out else {}
    good = good and doc.get("accepted") == (check is None) and doc.get("error") == (error or "")
    good = good and [[c["answer"], c["check"]] for c in doc["checks"]] == want
    run.case(f"explain: {name}", good, f"{a}\n    json: {j}")


def digest(run, name):
    return hashlib.sha256(run.read(name).rpartition(b".")[0]).hexdigest()


def accepts(run):
    ask(run, "accepted", None, None)
    ask(run, "more cards than the binding names", None, None, machine=MACHINE + ",mac=52:54:00:00:00:01")
    ask(run, "a higher sequence than the stored one", None, None, "--stored-sequence", "6")
    ask(run, "an equal sequence and the same bytes", None, None, "--stored-sequence", "7", "--stored-digest", digest(run, "node.jws"))
    ask(run, "an equal sequence, digest not told", None, None, "--stored-sequence", "7")
    ask(run, "from stdin", None, None, stdin=run.read("node.jws"))


def refuses(run):
    binding = ("config.binding", "binding")
    ask(run, "other uuid", *binding, machine=MACHINE.replace("8f1c1f0e", "8f1c1f0f"))
    ask(run, "other serial", *binding, machine=MACHINE.replace("C0FFEE42", "C0FFEE43"))
    ask(run, "other mac", *binding, machine=MACHINE.replace("34:56", "34:57"))
    for part in MACHINE.split(","):
        ask(run, f"machine without {part.split('=')[0]}", *binding, machine=",".join(p for p in MACHINE.split(",") if p != part))
    ask(run, "other cluster", "config.cluster", "cluster", site="other.conf")
    ask(run, "lower sequence", "config.sequence", "sequence", "--stored-sequence", "8")
    ask(run, "equal sequence, other bytes", "config.equivocation", "same", "--stored-sequence", "7", "--stored-digest", "00" * 32)
    ask(run, "expired", "config.expired", "expiry", time=["--at", "2036-01-01T00:00:01Z"])
    ask(run, "issued in the future", "config.not-yet-valid", "issue", time=["--at", "2025-12-31T23:54:59Z"])
    ask(run, "a signer's clock that is a little ahead", None, None, time=["--at", "2025-12-31T23:55:01Z"])
    ask(run, "the first no is binding, not cluster", *binding, "--stored-sequence", "8", machine="mac=52:54:00:00:00:01", site="other.conf")
    unsafe = JOIN.replace("    caCertHashes:", "    unsafeSkipCAVerification: true\n    caCertHashes:")
    run.write("unsafe.yaml", unsafe)
    run.joinctl("sign", "--key", "site.key", "--node", "node.yaml", "--config", "unsafe.yaml", "-o", "unsafe.jws", "--permit-unsafe-skip-ca")
    ask(run, "unsafe without the site's permission", "config.unsafe", "permitted", stdin=run.read("unsafe.jws"))
    run.write("permit.conf", run.read("site.conf").decode() + "permit-unsafe-skip-ca = yes\n")
    ask(run, "unsafe with the site's permission", None, None, site="permit.conf", stdin=run.read("unsafe.jws"))


def envelopes(run):
    header, body, signature = run.read("node.jws").decode().split(".")
    swapped = base64.urlsafe_b64encode(decode(body).replace(b"node-3", b"node-4")).rstrip(b"=").decode()
    header2 = base64.urlsafe_b64encode(decode(header).replace(b"nodejoin", b"nodejoim")).rstrip(b"=").decode()
    ask(run, "not a bundle", "config.envelope", "envelope", stdin=NODE)
    ask(run, "changed payload", "config.signature", "signature", stdin=f"{header}.{swapped}.{signature}")
    ask(run, "changed header", "config.header", "header", stdin=f"{header2}.{body}.{signature}")
    run.joinctl("sign", "--key", "other.key", "--node", "node.yaml", "--config", "join.yaml", "-o", "other.jws")
    ask(run, "signed by a stranger", "config.key", "key", stdin=run.read("other.jws"))


def asks(run):
    """What a bundle asks for, without its secrets."""
    rows = {
        "node.jws": {"role": "worker", "node": "node-3", "families": "ipv4,ipv6", "handOff": "supervise", "apiServerEndpoint": "10.100.0.1:6443",
                     "token": "<secret>", "tlsBootstrapToken": "<secret>"},
        "control-plane.jws": {"role": "control-plane", "advertiseAddress": "10.100.0.2", "certificateKey": "<secret>", "token": "<secret>"},
        "init.jws": {"role": "init", "advertiseAddress": "10.100.0.1", "certificateKey": "<secret>", "bootstrapTokens": "<secret>",
                     "kubernetesVersion": "v1.36.2", "podSubnet": "10.244.0.0/16,2001:db8:42:0::/56", "nodeSubnets": "/24,/64"},
    }
    base = ["explain", "--site", "site.conf", "--as", MACHINE, *AT]
    for name, want in rows.items():
        text, j = run.joinctl(*base, name), run.joinctl(*base, "-o", "json", name)
        got = json.loads(j.out)["asks"]
        run.case(f"explain: what {name} asks for", all(got.get(k) == v for k, v in want.items()), j)
        run.case(f"explain: the same lines for {name}", all(f" {k} " in text.out and f" {v}\n" in text.out for k, v in want.items()), text)
        run.case(f"explain: no secret of {name}", not any(s in a for s in SECRETS for a in (text.out, text.err, j.out, j.err)), text)
    run.write("reset.yaml", NODE + "handOff: switch-root\ntarget: {root: LABEL=debian}\nreset: true\nformatState: true\n")
    run.expect("a machine's other modes are signed", ["sign", "--key", "site.key", "--node", "reset.yaml", "--config", "join.yaml", "-o", "reset.jws"], 0)
    got = json.loads(run.joinctl(*base, "-o", "json", "reset.jws").out)["asks"]
    run.case("explain: reset and target", (got["handOff"], got["target"], got["reset"], got["formatState"]) == ("switch-root", "LABEL=debian", "true", "true"), got)
    a = run.joinctl(*base, "noted.jws")
    run.case("explain: notes", "note: payload:" in a.out and json.loads(run.joinctl(*base, "-o", "json", "noted.jws").out)["notes"], a)


def usage(run):
    base = ["explain", "--site", "site.conf", "node.jws"]
    run.expect("explain without --as", base, 2, err="--site and --as are needed")
    run.expect("explain without --site", ["explain", "--as", MACHINE, "node.jws"], 2, err="--site and --as are needed")
    for machine in ("", "uuid", "uuid=1", "mac=52:54:00", "host=a", "uuid=,mac=52:54:00:12:34:56", MACHINE + "," + MACHINE, "serial="):
        run.expect(f"explain --as {machine!r}", [*base, "--as", machine], 2, err="--as wants")
    run.expect("explain with a bad sequence", [*base, "--as", MACHINE, "--stored-sequence", "x"], 2, err="--stored-sequence wants")
    run.expect("explain with a bad digest", [*base, "--as", MACHINE, "--stored-sequence", "1", "--stored-digest", "00"], 2, err="--stored-digest wants")
    run.expect("explain with a digest only", [*base, "--as", MACHINE, "--stored-digest", "00" * 32], 2, err="--stored-digest wants")
    run.expect("explain with a bad site", ["explain", "--site", "node.yaml", "--as", MACHINE, "node.jws"], 1, err="node.yaml:1:1:")
    run.expect("explain with a missing bundle", ["explain", "--site", "site.conf", "--as", MACHINE, "no.jws"], 2, err="no.jws: cannot be opened")
