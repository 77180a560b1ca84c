"""Logins of clients at the gateway and of the gateway at mail servers, when they are refused. Each function is one scenario; the
first argument names it.
"""
import base64
import contextlib
import json
import os
import resource
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time

from gateway import Gateway, free_port
from hostile import seconds_of_work
from pace import Watch
from scenarios import BOB, CLARA, run_scenario
from sending import Raw
from upstreams import Server, imap
from wire import Wire

SHARED = f"Other Users/{BOB}"


class MailServers:
    """An IMAP server and one for sending that answer logins as they are told, and count them."""

    # They end the connection, without a word or with one.
    CLOSES, SAYS_BYE = "closes", "says bye"

    def __init__(self, answer=None, delay=0):
        # None lets everybody in.
        self.answer, self.delay, self.logins, self.sending = answer, delay, 0, 0
        # The password of those that are let in, where it counts; and those that came.
        self.right, self.passwords = None, []
        # Seconds before a greeting; answers to logins that reached the gateway.
        self.greeting, self.heard = 0, 0
        script = imap({"AUTHENTICATE": self.login, "LOGIN": self.login}, "IMAP4rev1 UIDPLUS SASL-IR AUTH=PLAIN NAMESPACE")
        self.imap = Server(lambda c: (time.sleep(self.greeting), script(c)))
        self.smtp = Server(self.submission)

    def login(self, c, tag, line):
        self.logins += 1
        self.passwords.append(base64.b64decode(line.split()[-1]).split(b"\0")[-1].decode())
        refusal = "[AUTHENTICATIONFAILED] wrong" if self.right not in (None, self.passwords[-1]) else self.answer
        time.sleep(self.delay)
        self.end(c, "* BYE Internal error occurred\r\n")
        self.answered(c)
        c.send(tag + (f" NO {refusal}" if refusal else " OK in").encode() + b"\r\n")

    def answered(self, c):
        """Counts an answer for which the gateway has kept the connection."""
        c.raw.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            if not c.raw.recv(1, socket.MSG_PEEK):
                raise EOFError
        c.raw.settimeout(60)
        self.heard += 1

    def end(self, c, word):
        if self.answer == self.SAYS_BYE:
            c.send(word)
        if self.answer in (self.CLOSES, self.SAYS_BYE):
            raise EOFError

    def submission(self, c):
        time.sleep(self.greeting)
        c.send("220 mail.example ESMTP\r\n")
        while True:
            verb = c.line().split(b" ")[0].upper()
            if verb == b"EHLO":
                c.send("250-mail.example\r\n250 AUTH PLAIN\r\n")
            elif verb == b"AUTH":
                self.sending += 1
                time.sleep(self.delay)
                self.end(c, "421 4.3.0 closing\r\n")
                self.answered(c)
                c.send("535 5.7.8 wrong\r\n" if self.answer else "235 in\r\n")
            else:
                c.send("250 ok\r\n")

    def serve(self, gateway, *words):
        """Puts Bob's account there."""
        gateway.run("account", "set", BOB, "--imap", f"127.0.0.1:{self.imap.port}", "--smtp", f"127.0.0.1:{self.smtp.port}",
                    "--tls", "none", *words)
        gateway.run("grant", "add", BOB, CLARA, "--send", "as")


def submitting(**settings):
    return Gateway(GATEPOST_LISTEN_SUBMISSIONS=f"127.0.0.1:{free_port()}", **settings)


def sender(gateway, user=CLARA):
    port = int(gateway.environment["GATEPOST_LISTEN_SUBMISSIONS"].rpartition(":")[2])
    return Raw(user, port, trust=ssl.create_default_context(cafile=ca(gateway)))


def ca(gateway):
    return os.path.join(gateway.folder, "certs/ca.pem")


def findings(gateway):
    """What doctor finds, by its subject; its status is 1 where something is wrong."""
    done = subprocess.run([os.environ["GATEPOST"], "doctor", "--json"], text=True, capture_output=True, env=gateway.environment)
    return {f["subject"]: f for f in json.loads(done.stdout)}


def audit(gateway, **wanted):
    records = json.loads(gateway.run("audit", "list", "--json"))
    return [r for r in records if all(r.get(key) == value for key, value in wanted.items())]


# -- What the gateway logs in with


def a_credential_that_is_refused_rests():
    servers = MailServers("[AUTHENTICATIONFAILED] wrong")
    with submitting(GATEPOST_CONSENT="notify") as gateway:
        servers.serve(gateway)
        gateway.start()
        w = gateway.wire()
        watch = Watch()
        answers = [w.answer(f'SELECT "{SHARED}/INBOX"') for _ in range(124)]
        assert servers.logins == 1, servers.logins
        assert all(a.startswith(("NO [UNAVAILABLE]", "NO [CONTACTADMIN]")) for a in answers), set(answers)
        assert "refused the gateway's login" in answers[-1] and watch.seconds < 5, answers[-1]
        # Another session, and the other protocol.
        assert gateway.wire().answer(f'STATUS "{SHARED}/INBOX" (MESSAGES)').startswith("NO [UNAVAILABLE]")
        s = sender(gateway)
        for _ in range(15):
            assert s.command(f"MAIL FROM:<{BOB}>").startswith("454 4.7.0"), "sending"
        # A message for the owner, which the gateway would put there by itself.
        gateway.run("grant", "add", BOB, CLARA, "--view", "--folder", "Akten", "--no-check")
        time.sleep(1)
        # What an administrator sees, without another login.
        for _ in range(3):
            found = findings(gateway)[f"{BOB} at 127.0.0.1:{servers.imap.port}"]
            assert found["state"] == "failed" and "refused the credential" in found["remedy"], found
        said = gateway.run("grant", "add", BOB, CLARA, "--view", "--folder", "INBOX", status=1)
        assert "refused the credential" in said, said
        assert (servers.logins, servers.sending) == (1, 0), (servers.logins, servers.sending)
        line = next(line for line in gateway.log().splitlines() if "refused the stored credential" in line)
        assert BOB in line and "seconds=60" in line, line
        # An administrator may try, and a success ends the pause.
        gateway.run("account", "test", BOB, status=1)
        assert servers.logins == 2
        assert w.answer(f'SELECT "{SHARED}/INBOX"').startswith("NO [UNAVAILABLE]")
        servers.answer = None
        gateway.run("account", "test", BOB)
        w.ok(f'SELECT "{SHARED}/INBOX"')
        assert s.command(f"MAIL FROM:<{BOB}>").startswith("250")


def another_password_is_tried_at_once():
    servers = MailServers("wrong")
    with submitting() as gateway:
        servers.serve(gateway)
        gateway.start()
        s, w = sender(gateway), None
        assert s.command(f"MAIL FROM:<{BOB}>").startswith("451 4.7.8")
        for _ in range(15):
            assert s.command(f"MAIL FROM:<{BOB}>").startswith("454 4.7.0")
        w = gateway.wire()
        assert w.answer(f'SELECT "{SHARED}/INBOX"').startswith("NO [UNAVAILABLE]")
        assert (servers.logins, servers.sending) == (0, 1), (servers.logins, servers.sending)
        servers.answer = None
        gateway.run("account", "set", BOB, "--password-stdin", stdin="another\n")
        end = time.time() + 60
        while not w.answer(f'SELECT "{SHARED}/INBOX"').startswith("OK"):
            assert time.time() < end, gateway.log()[-2000:]
            time.sleep(0.1)
        assert s.command(f"MAIL FROM:<{BOB}>").startswith("250")


def a_server_that_is_busy_refuses_no_credential():
    servers = MailServers("[UNAVAILABLE] Temporary authentication failure")
    with Gateway() as gateway:
        servers.serve(gateway)
        gateway.start()
        w = gateway.wire()
        for _ in range(5):
            assert w.answer(f'SELECT "{SHARED}/INBOX"').startswith("NO [UNAVAILABLE]")
        assert servers.logins >= 5, servers.logins
        servers.answer = None
        w.ok(f'SELECT "{SHARED}/INBOX"')


def a_password_that_changes_at_the_server_makes_few_failures():
    servers = MailServers()
    with submitting() as gateway:
        servers.serve(gateway)
        gateway.start()
        # All of them know the server, and none but the first has a connection to it.
        first = gateway.wire()
        first.ok(f'SELECT "{SHARED}/INBOX"')
        wires = [gateway.wire() for _ in range(30)]
        before = servers.logins
        servers.answer, servers.delay = "[AUTHENTICATIONFAILED] wrong", 0.3
        watch = Watch()
        for w in wires:
            w.send(f'b SELECT "{SHARED}/INBOX"\r\n'.encode())
        for w in wires:
            answer = w.until(b"b")[-1].split(b" ", 1)[1].decode()
            assert answer.startswith(("NO [UNAVAILABLE]", "NO [CONTACTADMIN]")), answer
        assert 1 <= servers.logins - before <= 4, servers.logins - before
        assert watch.seconds < 5, watch.seconds


def delegates_that_come_together_are_let_in_soon():
    servers = MailServers(delay=0.05)
    with Gateway() as gateway:
        servers.serve(gateway)
        gateway.start()
        gateway.wire().ok(f'SELECT "{SHARED}/INBOX"')
        wires = [gateway.wire() for _ in range(45)]
        before, watch = servers.logins, Watch()
        for w in wires:
            w.send(f'b SELECT "{SHARED}/INBOX"\r\n'.encode())
        for w in wires:
            assert w.until(b"b")[-1].startswith(b"b OK"), "a delegate is left out"
        assert servers.logins - before == 45, servers.logins - before
        assert watch.seconds < 10, watch.seconds


def a_server_that_ends_logins_is_left_alone_for_a_moment():
    servers = MailServers()
    with submitting() as gateway:
        servers.serve(gateway)
        gateway.start()
        subject = f"{BOB} at 127.0.0.1:{servers.imap.port}"
        for way in (servers.CLOSES, servers.SAYS_BYE):
            servers.answer, servers.logins, servers.sending = way, 0, 0
            w, s = gateway.wire(), sender(gateway)
            start = time.time()
            answers = [w.answer(f'SELECT "{SHARED}/INBOX"') for _ in range(60)]
            assert all(a.startswith("NO [UNAVAILABLE]") for a in answers), set(answers)
            assert "did not answer the gateway's login" in answers[-1], answers[-1]
            assert not any("refused" in a for a in answers), set(answers)
            answers = [s.command(f"MAIL FROM:<{BOB}>")[:9] for _ in range(15)]
            assert set(answers) <= {"451 4.3.0", "451 4.4.1", "454 4.7.0"} and answers[-1] == "454 4.7.0", set(answers)
            said = s.command(f"MAIL FROM:<{BOB}>")
            assert said.startswith("4") and "refused" not in said, said
            # 0, 1 and 2 seconds go by after each other.
            taken = time.time() - start
            assert taken < 3 and servers.logins <= 3 and servers.sending <= 3, (taken, servers.logins, servers.sending)
            found = findings(gateway)[subject]
            assert found["state"] == "failed" and "closed the connection before it answered the login" in found["remedy"], found
            assert "refused" not in found["remedy"], found
            found = findings(gateway)[f"{BOB} sending at 127.0.0.1:{servers.smtp.port}"]
            assert found["state"] == "failed" and "closed the connection before it answered the login" in found["remedy"], found
            # One that is well again is found by itself.
            servers.answer = None
            end = time.time() + 60
            while not w.answer(f'SELECT "{SHARED}/INBOX"').startswith("OK"):
                assert time.time() < end, gateway.log()[-2000:]
                time.sleep(0.1)
            while not s.command(f"MAIL FROM:<{BOB}>").startswith("250"):
                assert time.time() < end, gateway.log()[-2000:]
                time.sleep(0.1)
            # Nobody waits for one connection that is dropped.
            other = gateway.wire()
            servers.answer = way
            assert other.answer(f'SELECT "{SHARED}/INBOX"').startswith("NO [UNAVAILABLE]")
            servers.answer = None
            other.ok(f'SELECT "{SHARED}/INBOX"')
        assert "closes logins without an answer" in gateway.log() and "refused the stored credential" not in gateway.log()


def a_slow_server_is_not_one_that_gives_no_answer():
    servers = MailServers()
    with submitting(GATEPOST_LIMITS_UPSTREAM_SECONDS="2") as gateway:
        servers.serve(gateway)
        gateway.start()
        # The first one asks the server what it can do, and stays connected.
        gateway.wire().ok(f'SELECT "{SHARED}/INBOX"')
        w, s = gateway.wire(), sender(gateway)
        servers.greeting, servers.delay = 1.4, 1.2
        servers.logins = servers.sending = servers.heard = 0
        # Two seconds pass while the server checks the credential: the login goes on without its client.
        for number in range(1, 4):
            w.send(f'b SELECT "{SHARED}/INBOX"\r\n'.encode())
            answer = s.command(f"MAIL FROM:<{BOB}>")
            assert answer.startswith("451 4.4.1"), answer
            answer = w.until(b"b")[-1].decode()
            assert answer.startswith("b NO [UNAVAILABLE]") and "cannot be used now" in answer, answer
            time.sleep(1.2)
            assert servers.logins == servers.sending == number, (servers.logins, servers.sending)
            assert servers.heard == 2 * number, servers.heard
        assert "closes logins without an answer" not in gateway.log()
        servers.greeting = servers.delay = 0
        w.ok(f'SELECT "{SHARED}/INBOX"')
        assert s.command(f"MAIL FROM:<{BOB}>").startswith("250")


def waiting_for_other_logins_is_no_silence_of_the_server():
    servers = MailServers(delay=1.2)
    with Gateway(GATEPOST_LIMITS_UPSTREAM_SECONDS="2") as gateway:
        servers.serve(gateway)
        gateway.start()
        gateway.wire().ok(f'SELECT "{SHARED}/INBOX"')
        wires = [gateway.wire() for _ in range(30)]
        watch = Watch()
        for w in wires:
            w.send(f'b SELECT "{SHARED}/INBOX"\r\n'.encode())
            time.sleep(0.1)
        answers = [w.until(b"b")[-1].decode() for w in wires]
        # Two seconds in line, and two for the login.
        assert watch.seconds < 9, watch.seconds
        assert not any("refused" in a or "did not answer" in a for a in answers), set(answers)
        # The first twelve had their turn within two seconds of their arrival.
        let_in = sum(a.startswith("b OK") for a in answers)
        assert let_in >= 12, (let_in, set(answers))
        assert servers.heard == servers.logins == let_in + 1, (servers.heard, servers.logins, let_in)
        assert "closes logins without an answer" not in gateway.log()
        assert "has too many logins of this account under way" in gateway.log()


def a_delegate_with_many_connections_keeps_no_owner_out():
    servers = MailServers(delay=0.5)
    with Gateway() as gateway:
        servers.serve(gateway)
        gateway.start()
        gateway.wire().ok(f'SELECT "{SHARED}/INBOX"')
        owner = gateway.wire(BOB)
        wires = [gateway.wire() for _ in range(45)]
        for w in wires:
            w.send(f'b SELECT "{SHARED}/INBOX"\r\n'.encode())
        time.sleep(0.2)
        watch = Watch()
        owner.ok("SELECT INBOX")
        # The logins under way, one of the delegate's, and its own.
        assert watch.seconds < 3, watch.seconds
        for w in wires:
            assert w.until(b"b")[-1].startswith(b"b OK"), "a delegate is left out"


def what_is_told_of_a_new_password_is_not_about_the_old_one():
    servers = MailServers()
    with Gateway() as gateway:
        servers.serve(gateway)
        gateway.start()
        for number in range(5):
            wrong, servers.right = f"wrong{number}", f"right{number}"
            gateway.run("account", "set", BOB, "--password-stdin", stdin=f"{wrong}\n")
            w, end = gateway.wire(), time.time() + 60
            while wrong not in servers.passwords:
                w.answer(f'SELECT "{SHARED}/INBOX"')
                assert time.time() < end, gateway.log()[-2000:]
            # The command's success may come before the gateway has the new password in force: the old one rests on.
            gateway.run("account", "set", BOB, "--password-stdin", stdin=f"{servers.right}\n")
            gateway.run("account", "test", BOB)
            end = time.time() + 60
            while not w.answer(f'SELECT "{SHARED}/INBOX"').startswith("OK"):
                assert time.time() < end, gateway.log()[-2000:]
            assert servers.passwords.count(wrong) == 1, servers.passwords


def who_leaves_early_hides_no_refusal():
    servers = MailServers("[AUTHENTICATIONFAILED] wrong", delay=0.5)
    with submitting() as gateway:
        servers.serve(gateway)
        gateway.start()
        # What the first login looks at is not asked again for a while.
        waiting = [Wire(gateway.port, ca(gateway)) for _ in range(10)]
        for w in waiting:
            w.send(f'a LOGIN {CLARA} pw-clara\r\nb SELECT "{SHARED}/INBOX"\r\n'.encode())
            time.sleep(0.2)
            w.raw.close()
        time.sleep(1.5)
        assert servers.logins == 1, servers.logins
        gateway.run("account", "set", BOB, "--password-stdin", stdin="another\n")
        time.sleep(0.5)
        for _ in range(10):
            s = sender(gateway)
            s.send(f"MAIL FROM:<{BOB}>\r\n".encode())
            time.sleep(0.2)
            s.raw.close()
        time.sleep(1.5)
        assert servers.sending == 1, servers.sending


# -- What clients log in with


def refused_logins(gateway):
    """How many the audit log has by now."""
    with contextlib.closing(sqlite3.connect(gateway.store, timeout=10)) as store:
        return store.execute("""SELECT count(*) FROM audit WHERE record LIKE '%"event":"login"%'
                                AND record LIKE '%"outcome":"refused"%'""").fetchone()[0]


def who_guesses_and_leaves_is_counted_and_recorded():
    with submitting() as gateway:
        gateway.start()
        # A check that has not begun when its client leaves is not made: each guess stays until its check is recorded, and
        # leaves before the answer, which is late.
        for number in range(90):
            w = Wire(gateway.port, ca(gateway))
            w.send(f"a LOGIN {'Bob' if number % 2 else 'bob'}@kanzlei.example guess{number}\r\n".encode())
            watch = Watch()
            while refused_logins(gateway) <= number:
                assert watch.seconds < 60, "a guess is not recorded"
                time.sleep(0.05)
            w.raw.close()
        watch = Watch()
        Wire(gateway.port, ca(gateway)).login(BOB, "pw-bob")
        assert watch.seconds < 2, "an owner was locked out"
        # The next guess is answered late, by the other protocol and another spelling, too.
        start = time.time()
        s = sender(gateway, None)
        secret = base64.b64encode(b"\0BOB@kanzlei.example\0guess").decode()
        assert s.command("AUTH PLAIN " + secret).startswith("535")
        assert time.time() - start > 7, "a guess is answered at once"
        time.sleep(0.5)
        records = audit(gateway, event="login", outcome="refused", actor=BOB)
        assert len(records) >= 85, len(records)


def the_account_in_a_login_tells_nothing_of_the_password():
    with submitting() as gateway:
        gateway.start()
        times = []
        for password in ("pw-bob", "wrong", "pw-bob", "wrong"):
            start = time.time()
            answer = Wire(gateway.port, ca(gateway)).answer(f'LOGIN "{BOB}/nobody@x.example" {password}')
            assert answer.startswith("NO [AUTHENTICATIONFAILED]"), answer
            times.append(time.time() - start)
        # Each takes at least its delay, whatever the password; a busy machine makes any of them longer.
        assert all(taken >= delay for taken, delay in zip(times, (0.25, 0.5, 1, 2))), times
        time.sleep(0.5)
        assert len(audit(gateway, event="login", outcome="refused", actor=BOB)) == 4


# Logins that wait for their check (`CheckQueue.maximumWaiting`).
WAITING = 2_500


def an_overload_is_called_one():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # They are connected before the first one guesses.
    with Gateway(GATEPOST_LIMITS_LOGIN_SECONDS="300") as gateway:
        gateway.start()
        trust = ssl.create_default_context(cafile=ca(gateway))
        guessers = []
        for n in range(WAITING + 120):
            raw = socket.create_connection(("127.0.0.1", gateway.port), 20, source_address=(f"127.0.{1 + n // 200}.{1 + n % 200}", 0))
            guessers.append(trust.wrap_socket(raw, server_hostname="localhost"))
            guessers[-1].recv(4096)
        for n, guesser in enumerate(guessers):
            guesser.sendall(f"a LOGIN guess{n}@kanzlei.example x\r\n".encode())
        time.sleep(3)
        overloaded = 0
        for guesser in guessers:
            guesser.settimeout(0.001)
            with contextlib.suppress(TimeoutError, ssl.SSLError):
                said = guesser.recv(4096)
                overloaded += b"a NO [UNAVAILABLE] Too many logins are being checked" in said
                assert b"mail server" not in said, said
        assert overloaded > 20, overloaded
        for guesser in guessers:
            guesser.close()
        # Others leave at once, from where Bob comes: what they asked for is not done any more.
        leaving = [Wire(gateway.port, ca(gateway)) for _ in range(100)]
        for n, w in enumerate(leaving):
            w.send(f"a LOGIN guess{n}@kanzlei.example x\r\n".encode())
        for w in leaving:
            w.raw.close()
        watch = Watch()
        gateway.wire(BOB)
        assert watch.seconds < 3, "checks of closed connections are made"
        assert "too many logins wait for a password check" in gateway.log()
        time.sleep(0.5)
        records = [r for r in audit(gateway, event="login", outcome="failed") if r["detail"][0].startswith("too many logins wait")]
        assert records, "an overload is not recorded"


USERS = 300


def add_users(gateway):
    """Users with one password: its hash is computed once, and checked for each of them."""
    model = json.loads(gateway.run("export"))
    model["users"] += [{"login": f"u{n}@kanzlei.example", "name": None, "role": None, "disabled": False} for n in range(USERS)]
    path = os.path.join(gateway.folder, "model.json")
    with open(path, "w") as file:
        json.dump(model, file)
    gateway.run("apply", path, "--yes")
    gateway.run("user", "password", "u0@kanzlei.example", "--password-stdin", stdin="x\n")
    with contextlib.closing(sqlite3.connect(gateway.store)) as store:
        store.execute("""UPDATE user SET password = (SELECT password FROM user WHERE login = 'u0@kanzlei.example'),
                         passwordVersion = 1 WHERE login LIKE 'u%@kanzlei.example'""")
        store.commit()


def hundreds_of_clients_that_reconnect_at_once_are_all_let_in():
    # The last one waits much longer than a client may take for its login.
    with submitting(GATEPOST_LIMITS_CONNECTIONS_PER_ADDRESS="1000", GATEPOST_LIMITS_LOGIN_SECONDS="8") as gateway:
        add_users(gateway)
        gateway.start()
        trust = ssl.create_default_context(cafile=ca(gateway))
        submissions = int(gateway.environment["GATEPOST_LISTEN_SUBMISSIONS"].rpartition(":")[2])
        answers, together = [None] * USERS, threading.Barrier(USERS)

        def log_in(n):
            # Every tenth one sends.
            port = gateway.port if n % 10 else submissions
            together.wait()
            with trust.wrap_socket(socket.create_connection(("127.0.0.1", port), 150), server_hostname="localhost") as s:
                file = s.makefile("rb")
                file.readline()
                secret = base64.b64encode(f"\0u{n}@kanzlei.example\0x".encode()).decode()
                if n % 10:
                    s.sendall(f"a AUTHENTICATE PLAIN {secret}\r\n".encode())
                    answers[n] = file.readline()
                else:
                    s.sendall(b"EHLO x.example\r\n")
                    while file.readline()[3:4] == b"-":
                        pass
                    s.sendall(f"AUTH PLAIN {secret}\r\n".encode())
                    answers[n] = file.readline()

        clients = [threading.Thread(target=log_in, args=(n,)) for n in range(USERS)]
        start = time.monotonic()
        for client in clients:
            client.start()
        # Somebody who leaves is forgotten, and somebody who guesses is refused.
        leaving = Wire(gateway.port, ca(gateway))
        leaving.send(b"a LOGIN u1@kanzlei.example guess\r\n")
        leaving.raw.close()
        for client in clients:
            client.join()
        assert time.monotonic() - start > 8, "there was no crowd"
        refused = [a for a in answers if not (a or b"").startswith((b"a OK", b"235"))]
        assert not refused, (len(refused), refused[:5])
        assert "too many logins wait" not in gateway.log()
        time.sleep(0.5)
        assert not audit(gateway, event="login", outcome="failed")


def work_of(gateway, login):
    """Seconds of the gateway's processor for a login."""
    before = seconds_of_work(gateway.process.pid)
    login()
    return seconds_of_work(gateway.process.pid) - before


def serve(gateway):
    """Starts the gateway, and waits for its first greeting: a port is open before all is read."""
    gateway.start()
    Wire(gateway.port, ca(gateway)).raw.close()


def logins_are_kept_across_a_restart():
    with submitting(GATEPOST_KEEP_LOGINS="on") as gateway:
        path = os.path.join(gateway.folder, "gatepost.logins")
        serve(gateway)
        assert not os.path.exists(path)
        checked = work_of(gateway, lambda: gateway.wire(BOB))
        gateway.wire()
        gateway.stop()
        assert os.stat(path).st_mode & 0o777 == 0o600
        serve(gateway)
        kept = work_of(gateway, lambda: gateway.wire(BOB))
        assert kept * 2 < checked, (kept, checked)
        sent = work_of(gateway, lambda: sender(gateway))
        assert sent * 2 < checked, (sent, checked)
        # Another password is checked, and refused as ever.
        start = time.monotonic()
        assert Wire(gateway.port, ca(gateway)).answer(f"LOGIN {BOB} wrong").startswith("NO [AUTHENTICATIONFAILED]")
        assert time.monotonic() - start > 0.25
        assert "kept logins are ignored" not in gateway.log()
        assert "the master key is in the folder of the kept logins" in gateway.log()
        # A password that changes meanwhile.
        gateway.stop()
        gateway.run("user", "password", BOB, "--password-stdin", stdin="new\n")
        serve(gateway)
        assert Wire(gateway.port, ca(gateway)).answer(f"LOGIN {BOB} pw-bob").startswith("NO [AUTHENTICATIONFAILED]")
        Wire(gateway.port, ca(gateway)).login(BOB, "new")
        gateway.stop()
        # A file that others can read lets nobody in.
        os.chmod(path, 0o644)
        serve(gateway)
        assert f"chmod 600 {path}" in gateway.log()
        assert work_of(gateway, gateway.wire) * 2 > checked
        assert Wire(gateway.port, ca(gateway)).answer(f"LOGIN {BOB} pw-bob").startswith("NO [AUTHENTICATIONFAILED]")
        gateway.stop()
        assert os.stat(path).st_mode & 0o777 == 0o600
        # Without the setting the file goes.
        gateway.environment["GATEPOST_KEEP_LOGINS"] = "off"
        serve(gateway)
        end = time.time() + 10
        while os.path.exists(path):
            assert time.time() < end, "the file stays"
            time.sleep(0.05)
        Wire(gateway.port, ca(gateway)).login(BOB, "new")
        gateway.stop()
        assert not os.path.exists(path)


def logins_that_repeat_are_counted():
    with Gateway() as gateway:
        gateway.start()
        for _ in range(60):
            gateway.wire(BOB).raw.close()
        gateway.stop()
        records = audit(gateway, event="login", outcome="allowed", actor=BOB)
        assert len(records) <= 4, len(records)
        assert sum(r.get("count", 1) for r in records) == 60, records


# -- Descriptors


def share_of_work(pid, seconds):
    """What a process has of a processor for so long: near 0 where it is idle, and 1 where it turns in a circle."""
    watch, before = Watch(), seconds_of_work(pid)
    time.sleep(seconds)
    return (seconds_of_work(pid) - before) / watch.elapsed


def strangers_leave_descriptors_to_users():
    with Gateway() as gateway:
        wrapper = os.path.join(gateway.folder, "limited")
        with open(wrapper, "w") as file:
            file.write(f'#!/bin/sh\nulimit -Sn 256 && ulimit -Hn 1024 && exec "{os.environ["GATEPOST"]}" "$@"\n')
        os.chmod(wrapper, 0o755)
        real, os.environ["GATEPOST"] = os.environ["GATEPOST"], wrapper
        try:
            gateway.start()
        finally:
            os.environ["GATEPOST"] = real
        pid = gateway.process.pid
        with open(f"/proc/{pid}/limits") as file:
            limits = next(line.split() for line in file if line.startswith("Max open files"))
        assert limits[3:5] == ["1024", "1024"], limits
        gateway.wire().raw.close()
        quiet = share_of_work(pid, 2)
        idle = []
        for n in range(1_200):
            s = socket.socket()
            s.bind((f"127.0.0.{2 + n // 200}", 0))
            s.settimeout(5)
            s.connect(("127.0.0.1", gateway.port))
            idle.append(s)
        time.sleep(1)
        watch = Watch()
        w = gateway.wire()
        w.ok(f'SELECT "{SHARED}/INBOX"')
        assert watch.seconds < 3, "a known user waits"
        assert share_of_work(pid, 2) < quiet + 0.2, "the accept loop is busy"
        assert "few file descriptors are left" in gateway.log()
        for s in idle:
            s.close()


def a_gateway_without_descriptors_waits_for_some():
    with Gateway() as gateway:
        gateway.start()
        pid = gateway.process.pid
        quiet = share_of_work(pid, 3)
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, 1_024))
        waiting = [socket.create_connection(("127.0.0.1", gateway.port), 5) for _ in range(20)]
        assert share_of_work(pid, 3) < quiet + 0.15, "the accept loop is busy"
        assert "no client can be accepted" in gateway.log(), gateway.log()[-1000:]
        assert gateway.log().count("no client can be accepted") == 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (1_024, 1_024))
        gateway.wire().ok("NOOP")
        for s in waiting:
            s.close()


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
