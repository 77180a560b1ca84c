"""What the gateway writes down of what clients and servers say, and what it says of itself to servers.
Each function is one scenario; the first argument names it. Numbers of the kind T123 name attacks.
"""
import base64
import json
import os
import re
import signal
import socket
import sqlite3
import sys
import threading
import time

from gateway import Gateway, free_port
from scenarios import BOB, CLARA, run_scenario
from upstreams import Server, imap
from wire import Wire

socket.setdefaulttimeout(30)
SHARED = f"Other Users/{BOB}"
# One line for each event.
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} (debug|info|notice|warning|error) gatepost: .*\[\w+\] ")
# Control characters, line ends and characters that change the writing direction.
DANGEROUS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def utf7(name):
    """Modified UTF-7 of a name without an ampersand (RFC 3501 §5.1.3)."""
    return "".join(part if re.fullmatch("[ -~]+", part) else
                   "&" + base64.b64encode(part.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
                   for part in re.findall("[ -~]+|[^ -~]+", name))


def checked_log(gateway):
    text = gateway.log()
    assert text.endswith("\n")
    for line in text.splitlines():
        assert LOG_LINE.match(line), line
    assert not (m := DANGEROUS.search(text)), (m, text[m.start() - 200:m.end() + 50])
    return text


def a_name_makes_no_line_and_no_record_of_its_own():
    """T528: a chosen login, folder or path appears in the log as escaped text only."""
    forged = "2026-01-01T00:00:00+0000 error gatepost: [Gateway] everything is fine"
    nasty = ["x\x1b[2J", "x\x85y", "x\u2028y", "x\u202egnp", 'x"}\n{"event":"grant"', "%s%n%x", f"x\r\n{forged}", "x\u2066y", "x\x00y"]
    with Gateway() as gateway:
        # The error shows a path that cannot be read.
        certificate = os.path.join(gateway.folder, f"a\n{forged}\u202e")
        with open(os.path.join(gateway.folder, "certs/server.pem")) as old, open(certificate, "w") as new:
            new.write(old.read())
        gateway.environment["GATEPOST_TLS_CERTIFICATES"] = certificate
        gateway.start()
        os.unlink(certificate)
        gateway.process.send_signal(signal.SIGHUP)
        ca = os.path.join(gateway.folder, "certs/ca.pem")
        for name in nasty:
            # Failed logins from one address are answered with growing delays.
            for login in (f"{name}@kanzlei.example",) if len(name) > 3 else (name,):
                w, octets = Wire(gateway.port, ca), login.encode()
                w.send(b"a LOGIN {%d+}\r\n%s {1+}\r\nx\r\n" % (len(octets), octets))
                assert re.match(rb"a (NO|BAD) |\* BYE ", w.line()), login
        with_lines = Wire(gateway.port, ca)
        with_lines.send(b"a LOGIN {1048576+}\r\n")
        assert with_lines.closed()
        w = gateway.wire()
        created = []
        for name in nasty:
            mailbox = f"{SHARED}/{utf7(name)}".encode()
            answer = w.answer(b'CREATE "%s"' % mailbox.replace(b'"', b'\\"'))
            if answer.startswith("OK"):
                created.append(name)
                w.ok(b'SELECT "%s"' % mailbox.replace(b'"', b'\\"'))
                w.ok("UNSELECT")
            for command in (b"SELECT", b"STATUS", b"DELETE"):
                more = b" (MESSAGES)" if command == b"STATUS" else b""
                octets = f"{SHARED}/{name}".encode()
                if b"\r" not in octets and b"\x00" not in octets:
                    w.command(command + b" {%d+}\r\n%s%s" % (len(octets), octets, more))
            w.command(b'GETACL "%s"' % mailbox)
        # Names that change the writing direction are legal.
        assert "x\u202egnp" in created and "x\u2066y" in created, created
        w.send(b"z LOGOUT\r\n")
        w.closed()
        deadline = time.time() + 120
        while "certificates not read again" not in gateway.log():
            assert time.time() < deadline
            time.sleep(0.1)
        gateway.stop()
        log = checked_log(gateway)
        assert "\\u{a}2026-01-01" in log, log
        table = gateway.run("audit", "list")
        assert not (m := DANGEROUS.search(table)), m
        assert "\\u{202e}gnp" in table
        for line in table.splitlines()[1:]:
            assert re.match(r"\d+ +\d{4}-", line), line
        records = json.loads(gateway.run("audit", "list", "--json"))
        assert any(r.get("folder") == "x\u202egnp" for r in records)
        # A text that is no address may be a password in the wrong field, and is not logged.
        strangers = {r["actor"] for r in records if r["actor"].startswith("unknown")}
        assert "unknown" in strangers and all(a == "unknown" or a.endswith("@kanzlei.example") for a in strangers), strangers
        assert not any(r["event"] == "grant" for r in records)
        assert "all intact" in gateway.run("audit", "verify")
        found = json.loads(gateway.run("audit", "verify", "--json"))
        assert found["records"] == found["last"] == len(records) and found["problems"] == [] and found["further"] == 0, found


def who_asks_for_a_server_that_is_down_does_not_fill_the_log():
    """T532: one line at once, one with how often it was, and other servers' lines between them."""
    with Gateway() as gateway:
        gateway.run("account", "set", BOB, "--imap", f"localhost:{free_port()}")
        gateway.run("account", "add", "ida@kanzlei.example", "--kind", "imap", "--imap", f"127.0.0.1:{free_port()}", "--tls", "none",
                    "--password-stdin", stdin="x\n")
        gateway.run("grant", "add", "ida@kanzlei.example", CLARA, "--view")
        gateway.start()
        # Another account at Bob's host, in another trouble: what listens there hangs up.
        silent = socket.create_server(("127.0.0.1", 0))
        gateway.run("account", "add", "otto@kanzlei.example", "--kind", "imap", "--imap", f"localhost:{silent.getsockname()[1]}",
                    "--tls", "none", "--password-stdin", stdin="x\n")
        gateway.run("grant", "add", "otto@kanzlei.example", CLARA, "--view")

        def hang_up():
            while True:
                silent.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        counts = [0] * 4

        def ask(number):
            w = gateway.wire()
            for _ in range(100):
                assert w.answer(f'SELECT "{SHARED}/INBOX"').startswith("NO [UNAVAILABLE]")
                counts[number] += 1

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
        start = time.time()
        for thread in threads:
            thread.start()
        w = gateway.wire()
        answer = w.answer('SELECT "Shared/ida@kanzlei.example/INBOX"')
        assert answer.startswith("NO [UNAVAILABLE]"), answer
        answer = w.answer('SELECT "Shared/otto@kanzlei.example/INBOX"')
        assert answer.startswith("NO [UNAVAILABLE]"), answer
        for thread in threads:
            thread.join()
        assert counts == [100] * 4, counts
        running = [line for line in checked_log(gateway).splitlines() if "mail server" in line]
        bobs = [line for line in running if f"account={BOB}" in line]
        # One at once, and one for each further minute.
        assert len(bobs) <= 1 + (time.time() - start) / 60 and "times=" not in bobs[0], running
        for other in ("ida", "otto"):
            assert any(f"account={other}@" in line for line in running), running
        gateway.stop()
        bobs = [line for line in checked_log(gateway).splitlines() if f"account={BOB}" in line]
        assert 1 + sum(int(re.search(r"times=(\d+)", line).group(1)) for line in bobs[1:]) >= 400, bobs


def credentials_go_to_the_server_as_they_were_stored():
    """T128, T130: quotes, backslashes and braces, with and without SASL; T129: what would end the line goes nowhere."""
    name, password = 'bob "the" {5+}', 'p"\\w {3}\\'
    with Gateway() as gateway:
        servers = {}

        def authenticate(c, tag, line):
            c.send(tag + b" OK in\r\n")

        for capabilities in ("IMAP4rev1", "IMAP4rev1 AUTH=PLAIN", "IMAP4rev1 AUTH=PLAIN SASL-IR"):
            def challenge(c, tag, line, capabilities=capabilities):
                if "SASL-IR" not in capabilities:
                    c.send("+ \r\n")
                    c.line()
                c.send(tag + b" OK in\r\n")
            servers[capabilities] = Server(imap({"AUTHENTICATE": challenge, "LOGIN": authenticate}, capabilities))
        gateway.run("account", "set", BOB, "--username", name, "--password-stdin", stdin=password + "\n")
        gateway.start()
        for capabilities, server in servers.items():
            gateway.run("account", "set", BOB, "--imap", f"127.0.0.1:{server.port}", "--tls", "none")
            deadline = time.time() + 60
            while not (gateway.wire().answer(f'SELECT "{SHARED}/INBOX"').startswith("OK") and server.heard):
                assert time.time() < deadline
                time.sleep(0.2)
            if "PLAIN" in capabilities:
                word = re.search(rb"AUTHENTICATE PLAIN(?:\r\n| )(\S+)\r\n", server.heard).group(1)
                assert base64.b64decode(word) == f"\0{name}\0{password}".encode(), server.heard
            else:
                line = re.search(rb"LOGIN (.*)\r\n", server.heard).group(1)
                words = [re.sub(rb"\\(.)", rb"\1", w) for w in re.findall(rb'"((?:[^"\\]|\\.)*)"', line)]
                assert words == [name.encode(), password.encode()], line
                assert not re.search(rb"\{\d+\+?\}$", line), line
        for wrong in ("bob\r\nx LOGOUT", "ceo\0bob", "bob\x01auth=x", "bob\x7f"):
            done = gateway.run("account", "set", BOB, "--password-stdin", stdin=wrong.replace("\r\n", "\r") + "\n", status=1)
            assert "control characters" in done, done
            if "\0" in wrong:
                # SQLite ends the text there.
                continue
            with sqlite3.connect(gateway.store) as store:
                store.execute("UPDATE account SET username = ?", [wrong])
            gateway.stop()
            gateway.start()
            heard = [len(server.heard) for server in servers.values()]
            w = Wire(gateway.port, os.path.join(gateway.folder, "certs/ca.pem"))
            w.login(CLARA, "pw-clara")
            answer = w.answer(f'SELECT "{SHARED}/INBOX"')
            assert answer.startswith("NO ["), (wrong, answer)
            assert heard == [len(server.heard) for server in servers.values()]
        assert "has no usable credential" in checked_log(gateway)


def an_account_moves_to_another_server():
    """T502, T541: open connections go to the old one no more, and nothing learnt of it is believed of the new one."""
    with Gateway() as gateway:
        def lists(delimiter):
            def answer(c, tag, line):
                name = '""' if line.endswith(b'""') else f"Akten{delimiter}2026"
                c.send(f'* LIST () "{delimiter}" {name}\r\n'.encode() + tag + b" OK x\r\n")
            return answer
        old, new = (Server(imap({"LIST": lists(delimiter), "LOGIN": lambda c, tag, line: c.send(tag + b" OK in\r\n"),
                                 "IDLE": lambda c, tag, line: (c.send("+ idling\r\n"), c.line(), c.send(tag + b" OK x\r\n"))},
                                "IMAP4rev1 IDLE")) for delimiter in "/.")
        gateway.run("account", "set", BOB, "--imap", f"127.0.0.1:{old.port}", "--tls", "none")
        gateway.start()
        idle, working = gateway.wire(), gateway.wire()
        idle.ok(f'SELECT "{SHARED}/Akten/2026"')
        idle.send(b"i IDLE\r\n")
        assert idle.line() == b"+ idling"
        working.ok(f'STATUS "{SHARED}/Akten/2026" (MESSAGES)')
        assert b"STATUS Akten/2026" in old.heard
        gateway.run("account", "set", BOB, "--imap", f"127.0.0.1:{new.port}")
        assert idle.line().startswith(b"* BYE [UNAVAILABLE]"), "the old server is still listened to"
        heard = len(old.heard)
        working.ok(f'STATUS "{SHARED}/Akten/2026" (MESSAGES)')
        assert b"STATUS Akten.2026" in new.heard, new.heard
        again = gateway.wire()
        again.ok(f'SELECT "{SHARED}/Akten/2026"')
        assert b"SELECT Akten.2026" in new.heard
        assert len(old.heard) == heard, old.heard[heard:]
        # A new credential needs a new connection, too.
        gateway.run("account", "set", BOB, "--password-stdin", stdin="another\n")
        assert again.closed()
        logins = new.heard.count(b"LOGIN")
        working.ok(f'STATUS "{SHARED}/Akten/2026" (MESSAGES)')
        assert new.heard.count(b"LOGIN") == logins + 1 and b'"another"' in new.heard


def a_store_that_cannot_be_read_shares_nothing():
    """Whoever has been removed by now must not be let in by what was read before."""
    with Gateway() as gateway:
        gateway.start()
        w, owner = gateway.wire(), gateway.wire(BOB)
        w.ok(f'SELECT "{SHARED}/INBOX"')
        store = sqlite3.connect(gateway.store)

        def change(*statements):
            with store:
                for statement in statements:
                    store.execute(statement)

        def wait(words):
            end = time.time() + 120
            while words not in gateway.log():
                assert time.time() < end, gateway.log()
                time.sleep(0.05)
        # The next revision has a change of a table that is not there.
        change("INSERT INTO rowChange SELECT value + 1, 'wall', 0, 1 FROM revision", "ALTER TABLE wall RENAME TO nowall",
               "UPDATE revision SET value = value + 1")
        wait("refused until the store can be read")
        assert any(b"[CLOSED]" in line for line in w.ok("NOOP"))
        assert w.answer(f'SELECT "{SHARED}/INBOX"').startswith("NO ")
        w.ok("SELECT INBOX")
        owner.ok("SELECT INBOX")
        change("ALTER TABLE nowall RENAME TO wall")
        wait("the store can be read again")
        w.ok(f'SELECT "{SHARED}/INBOX"')
        assert gateway.log().count("until the store can be read") == 1


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
