"""Mail servers that can little, or want more than others. Each function is one scenario; the first argument names it."""
import contextlib
import imaplib
import os
import random
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import time

from gateway import Gateway
from scenarios import CA, CLARA, owner, run_scenario
from transfers import FIRST, empty, fill, journal, settle, stored
from upstreams import Authority, Server, context, imap

socket.setdefaulttimeout(60)
LOGGED_IN = "IMAP4rev1 UIDPLUS SASL-IR LITERAL+ IDLE MOVE NAMESPACE UNSELECT"


@contextlib.contextmanager
def in_front_of(script):
    """A gateway with Clara's account at a server that runs a script."""
    folder = tempfile.mkdtemp(prefix="weak-")
    authority = Authority(folder)
    server = Server(script, context(authority.make("good", "DNS:localhost")))
    gateway = Gateway(grants=False)
    try:
        gateway.run("account", "set", CLARA, "--imap", f"localhost:{server.port}", "--ca", authority.trusted)
        yield gateway, server
    finally:
        server.close()
        gateway.remove()
        shutil.rmtree(folder)


def cautious(capabilities):
    """A provider that refuses mailboxes to a client that has not sent ID (RFC 2971)."""
    def script(c):
        known = []

        def identified(c, tag, line):
            known.append(line)
            c.send(b'* ID ("name" "provider")\r\n' + tag + b" OK ID completed\r\n")

        def opened(c, tag, line):
            if not known:
                return c.send(tag + b" NO " + line.split()[1] + b" Unsafe Login. Please contact us\r\n")
            c.send("* FLAGS (\\Seen \\Deleted)\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 2] x\r\n")
            c.send(tag + b" OK x\r\n")
        imap({"ID": identified, "SELECT": opened, "EXAMINE": opened}, capabilities)(c)
    return script


def a_provider_that_wants_to_know_the_client_is_told():
    """ID is sent after the login without a further round trip."""
    with in_front_of(cautious(LOGGED_IN + " ID")) as (gateway, server):
        assert "INBOX" in gateway.run("account", "test", CLARA)
        gateway.start()
        # At the second login the server is known, and SELECT follows ID at once.
        for number in range(2):
            w = gateway.wire()
            w.ok("SELECT INBOX")
            w.ok("LOGOUT")
        lines = [line for line in server.heard.split(b"\r\n") if b" ID (" in line]
        assert len(lines) == 3, lines
        assert all(line.endswith(b' ID ("name" "Gatepost" "vendor" "Gatepost")') for line in lines), lines


def account_test_opens_the_inbox():
    """An account whose login opens no mailbox fails its test."""
    with in_front_of(cautious(LOGGED_IN)) as (gateway, _):
        said = gateway.run("account", "test", CLARA, status=1)
        assert "accepted the credential, but refused to open INBOX: EXAMINE Unsafe Login. Please contact us" in said, said
        assert "refused to open INBOX" in gateway.run("doctor", status=1)
        # The owner sees the reason, and the log has it.
        gateway.start()
        w = gateway.wire()
        assert w.answer("SELECT INBOX") == "NO SELECT Unsafe Login. Please contact us"
        assert "text=SELECT Unsafe Login. Please contact us" in gateway.log(), gateway.log()

    def refused(c, tag, line):
        if line.endswith(b'""'):
            return c.send('* LIST (\\Noselect) "/" ""\r\n' + tag.decode() + " OK x\r\n")
        c.send(tag + b" NO Folders are being rebuilt\r\n")
    with in_front_of(imap({"LIST": refused})) as (gateway, _):
        said = gateway.run("account", "test", CLARA, status=1)
        assert "refused to list the folders: Folders are being rebuilt" in said, said


def what_was_learnt_of_a_server_goes_when_the_server_says_otherwise():
    """A server that has another delimiter and another prefix after a new set-up."""
    now = {"delimiter": "/", "prefix": ""}

    def namespace(c, tag, line):
        c.send('* NAMESPACE (("%(prefix)s" "%(delimiter)s")) NIL NIL\r\n' % now + tag.decode() + " OK x\r\n")

    def listed(c, tag, line):
        if line.endswith(b'""'):
            c.send('* LIST (\\Noselect) "%(delimiter)s" ""\r\n' % now)
        else:
            c.send('* LIST () "%(delimiter)s" INBOX\r\n* LIST () "%(delimiter)s" %(prefix)sAkten%(delimiter)s2026\r\n' % now)
        c.send(tag + b" OK x\r\n")

    def names(gateway):
        w = gateway.wire()
        lines = w.command('LIST "" "*"')
        w.ok("LOGOUT")
        assert lines[-1].split()[1] == b"OK" and b"Akten/2026" in b"".join(lines), lines
        return not any(line.startswith(b"* NO [UNAVAILABLE]") for line in lines)
    with in_front_of(imap({"NAMESPACE": namespace, "LIST": listed}, LOGGED_IN)) as (gateway, _):
        gateway.start()
        assert names(gateway)
        # The first LIST shows the folders known last and a notice; the next LIST is right.
        now.update(delimiter=".")
        assert not names(gateway) and names(gateway)
        # The test of the account reports it.
        now.update(prefix="INBOX.")
        assert "Akten/2026" in gateway.run("account", "test", CLARA)
        assert names(gateway)


# -- MOVE


def without(word):
    """A script that forwards everything to Clara's server and removes a capability."""
    def script(c):
        inner = socket.create_connection(("localhost", FIRST))
        inner = ssl.create_default_context(cafile=CA).wrap_socket(inner, server_hostname="localhost")

        def back():
            with contextlib.suppress(OSError):
                while octets := inner.recv(65536):
                    c.send(octets.replace(b" " + word, b""))
            c.close()
        threading.Thread(target=back, daemon=True).start()
        try:
            while octets := c.raw.recv(65536):
                inner.sendall(octets)
        finally:
            inner.close()
    return script


def a_move_inside_an_account_survives_the_gateways_death():
    """The server has no MOVE. Whenever the gateway dies, each message is in one of the two folders, once."""
    clara = owner(CLARA, FIRST)
    fill(clara, "Drinnen", 40, 4_000)
    clara.create("Draussen")
    identifiers = sorted(octets for octets, _, _ in stored(clara, "Drinnen").values())
    ends = {"source": 0, "target": 0, "interrupted": 0}

    def back():
        for octets, flags, date in stored(clara, "Draussen").values():
            clara.append("Drinnen", f"({' '.join(flags)})", imaplib.Time2Internaldate(date), octets)
        empty(clara, "Draussen")
    with in_front_of(without(b"MOVE")) as (gateway, server):
        path = gateway.environment["GATEPOST_CONFIG"]
        with open(path) as file:
            text = file.read()
        assert "settleSeconds: 30" in text
        with open(path, "w") as file:
            file.write(text.replace("settleSeconds: 30", "settleSeconds: 2"))
        gateway.start()
        w = gateway.wire()
        w.ok("SELECT Drinnen")
        start = time.time()
        lines = w.command("MOVE 1:* Draussen")
        duration = time.time() - start
        assert lines[-1].split()[1] == b"OK" and any(b"COPYUID" in line for line in lines), lines
        assert sum(line.endswith(b"EXPUNGE") for line in lines) == 40
        there = stored(clara, "Draussen")
        assert sorted(octets for octets, _, _ in there.values()) == identifiers and not stored(clara, "Drinnen")
        back()
        gateway.kill()
        for moment in range(60):
            if moment >= 15 and ends["source"] and ends["target"] and ends["interrupted"] > 2:
                break
            gateway.start()
            w = gateway.wire()
            w.ok("SELECT Drinnen")
            w.send(b"k MOVE 1:* Draussen\r\n")
            time.sleep(random.uniform(0, duration * 1.3))
            gateway.kill()
            ends["interrupted"] += journal(gateway.folder)
            gateway.start()
            settle(gateway.folder)
            here = sorted(octets for octets, _, _ in stored(clara, "Drinnen").values())
            there = sorted(octets for octets, _, _ in stored(clara, "Draussen").values())
            assert sorted(here + there) == identifiers, (moment, len(here), len(there))
            assert there in ([], identifiers), (moment, len(there))
            ends["target" if there else "source"] += 1
            back()
            gateway.kill()
        print(f"{duration:.2f} s a move; ends: {ends}")
        assert ends["source"] and ends["target"] and ends["interrupted"] > 2, ends
        assert b"MOVE" not in server.heard


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
