"""The store's file, replaced, removed and put back while the gateway runs. Each function is one scenario;
the first argument names it.
"""
import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

from gateway import Gateway
from oversight import best_of_three, soon
from pace import Watch
from scenarios import BOB, CLARA, run_scenario
from upstreams import Server, imap

socket.setdefaulttimeout(30)
PLACE = f"Other Users/{BOB}/INBOX"


def copied(gateway, *command):
    """A copy of the store's one file, in which a command was carried out; what the gateway has done up to now
    is recorded in it."""
    time.sleep(0.6)
    # A reader may have kept the gateway from checkpointing the write-ahead log.
    with contextlib.closing(sqlite3.connect(gateway.store, timeout=10)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = os.path.join(gateway.folder, "copy.sqlite")
    shutil.copy(gateway.store, copy)
    if command:
        done = subprocess.run([os.environ["GATEPOST"], *command], env=dict(gateway.environment, GATEPOST_STORE=copy),
                              capture_output=True, text=True)
        assert done.returncode == 0, done
    return copy


def until_closed(w, watch):
    """Asserts that the client's open folder is closed within a second."""
    while not w.answer("FETCH 1:* (FLAGS)").startswith(("NO", "BAD")):
        soon(watch.seconds)
        time.sleep(0.02)
    assert w.answer(f'SELECT "{PLACE}"').startswith("NO [NONEXISTENT]")
    soon(watch.seconds)


def findings(gateway, status):
    """Output of `doctor` about the running gateway; status None accepts any exit status."""
    done = subprocess.run([os.environ["GATEPOST"], "doctor", "--json"], env=gateway.environment, capture_output=True, text=True)
    assert status is None or done.returncode == status, done
    return next(f for f in json.loads(done.stdout) if f["subject"] == "running gateway")


@best_of_three
def a_file_that_is_moved_over_the_store_is_in_force():
    with Gateway() as gateway:
        assert findings(gateway, 0)["state"] == "not running"
        gateway.start()
        w, owner = gateway.wire(), gateway.wire(BOB)
        w.ok(f'SELECT "{PLACE}"')
        assert findings(gateway, 0)["state"] == "ok"
        # Replacing the file by a copy of the same store, as a backup or rsync does, disturbs no session.
        os.replace(copied(gateway), gateway.store)
        time.sleep(1)
        assert "are refused" not in gateway.log(), gateway.log()
        w.ok("FETCH 1:* (FLAGS)")
        assert findings(gateway, 0)["state"] == "ok"
        # Later edits go to the file that the gateway reads.
        gateway.run("grant", "remove", BOB, CLARA)
        until_closed(w, Watch())
        gateway.run("grant", "add", BOB, CLARA, "--view")
        time.sleep(1)
        w.ok(f'SELECT "{PLACE}"')
        # Edits in the copy take effect, too.
        os.replace(copied(gateway, "grant", "remove", BOB, CLARA), gateway.store)
        until_closed(w, Watch())
        owner.ok("SELECT INBOX")
        assert "was replaced; the new one is in force" in gateway.log()
        gateway.stop()
        assert "all intact" in gateway.run("audit", "verify")
        # The file alone is the store: SQLite would apply a write-ahead log of another file to it.
        assert not os.path.exists(gateway.store + "-wal")


@best_of_three
def a_store_that_is_removed_shares_nothing():
    with Gateway() as gateway:
        gateway.start()
        w, owner = gateway.wire(), gateway.wire(BOB)
        w.ok(f'SELECT "{PLACE}"')
        away = gateway.store + ".away"
        os.rename(gateway.store, away)
        until_closed(w, Watch())
        owner.ok("SELECT INBOX")
        again = gateway.wire()
        assert again.answer(f'SELECT "{PLACE}"').startswith("NO [NONEXISTENT]")
        found = findings(gateway, 1)
        assert found["state"] == "failed" and "there is no store" in found["remedy"], found
        # No command creates another store in its place.
        assert "no store at" in gateway.run("grant", "remove", BOB, CLARA, status=1)
        assert not os.path.exists(gateway.store)
        os.rename(away, gateway.store)
        time.sleep(1)
        w.ok(f'SELECT "{PLACE}"')
        assert findings(gateway, 0)["state"] == "ok"


@best_of_three
def an_older_store_waits_for_an_administrator():
    with Gateway() as gateway:
        gateway.start()
        w = gateway.wire()
        w.ok(f'SELECT "{PLACE}"')
        older = copied(gateway)
        # The copy would grant again what is removed now.
        gateway.run("user", "disable", BOB)
        gateway.run("user", "enable", BOB)
        time.sleep(1)
        w.ok("FETCH 1:* (FLAGS)")
        assert "no older store waits" in gateway.run("store", "accept", "--yes", status=1)
        os.replace(older, gateway.store)
        until_closed(w, Watch())
        found = findings(gateway, 1)
        assert found["state"] == "failed" and "gatepost store accept" in found["remedy"], found
        assert "Confirm with --yes" in gateway.run("store", "accept", status=1)
        # No command reads a role from it, or opens it next to SQLite's files of the store in force.
        for command in (("group", "add", "Sekretariat"), ("session", "list"), ("user", "list")):
            assert "has another store in force" in gateway.run(*command, status=1)
        assert w.answer(f'SELECT "{PLACE}"').startswith("NO [NONEXISTENT]")
        # Further edits of the copy do not help: it lacks the removal.
        for name in ("Empfang", "Buchhaltung", "Sekretariat"):
            os.replace(copied(gateway, "group", "add", name), gateway.store)
        time.sleep(1)
        assert w.answer(f'SELECT "{PLACE}"').startswith("NO [NONEXISTENT]")
        assert "is in force" in gateway.run("store", "accept", "--yes")
        w.ok(f'SELECT "{PLACE}"')
        assert findings(gateway, 0)["state"] == "ok"
        end = time.time() + 60
        while not any("store accept" in " ".join(r.get("detail") or []) for r in json.loads(gateway.run("audit", "list", "--json"))):
            assert time.time() < end, "it is not recorded"
            time.sleep(0.2)
        gateway.stop()
        assert "no gateway runs here" in gateway.run("store", "accept", "--yes", status=1)


@best_of_three
def a_store_that_does_not_answer_shares_nothing():
    """While SQLite waits for a lock, the gateway does not."""
    with Gateway() as gateway:
        gateway.start()
        w, owner = gateway.wire(), gateway.wire(BOB)
        w.ok(f'SELECT "{PLACE}"')
        copy = copied(gateway, "grant", "remove", BOB, CLARA)
        kept = gateway.store + ".kept"
        # A command is stopped in its transaction; later audit records wait for it. The answer to a refusal does not
        # wait for its record.
        with contextlib.closing(sqlite3.connect(gateway.store, isolation_level=None)) as command:
            command.execute("BEGIN IMMEDIATE")
            assert w.answer(f'STATUS "{PLACE}/Fehlt" (MESSAGES)').startswith("NO ")
            time.sleep(0.5)
            os.link(gateway.store, kept)
            os.replace(copy, gateway.store)
            until_closed(w, Watch())
            owner.ok("SELECT INBOX")
            command.execute("ROLLBACK")
        end = time.time() + 120
        while findings(gateway, None)["state"] != "ok":
            assert time.time() < end, gateway.log()
        owner.ok("SELECT INBOX")
        assert w.answer(f'SELECT "{PLACE}"').startswith("NO [NONEXISTENT]")


@best_of_three
def another_installations_store_is_refused():
    with Gateway() as gateway, Gateway() as other:
        gateway.start()
        w = gateway.wire()
        w.ok(f'SELECT "{PLACE}"')
        kept = copied(gateway)
        shutil.copy(other.store, gateway.store + ".other")
        os.replace(gateway.store + ".other", gateway.store)
        until_closed(w, Watch())
        found = findings(gateway, 1)
        assert "not sealed with this master key" in found["remedy"], found
        assert "no older store waits" in gateway.run("store", "accept", "--yes", status=1)
        assert gateway.log().count("until the store can be read") == 1, gateway.log()
        os.replace(kept, gateway.store)
        time.sleep(1)
        w.ok(f'SELECT "{PLACE}"')


def a_folder_that_shows_every_message_is_granted_knowingly():
    """A folder marked \\All, \\Flagged or \\Important contains messages of all other folders."""
    lines = (r'(\HasNoChildren) "/" INBOX', r'(\HasNoChildren \all) "/" Alle', r'(\Flagged) "/" "Suchen/Markiert"',
             r'(\HasNoChildren \Important) "/" Wichtig', r'(\Sent) "/" Sent')
    server = Server(imap({
        "LIST": lambda c, tag, line: c.send("".join(f"* LIST {l}\r\n" for l in lines) + tag.decode() + " OK x\r\n")
        if b"*" in line else c.send(b'* LIST (\\Noselect) "/" ""\r\n' + tag + b" OK x\r\n"),
        "LOGIN": lambda c, tag, line: c.send(tag + b" OK in\r\n")}, "IMAP4rev1"))
    with Gateway(grants=False) as gateway:
        gateway.run("account", "set", BOB, "--imap", f"127.0.0.1:{server.port}", "--tls", "none")
        grant = ("grant", "add", BOB, CLARA, "--view", "--folder")
        for name, mark in (("Alle", r"\All"), ("Suchen/Markiert", r"\Flagged"), ("Wichtig", r"\Important")):
            done = gateway.run(*grant, name, status=1)
            assert f"{name} is marked {mark}" in done and "Confirm with --yes" in done, done
            assert json.loads(gateway.run("grant", "list", "--json")) == []
        for name in ("INBOX", "Sent"):
            gateway.run(*grant, name)
        gateway.run(*grant, "Alle", "--yes")
        assert len(json.loads(gateway.run("grant", "list", "--json"))) == 3
    server.close()


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
