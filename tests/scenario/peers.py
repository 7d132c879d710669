"""The real TLS servers of the scenarios: a config server and a stand-in of the API server, on ports of 127.0.0.1.

    peers.py FOLDER     makes certificates and answers in FOLDER, prints "CONFIG-PORT API-PORT", serves until its standard input ends

FOLDER/reports gets a line for each report that was sent by POST. FOLDER/config is what the config server serves, FOLDER/ca.pem its root, FOLDER/pin the caCertHashes of the cluster. A file `mode` in
FOLDER/config or FOLDER/api makes that server serve in another way: `status`, `short` (the body ends early), `silent` (no answer), `deaf` (none to a report), `deaf-status`, `ready` (the node is in the cluster
and Ready).
"""
import hashlib
import http.server
import os
import pathlib
import socketserver
import ssl
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lab"))
import standin  # noqa: E402

FOLDER = pathlib.Path(sys.argv[1])


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], cwd=FOLDER, input=data, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def certificate(name, issuer, subject, names=None):
    openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", f"{name}.key")
    if not issuer:
        openssl("req", "-x509", "-new", "-key", f"{name}.key", "-subj", subject, "-days", "3650", "-out", f"{name}.pem",
                "-addext", "keyUsage=critical,digitalSignature,keyCertSign")
        return
    (FOLDER / f"{name}.ext").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n")
    openssl("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-CAcreateserial", "-days", "30",
            "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def client(name, begin_h, end_h):
    """The certificate that the cluster gives to kubelet of node-1, valid from and until so many hours from now, with its key in the same file."""
    dates = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 3600 * h)) for h in (begin_h, end_h)]
    (FOLDER / "index").write_text("")
    (FOLDER / "ca.conf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
                                    "[p]\norganizationName=supplied\ncommonName=supplied\n")
    openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", f"{name}.key")
    (FOLDER / f"{name}.ext").write_text("extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n")
    openssl("req", "-new", "-key", f"{name}.key", "-subj", "/O=system:nodes/CN=system:node:node-1", "-out", f"{name}.csr")
    openssl("ca", "-config", "ca.conf", "-batch", "-notext", "-in", f"{name}.csr", "-cert", "kube-ca.pem", "-keyfile", "kube-ca.key",
            "-startdate", dates[0], "-enddate", dates[1], "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    with open(FOLDER / f"{name}.pem", "a") as f:
        f.write((FOLDER / f"{name}.key").read_text())


class World:
    """What the stand-in writes its answers with."""

    @staticmethod
    def path(*parts):
        return str(FOLDER.joinpath(*parts))

    @staticmethod
    def write(path, text):
        file = FOLDER / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(file)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    root, secret = None, None

    def log_message(self, *args):
        pass

    def answer(self, status, body, declared=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(declared or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def mode(self):
        file = self.root / "mode"
        return file.read_text() if file.exists() else ""

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.mode().startswith("deaf"):
            self.rfile.read(1)
            self.close_connection = True
            return
        with open(FOLDER / "reports", "ab") as f:
            f.write(body + b"\n")
        if self.mode() == "":
            self.send_response(204)
            self.end_headers()
            return
        self.send_response(200)  # without a length, and with more than the client would keep
        self.end_headers()
        self.wfile.write(b"thank you " * 1000)

    def do_GET(self):  # noqa: N802
        file, mode = self.root / self.path.split("?")[0].lstrip("/"), self.mode()
        if mode == "silent":
            self.rfile.read(1)
            self.close_connection = True
        elif self.secret and "kube-public" not in self.path and self.headers.get("Authorization") != f"Bearer {self.secret}":
            self.answer(401, (self.root / "401.json").read_bytes())
        elif mode == "ready" and "/nodes/" in self.path:
            self.answer(200, standin.ready_node(file.name).encode())
        elif mode.endswith("status") or not file.is_file():
            self.answer(404, standin.status(404, "NotFound", "not found").encode())
        elif mode == "short":
            self.close_connection = True
            self.answer(200, file.read_bytes()[:100], declared=len(file.read_bytes()))
        else:
            self.answer(200, file.read_bytes())


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *args):
        """The loser of a race is closed in the middle of its handshake."""


def serve(name, root, secret=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / f"{name}.pem", FOLDER / f"{name}.key")
    handler = type(name, (Handler,), {"root": FOLDER / root, "secret": secret})
    server = Server(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def main():
    certificate("ca", None, "/CN=site")
    certificate("leaf", "ca", "/CN=config.lab", "DNS:config.lab")
    certificate("kube-ca", None, "/CN=kubernetes")
    certificate("kube", "kube-ca", "/CN=kube-apiserver", "IP:10.100.0.1")
    key = openssl("x509", "-in", "kube-ca.pem", "-noout", "-pubkey")
    (FOLDER / "pin").write_text("sha256:" + hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", data=key)).hexdigest())
    authority = type("Authority", (), {"cert": str(FOLDER / "kube-ca.pem")})
    client("node", 0, 720)
    client("short", 0, 24)
    client("expired", -48, -24)
    client("late", 1, 720)
    standin.Standin(World, authority, None, None, name="api")
    os.makedirs(FOLDER / "config", exist_ok=True)
    sys.stdout.write(f"{serve('leaf', 'config')} {serve('kube', 'api', standin.TOKEN)}\n")
    sys.stdout.flush()
    sys.stdin.read()


main()
