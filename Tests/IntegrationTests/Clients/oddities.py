"""A server that writes its responses in every odd way, and a program that mirrors it. Each function is one scenario; the
first argument names it.
"""
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time

from gateway import Gateway
from oddserver import NAMES, UNREADABLE, OddServer
from programs import mbsync, message, stored
from scenarios import BOB, CLARA, run_scenario
from upstreams import Authority, context

BOTH = "Sync All\nCreate Near\nExpunge Both"


@contextlib.contextmanager
def office(prefix=b"", delimiter=b"/", **settings):
    """Bob's mailbox on the odd server; Clara may do everything there."""
    folder = tempfile.mkdtemp(prefix="odd-")
    try:
        authority = Authority(folder)
        server = OddServer(context(authority.make("good", "DNS:localhost")), prefix, delimiter)
        with Gateway(**settings) as gateway:
            gateway.run("account", "set", BOB, "--imap", f"localhost:{server.port}", "--ca", authority.trusted)
            gateway.start()
            yield gateway, server, folder
    finally:
        server.close()
        shutil.rmtree(folder)


def mirror(gateway, folder, user, path, status=0, name="Abgleich"):
    login = (gateway.port, user, f"pw-{user.split('@')[0]}", os.path.join(gateway.folder, "certs/ca.pem"))
    where = os.path.join(folder, user)
    os.makedirs(where, exist_ok=True)
    return mbsync(where, path, f'"{name}"', BOTH, status, login)


def near(folder, user, name="Abgleich"):
    return stored(os.path.join(folder, user, "mail", name))


def far(server, name=b"Abgleich"):
    found = {}
    for _, flags, _, octets in server.boxes[server.prefix + name]:
        lines = [line for line in octets.split(b"\r\n") if not line.startswith(b"X-TUID: ")]
        identifier = next(line for line in lines if line.startswith(b"Message-ID: "))[12:]
        assert identifier not in found, ("twice", identifier)
        found[identifier] = b"\r\n".join(lines), flags
    return found


def check(server, folder, user, numbers):
    """Both sides have these messages, octet for octet."""
    here, there = near(folder, user), far(server)
    expected = {f"<masse.{number}@gericht.example>".encode() for number in numbers}
    assert set(there) == expected, (user, sorted(set(there) ^ expected))
    assert set(here) == expected, (user, sorted(set(here) ^ expected))
    for identifier, (octets, _) in there.items():
        assert here[identifier][0] == octets, identifier


def change_near(folder, user, new, deleted):
    mail = os.path.join(folder, user, "mail", "Abgleich")
    for number in new:
        with open(os.path.join(mail, "new", f"{number}.neu.hier"), "wb") as file:
            file.write(message(number).replace(b"\r\n", b"\n"))
    for part in ("cur", "new"):
        for name in os.listdir(os.path.join(mail, part)):
            with open(os.path.join(mail, part, name), "rb") as file:
                octets = file.read()
            if any(f"<masse.{number}@".encode() in octets for number in deleted):
                os.rename(os.path.join(mail, part, name), os.path.join(mail, "cur", name.partition(":2,")[0] + ":2,T"))


def add_far(server, numbers):
    name = server.prefix + b"Abgleich"
    with server.lock:
        for number in numbers:
            server.boxes[name].append([server.next[name], set(), b"17-Jul-2026 02:44:25 +0000", message(number)])
            server.next[name] += 1


def delete_far(server, numbers):
    with server.lock:
        name = server.prefix + b"Abgleich"
        server.boxes[name] = [m for m in server.boxes[name] if not any(f"<masse.{n}@".encode() in m[3] for n in numbers)]


def a_mirror_of_an_odd_server_loses_nothing():
    """What is new and what is deleted goes both ways, and nothing else, whatever the server writes."""
    with office() as (gateway, server, folder):
        for user, path in ((BOB, ""), (CLARA, f"Other Users/{BOB}/")):
            with server.lock:
                server.boxes[b"Abgleich"] = []
            add_far(server, range(20))
            mirror(gateway, folder, user, path)
            check(server, folder, user, range(20))
            change_near(folder, user, range(20, 25), [0, 1])
            add_far(server, range(25, 30))
            delete_far(server, [2, 3])
            mirror(gateway, folder, user, path)
            left = range(4, 30)
            check(server, folder, user, left)
            # Once more, with nothing to do.
            mirror(gateway, folder, user, path)
            check(server, folder, user, left)
            # A line that cannot be read costs a run, and no message.
            for begin, line in [
                (b"*  26   EXISTS", b"*\t26 EXISTS"), (b"*  26   EXISTS", b"* 26"), (b"*  26   EXISTS", b"* EXISTS 26"),
                (b"*  26   EXISTS", b"* (26) EXISTS"), (b"*  OK  [UIDVALIDITY", b"* OK [UIDVALIDITY seven] ok"),
                (b"* FLAGS", b"* FLAGS \\Seen"), (b"*  3  FETCH", b"* 3 FETCHED (UID 3)"),
                (b"*  3  FETCH", b"*\t3 FETCH (UID 3)"), (b"*  3  FETCH", b"* 3"),
            ]:
                server.broken = {begin: line}
                mirror(gateway, folder, user, path, status=1)
                server.broken = {}
                check(server, folder, user, left)
            # The folder's own line: the folder is not there for a while.
            server.broken = {b'*  LIST  ( \\HasNoChildren )  "/"  "Abgleich"': b'* LIST () "/" Ab gleich'}
            mirror(gateway, folder, user, path, status=None)
            server.broken = {}
            check(server, folder, user, left)
            mirror(gateway, folder, user, path)
            check(server, folder, user, left)


def a_mirror_of_a_server_that_can_little_loses_nothing():
    """Neither a prefix of all folders, nor missing UIDNEXT, nor a mailbox that is full, nor a server that hangs."""
    settings = {f"GATEPOST_LIMITS_{name}_SECONDS": "1" for name in ("LIST", "UPSTREAM_ANSWER", "UPSTREAM_WORK", "UPSTREAM_TRANSFER")}
    settings["GATEPOST_LIMITS_FOLDER_LIST_SECONDS"] = "0"
    with office(b"INBOX.", b".", **settings) as (gateway, server, folder):
        server.tells_next = False
        for user, path in ((BOB, ""), (CLARA, f"Other Users/{BOB}/")):
            with server.lock:
                server.boxes[b"INBOX.Abgleich"] = []
            add_far(server, range(10))
            mirror(gateway, folder, user, path)
            check(server, folder, user, range(10))
            # A full mailbox takes nothing new; what is deleted goes all the same, and what is new stays here.
            server.refused = {b"APPEND": b"NO Over quota"}
            change_near(folder, user, range(10, 12), [0])
            said = mirror(gateway, folder, user, path)
            assert "NO [OVERQUOTA] " in said, said
            server.refused = {}
            assert len(far(server)) == 9 and len(near(folder, user)) == 11
            # mbsync itself does not try a refused message again; written anew, it goes.
            change_near(folder, user, [], [10, 11])
            mirror(gateway, folder, user, path)
            check(server, folder, user, range(1, 10))
            change_near(folder, user, [10, 11], [])
            mirror(gateway, folder, user, path)
            check(server, folder, user, range(1, 12))
            # Servers that stop answering, at each command, and completions that no line end ends.
            for verb in (b"LIST", b"SELECT", b"UID_FETCH", b"UID_STORE", b"UID_EXPUNGE", b"APPEND", b"CLOSE"):
                server.hangs = {verb}
                mirror(gateway, folder, user, path, status=None)
                server.hangs = set()
                time.sleep(1.2)
                check(server, folder, user, range(1, 12))
            server.line_end = b"\n"
            mirror(gateway, folder, user, path, status=1)
            server.line_end = b"\r\n"
            change_near(folder, user, [12], [1])
            add_far(server, [13])
            # A login without an answer is not tried again at once.
            end = time.time() + 60
            while b"<masse.12@gericht.example>" not in far(server):
                assert time.time() < end
                mirror(gateway, folder, user, path, status=None)
            check(server, folder, user, range(2, 14))


def odd_folders_are_named():
    """Each folder that can be shown is shown, and each that cannot be is named to who administers."""
    with office() as (gateway, server, _):
        bob, clara = gateway.wire(BOB), gateway.wire()
        for w, prefix in ((bob, ""), (clara, f"Other Users/{BOB}/")):
            lines = [line.decode() for line in w.ok('LIST "" "*"')]
            for name in NAMES.values():
                shown = f"{prefix}{name}"
                assert any(line.endswith((f' "{shown}"', f" {shown}")) for line in lines), (shown, lines)
                assert any(b" 0 EXISTS" in line for line in w.ok(f'SELECT "{shown}"')), shown
                w.ok(f'STATUS "{shown}" (MESSAGES)')
                w.ok("CLOSE")
            assert not any(word in line for line in lines for word in ("Mandant", "Akten", "Fritz")), lines
        assert bob.ok("GETQUOTAROOT INBOX") == [b"* QUOTAROOT INBOX ROOT", b"* QUOTA ROOT ()"]
        assert any(b"=_a&-b" in line for line in bob.ok('MYRIGHTS "=_a&-b"'))
        # A grant on one of them, by the name that is shown.
        gateway.run("grant", "remove", BOB, CLARA)
        gateway.run("grant", "add", BOB, CLARA, "--view", "--folder", "=_Stra\u00dfe")
        time.sleep(1.1)
        clara = gateway.wire()
        lines = clara.ok(f'LIST "" "Other Users/{BOB}/*"')
        assert len(lines) == 1 and b"=_Stra&AN8-e" in lines[0], lines
        clara.ok(f'EXAMINE "Other Users/{BOB}/=_Stra&AN8-e"')
        assert clara.answer(f'EXAMINE "Other Users/{BOB}/=_a&-b"').startswith("NO [NONEXISTENT]")
        # Whoever administers the account is told what nobody sees.
        report = json.loads(gateway.run("account", "test", BOB, "--json"))
        assert len(report["folders"]) == len(NAMES), report
        assert report["omitted"] == [
            '* LIST (\\\\HasNoChildren) "/" Mandant 1', '* LIST (\\\\HasNoChildren) "/" Akten(alt)',
            '* LIST (\\\\HasNoChildren) "/" M\\xC3\\xBCller', '* LIST (\\\\HasNoChildren) "/" "Fritz\\\\Co"',
        ], report["omitted"]
        assert "Mandant 1" in gateway.run("account", "test", BOB)
        findings = gateway.run("doctor", status=None)
        assert f"warning ({len(NAMES)} folders, {len(UNREADABLE)} omitted)" in findings and "Mandant 1" in findings, findings
        log = gateway.log()
        for name in ("Mandant 1", "Akten(alt)", "M\\xC3\\xBCller", "Fritz"):
            assert name in log, (name, log[-2000:])
        # A line end that is none: the true reason.
        server.broken = {b'*  LIST': b'* LIST () "/" INBOX\n'}
        text = gateway.run("account", "test", BOB, status=1)
        assert "does not end with CR LF" in text and "does not speak IMAP" not in text, text


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
