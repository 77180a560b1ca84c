"""Gateways that share a store, and take over what a dead or paused one left. Each function is one scenario; the first
argument names it."""
import contextlib
import imaplib
import os
import random
import signal
import smtplib
import socket
import ssl
import sys
import threading
import time

from database import PostgreSQL, url
from gateway import Gateway, free_port
from nodes import empty, until
from scenarios import BOB, CLARA, owner, run_scenario
from transfers import FIRST, PLACE, SECOND, Stopped, empty as remove_all, fill, stored

socket.setdefaulttimeout(60)
# A node is dead after ten seconds; a claimant looks every two, and waits for the settle time.
LONG = 60


class Nodes:
    """Gateways with one store, each with a port for submission. Clara may do everything in Bob's mailbox, and send as
    Bob."""

    def __init__(self, count, server, outgoing=None):
        self.server, self.stack, self.nodes = server, contextlib.ExitStack(), []
        first = self.stack.enter_context(Gateway())
        if outgoing:
            for user in (CLARA, BOB):
                first.run("account", "set", user, "--smtp", f"127.0.0.1:{outgoing.port}", "--tls", "none")
            first.run("account", "set", BOB, "--imap", "localhost:1", "--sent-copy", "owner")
            first.run("grant", "add", BOB, CLARA, "--send", "as")
        first.run("store", "migrate", url(server))
        for number in range(count):
            node = first
            if number > 0:
                node = Gateway.__new__(Gateway)
                node.__dict__.update(empty(first))
                self.stack.callback(node.remove)
            node.submissions = free_port()
            node.environment.update(GATEPOST_STORE=url(server), GATEPOST_NODE=f"mail{number + 1}",
                                    GATEPOST_LISTEN_SUBMISSIONS=f"127.0.0.1:{node.submissions}")
            self.nodes.append(node)

    def __enter__(self):
        try:
            for node in self.nodes:
                node.start()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind:
            for node in self.nodes:
                sys.stderr.write(node.environment["GATEPOST_NODE"] + "\n" + node.log()[-3000:])
        for node in self.nodes:
            with contextlib.suppress(Exception):
                node.process.send_signal(signal.SIGCONT)
        self.stack.close()

    def __getitem__(self, number):
        return self.nodes[number]

    def count(self, table, condition="true"):
        return int(self.server.psql(f"SELECT count(*) FROM {table} WHERE {condition}"))

    def open_copies(self):
        """Copies that nobody has filed yet."""
        return self.count("sentcopy", "state <> 'filed'")

    def wait_for(self, node):
        """Until a node shares mailboxes: after a kill its name is free three seconds later."""
        def shares():
            with contextlib.suppress(Exception):
                w = node.wire()
                w.ok(f'SELECT "{PLACE}/INBOX"')
                return True
        until(shares)


class Outgoing:
    """A mail server for submission that takes everything; in silence it does not answer the end of a message."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(None)
        self.port = self.listener.getsockname()[1]
        self.arrived, self.is_silent = threading.Semaphore(0), False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.settimeout(None)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rwb") as c:
            def say(words):
                c.write(words + b"\r\n")
                c.flush()
            say(b"220 x ESMTP")
            in_data = False
            for line in c:
                if in_data:
                    if line == b".\r\n":
                        in_data = False
                        self.arrived.release()
                        if not self.is_silent:
                            say(b"250 ok")
                elif line[:4].upper() == b"EHLO":
                    say(b"250-x\r\n250 AUTH PLAIN")
                elif line[:4].upper() == b"AUTH":
                    say(b"235 ok")
                elif line[:4].upper() == b"DATA":
                    in_data = True
                    say(b"354 go")
                else:
                    say(b"250 ok")


def text(name, octets=0):
    body = "".join("x" * 78 + "\r\n" for _ in range(octets // 80))
    return (f"From: {BOB}\r\nTo: {CLARA}\r\nSubject: {name}\r\nMessage-ID: <{name}@kanzlei.example>\r\n\r\n"
            f"Guten Tag\r\n{body}").encode()


def send(node, *names, octets=0):
    """Clara sends as Bob, and each message is answered 250."""
    trust = ssl.create_default_context(cafile=os.path.join(node.folder, "certs/ca.pem"))
    s = smtplib.SMTP_SSL("localhost", node.submissions, context=trust, timeout=60)
    s.login(CLARA, "pw-clara")
    for name in names:
        s.sendmail(BOB, [CLARA], text(name, octets))


def filed(*names):
    """How many copies of each message are in Bob's Sent folder."""
    bob = owner(BOB, SECOND)
    bob.select("Sent")
    found = [len(bob.uid("SEARCH", "SUBJECT", name)[1][0].split()) for name in names]
    bob.logout()
    return found


def waiting(node):
    folder = os.path.join(node.folder, "sent")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def names(label, count):
    return [f"{label}{os.getpid()}-{n}" for n in range(count)]


# -- Transfers


def prepare(label, count):
    """Folders in both mailboxes, with messages in Clara's; their octets by folder."""
    clara, bob = owner(CLARA, FIRST), owner(BOB, SECOND)
    contents = {}
    for number in range(count):
        folder = f"{label}{number}"
        fill(clara, folder, 30, 3_000)
        bob.create(folder)
        contents[folder] = sorted(octets for octets, _, _ in stored(clara, folder).values())
    return contents


def check(contents, answers=None):
    """Each folder's messages are all here or all there, once. Moves back what is there."""
    clara, bob = owner(CLARA, FIRST), owner(BOB, SECOND)
    places = []
    for folder, before in contents.items():
        here = sorted(octets for octets, _, _ in stored(clara, folder).values())
        there = sorted(octets for octets, _, _ in stored(bob, folder).values())
        assert (here, there) in ((before, []), ([], before)), (folder, len(before), len(here), len(there))
        places.append("there" if there else "here")
        if answers and answers[folder].startswith("k OK"):
            assert there, (folder, answers[folder])
        if there:
            for octets, flags, date in stored(bob, folder).values():
                clara.append(folder, f"({' '.join(flags)})", imaplib.Time2Internaldate(date), octets)
            remove_all(bob, folder)
    clara.logout()
    bob.logout()
    return places


def begin_moves(nodes, contents):
    """A session on each of the first nodes, which has begun to move a folder; and the time that a move takes."""
    wires = {}
    for number, folder in enumerate(contents):
        w = wires[folder] = nodes[number].wire()
        w.ok(f'SELECT "{folder}"')
        w.ok(f'STATUS "{PLACE}/{folder}" (MESSAGES)')
    for folder, w in wires.items():
        w.send(f'k MOVE 1:* "{PLACE}/{folder}"\r\n'.encode())
    return wires


def measured(nodes):
    """How long four moves at once take."""
    contents = prepare("Mass", 4)
    start = time.time()
    for w in begin_moves(nodes, contents).values():
        assert w.until(b"k")[-1].startswith(b"k OK")
    duration = time.time() - start
    check(contents)
    return duration


def interrupt(nodes, attempt, duration, sign):
    """Sends a signal to four nodes during their moves: at four moments, or while the target or the source does not go
    on. What it has got then is stored after the signal.

    Returns how many moves are not ended."""
    if attempt % 3 == 2:
        start = time.time()
        for number, moment in enumerate(sorted(random.uniform(0, duration * 0.6) for _ in range(4))):
            time.sleep(max(start + moment - time.time(), 0))
            nodes[number].process.send_signal(sign)
        return nodes.count("transfer")
    time.sleep(random.uniform(0.01, 0.08))
    stopped = Stopped("FIRST" if attempt % 3 else "SECOND")
    try:
        time.sleep(0.3)
        for number in range(4):
            nodes[number].process.send_signal(sign)
        time.sleep(1)
        return nodes.count("transfer")
    finally:
        stopped.proceed()


def a_move_of_a_dead_node_is_ended_by_another():
    """Four nodes die in their moves; the fifth one completes them or undoes them."""
    with PostgreSQL() as server:
        server.create()
        with Nodes(5, server) as nodes:
            nodes.wait_for(nodes[0])
            duration = measured(nodes)
            contents = prepare("Tod", 4)
            places, left = [], []
            for attempt in range(9):
                if attempt >= 3 and sum(left) > 3 and len(set(places)) == 2:
                    break
                wires = begin_moves(nodes, contents)
                left.append(interrupt(nodes, attempt, duration, signal.SIGKILL))
                until(lambda: nodes.count("transfer") == 0, seconds=LONG)
                # A target that was stopped has got to what it had received.
                time.sleep(1)
                places += check(contents)
                for w in wires.values():
                    w.raw.close()
                for number in range(4):
                    nodes[number].process.wait()
                    nodes[number].start()
                nodes.wait_for(nodes[3])
            print(f"{duration:.2f} s for four moves; {left} were left; ends: {places}")
            assert sum(left) > 3 and len(set(places)) == 2, (left, places)
            assert "recovering interrupted transfers" in nodes[4].log()


def a_paused_node_does_not_go_on_with_a_move_that_was_taken_over():
    """Four nodes are stopped in their moves, and continue when the fifth one has ended them."""
    with PostgreSQL() as server:
        server.create()
        with Nodes(5, server) as nodes:
            nodes.wait_for(nodes[0])
            duration = measured(nodes)
            contents = prepare("Pause", 4)
            left, places, given = [], [], []
            for attempt in range(9):
                if attempt >= 3 and sum(left) > 3:
                    break
                wires = begin_moves(nodes, contents)
                left.append(interrupt(nodes, attempt, duration, signal.SIGSTOP))
                until(lambda: nodes.count("transfer") == 0, seconds=LONG)
                for number in range(4):
                    nodes[number].process.send_signal(signal.SIGCONT)
                answers = {}
                for folder, w in wires.items():
                    with contextlib.suppress(EOFError, OSError):
                        answers[folder] = w.until(b"k")[-1].decode()
                    answers.setdefault(folder, "closed")
                    w.raw.close()
                # What a paused node would still do, it does now.
                time.sleep(3)
                until(lambda: nodes.count("transfer") == 0, seconds=LONG)
                places += check(contents, answers)
                given += answers.values()
                nodes.wait_for(nodes[3])
            print(f"{duration:.2f} s for four moves; {left} were left; ends: {places}; {given}")
            assert sum(left) > 3, (left, places)


# -- Copies for Sent folders


def a_copy_of_a_dead_node_is_filed_once_by_another():
    """Two nodes have copies that wait for the server: one dies, and one is paused. The third files each copy once, and
    neither of them files any when it is back."""
    first, second = names("tod", 3), names("pause", 3)
    outgoing = Outgoing()
    with PostgreSQL() as server:
        server.create()
        with Nodes(3, server, outgoing) as nodes:
            send(nodes[0], *first)
            # One needs many chunks.
            send(nodes[1], *second[:2])
            send(nodes[1], second[2], octets=5_000_000)
            assert nodes.count("sentcopy", "state = 'sent'") == 6
            assert server.psql("SELECT count(*) FROM sentcopychunk") >= "25"
            for node in (nodes[0], nodes[1]):
                assert [name.rpartition(".")[2] for name in waiting(node)].count("eml") == 3, waiting(node)
            assert "(copies in Sent)" not in nodes[2].run("doctor", status=None)
            nodes[0].kill()
            nodes[1].process.send_signal(signal.SIGSTOP)
            nodes[2].run("account", "set", BOB, "--imap", f"localhost:{SECOND}")
            until(lambda: filed(*first, *second) == [1] * 6 and nodes.open_copies() == 0, seconds=LONG)
            nodes[1].process.send_signal(signal.SIGCONT)
            nodes[0].start()
            until(lambda: waiting(nodes[0]) == [] and waiting(nodes[1]) == [], seconds=LONG)
            assert "another node files it or did" in nodes[0].log(), nodes[0].log()[-3000:]
            time.sleep(5)
            assert filed(*first, *second) == [1] * 6
            bob = owner(BOB, SECOND)
            bob.select("Sent", readonly=True)
            found = bob.uid("SEARCH", "SUBJECT", second[2])[1][0]
            assert bob.uid("FETCH", found, "(BODY.PEEK[])")[1][0][1] == text(second[2], 5_000_000)
            assert nodes[2].log().count("files a sent copy that another node") == 6
            assert waiting(nodes[2]) == []


def a_living_node_files_its_own_copies_and_those_that_an_older_database_brings_back_stay_single():
    own = names("selbst", 3)
    outgoing = Outgoing()
    with PostgreSQL() as server:
        server.create()
        with Nodes(2, server, outgoing) as nodes:
            nodes[0].run("account", "set", BOB, "--imap", f"localhost:{SECOND}")
            time.sleep(1)
            server.psql("CREATE TABLE copies AS SELECT * FROM sentcopy")
            server.psql("CREATE TABLE chunks AS SELECT * FROM sentcopychunk")
            server.psql("CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                        " INSERT INTO copies SELECT OLD.*;"
                        " INSERT INTO chunks SELECT * FROM sentcopychunk WHERE copy = OLD.name;"
                        " RETURN OLD; END $$;"
                        " CREATE TRIGGER keep BEFORE DELETE ON sentcopy FOR EACH ROW EXECUTE FUNCTION keep()")
            send(nodes[0], *own)
            until(lambda: filed(*own) == [1] * 3 and nodes.open_copies() == 0)
            assert nodes.count("copies", "state = 'sent'") == 3 and waiting(nodes[0]) == []
            # A database from before the copies were filed, once with the node and once after its death.
            for attempt in range(2):
                server.psql("INSERT INTO sentcopy SELECT * FROM copies; INSERT INTO sentcopychunk SELECT * FROM chunks;"
                            " DELETE FROM copies; DELETE FROM chunks")
                until(lambda: nodes.open_copies() == 0, seconds=LONG)
                assert filed(*own) == [1] * 3
                if attempt == 0:
                    nodes[0].kill()
            assert waiting(nodes[1]) == []


def a_copy_whose_node_died_before_the_servers_answer_is_unknown_on_all_nodes():
    name, other = names("offen", 2)
    outgoing = Outgoing()
    outgoing.is_silent = True
    with PostgreSQL() as server:
        server.create()
        with Nodes(2, server, outgoing) as nodes:
            nodes[0].run("account", "set", BOB, "--imap", f"localhost:{SECOND}")
            time.sleep(1)

            def attempt(one):
                with contextlib.suppress(Exception):
                    send(nodes[0], one)
            senders = [threading.Thread(target=attempt, args=(one,)) for one in (name, other)]
            for sender in senders:
                sender.start()
                assert outgoing.arrived.acquire(timeout=30), nodes[0].log()[-2000:]
            assert nodes.count("sentcopy", "state = 'unsent'") == 2
            nodes[0].kill()
            for sender in senders:
                sender.join()
            until(lambda: nodes.count("sentcopy", "state = 'unknown'") == 2, seconds=LONG)
            report = nodes[1].run("doctor", status=None)
            assert f"<{name}@kanzlei.example> of {BOB}" in report, report
            assert filed(name, other) == [0, 0]
            # One is decided in the database, as for a machine that is lost.
            server.psql("UPDATE sentcopy SET state = 'sent' WHERE state = 'unknown' AND"
                        f" messageid = '<{other}@kanzlei.example>'")
            until(lambda: filed(name, other) == [0, 1], seconds=LONG)
            # The node is back, and the administrator finds that the message went out.
            nodes[0].start()
            folder = os.path.join(nodes[0].folder, "sent")
            until(lambda: len([n for n in waiting(nodes[0]) if n.endswith(".unknown")]) == 2)

            def is_first(file):
                with open(os.path.join(folder, file), "rb") as f:
                    return name.encode() in f.read()
            (left,) = [n for n in waiting(nodes[0]) if n.endswith(".unknown") and is_first(n)]
            os.rename(os.path.join(folder, left), os.path.join(folder, left.replace(".unknown", ".eml")))
            nodes[0].stop()
            nodes[0].start()
            until(lambda: filed(name) == [1] and nodes.open_copies() == 0, seconds=LONG)
            time.sleep(3)
            assert filed(name, other) == [1, 1]
            assert [n.rpartition(".")[2] for n in waiting(nodes[0])] == ["shared", "unknown"], waiting(nodes[0])


def a_copy_that_the_database_does_not_take_is_kept_and_shared_later():
    """The table of copies is away: messages go out all the same, and a required copy refuses its message."""
    before, later = names("ohne", 2), names("pflicht", 1)
    outgoing = Outgoing()
    with PostgreSQL() as server:
        server.create()
        with Nodes(2, server, outgoing) as nodes:
            send(nodes[0], before[0])
            server.psql("ALTER TABLE sentcopy RENAME TO away")
            send(nodes[0], before[1])
            assert nodes.count("away") == 1 and len([n for n in waiting(nodes[0]) if n.endswith(".eml")]) == 2
            assert len([n for n in waiting(nodes[0]) if n.endswith(".shared")]) == 1
            nodes[0].run("account", "set", BOB, "--sent-copy-required")
            time.sleep(1)
            try:
                send(nodes[0], later[0])
                raise AssertionError("it was accepted")
            except smtplib.SMTPDataError as e:
                assert e.smtp_code == 452, e
            server.psql("ALTER TABLE away RENAME TO sentcopy")
            until(lambda: nodes.count("sentcopy", "state = 'sent'") == 2)
            nodes[0].kill()
            nodes[1].run("account", "set", BOB, "--imap", f"localhost:{SECOND}")
            until(lambda: filed(*before) == [1, 1] and nodes.open_copies() == 0, seconds=LONG)
            assert filed(*later) == [0]


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
