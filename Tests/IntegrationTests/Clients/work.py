"""Clients that know what was acknowledged: they move, send and read until their gateway is gone, and go on with the
next one. Each method `work` ends with the connection."""
import imaplib
import random
import re
import smtplib
import threading
import time

from scenarios import BOB, CLARA
from wire import Wire

GONE = (EOFError, OSError, smtplib.SMTPException, AssertionError)
SHARED = f"Other Users/{BOB}"


class Worker:
    """Counts what was asked for and what was answered."""

    def __init__(self, pause=0.0):
        self.asked = self.answered = 0
        self.pause, self.error = pause, None
        self.is_over = threading.Event()

    def try_to_work(self):
        try:
            self.work()
        except GONE as error:
            self.error = error

    def repeat(self):
        """Works until `is_over`, on one connection after the other."""
        while not self.is_over.is_set():
            self.try_to_work()
            self.is_over.wait(0.1)

    def go_on(self):
        if self.pause:
            time.sleep(self.pause)
        return not self.is_over.is_set()


class Mover(Worker):
    """Moves messages between Clara's folder and Bob's, a few at a time."""

    HERE, THERE = "Quelle", f"{SHARED}/Ziel"

    def __init__(self, login, office, count=40, pause=0.0):
        super().__init__(pause)
        self.login, self.office = login, office
        with office.mailbox(CLARA) as m:
            for number in range(count):
                text = f"From: {CLARA}\r\nSubject: m{number}\r\n\r\n{'x' * random.randint(1, 4_000)}\r\n".encode()
                assert m.append("Quelle", None, imaplib.Time2Internaldate(1_700_000_000 + number), text)[0] == "OK"
        # The places in which each message may be.
        self.places = {f"m{number}": {self.HERE} for number in range(count)}

    def work(self):
        w = self.login()
        while self.go_on():
            # A refused move would leave its messages in doubt.
            w.ok(f'STATUS "{self.THERE}" (MESSAGES)')
            certain = [place for places in self.places.values() if len(places) == 1 for place in places]
            source = max((self.HERE, self.THERE), key=certain.count)
            w.ok(f'SELECT "{source}"')
            lines = b"\n".join(w.ok("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
            number = {name.decode(): int(n) for n, name in
                      re.findall(rb"\* \d+ FETCH \(.*?UID (\d+).*?Subject: (m\d+)", lines, re.DOTALL)}
            names = [name for name, places in self.places.items() if places == {source} and name in number]
            assert names, (source, self.places)
            for _ in range(6):
                some = random.sample(names, min(len(names), random.randint(1, 4)))
                if not self.go_on() or not self.move(w, some, number, source):
                    break
                names = [name for name in names if name not in some]

    def move(self, w, names, number, source):
        target = self.THERE if source == self.HERE else self.HERE
        for name in names:
            self.places[name] = {self.HERE, self.THERE}
        if not names:
            return False
        self.asked += 1
        numbers = ",".join(str(number[name]) for name in names)
        answer = w.answer(f'UID MOVE {numbers} "{target}"')
        if not answer.startswith("OK"):
            self.error = answer
            return False
        self.answered += 1
        for name in names:
            self.places[name] = {target}
        return True

    def check(self):
        """Each message is in one place, where it may be."""
        here, there = self.office.subjects(CLARA, "Quelle"), self.office.subjects(BOB, "Ziel")
        for name, places in self.places.items():
            found = [self.HERE] * here[name] + [self.THERE] * there[name]
            assert len(found) == 1 and found[0] in places, (name, found, places)
            self.places[name] = set(found)
        assert sum((here + there).values()) == len(self.places), (here, there)


class Sender(Worker):
    """Sends as Bob, whose Sent folder gets copies."""

    def __init__(self, login, office, prefix="s", pause=0.0):
        super().__init__(pause)
        self.login, self.office, self.prefix = login, office, prefix
        self.names, self.sent = [], []

    def work(self):
        s = self.login()
        while self.go_on():
            name = f"{self.prefix}{self.asked}"
            self.names.append(name)
            self.asked += 1
            s.sendmail(BOB, [CLARA], (f"From: {BOB}\r\nTo: {CLARA}\r\nSubject: {name}\r\n"
                                      f"Message-ID: <{name}@kanzlei.example>\r\n\r\n{'x' * random.randint(1, 9_000)}\r\n").encode())
            self.sent.append(name)
            self.answered += 1

    def missing(self):
        """What was answered has no copy yet."""
        copies = self.office.subjects(BOB, "Sent")
        return [name for name in self.sent if not copies[name]]

    def check(self):
        """What was answered went out once and has a copy; nothing else has one. Returns the messages that went out without
        an answer and without a copy, and those with several copies."""
        taken, copies = self.office.ledger.taken, self.office.subjects(BOB, "Sent")
        for name in self.names:
            assert taken[name] <= 1 and (taken[name] or not copies[name]), (name, taken[name], copies[name])
        for name in self.sent:
            assert taken[name] == 1 and copies[name], (name, taken[name], copies[name])
        return ([name for name in self.names if taken[name] > copies[name]],
                [name for name in self.names if copies[name] > 1])


class Reader(Worker):
    """Opens Bob's INBOX again and again."""

    def __init__(self, login, pause=0.0):
        super().__init__(pause)
        self.login = login

    def work(self):
        w = self.login()
        while self.go_on():
            self.asked += 1
            w.ok(f'SELECT "{SHARED}/INBOX"')
            self.answered += 1


def imap(port, ca, user=CLARA):
    def login():
        w = Wire(port, ca)
        w.login(user, f"pw-{user.split('@')[0]}")
        return w
    return login


def submission(port, trust, user=CLARA):
    def login():
        s = smtplib.SMTP_SSL("localhost", port, context=trust, timeout=30)
        s.login(user, f"pw-{user.split('@')[0]}")
        return s
    return login
