"""Mail servers that do not behave, for scenarios: each connection is a thread that runs a script."""
import os
import re
import socket
import ssl
import subprocess
import threading


def tool(*words, cwd=None):
    done = subprocess.run(words, capture_output=True, cwd=cwd)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


class Authority:
    """Certificates of all kinds, by an authority that is trusted and one that is not."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("good", "other"):
            tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                 "-subj", f"/CN={name} authority", "-keyout", self.path(f"{name}-ca.key"), "-out", self.path(f"{name}-ca.pem"),
                 "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        self.trusted = self.path("good-ca.pem")

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, names, subject="/CN=server", by="good", dates=("20260101000000Z", "20990101000000Z"), key=None,
             digest="sha256"):
        """A certificate and its key; without an authority it is its own."""
        key = key or ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        pem, private, request = (self.path(f"{name}.{kind}") for kind in ("pem", "key", "csr"))
        tool("openssl", "req", "-new", "-newkey", *key, "-nodes", "-subj", subject, "-keyout", private, "-out", request)
        with open(self.path("ext"), "w") as file:
            file.write("basicConstraints=CA:FALSE\n" + (f"subjectAltName={names}\n" if names else ""))
        for file in ("index.txt", "index.txt.attr"):
            open(self.path(file), "w").close()
        issuer = ["-selfsign", "-keyfile", private] if by is None else ["-cert", self.path(f"{by}-ca.pem"), "-keyfile", self.path(f"{by}-ca.key")]
        with open(self.path("ca.conf"), "w") as file:
            file.write(f"[ca]\ndefault_ca=x\n[x]\ndatabase={self.path('index.txt')}\nnew_certs_dir={self.folder}\npolicy=p\n"
                       f"rand_serial=yes\nunique_subject=no\n[p]\ncommonName=optional\n")
        tool("openssl", "ca", "-batch", "-notext", "-config", self.path("ca.conf"), *issuer, "-in", request, "-out", pem, "-md", digest,
             "-startdate", dates[0], "-enddate", dates[1], "-extfile", self.path("ext"))
        return pem, private


def context(certificate, lowest=None, ciphers=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(*certificate)
    if lowest:
        c.minimum_version = c.maximum_version = lowest
    if ciphers:
        c.set_ciphers(ciphers)
    return c


class Server:
    """Listens, and runs `script(connection)` for each client."""

    def __init__(self, script, tls=None, address="127.0.0.1"):
        self.script, self.tls = script, tls
        self.socket = socket.create_server((address, 0))
        self.port = self.socket.getsockname()[1]
        self.connections = []
        # Everything that was said to it, with what TLS was taken off.
        self.heard = b""
        self.names = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                raw, _ = self.socket.accept()
            except OSError:
                return
            connection = Connection(self, raw)
            self.connections.append(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def close(self):
        self.socket.close()
        for connection in self.connections:
            connection.close()


class Connection:
    def __init__(self, server, raw):
        self.server, self.raw, self.buffer = server, raw, b""
        self.raw.settimeout(60)

    def run(self):
        try:
            if self.server.tls:
                self.start_tls()
            self.server.script(self)
        except (OSError, EOFError, ssl.SSLError, ValueError):
            pass
        finally:
            self.close()

    def close(self):
        try:
            self.raw.close()
        except OSError:
            pass

    def start_tls(self, context=None):
        context = context or self.server.tls
        context.sni_callback = lambda _, name, __: self.server.names.append(name)
        self.raw = context.wrap_socket(self.raw, server_side=True)

    def send(self, octets):
        self.raw.sendall(octets if isinstance(octets, bytes) else octets.encode())

    def line(self):
        while b"\n" not in self.buffer:
            octets = self.raw.recv(65536)
            if not octets:
                raise EOFError
            self.server.heard += octets
            self.buffer += octets
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r")


def imap(special=None, capabilities="IMAP4rev1 UIDPLUS SASL-IR LITERAL+ IDLE MOVE"):
    """A script of an IMAP server with an INBOX of a message; `special[VERB](connection, tag, line)` says something else."""
    special = special or {}

    def script(c):
        c.send(f"* OK [CAPABILITY {capabilities}] ready\r\n")
        session(c)

    def session(c):
        while True:
            line = c.line()
            tag, verb, *rest = line.split(b" ", 2)
            verb = verb.upper().decode()
            if verb == "UID":
                verb = "UID " + rest[0].split(b" ")[0].upper().decode()
            if verb in special:
                special[verb](c, tag, line)
                continue
            answer(c, tag, verb, line)

    def answer(c, tag, verb, line):
        if verb == "CAPABILITY":
            c.send(f"* CAPABILITY {capabilities}\r\n")
        elif verb == "NAMESPACE":
            c.send('* NAMESPACE (("" "/")) NIL NIL\r\n')
        elif verb == "LIST":
            c.send('* LIST (\\Noselect) "/" ""\r\n' if line.endswith(b'""') else '* LIST () "/" INBOX\r\n')
        elif verb in ("SELECT", "EXAMINE"):
            c.send("* FLAGS (\\Seen \\Deleted)\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 2] x\r\n")
        elif verb == "LOGOUT":
            c.send(b"* BYE x\r\n" + tag + b" OK x\r\n")
            raise EOFError
        elif m := re.search(rb"\{(\d+)\+?\}$", line):
            raise AssertionError(line)
        c.send(tag + b" OK x\r\n")

    script.session = session
    return script
