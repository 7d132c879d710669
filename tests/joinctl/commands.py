"""commands.py: help, usage, keygen, thumbprint, pin, errors, example."""
import base64
import hashlib
import json
import os
import stat
import subprocess

COMMANDS = ["keygen", "sign", "verify", "validate", "explain", "unseal", "errors", "example", "thumbprint", "pin", "image"]


def run(run):
    usage(run)
    keys(run)
    pins(run)
    errors(run)


def usage(run):
    a = run.expect("help", ["--help"], 0)
    run.case("help names every command", all(f"joinctl {c} " in a.out for c in COMMANDS), a)
    for c in COMMANDS:
        a = run.expect(f"{c} --help", [c, "--help"], 0, out=[f"joinctl {c} ", "--help"])
        example = [line for line in a.out.splitlines() if line.startswith(f"  joinctl {c} ")]
        run.case(f"{c} --help has an example", len(example) == 1, a)
        run.expect(f"{c} refuses an unknown option", [c, "--no-such"], 2, err=["there is no option --no-such", "usage: joinctl " + c])
    run.expect("version", ["--version"], 0, out="joinctl ")
    run.expect("no command", [], 2, err="joinctl COMMAND --help")
    run.expect("unknown command", ["frobnicate"], 2, err="there is no command frobnicate")
    run.expect("missing argument", ["pin"], 2, err="an argument is missing")
    run.expect("too many arguments", ["pin", "a", "b"], 2, err="one argument too many")
    run.expect("option without its value", ["keygen", "--out"], 2, err="--out needs a value")
    run.expect("option twice", ["keygen", "--out", "a", "--out=b"], 2, err="given twice")
    run.expect("flag with a value", ["verify", "--payload=x", "b"], 2, err="takes no value")
    run.expect("option of another command", ["pin", "--key", "k", "f"], 2, err="there is no option --key")
    run.expect("-- ends options", ["pin", "--", "--no-such"], 2, err="--no-such: cannot be opened")
    run.expect("missing file", ["pin", "no-such-file"], 2, err="no-such-file: cannot be opened: No such file")
    run.expect("folder as file", ["pin", "."], 2, err="cannot be read")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([run.program, "--help"], stdout=full, stderr=subprocess.PIPE)
    run.case("full disk is no yes", done.returncode == 2 and b"cannot be written" in done.stderr, done)


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def keys(run):
    a = run.expect("keygen", ["keygen", "--out", "site.key"], 0)
    lines = a.out.splitlines()
    run.case("keygen prints two lines for the site", len(lines) == 2 and lines[0].startswith("# thumbprint ") and lines[1].startswith("trust = {"), a)
    run.case("keygen's file has mode 0600", stat.S_IMODE(os.stat(run.path("site.key")).st_mode) == 0o600)
    private = json.loads(run.read("site.key"))
    public = json.loads(lines[1].removeprefix("trust = "))
    run.case("keygen's file is a private JWK", set(private) >= {"kty", "crv", "x", "y", "d"} and private["crv"] == "P-256")
    run.case("what is printed is the public half", public == {k: private[k] for k in ("kty", "crv", "x", "y")} and private["d"] not in a.out, a)
    canonical = json.dumps(public, sort_keys=True, separators=(",", ":")).encode()
    thumbprint = b64url(hashlib.sha256(canonical).digest())
    run.case("thumbprint is RFC 7638's", lines[0] == f"# thumbprint {thumbprint}", a)
    before = run.read("site.key")
    run.expect("keygen never overwrites", ["keygen", "--out", "site.key"], 2, err="site.key: cannot be created: File exists")
    run.case("the key is unchanged", run.read("site.key") == before)
    os.symlink("elsewhere.key", run.path("link.key"))
    run.expect("keygen follows no link", ["keygen", "--out", "link.key"], 2, err="File exists")
    run.case("nothing is behind the link", not os.path.exists(run.path("elsewhere.key")))
    run.expect("keygen prints no private key", ["keygen", "--out", "-"], 2, err="a private key is not printed")
    run.expect("keygen needs --out", ["keygen"], 2, err="--out is missing")
    run.expect("keygen into a missing folder", ["keygen", "--out", "no/such/key"], 2, err="cannot be created")
    old = os.umask(0)
    run.joinctl("keygen", "--out", "other.key")
    os.umask(old)
    run.case("mode 0600 with umask 0", stat.S_IMODE(os.stat(run.path("other.key")).st_mode) == 0o600)
    run.case("two keys differ", run.read("other.key") != before)

    run.write("site.pub", json.dumps(public))
    run.write("other.pub", json.dumps({k: v for k, v in json.loads(run.read("other.key")).items() if k != "d"}))
    run.expect("thumbprint of a private JWK", ["thumbprint", "site.key"], 0, out=thumbprint)
    run.expect("thumbprint of a public JWK", ["thumbprint", "site.pub"], 0, out=thumbprint)
    run.expect("thumbprint from stdin", ["thumbprint", "-"], 0, out=thumbprint, stdin=run.read("site.pub"))
    bad = {"empty": "", "not JSON": "x", "other curve": json.dumps({**public, "crv": "P-384"}),
           "not on the curve": json.dumps({**public, "y": b64url(b"\1" * 32)}), "RSA": json.dumps({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
           "wrong d": json.dumps({**private, "d": b64url(b"\1" * 32)}), "too long": json.dumps(public) + " " * 8192 + "x"}
    for name, text in bad.items():
        run.expect(f"thumbprint refuses: {name}", ["thumbprint", "-"], 1, err="stdin: not a JWK of a P-256 key (", stdin=text)


def pins(run):
    def openssl(*args, stdin=None):
        return subprocess.run(["openssl", *args], cwd=run.folder, input=stdin, capture_output=True, check=True).stdout

    pins = []
    for i in range(2):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"ca{i}.key", "-out", f"ca{i}.crt",
                "-subj", f"/CN=kubernetes{i}", "-days", "30")
        spki = openssl("pkey", "-pubin", "-outform", "DER", stdin=openssl("x509", "-in", f"ca{i}.crt", "-pubkey", "-noout"))
        pins.append("sha256:" + hashlib.sha256(spki).hexdigest())
    der = openssl("x509", "-in", "ca0.crt", "-outform", "DER")
    both = run.read("ca0.crt") + run.read("ca1.crt")
    run.expect("pin of PEM", ["pin", "ca0.crt"], 0, out=pins[0])
    run.expect("pin of DER", ["pin", run.write("ca0.der", der)], 0, out=pins[0])
    a = run.expect("pin of two certificates", ["pin", "-"], 0, stdin=both)
    run.case("one line each", a.out.split() == pins, a)
    run.expect("pin refuses nothing", ["pin", "-"], 1, err="stdin: not the certificate of a CA, in PEM or DER (tls.", stdin="")
    run.expect("pin refuses a key", ["pin", "ca0.key"], 1, err="(tls.")
    run.expect("pin refuses half a certificate", ["pin", "-"], 1, err="(tls.", stdin=run.read("ca0.crt")[:300])
    run.expect("pin refuses a cut DER", ["pin", "-"], 1, err="(tls.", stdin=der[:-1])
    run.write("leaf.ext", "basicConstraints=CA:FALSE\n")
    csr = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "leaf.key", "-subj", "/CN=leaf")
    leaf = openssl("x509", "-req", "-CA", "ca0.crt", "-CAkey", "ca0.key", "-CAcreateserial", "-extfile", "leaf.ext", stdin=csr)
    run.expect("pin refuses a leaf", ["pin", "-"], 1, err="not the certificate of a CA", stdin=leaf)
    run.expect("pin refuses a leaf behind a CA", ["pin", "-"], 1, err="not the certificate of a CA", stdin=both + leaf)
    run.expect("pin refuses a file without end", ["pin", "-"], 1, err="(internal.limit)", stdin=both + b"\n" * 300000)


def errors(run):
    a = run.expect("errors", ["errors"], 0, out=["config.signature", "address.duplicate"])
    names = [line.split()[0] for line in a.out.splitlines()]
    run.case("errors lists each once", len(names) == len(set(names)) > 50, a)
    run.expect("errors NAME", ["errors", "config.binding"], 0, out=["what  ", "next  ", "another machine"])
    run.expect("errors of an unknown name", ["errors", "no.such"], 2, err="there is no error no.such")
    rows = json.loads(run.joinctl("errors", "-o", "json").out)
    run.case("errors -o json", [r["name"] for r in rows] == names and all(r["explanation"] and r["remedy"] for r in rows))
    one = json.loads(run.joinctl("errors", "-o", "json", "config.binding").out)
    run.case("errors -o json NAME", len(one) == 1 and one[0]["name"] == "config.binding")
    run.expect("errors -o yaml", ["errors", "-o", "yaml"], 2, err="-o wants json")
    for what in ("nodejoin", "site", "join"):
        run.expect(f"example {what}", ["example", what], 0)
    run.expect("example of something else", ["example", "pony"], 2, err="nodejoin, site and join")
    run.expect("example for another role", ["example", "--role", "etcd", "join"], 2, err="--role wants worker, control-plane or init")
    run.expect("example of another family", ["example", "--family", "ipx", "join"], 2, err="--family wants ipv4, ipv6 or dual")
