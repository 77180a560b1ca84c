"""Messages that are copied and moved between accounts on two real servers. Each function is one
scenario; the first argument names it.
"""
import contextlib
import email.utils
import imaplib
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import scenarios
from gateway import Gateway
from scenarios import BOB, CA, CLARA, IMAPS, gatepost, granted, owner, run_scenario, wire
from terminal import Terminal
from wire import Wire

socket.setdefaulttimeout(60)
DORA = "dora@kanzlei.example"
FIRST, SECOND = int(os.environ["FIRST_PORT"]), int(os.environ["SECOND_PORT"])
PLACE = f"Other Users/{BOB}"
KEYWORDS = [r"\Seen", r"\Flagged", r"\Answered", r"\Draft", "$Forwarded", "Wichtig"]


def message(number, octets=None):
    head = (f"From: <post@gericht.example>\r\nSubject: Umzug {number}\r\n"
            f"Message-ID: <umzug-{number}-{random.random()}@gericht.example>\r\n\r\n")
    size = random.randint(0, 12_000) if octets is None else octets
    body = "".join(random.choice("abc )}{5+\r\\\"*\u00e4") for _ in range(size)).replace("\r", ".")
    return (head + "\r\n".join(body[i:i + 70] for i in range(0, len(body), 70)) + "\r\n").encode()


def fill(m, folder, count, octets=None):
    """New messages of every size, with flags and with dates of many years."""
    m.create(folder)
    for number in range(count):
        flags = " ".join(random.sample(KEYWORDS, random.randint(0, 3)))
        date = imaplib.Time2Internaldate(random.randint(900_000_000, 1_790_000_000))
        assert m.append(folder, f"({flags})", date, message(number, octets))[0] == "OK"


def stored(m, folder, every=True):
    """What is in a mailbox: UIDs in order, each with octets, flags and date; without those marked
    as deleted if not every one counts."""
    assert m.select(folder, readonly=True)[0] == "OK", folder
    found = {}
    for item in m.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")[1]:
        if not isinstance(item, tuple):
            continue
        head = item[0].decode()
        flags = set(re.search(r"FLAGS \(([^)]*)\)", head).group(1).split()) - {r"\Recent"}
        date = email.utils.parsedate_to_datetime(
            re.sub(r"^\s*(\d+)-(\w+)-", r"\1 \2 ", re.search(r'INTERNALDATE "([^"]*)"', head).group(1)))
        if every or r"\Deleted" not in flags:
            found[int(re.search(r"UID (\d+)", head).group(1))] = (item[1], flags, date)
    m.unselect()
    return found


def empty(m, folder):
    m.select(folder)
    m.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)")
    m.expunge()
    m.unselect()


def expand(text):
    found = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found


def copied(lines):
    """UIDVALIDITY, and the pairs of UIDs, of the COPYUID in some lines."""
    codes = [c for c in (re.search(rb"\[COPYUID (\d+) (\S+) (\S+)\]", line) for line in lines) if c]
    assert len(codes) == 1, lines
    source, target = (expand(codes[0].group(n).decode()) for n in (2, 3))
    assert len(source) == len(target), codes
    return int(codes[0].group(1)), dict(zip(source, target))


def validity(m, folder):
    return int(re.search(rb"UIDVALIDITY (\d+)", m.status(folder, "(UIDVALIDITY)")[1][0]).group(1))


def five_hundred_messages_go_there_and_back():
    clara, bob = owner(CLARA, FIRST), owner(BOB, SECOND)
    fill(clara, "Umzug", 500)
    before = stored(clara, "Umzug")
    with granted(BOB, CLARA, "--manage"):
        w = wire(CLARA)
        # CREATE needs `k`, and RENAME stays inside an account.
        # A folder is created below one that is there.
        assert w.answer(f'CREATE "{PLACE}/Akten/Umzug"').startswith("NO [NONEXISTENT]")
        w.ok(f'CREATE "{PLACE}/Akten"')
        w.ok(f'CREATE "{PLACE}/Akten/Umzug"')
        assert w.answer(f'RENAME Umzug "{PLACE}/Umzug"').startswith("NO [CANNOT]")
        w.ok("SELECT Umzug")
        assert w.answer(f'COPY 1 "{PLACE}/Nirgends"').startswith("NO [TRYCREATE]")
        start = time.time()
        lines = w.command(f'COPY 1:* "{PLACE}/Akten/Umzug"')
        print(f"500 messages copied in {time.time() - start:.2f} s")
        uid_validity, pairs = copied(lines)
        there = stored(bob, "Akten.Umzug")
        assert uid_validity == validity(bob, "Akten.Umzug")
        assert list(pairs) == list(before) and list(pairs.values()) == list(there)
        for source, target in pairs.items():
            assert before[source] == there[target], (before[source][1:], there[target][1:])
        # And back, as a MOVE, to another place.
        w.ok(f'SELECT "{PLACE}/Akten/Umzug"')
        w.ok("CREATE Heimkehr")
        lines = w.command("UID MOVE 1:* Heimkehr")
        assert lines[-1].split()[1] == b"OK", lines[-1]
        gone = [n for n, line in enumerate(lines) if line.endswith(b"EXPUNGE")]
        told = next(n for n, line in enumerate(lines) if b"COPYUID" in line)
        assert len(gone) == 500 and told < gone[0]
        _, back = copied(lines)
        here = stored(clara, "Heimkehr")
        assert list(back) == list(there) and list(back.values()) == list(here)
        assert [there[uid] for uid in back] == [here[uid] for uid in back.values()]
        assert stored(bob, "Akten.Umzug") == {}
        w.ok("NOOP")
        w.ok("CLOSE")
        w.ok(f'DELETE "{PLACE}/Akten/Umzug"')
    assert journal(os.path.dirname(os.environ["GATEPOST_CONFIG"])) == 0


def what_the_target_may_not_have_is_left_out():
    """Flags by the rights there; UIDs only for who may read."""
    clara, bob = owner(CLARA, FIRST), owner(BOB, SECOND)
    clara.create("Einwurf")
    clara.append("Einwurf", r"(\Seen \Flagged \Deleted Wichtig)", None, message(1))
    bob.create("Briefkasten")
    with granted(BOB, CLARA, "--rights", "lis", "--folder", "Briefkasten"):
        w = wire(CLARA)
        w.ok("SELECT Einwurf")
        lines = w.command(f'COPY 1 "{PLACE}/Briefkasten"')
        assert lines[-1].endswith(b"OK COPY completed"), lines
        assert [flags for _, flags, _ in stored(bob, "Briefkasten").values()] == [{r"\Seen"}]
        assert w.answer(f'COPY 1 "{PLACE}/INBOX"').startswith("NO [NONEXISTENT]")
        assert w.answer(f'MOVE 1 "{PLACE}/Neu"').startswith("NO [NONEXISTENT]")
    with granted(BOB, CLARA, "--rights", "lr"):
        w = wire(CLARA)
        w.ok(f'SELECT "{PLACE}/Briefkasten"')
        assert w.answer("MOVE 1 Einwurf").startswith("NO [NOPERM]")
        w.ok("COPY 1 Einwurf")
        w.ok("SELECT Einwurf")
        assert w.answer(f'COPY 1 "{PLACE}/Briefkasten"').startswith("NO [NOPERM]")
    assert len(stored(clara, "Einwurf")) == 2 and len(stored(bob, "Briefkasten")) == 1


def a_server_that_can_little_takes_part():
    """One APPEND a message there; what is moved away from it stays, marked."""
    clara, dora = owner(CLARA, FIRST), scenarios.owner_starttls(DORA)
    fill(clara, "NachDora", 500)
    before = stored(clara, "NachDora")
    dora.create("VonClara")
    with granted(DORA, CLARA, "--manage"):
        w = wire(CLARA)
        w.ok('SELECT "NachDora"')
        lines = w.command(f'UID COPY 1:* "Other Users/{DORA}/VonClara"')
        there = stored(dora, '"VonClara"')
        # It tells UIDs all the same, one by one.
        assert copied(lines)[1] == dict(zip(before, there))
        assert list(there.values()) == list(before.values())
        w.ok(f'SELECT "Other Users/{DORA}/VonClara"')
        w.ok("CREATE Zurueck")
        lines = w.command("MOVE 1:10 Zurueck")
        assert b"originals are marked" in lines[-1] and lines[-1].split()[1] == b"OK", lines[-1]
        assert len(copied(lines)[1]) == 10
        after = stored(dora, '"VonClara"')
        assert [r"\Deleted" in flags for _, flags, _ in after.values()] == [True] * 10 + [False] * 490
        assert list(stored(clara, "Zurueck").values()) == list(before.values())[:10]


def a_refusal_leaves_nothing_behind():
    """A message over the quota: those before it are taken back, with MULTIAPPEND and without."""
    clara, bob = owner(CLARA, FIRST), owner(BOB, SECOND)
    bob.create("ZuViel")
    for number in range(3):
        bob.append("ZuViel", None, None, message(number))
    line = b"x" * 998 + b"\r\n"
    bob.append("ZuViel", None, None, b"Subject: gross\r\n\r\n" + line * 205_000)
    clara.create("Ziel")
    with granted(BOB, CLARA, "--manage"):
        w = wire(CLARA)
        w.ok(f'SELECT "{PLACE}/ZuViel"')
        answer = w.answer("MOVE 1:4 Ziel")
        assert answer.startswith("NO [OVERQUOTA]"), answer
        assert stored(clara, "Ziel") == {}
        w.ok("NOOP")
        assert len(copied(w.command("MOVE 1:3 Ziel"))[1]) == 3
    bob.delete("ZuViel")
    assert len(stored(clara, "Ziel")) == 3


def a_large_message_is_never_collected():
    def resident():
        with open(f"/proc/{os.environ['GATEWAY_PID']}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    clara, bob = owner(CLARA, FIRST), owner(BOB, SECOND)
    bob.create("Gross")
    bob.append("Gross", None, None, b"Subject: gross\r\n\r\n" + (b"x" * 998 + b"\r\n") * 80_000)
    clara.create("Gross")
    with granted(BOB, CLARA, "--manage"):
        w = wire(CLARA)
        w.ok(f'SELECT "{PLACE}/Gross"')
        most, done = [resident()], threading.Event()

        def watch():
            while not done.wait(0.02):
                most.append(resident())
        thread = threading.Thread(target=watch)
        thread.start()
        w.send(b"m MOVE 1 Gross\r\nn NOOP\r\n")
        found = w.until(b"m")
        done.set()
        thread.join()
        assert found[-1].split()[1] == b"OK", found[-1]
        assert max(most) - most[0] < 24_576, (most[0], max(most))
        # What came behind it waited, in order.
        assert w.until(b"n")[-1].startswith(b"n OK")
    assert [len(octets) for octets, _, _ in stored(clara, "Gross").values()] == [80_000_018]
    clara.delete("Gross")
    bob.delete("Gross")


def mutt_moves_a_message_into_its_own_archive():
    """As people do: open the shared folder, save the message elsewhere, leave."""
    bob, clara = owner(BOB, SECOND), owner(CLARA, FIRST)
    bob.create("Eingang")
    bob.append("Eingang", None, None, b"From: <a@b.example>\r\nSubject: Bitte ablegen\r\nMessage-ID: <x@y>\r\n\r\nx\r\n")
    clara.create("Archiv")
    folder = tempfile.mkdtemp(prefix="mutt-")
    with open(os.path.join(folder, "muttrc"), "w") as file:
        file.write(f"""
set imap_user="{CLARA}"
set imap_pass="pw-clara"
set ssl_ca_certificates_file="{CA}"
set certificate_file="{CA}"
set ssl_starttls=yes
set folder="imaps://localhost:{IMAPS}/"
set imap_delim_chars="/"
set header_cache=""
set sleep_time=0
set confirmappend=no
set delete=yes
""")
    try:
        with granted(BOB, CLARA, "--manage"):
            t = Terminal("mutt", "-n", "-F", os.path.join(folder, "muttrc"), "-f", f"={PLACE}/Eingang", HOME=folder)
            t.wait_for("Bitte ablegen")
            t.type("s")
            t.wait_for("Save to mailbox")
            t.type("\x15=Archiv\r")
            t.clear()
            t.type("q")
            os.waitpid(t.pid, 0)
        assert stored(bob, "Eingang") == {}
        assert [b"Bitte ablegen" in octets for octets, _, _ in stored(clara, "Archiv").values()] == [True]
    finally:
        shutil.rmtree(folder)


# -- The gateway dies


def journal(folder):
    """How many transfers are in a gateway's journal."""
    with contextlib.closing(sqlite3.connect(f"file:{folder}/gatepost.sqlite?mode=ro", uri=True)) as store:
        return store.execute("SELECT count(*) FROM transfer").fetchone()[0]


def settle(folder=os.path.dirname(os.environ["GATEPOST_CONFIG"])):
    """Waits until nothing is in doubt."""
    end = time.time() + 60
    while journal(folder):
        assert time.time() < end, "the journal keeps an entry"
        time.sleep(0.05)


def killed(moves):
    """Kills the gateway at random moments of a command, starts it again, and looks for each message."""
    clara, bob = owner(CLARA, FIRST), owner(BOB, SECOND)
    folder = f"Absturz{moves}"
    fill(clara, folder, 40, 4_000)
    bob.create(folder)
    identifiers = sorted(octets for octets, _, _ in stored(clara, folder).values())
    gateway = Gateway()
    ends = {"source": 0, "target": 0, "interrupted": 0}
    try:
        gateway.start()
        w = gateway.wire()
        w.ok(f"SELECT {folder}")
        durations = []
        for _ in range(3):
            start = time.time()
            w.ok(f'COPY 1:* "{PLACE}/{folder}"')
            durations.append(time.time() - start)
            empty(bob, folder)
        duration = min(durations)
        gateway.kill()
        # Twenty, and more where chance has left out an end.
        for moment in range(80):
            if moment >= 20 and ends["source"] and ends["target"] and ends["interrupted"] > 2:
                break
            gateway.start()
            w = gateway.wire()
            w.ok(f"SELECT {folder}")
            # The time was measured with both connections there.
            w.ok(f'STATUS "{PLACE}/{folder}" (MESSAGES)')
            name = "MOVE" if moves else "COPY"
            w.send(f'k {name} 1:* "{PLACE}/{folder}"\r\n'.encode())
            time.sleep(random.uniform(0, duration * (1.8 if moves else 1.5)))
            gateway.kill()
            ends["interrupted"] += journal(gateway.folder)
            gateway.start()
            settle(gateway.folder)
            here = sorted(octets for octets, _, _ in stored(clara, folder).values())
            there = sorted(octets for octets, _, _ in stored(bob, folder).values())
            if moves:
                assert sorted(here + there) == identifiers, (moment, len(here), len(there))
            else:
                assert here == identifiers, (moment, len(here))
            assert there in ([], identifiers), (moment, len(there))
            ends["target" if there else "source"] += 1
            # Back to the beginning, past the gateway.
            if there and moves:
                for octets, flags, date in stored(bob, folder).values():
                    clara.append(folder, f"({' '.join(flags)})", imaplib.Time2Internaldate(date), octets)
            empty(bob, folder)
            gateway.kill()
        print(f"{duration:.2f} s a copy; ends: {ends}")
        assert ends["source"] and ends["target"] and ends["interrupted"] > 2, ends
    finally:
        gateway.remove()


def a_move_survives_the_gateways_death():
    killed(moves=True)


def a_copy_is_whole_or_not_at_all():
    killed(moves=False)


def a_server_that_dies_is_made_up_for_when_it_is_back():
    """The target's server is stopped behind the message; the copy it may have goes later."""
    clara, bob = owner(CLARA, FIRST), owner(BOB, SECOND)
    fill(clara, "Abbruch", 80, 3_000)
    bob.create("Abbruch")
    before = stored(clara, "Abbruch")
    with open(os.path.join(os.path.dirname(os.environ["SECOND"]), "run/master.pid")) as file:
        master = file.read().strip()
    kills = 0
    with granted(BOB, CLARA, "--manage"):
        for moment in range(8):
            w = wire(CLARA)
            w.ok("SELECT Abbruch")
            w.send(f'k COPY 1:* "{PLACE}/Abbruch"\r\n'.encode())
            time.sleep(random.uniform(0, 0.1))
            subprocess.run(["pkill", "-KILL", "-P", master, "-x", "imap"], check=False)
            answer = w.until(b"k")[-1]
            kills += not answer.startswith(b"k OK")
            settle()
            count = len(stored(owner(BOB, SECOND), "Abbruch"))
            assert count == (80 if answer.startswith(b"k OK") else 0), (answer, count)
            empty(owner(BOB, SECOND), "Abbruch")
            w.ok("NOOP")
        assert stored(clara, "Abbruch") == before and kills, kills
    assert journal(os.path.dirname(os.environ["GATEPOST_CONFIG"])) == 0


class Stopped:
    """A server's processes for IMAP, by default the second one's, stopped where they are."""

    def __init__(self, server="SECOND"):
        with open(os.path.join(os.path.dirname(os.environ[server]), "run/master.pid")) as file:
            self.master = file.read().strip()
        self.pids = [int(pid) for pid in self.find("imap")]
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)

    def find(self, name):
        found = subprocess.run(["pgrep", "-P", self.master, "-x", name], capture_output=True, text=True)
        return found.stdout.split()

    def proceed(self):
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def slow_target(leave):
    """A target that has got everything, and stores it when nobody is there any more. `leave` ends what
    waits for it, the client's connection or the server's."""
    clara, bob = owner(CLARA, FIRST), owner(BOB, SECOND)
    fill(clara, "Langsam", 30, 1_000)
    bob.create("Langsam")
    bob.logout()
    before = stored(clara, "Langsam")
    held = 0
    with granted(BOB, CLARA, "--manage"):
        for moment in range(8):
            w = wire(CLARA)
            w.ok("SELECT Langsam")
            w.send(b'k MOVE 1:* "' + PLACE.encode() + b'/Langsam"\r\n')
            time.sleep(random.uniform(0.01, 0.06))
            stopped = Stopped()
            time.sleep(0.4)
            held += journal(os.path.dirname(os.environ["GATEPOST_CONFIG"]))
            leave(w, stopped)
            time.sleep(0.4)
            stopped.proceed()
            settle()
            bob = owner(BOB, SECOND)
            here, there = stored(clara, "Langsam"), stored(bob, "Langsam")
            # The move was over before the server was stopped, or nothing of it happened.
            assert (here, len(there)) in ((before, 0), ({}, len(before))), (moment, len(here), len(there))
            if there:
                for octets, flags, date in there.values():
                    clara.append("Langsam", f"({' '.join(flags)})", imaplib.Time2Internaldate(date), octets)
                before = stored(clara, "Langsam")
            empty(bob, "Langsam")
            bob.logout()
    print(f"{held} of 8 were held up")
    assert held, "no command was held up"


def a_slow_target_is_waited_for_when_the_client_leaves():
    slow_target(lambda w, stopped: w.raw.close())


def a_slow_target_is_looked_at_again_when_its_connection_is_lost():
    def lose(w, stopped):
        for pid in stopped.find("imap-login"):
            os.kill(int(pid), signal.SIGKILL)
    slow_target(lose)


def what_arrives_meanwhile_is_not_moved():
    """A client that has the server push new messages just as they are listed: only what was named goes."""
    with Gateway() as gateway, owner(CLARA, FIRST) as own, owner(BOB, SECOND) as other:
        gateway.start()
        for name, kept in (("COPY", 3), ("MOVE", 2)):
            folder = f"Neues {name}"
            fill(own, f'"{folder}"', 2)
            w = gateway.wire()
            w.ok(f'CREATE "{PLACE}/{folder}"')
            w.ok("NOTIFY SET (SELECTED (MessageNew (UID FLAGS INTERNALDATE BODY.PEEK[]) MessageExpunge FlagChange))")
            w.ok(f'SELECT "{folder}"')
            # It is there, and nobody has told the client yet.
            assert own.append(f'"{folder}"', "", None, message(3))[0] == "OK"
            w.ok(f'UID {name} 1 "{PLACE}/{folder}"')
            assert len(stored(own, f'"{folder}"')) == kept
            assert [uid for uid in stored(other, f'"{folder}"')] == [1]
            for m in (own, other):
                assert m.delete(f'"{folder}"')[0] == "OK"


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
