"""An EST server (RFC 7030) that is not niac's: Python's ssl and http.server, and `openssl ca` for the authority.

    python3 est_server.py DIRECTORY --user NAME --code CODE [--label LABEL] [--life SECONDS] [--reuse] [--names SUBJECTALTNAME]

Makes an authority in DIRECTORY (root.pem, issuing.pem) unless it is there, listens on a free loopback port, and prints one line of JSON a
happening: {"port": ...} first, then {"asked": path, "status": ...} for every request. Reads one line of JSON an order:
{"fault": NAME or null} changes how the next requests are answered, {"wait": N} answers the next N enrolments 202, {"revoke": FILE} revokes.
Ends when its standard input ends.
"""

import argparse
import base64
import json
import os
import ssl
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPENSSL = "/usr/bin/openssl"
MAX_BODY = 65536
CONFIG = """
[ca]
default_ca = issuing
[issuing]
database = {dir}/index.txt
new_certs_dir = {dir}
certificate = {dir}/issuing.pem
private_key = {dir}/issuing.key
rand_serial = yes
unique_subject = no
default_md = sha256
default_crl_days = 30
policy = anything
copy_extensions = copy
x509_extensions = leaf
[anything]
commonName = optional
organizationName = optional
organizationalUnitName = optional
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth,serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = {names}
[req]
distinguished_name = empty
[empty]
"""

lock = threading.Lock()
state = {"fault": None, "wait": 0}


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def openssl(*args, stdin=None):
    done = subprocess.run([OPENSSL, *args], input=stdin, capture_output=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.decode(errors="replace"))
    return done.stdout


class Authority:
    def __init__(self, directory, life, names):
        self.dir = directory
        self.names_of_server = names
        self.life = life
        self.config = self.path("ca.cnf")
        if not os.path.exists(self.path("issuing.pem")):
            self.make()

    def path(self, name):
        return os.path.join(self.dir, name)

    def make(self):
        with open(self.config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(dir=self.dir, names=self.names_of_server))
        open(self.path("index.txt"), "w").close()
        self.key("root")
        openssl("req", "-x509", "-config", self.config, "-extensions", "authority", "-key", self.path("root.key"),
                "-subj", "/CN=Site Root", "-days", "3650", "-out", self.path("root.pem"))
        self.signed("issuing", "/CN=Site Issuing", "authority", "root")
        self.signed("server", "/CN=ca.plant.example", "server", "issuing")

    def key(self, name):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.path(name + ".key"))

    def signed(self, name, subject, extensions, by):
        self.key(name)
        request = openssl("req", "-new", "-config", self.config, "-key", self.path(name + ".key"), "-subj", subject)
        openssl("x509", "-req", "-extfile", self.config, "-extensions", extensions, "-days", "3000",
                "-CA", self.path(by + ".pem"), "-CAkey", self.path(by + ".key"), "-CAcreateserial",
                "-out", self.path(name + ".pem"), stdin=request)
        with open(self.path(name + ".pem"), "ab") as file, open(self.path(by + ".pem"), "rb") as above:
            if name == "server":
                file.write(above.read())

    def issue(self, der, fault):
        with lock:
            request = openssl("req", "-inform", "DER", "-verify", stdin=der)
            if fault in ("other-key", "names"):
                extra = ["-subj", "/CN=somebody-else"] if fault == "names" else []
                if fault == "other-key":
                    subject = openssl("req", "-noout", "-subject", "-nameopt", "compat", stdin=request).decode()
                    self.key("other")
                    extra = ["-subj", subject.split("=", 1)[1].strip()]
                    request = openssl("req", "-new", "-config", self.config, "-key", self.path("other.key"), *extra)
                    extra = []
            else:
                extra = []
            now = datetime.now(timezone.utc) - timedelta(seconds=2)
            past = timedelta(days=2) if fault == "expired" else timedelta()
            stamp = "%Y%m%d%H%M%SZ"
            openssl("ca", "-batch", "-notext", "-config", self.config, "-in", "/dev/stdin", *extra,
                    "-startdate", (now - past).strftime(stamp),
                    "-enddate", (now - past + timedelta(seconds=self.life)).strftime(stamp),
                    "-out", self.path("last.pem"), stdin=request)
            if fault == "stranger":
                self.strange(request)
            return openssl("crl2pkcs7", "-nocrl", "-certfile", self.path("last.pem"), "-outform", "DER")

    def strange(self, request):
        self.key("stranger")
        openssl("req", "-x509", "-config", self.config, "-extensions", "authority", "-key", self.path("stranger.key"),
                "-subj", "/CN=Site Issuing", "-out", self.path("stranger.pem"))
        openssl("x509", "-req", "-copy_extensions", "copy", "-CA", self.path("stranger.pem"), "-CAkey",
                self.path("stranger.key"), "-CAcreateserial", "-out", self.path("last.pem"), stdin=request)

    def cacerts(self):
        return openssl("crl2pkcs7", "-nocrl", "-certfile", self.path("issuing.pem"), "-certfile",
                       self.path("root.pem"), "-outform", "DER")

    def revoke(self, pem):
        with lock:
            openssl("ca", "-config", self.config, "-revoke", pem)

    def names(self, kind, given):
        """Subject and alternative names in text, to be compared."""
        text = openssl(kind, "-noout", "-subject", "-nameopt", "RFC2253", stdin=given).decode().strip()
        whole = openssl(kind, "-noout", "-text", stdin=given).decode().splitlines()
        found = [whole[at + 1].strip() for at, line in enumerate(whole) if "Subject Alternative Name" in line]
        return text, found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *args):
        pass

    def setup(self):
        self.request.do_handshake()
        super().setup()

    def answer(self, status, body=b"", kind="text/plain", **headers):
        say(asked=self.path, status=status)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def certificates(self, der, fault):
        body = base64.encodebytes(der)
        kind = "application/pkcs7-mime; smime-type=certs-only"
        if fault == "type":
            return self.answer(200, b"<html>not what you asked for</html>", "text/html")
        if fault == "garbage":
            return self.answer(200, b"%%%% no base64 %%%%", kind)
        if fault == "truncated":
            return self.answer(200, base64.encodebytes(der[:-9]), kind)
        if fault in ("chunked", "huge", "slow"):
            say(asked=self.path, status=200)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if fault == "slow":
                while state["fault"] == "slow":
                    self.chunk(b"A")
                    time.sleep(0.2)
            while fault == "huge":
                self.chunk(b"A" * 65536)
            for at in range(0, len(body), 100):
                self.chunk(body[at : at + 100])
            return self.chunk(b"")
        return self.answer(200, body, kind, Content_Transfer_Encoding="base64")

    def chunk(self, part):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    def operation(self):
        """The operation asked for, or None where the path is not ours."""
        parts = self.path.split("/")[1:]
        label = self.server.label
        want = [".well-known", "est"] + ([label] if label else [])
        return parts[-1] if parts[:-1] == want else None

    def broken(self, fault):
        if fault == "500":
            self.answer(500, b"the database \x1b[31mis\x07 away\r\n" + b"x" * 5000)
        elif fault == "busy":
            self.answer(503, b"later", Retry_After="1")
        elif fault == "redirect":
            self.answer(302, b"", Location="https://127.0.0.1:1/.well-known/est/cacerts")
        elif fault == "drop":
            say(asked=self.path, status=0)
            self.close_connection = True
            self.connection.close()
        else:
            return False
        return True

    def do_GET(self):
        fault = state["fault"]
        operation = self.operation()
        if self.broken(fault):
            return None
        if operation == "cacerts":
            return self.certificates(self.server.authority.cacerts(), fault if fault in ("garbage", "slow") else None)
        if operation == "csrattrs":
            return self.answer(200, b"MAkGBysGAQEBARY=\n", "application/csrattrs")
        return self.answer(404, b"there is nothing here")

    def do_POST(self):
        fault = state["fault"]
        length = int(self.headers.get("Content-Length", "0"))
        if length > MAX_BODY:
            return self.answer(413, b"too large")
        body = self.rfile.read(length)
        operation = self.operation()
        if self.broken(fault):
            return None
        if operation not in ("simpleenroll", "simplereenroll"):
            return self.answer(404, b"there is nothing here")
        if self.headers.get("Content-Type") != "application/pkcs10":
            return self.answer(415, b"a request is application/pkcs10")
        certificate = self.connection.getpeercert(binary_form=True)
        if certificate is None and (operation == "simplereenroll" or not self.known()):
            return self.answer(401, b"who are you?", WWW_Authenticate='Basic realm="est"')
        try:
            der = base64.b64decode(body, validate=False)
            if operation == "simplereenroll" and not self.same(der, certificate):
                return self.answer(403, b"the names differ from those of the certificate")
            if operation == "simpleenroll" and state["wait"] > 0:
                state["wait"] -= 1
                return self.answer(202, b"not approved yet", Retry_After="1")
            return self.certificates(self.server.authority.issue(der, fault), fault)
        except ValueError as error:
            return self.answer(400, str(error).encode()[:500])

    def known(self):
        """A user name with its code; used up, unless the server was told otherwise."""
        given = self.headers.get("Authorization", "")
        right = base64.b64encode(f"{self.server.user}:{self.server.code}".encode()).decode()
        with lock:
            good = given == f"Basic {right}" and not self.server.used
            self.server.used = self.server.used or (good and not self.server.reuse)
        return good

    def same(self, request, certificate):
        authority = self.server.authority
        pem = openssl("req", "-inform", "DER", stdin=request)
        return authority.names("req", pem) == authority.names("x509", ssl.DER_cert_to_PEM_cert(certificate).encode())


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, options):
        super().__init__(("127.0.0.1", options.port), Handler)
        self.authority = Authority(options.directory, options.life, options.names)
        self.user, self.code, self.label = options.user, options.code, options.label
        self.reuse, self.used = options.reuse, False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.path("server.pem"), self.authority.path("server.key"))
        context.load_verify_locations(self.authority.path("root.pem"))
        context.load_verify_locations(self.authority.path("issuing.pem"))
        context.verify_mode = ssl.CERT_OPTIONAL
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        say(error=repr(sys.exc_info()[1]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--user", required=True)
    parser.add_argument("--code", required=True)
    parser.add_argument("--label")
    parser.add_argument("--life", type=float, default=86400)
    parser.add_argument("--names", default="DNS:localhost,DNS:ca.plant.example,IP:127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--reuse", action="store_true")
    server = Server(parser.parse_args())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say(port=server.server_address[1])
    for line in sys.stdin:
        order = json.loads(line)
        if "revoke" in order:
            server.authority.revoke(order["revoke"])
        else:
            state.update(order)
        say(done=order)


main()
