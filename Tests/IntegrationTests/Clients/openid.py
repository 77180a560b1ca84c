"""An OpenID provider whose keys, documents and answers a scenario chooses, and which may lie, hang and die."""
import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

from upstreams import Authority, context, tool

DISCOVERY, KEYS, INTROSPECTION = "/.well-known/openid-configuration", "/keys", "/introspect"
# The digest of each algorithm, and the length of a coordinate on its curve.
DIGESTS = {"256": "sha256", "384": "sha384", "512": "sha512"}
CURVES = {"ES256": ("P-256", 32), "ES384": ("P-384", 48), "ES512": ("P-521", 66)}


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class SigningKey:
    """A private key of an algorithm, in a file; `openssl` signs with it."""

    def __init__(self, folder, name, algorithm="ES256"):
        self.name, self.algorithm = name, algorithm
        self.file = os.path.join(folder, f"signing-{base64url(name.encode())}.pem")
        if algorithm in CURVES:
            kind = ["EC", "-pkeyopt", f"ec_paramgen_curve:{CURVES[algorithm][0]}"]
        elif algorithm == "EdDSA":
            kind = ["ED25519"]
        else:
            kind = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
        tool("openssl", "genpkey", "-quiet", "-algorithm", *kind, "-out", self.file)

    def jwk(self, **members):
        """The public key (RFC 7517 §4)."""
        der = tool("openssl", "pkey", "-in", self.file, "-pubout", "-outform", "DER")
        if self.algorithm in CURVES:
            curve, size = CURVES[self.algorithm]
            key = {"kty": "EC", "crv": curve, "x": base64url(der[-2 * size:-size]), "y": base64url(der[-size:])}
        elif self.algorithm == "EdDSA":
            key = {"kty": "OKP", "crv": "Ed25519", "x": base64url(der[-32:])}
        else:
            modulus = tool("openssl", "rsa", "-in", self.file, "-noout", "-modulus").strip().split(b"=")[1]
            key = {"kty": "RSA", "n": base64url(bytes.fromhex(modulus.decode())), "e": "AQAB"}
        return {**key, "kid": self.name, "use": "sig", "alg": self.algorithm, **members}

    def pem(self):
        return tool("openssl", "pkey", "-in", self.file, "-pubout")

    def sign(self, octets, algorithm=None):
        """A signature as JWS has it (RFC 7518 §3)."""
        algorithm = algorithm or self.algorithm
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(self.file)) as file:
            file.write(octets)
            file.flush()
            if algorithm == "EdDSA":
                return tool("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.file, "-in", file.name)
            digest = DIGESTS[algorithm[2:]]
            options = []
            if algorithm.startswith("PS"):
                options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
            signature = tool("openssl", "dgst", f"-{digest}", *options, "-sign", self.file, file.name)
        return raw(signature, CURVES[algorithm][1]) if algorithm in CURVES else signature


def raw(der, size):
    """`r || s` of an ECDSA signature in DER."""
    place = 3 if der[1] & 0x80 else 2
    halves = []
    for _ in range(2):
        length = der[place + 1]
        halves.append(int.from_bytes(der[place + 2:place + 2 + length], "big").to_bytes(size, "big"))
        place += 2 + length
    return b"".join(halves)


class OpenIDProvider:
    """Listens on localhost with a certificate of its own authority, `ca`.

    `keys` are published, and `withheld` sign only. `modes[path]` changes the answers of a path: "hang", "refuse" (the
    connection is closed), "wrong issuer", "redirect", "huge", "endless", "slow", "cut", "garbage", or an HTTP status.
    `documents[path]` takes the place of an answer. `tokens` are those that the introspection knows; `counts` are the
    requests by path."""

    client_id, client_secret = "gatepost", "introspection secret: %41+"

    def __init__(self, algorithm="ES256", path=""):
        self.folder = tempfile.mkdtemp(prefix="openid-")
        authority = Authority(self.folder)
        self.ca = authority.trusted
        self.keys, self.withheld = [], []
        self.modes, self.documents, self.tokens = {}, {}, {}
        self.cache_control = None
        self.counts = collections.Counter()
        self.requests = []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        self.tls = context(authority.make("openid", "DNS:localhost,IP:127.0.0.1"))
        self.port = self.server.server_address[1]
        self.path = path
        self.issuer = f"https://localhost:{self.port}{path}"
        self.discovery_url, self.keys_url = self.issuer + DISCOVERY, self.issuer + KEYS
        self.introspection_url = self.issuer + INTROSPECTION
        self.rotate(algorithm)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    # Keys and tokens

    def new_key(self, algorithm="ES256", name=None):
        """A key that is not published."""
        key = SigningKey(self.folder, name or f"key-{time.monotonic_ns()}", algorithm)
        self.withheld.append(key)
        return key

    def rotate(self, algorithm="ES256", keep=0, name=None):
        """Publishes a new key, and keeps the last `keep` ones."""
        key = SigningKey(self.folder, name or f"key-{time.monotonic_ns()}", algorithm)
        with self.lock:
            self.keys = (self.keys[-keep:] if keep else []) + [key]
        return key

    def claims(self, login="anna@kanzlei.example", **changes):
        """The claims of an access token for five minutes; `name=None` removes one."""
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": "id-" + hashlib.sha256(login.encode()).hexdigest()[:16], "aud": "mail", "iat": now,
            "exp": now + 300, "preferred_username": login, "email": login, "email_verified": True, "scope": "openid imap smtp",
        }
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def mint(self, login="anna@kanzlei.example", key=None, header=None, payload=None, signature=None, **changes):
        """A token. `header` adds to the header, and text or octets in its or the payload's place are taken as they are;
        `signature` replaces the signature; `key` is another one than the newest."""
        key = key or self.keys[-1]
        if not isinstance(header, (str, bytes)):
            header = {"alg": key.algorithm, "kid": key.name, "typ": "at+jwt", **(header or {})}
            header = {name: value for name, value in header.items() if value is not None}
        if payload is None:
            payload = self.claims(login, **changes)
        signed = ".".join(base64url(encoded(part)) for part in (header, payload))
        if signature is None:
            signature = key.sign(signed.encode())
        return f"{signed}.{base64url(signature)}"

    def mint_hmac(self, secret, algorithm="HS256", key=None, **changes):
        """A token whose "signature" is an HMAC, such as with the public key."""
        token = self.mint(key=key, header={"alg": algorithm}, signature=b"", **changes)
        code = hmac.new(secret, token.rstrip(".").encode(), DIGESTS[algorithm[2:]]).digest()
        return token + base64url(code)

    def mint_opaque(self, login="anna@kanzlei.example", **changes):
        """A token that means something to the introspection only."""
        token = base64url(os.urandom(24))
        self.tokens[token] = {"active": True, "token_type": "Bearer", "username": login, **self.claims(login, **changes)}
        return token

    def revoke(self, token):
        self.tokens[token] = {"active": False}

    # Answers

    def answer(self, path, method, headers, body):
        """The status and the document for a request."""
        if path in self.documents:
            return 200, self.documents[path]
        if path == DISCOVERY:
            issuer = "https://evil.example" if self.modes.get(path) == "wrong issuer" else self.issuer
            return 200, {"issuer": issuer, "jwks_uri": self.keys_url, "introspection_endpoint": self.introspection_url}
        if path == KEYS:
            with self.lock:
                return 200, {"keys": [key.jwk() for key in self.keys]}
        if path == INTROSPECTION and method == "POST":
            return self.introspect(headers, body)
        return 404, {"error": "not_found"}

    def introspect(self, headers, body):
        """RFC 7662 §2, with the client authentication of RFC 6749 §2.3.1."""
        scheme, _, credentials = headers.get("Authorization", "").partition(" ")
        pair = base64.b64decode(credentials or "").decode().split(":")
        if scheme != "Basic" or [urllib.parse.unquote_plus(word) for word in pair] != [self.client_id, self.client_secret]:
            return 401, {"error": "invalid_client"}
        tokens = urllib.parse.parse_qs(body.decode(), strict_parsing=True).get("token", [])
        if len(tokens) != 1:
            return 400, {"error": "invalid_request"}
        return 200, self.tokens.get(tokens[0], {"active": False})

    def requested(self, path):
        with self.lock:
            return self.counts[path]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends all answers; later connections are refused."""
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)


def encoded(part):
    if isinstance(part, bytes):
        return part
    return (part if isinstance(part, str) else json.dumps(part)).encode()


def handler(provider):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def setup(self):
            # In the thread of the connection: a client without a handshake holds up nobody.
            self.request.settimeout(30)
            self.request = provider.tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self):
            try:
                super().finish()
            finally:
                self.request.close()

        def log_message(self, *_):
            pass

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path[len(provider.path):] if self.path.startswith(provider.path) else self.path
            with provider.lock:
                provider.counts[path] += 1
                provider.requests.append((self.command, path, dict(self.headers), body))
            try:
                self.reply(path, body, provider.modes.get(path))
            except (OSError, ssl.SSLError):
                self.close_connection = True

        do_POST = do_GET

        def reply(self, path, body, mode):
            if mode == "hang":
                provider.ended.wait(300)
            if mode in ("hang", "refuse"):
                self.close_connection = True
                return
            status, document = provider.answer(path, self.command, self.headers, body)
            octets = encoded(document)
            if isinstance(mode, int):
                status = mode
            if mode == "garbage":
                octets = b"<html>" + os.urandom(200)
            if mode == "huge":
                octets = octets.rstrip(b"}") + b', "x": "' + b"x" * (8 << 20) + b'"}'
            self.send_response(302 if mode == "redirect" else status)
            self.send_header("Content-Type", "application/json")
            if mode == "redirect":
                self.send_header("Location", f"https://localhost:{provider.port}/elsewhere{path}")
            if provider.cache_control:
                self.send_header("Cache-Control", provider.cache_control)
            if mode == "endless":
                self.close_connection = True
                self.end_headers()
                while not provider.ended.is_set():
                    self.wfile.write(b" " * 65536)
                return
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            if mode == "cut":
                octets = octets[:len(octets) // 2]
                self.close_connection = True
            if mode != "slow":
                self.wfile.write(octets)
                return
            for octet in octets:
                self.wfile.write(bytes([octet]))
                if provider.ended.wait(1):
                    return

    return Handler
