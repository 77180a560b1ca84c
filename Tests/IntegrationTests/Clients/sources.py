"""Logins with the passwords that a mail server knows. Each function is one scenario; the first argument names it."""
import contextlib
import os
import socket
import sqlite3
import sys
import time

from dovecot import Dovecot
from gateway import Gateway
from scenarios import BOB, CLARA, run_scenario
from wire import Wire

PASSWORD = "Geheimnis-4711"
SHARED = f'"Other Users/{BOB}/INBOX"'


class Office:
    """Bob's mailbox is at a Dovecot, whose password for it the gateway is not told; Clara may read it. Her own password is in
    the store."""

    def __init__(self, stack, learn="on"):
        self.dovecot = stack.enter_context(Dovecot("namespace inbox {\n inbox = yes\n}\n"))
        self.dovecot.deliver("owner", "Hallo")
        self.set_password(PASSWORD)
        self.gateway = stack.enter_context(Gateway(grants=False))
        run = self.gateway.run
        path = os.path.join(self.gateway.folder, "gatepost.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("sources: [gateway]", "sources: [gateway, upstream]").replace("learn: \"off\"", f"learn: \"{learn}\""))
        run("account", "remove", BOB, "--yes")
        run("user", "remove", BOB, "--yes")
        run("user", "add", BOB, "--without-password")
        run("account", "add", BOB, "--kind", "imap", "--imap", f"localhost:{self.dovecot.port}", "--ca", self.dovecot.ca,
            "--username", "owner", "--owner", BOB)
        run("grant", "add", BOB, CLARA, "--view")
        self.gateway.start()

    def set_password(self, password):
        """Changes it at the server. Dovecot reads a file again whose time has changed."""
        time.sleep(1.1)
        with open(self.dovecot.path("users"), "w") as file:
            file.write(f"owner:{{PLAIN}}{password}\n")

    def wire(self):
        return Wire(self.gateway.port, os.path.join(self.gateway.folder, "certs/ca.pem"))

    def login(self, password, user=BOB):
        """The last line of the answer, without the tag."""
        w = self.wire()
        return w.command(f'LOGIN {user} "{password}"')[-1].partition(b" ")[2], w

    def select(self):
        """The answer to Clara, in a session of her own."""
        answer, w = self.login("pw-clara", user=CLARA)
        assert answer.startswith(b"OK"), answer
        return w.command(f"SELECT {SHARED}")[-1].partition(b" ")[2]

    def refused_by_dovecot(self):
        with open(self.dovecot.path("log")) as file:
            return file.read().count("auth failed")


def the_first_login_of_the_owner_opens_the_mailbox_to_others():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        answer = office.select()
        assert answer == b"NO [UNAVAILABLE] The owner of this mailbox has to log in first", answer
        doctor = office.gateway.run("doctor", status=None)
        assert f"{BOB} has to log in at the gateway" in doctor, doctor
        answer, w = office.login(PASSWORD)
        assert answer.startswith(b"OK"), (answer, office.gateway.log())
        assert any(b"1 EXISTS" in line for line in w.command("SELECT INBOX"))
        assert office.select().startswith(b"OK")
        # The password is nowhere in plain text, and in no record.
        records = office.gateway.run("audit", "list")
        assert "account learn" in records and PASSWORD not in records, records
        for path, _, files in os.walk(office.gateway.folder):
            for name in (os.path.join(path, file) for file in files):
                if os.path.isfile(name):
                    with open(name, "rb") as file:
                        assert PASSWORD.encode() not in file.read(), name


def a_changed_password_opens_nothing_to_others_until_the_owner_logs_in():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        assert office.login(PASSWORD)[0].startswith(b"OK")
        assert office.select().startswith(b"OK")
        office.set_password("another")
        for _ in range(2):
            answer = office.select()
            assert answer == b"NO [UNAVAILABLE] The owner of this mailbox has to log in first", answer
        doctor = office.gateway.run("doctor", status=None)
        assert f"the server refuses the stored password: {BOB} has to log in" in doctor, doctor
        # The old password was right a moment ago: with the refused credential it counts no more.
        answer, _ = office.login(PASSWORD)
        assert answer.startswith(b"NO [AUTHENTICATIONFAILED]"), answer
        answer, w = office.login("another")
        assert answer.startswith(b"OK"), answer
        assert w.command("SELECT INBOX")[-1].partition(b" ")[2].startswith(b"OK")
        assert office.select().startswith(b"OK")


def a_wrong_password_is_refused_late_and_asked_for_once():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        for password in ("wrong", "wrong", "", "SECRET"):
            start = time.monotonic()
            answer, _ = office.login(password)
            assert answer == b"NO [AUTHENTICATIONFAILED] Login failed", answer
            assert time.monotonic() - start >= 4
        assert office.refused_by_dovecot() == 2
        start = time.monotonic()
        answer, _ = office.login("wrong", user="nobody@kanzlei.example")
        assert answer == b"NO [AUTHENTICATIONFAILED] Login failed", answer
        assert time.monotonic() - start >= 4
        assert office.refused_by_dovecot() == 2
        with contextlib.closing(sqlite3.connect(office.gateway.store)) as store:
            assert store.execute("SELECT count(*) FROM account WHERE password IS NOT NULL").fetchone()[0] == 1


def many_guesses_do_not_reach_the_server():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        wires = []
        for number in range(30):
            wires.append(office.wire())
            wires[-1].send(f'x LOGIN {BOB} "guess {number}"\r\n'.encode())
        for w in wires:
            w.until(b"x")
        assert office.refused_by_dovecot() <= 4, office.refused_by_dovecot()
        records = office.gateway.run("audit", "list")
        assert "the server was not asked" in records, records


def a_server_that_does_not_answer_is_no_wrong_password():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        office.dovecot.process.terminate()
        office.dovecot.process.wait()
        answer, _ = office.login(PASSWORD)
        assert answer == b"NO [UNAVAILABLE] Passwords cannot be checked now; try again later", answer
        # Clara's password is in the store.
        assert office.login("pw-clara", user=CLARA)[0].startswith(b"OK")
        assert "a source of logins cannot be asked" in office.gateway.log()
        office.dovecot.__enter__()
        # The gateway waits for some seconds before it asks the server again.
        end = time.monotonic() + 20
        while not office.login(PASSWORD)[0].startswith(b"OK"):
            assert time.monotonic() < end


def a_server_that_hangs_delays_no_other_login():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=200))
        users = [f"u{number}@kanzlei.example" for number in range(14)]
        for user in users:
            office.gateway.run("user", "add", user, "--without-password")
            office.gateway.run("account", "add", user, "--kind", "imap", "--owner", user,
                               "--imap", f"localhost:{silent.getsockname()[1]}", "--ca", office.dovecot.ca)
        # Bob is known in his network. With another password the server has to be asked again.
        assert office.login(PASSWORD)[0].startswith(b"OK")
        office.set_password("another")
        waiting = []
        # More than there are threads for mail servers.
        for number in range(3 * len(users)):
            waiting.append(office.wire())
            waiting[-1].send(f'x LOGIN {users[number % len(users)]} "guess {number}"\r\n'.encode())
        time.sleep(0.5)
        start = time.monotonic()
        answer, _ = office.login("pw-clara", user=CLARA)
        assert answer.startswith(b"OK"), answer
        stored = time.monotonic() - start
        answer, _ = office.login("another")
        assert answer.startswith(b"OK"), answer
        upstream = time.monotonic() - start - stored
        print(f"{stored:.2f} s with the password in the store, {upstream:.2f} s at another server")
        assert stored < 3 and upstream < 8, (stored, upstream)
        for w in waiting:
            answer = w.until(b"x")[-1]
            assert answer.startswith(b"x NO [UNAVAILABLE] Passwords cannot be checked now"), answer


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
