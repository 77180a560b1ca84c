"""Logins with access tokens of an OpenID provider, for mail and for sending. Each function is one scenario; the first argument
names it."""
import base64
import contextlib
import json
import os
import smtplib
import ssl
import subprocess
import tempfile
import time

from gateway import Gateway, free_port
from hanging import delays_no_password_login
from openid import DISCOVERY, KEYS, OpenIDProvider
from scenarios import BOB, CLARA, run_scenario
from terminal import Terminal
from wire import Wire

REFUSED = b"NO [AUTHENTICATIONFAILED] Login failed"


def oauthbearer(user, token):
    return base64.b64encode(f"n,a={user},\1host=localhost\1port=993\1auth=Bearer {token}\1\1".encode()).decode()


def xoauth2(user, token):
    return base64.b64encode(f"user={user}\1auth=Bearer {token}\1\1".encode()).decode()


class Office:
    """Clara and Bob log in with tokens; sources and the issuer's settings may be changed."""

    def __init__(self, stack, sources="[oauth]", issuer="", provider=None):
        self.provider = provider or stack.enter_context(OpenIDProvider())
        self.submissions = free_port()
        self.gateway = stack.enter_context(Gateway(GATEPOST_LISTEN_SUBMISSIONS=f"127.0.0.1:{self.submissions}"))
        self.ca = os.path.join(self.gateway.folder, "certs/ca.pem")
        line = f"{self.provider.issuer} audience=mail claim=email scope=imap algorithms=ES256,RS256 caFile={self.provider.ca} {issuer}"
        if "client=" in issuer:
            line = line.replace("algorithms=ES256,RS256 ", "")
        self.gateway.authenticate_with(f'sources: {sources}\nissuers: ["{line}"]')
        self.gateway.start()

    def wire(self):
        return Wire(self.gateway.port, self.ca)

    def begin(self, token, user=CLARA, message=oauthbearer, mechanism="OAUTHBEARER"):
        """A connection that has sent a token."""
        w = self.wire()
        w.send(f"x AUTHENTICATE {mechanism} {message(user, token)}\r\n".encode())
        return w

    def login(self, token, **options):
        return self.end(self.begin(token, **options))

    @staticmethod
    def end(w):
        """The last line of the answer without its tag, the challenge, and the connection."""
        line, challenge = w.line(), None
        if line.startswith(b"+ "):
            challenge = json.loads(base64.b64decode(line[2:]))
            w.send(b"AQ==\r\n")
            line = w.line()
        while not line.startswith(b"x "):
            line = w.line()
        return line.partition(b" ")[2], challenge, w

    def accepts(self, token, **options):
        return self.login(token, **options)[0].startswith(b"OK")


def tokens_open_mail_with_both_mechanisms():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        capabilities = b" ".join(office.wire().command("CAPABILITY")).split()
        assert {b"AUTH=OAUTHBEARER", b"AUTH=XOAUTH2", b"LOGINDISABLED"} <= set(capabilities), capabilities
        assert b"AUTH=PLAIN" not in capabilities
        assert office.wire().answer(f"LOGIN {CLARA} pw-clara").startswith("NO [CANNOT]")
        token = office.provider.mint(CLARA)
        for message, mechanism in ((oauthbearer, "OAUTHBEARER"), (xoauth2, "XOAUTH2")):
            answer, _, w = office.login(token, message=message, mechanism=mechanism)
            assert answer.startswith(b"OK"), (answer, office.gateway.log())
            assert any(b"EXISTS" in line for line in w.command("SELECT INBOX"))
            # Without an initial response, the server asks for it.
            w = office.wire()
            w.send(f"x AUTHENTICATE {mechanism.lower()}\r\n".encode())
            assert w.line() == b"+ "
            w.send(message(CLARA, token).encode() + b"\r\n")
            assert w.until(b"x")[-1].startswith(b"x OK")
        assert office.provider.requested(KEYS) == 1
        records = office.gateway.run("audit", "list")
        assert CLARA in records and token not in records and token not in office.gateway.log()


def a_refused_token_is_answered_with_the_reason_and_counted():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        answer, challenge, _ = office.login(office.provider.mint(CLARA, aud="other"))
        assert answer == REFUSED and challenge == {
            "status": "invalid_token", "scope": "imap", "openid-configuration": office.provider.issuer + DISCOVERY}, challenge
        _, challenge, _ = office.login("x", message=xoauth2, mechanism="XOAUTH2")
        assert challenge == {"status": "401", "schemes": "bearer", "scope": "imap"}, challenge
        # A user that the client does not name, and no token.
        for message in (b"n,,\1auth=Bearer x\1\1", b"n,a=" + CLARA.encode() + b",\1auth=\1\1"):
            w = office.wire()
            w.send(b"x AUTHENTICATE OAUTHBEARER " + base64.b64encode(message) + b"\r\n")
            assert b"invalid_token" in base64.b64decode(w.line()[2:])
            w.send(b"*\r\n")
            assert w.line() == b"x " + REFUSED
        # Malformed messages.
        for message in (b"", b"n,a=x", b"p=tls-unique,a=x,\1auth=Bearer x\1\1", b"n,a=x,\1auth=Bearer x\1auth=Bearer y\1\1",
                        b"n,a=x,\1auth=Basic x\1\1", b"n,a==2Cx=,\1auth=Bearer x\1\1", b"n,a=x,\1auth=Bearer x\1\1\1", b"\0" * 9):
            w = office.wire()
            w.send(b"x AUTHENTICATE OAUTHBEARER " + (base64.b64encode(message) or b"=") + b"\r\n")
            assert w.line().startswith(b"x BAD"), message
        # Three failures end the connection, each after its challenge.
        w = office.wire()
        for _ in range(3):
            w.send(f"x AUTHENTICATE XOAUTH2 {xoauth2(CLARA, 'wrong')}\r\n".encode())
            assert w.line().startswith(b"+ ")
            w.send(b"\r\n")
            assert w.line() == b"x " + REFUSED
        assert w.line().startswith(b"* BYE")
        assert "for another audience" in office.gateway.run("audit", "list")


def only_the_right_token_of_the_right_user_is_accepted():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        p = office.provider
        other = stack.enter_context(OpenIDProvider())
        now = int(time.time())
        public = p.keys[-1].pem()
        attacks = {
            "another user": p.mint(BOB),
            "alg none": p.mint(CLARA, header={"alg": "none"}, signature=b""),
            "alg NONE": p.mint(CLARA, header={"alg": "nOnE"}, signature=b""),
            "hmac with the public key": p.mint_hmac(public, login=CLARA),
            "key elsewhere": p.mint(CLARA, key=other.keys[-1], header={"kid": other.keys_url, "jku": other.keys_url,
                                                                       "jwk": other.keys[-1].jwk()}),
            "path in kid": p.mint(CLARA, header={"kid": "../../../dev/null"}, signature=b""),
            "wrong audience": p.mint(CLARA, aud=["a", "b"]),
            "another issuer": other.mint(CLARA),
            "another issuer's key": p.mint(CLARA, key=other.keys[-1]),
            "another issuer's name": p.mint(CLARA, iss=other.issuer),
            "expired": p.mint(CLARA, exp=now - 120),
            "not yet": p.mint(CLARA, nbf=now + 600),
            "no end": p.mint(CLARA, exp=None),
            "text as time": p.mint(CLARA, exp=str(now + 600)),
            "no scope": p.mint(CLARA, scope="openid smtp"),
            "unverified e-mail": p.mint(CLARA, email_verified=False),
            "no word about the e-mail": p.mint(CLARA, email_verified=None),
            "claim twice": p.mint(payload=json.dumps(p.claims(BOB))[:-1] + f', "email": "{CLARA}"}}'),
            "signature cut": p.mint(CLARA)[:-2],
            "login in Cyrillic": p.mint("сlara@kanzlei.example"),
            "login with a point": p.mint(CLARA + "."),
            "login with a space": p.mint(CLARA + " "),
        }
        for name, w in [(name, office.begin(token)) for name, token in attacks.items()]:
            w.raw.settimeout(120)
            answer, challenge, _ = office.end(w)
            assert answer == REFUSED and challenge["status"] == "invalid_token", (name, answer)
        assert other.requests == [], other.requests
        # Case does not matter to a login, neither here nor there.
        assert office.accepts(p.mint(CLARA.upper()))
        assert office.accepts(p.mint(CLARA), user=CLARA.title())
        # A user who is disabled here, and one who is none.
        office.gateway.run("user", "disable", BOB)
        deadline = time.monotonic() + 5
        # A session that was about to open ends without an answer.
        with contextlib.suppress(EOFError):
            while office.accepts(p.mint(BOB), user=BOB):
                assert time.monotonic() < deadline
        time.sleep(1)
        assert office.login(p.mint(BOB), user=BOB)[0] == REFUSED
        answer, _, _ = office.login(p.mint("nobody@kanzlei.example"), user="nobody@kanzlei.example")
        assert answer == REFUSED


def a_session_ends_when_its_token_expires():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        answer, _, w = office.login(office.provider.mint(CLARA, exp=int(time.time()) + 4))
        assert answer.startswith(b"OK"), answer
        other, _, lasting = office.login(office.provider.mint(CLARA))
        assert other.startswith(b"OK")
        w.send(b"i IDLE\r\n")
        start = time.monotonic()
        while not (line := w.line()).startswith(b"* BYE"):
            pass
        assert line == b"* BYE The password or token of this session is not valid now: log in again", line
        assert 1 < time.monotonic() - start < 8
        assert lasting.answer("NOOP").startswith("OK")


def keys_are_rotated_and_an_issuer_that_fails_is_no_wrong_token():
    with contextlib.ExitStack() as stack:
        office = Office(stack, sources="[gateway, oauth]")
        p = office.provider
        assert office.accepts(p.mint(CLARA))
        old = p.keys[-1]
        # Keys that were fetched a moment ago are not fetched again.
        time.sleep(11)
        p.rotate()
        assert office.accepts(p.mint(CLARA))
        # The old key is not the issuer's any more.
        answer, challenge, _ = office.login(p.mint(CLARA, key=old))
        assert answer == REFUSED and challenge, answer
        # Unknown keys make no flood of requests.
        before = p.requested(KEYS)
        for number in range(5):
            assert not office.accepts(p.mint(CLARA, header={"kid": f"unknown-{number}"}))
        assert p.requested(KEYS) - before <= 1
    with contextlib.ExitStack() as stack:
        office = Office(stack, sources="[gateway, oauth]")
        p = office.provider
        p.modes[DISCOVERY] = "hang"
        # Logins with a password do not wait for the issuer.
        wires = delays_no_password_login(office.gateway, "issuer", lambda _: office.begin(p.mint(CLARA)))
        for w in wires:
            w.raw.settimeout(90)
            line = w.until(b"x")[-1]
            assert b"[UNAVAILABLE]" in line, line
        p.modes.clear()
        time.sleep(12)
        assert office.accepts(p.mint(CLARA))


def opaque_tokens_are_introspected():
    with contextlib.ExitStack() as stack:
        provider = stack.enter_context(OpenIDProvider())
        with tempfile.NamedTemporaryFile("w", delete=False) as file:
            file.write(provider.client_secret)
        os.chmod(file.name, 0o600)
        stack.callback(os.unlink, file.name)
        office = Office(stack, provider=provider, issuer=f"client={provider.client_id} secretFile={file.name}")
        token = provider.mint_opaque(CLARA)
        assert office.accepts(token)
        assert not office.accepts(token, user=BOB)
        assert not office.accepts(provider.mint_opaque(CLARA, aud="other"))
        assert not office.accepts("nosuchtoken")
        revoked = provider.mint_opaque(CLARA)
        provider.revoke(revoked)
        assert not office.accepts(revoked)


def tokens_allow_sending_and_real_programs_use_them():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        token = office.provider.mint(CLARA)
        tls = ssl.create_default_context(cafile=office.ca)
        for mechanism, message in (("XOAUTH2", xoauth2), ("OAUTHBEARER", oauthbearer)):
            with smtplib.SMTP_SSL("localhost", office.submissions, context=tls) as smtp:
                smtp.ehlo()
                assert smtp.esmtp_features["auth"].split() == ["OAUTHBEARER", "XOAUTH2"], smtp.esmtp_features
                assert smtp.docmd("AUTH", f"{mechanism} {message(CLARA, token)}")[0] == 235
            with smtplib.SMTP_SSL("localhost", office.submissions, context=tls) as smtp:
                smtp.ehlo()
                code, text = smtp.docmd("AUTH", f"{mechanism} {message(BOB, token)}")
                assert code == 334 and b"scope" in base64.b64decode(text)
                assert smtp.docmd("AQ==")[0] == 535
                assert smtp.docmd("AUTH", "PLAIN")[0] == 504
        for option in ("AUTH=OAUTHBEARER", "AUTH=XOAUTH2"):
            done = subprocess.run(
                ["curl", "-sS", "--cacert", office.ca, "--login-options", option, "--user", f"{CLARA}:", "--oauth2-bearer", token,
                 f"imaps://localhost:{office.gateway.port}/"], capture_output=True, text=True)
            assert done.returncode == 0 and "INBOX" in done.stdout, done
        # mutt asks a command for the token.
        folder = tempfile.mkdtemp()
        stack.callback(subprocess.run, ["rm", "-r", folder])
        with open(os.path.join(folder, "token"), "w") as file:
            file.write(f"#!/bin/sh\necho '{token}'\n")
        os.chmod(os.path.join(folder, "token"), 0o700)
        with open(os.path.join(folder, "muttrc"), "w") as file:
            file.write(f"set imap_user={CLARA}\nset imap_authenticators=oauthbearer\nset sleep_time=0\nset header_cache=''\n"
                       f"set imap_oauth_refresh_command={folder}/token\nset ssl_ca_certificates_file={office.ca}\n"
                       f"set certificate_file={office.ca}\nset folder=imaps://localhost:{office.gateway.port}/\n")
        t = Terminal("mutt", "-n", "-F", os.path.join(folder, "muttrc"), "-f", "=INBOX", HOME=folder)
        t.wait_for(f"{office.gateway.port}/INBOX")
        t.type("x")
        os.waitpid(t.pid, 0)


if __name__ == "__main__":
    import sys
    run_scenario(globals(), sys.argv[1])
