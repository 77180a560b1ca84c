"""An office at work: people read, write, file and move mail by the gateway while its servers are
restarted and its grants changed. The only scenario; it prints what it measured.

SOAK_SECONDS says how long (an hour by hand, less in a test run). Nothing that was accepted may be
lost, memory may not grow, and each error that a client or the log sees has its reason: a server that
was being restarted, or a right that was being taken away.
"""
import collections
import contextlib
import datetime
import imaplib
import os
import random
import re
import shutil
import signal
import smtplib
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import programs
import sending
from scenarios import ANNA, BOB, CA, CLARA, IMAPS, INFO, gatepost, owner, run_scenario
from wire import Wire

SECONDS = int(os.environ.get("SOAK_SECONDS", "45"))
# Each minute, and three times at least.
RESTARTS = min(60, SECONDS / 4)
CHANGES = 0.5
# How long after a server's start errors may still be of its restart: dialling again takes up to half a minute.
GRACE = 15
DORA = "dora@kanzlei.example"
PORTS = {ANNA: int(os.environ["FIRST_PORT"]), BOB: int(os.environ["SECOND_PORT"]), DORA: int(os.environ["THIRD_PORT"]),
         CLARA: int(os.environ["FIRST_PORT"]), INFO: int(os.environ["FIRST_PORT"])}
FOLDERS = {"first": os.path.dirname(os.environ["FIRST"]), "second": os.path.dirname(os.environ["SECOND"])}
OFFICE = os.path.dirname(FOLDERS["first"])
SHELF = "Soak"
# What a client may be told where a server is away, and where a right is.
AWAY = re.compile(rb"\[(UNAVAILABLE|INUSE|SERVERBUG|CLOSED)\]|^(421|451|454) |EOF|reset|timed out|Broken pipe|unexpectedly closed")
TAKEN = re.compile(rb"\[(NOPERM|NONEXISTENT|CLOSED)\]|Not in this state|^55[03] ")


def path(account):
    return f"{'Shared' if account == INFO else 'Other Users'}/{account}"


class Server:
    """One of the servers behind the gateway, that may be stopped and started."""

    def __init__(self, name, command, pid_file):
        self.name, self.command = name, command
        with open(pid_file) as file:
            self.pid = int(file.read())
        self.process = None

    def restart(self):
        os.kill(self.pid, signal.SIGTERM)
        end = time.time() + 20
        while os.path.exists(f"/proc/{self.pid}/exe") and time.time() < end:
            if self.process and self.process.poll() is not None:
                break
            time.sleep(0.05)
        time.sleep(random.uniform(0, 2))
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)


class Office:
    def __init__(self):
        self.end = time.time() + SECONDS
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.errors = collections.Counter()
        self.unexplained = []
        self.failures = []
        # When a server was away: from, until (None while it is).
        self.windows = []
        # Identifiers that a recipient, or a folder, has to have; who was told so.
        self.expected = collections.defaultdict(set)
        self.maybe = set()
        self.seen = set()
        # When what was put onto a shelf.
        self.filed = {}
        self.doubled = collections.Counter()
        self.samples = []
        dovecot = [(n, ["/usr/sbin/dovecot", "-F", "-c", f"{OFFICE}/{n}/dovecot.conf"], f"{OFFICE}/{n}/run/master.pid")
                   for n in ("first", "second", "third")]
        exim = ("mta", ["/usr/sbin/exim4", "-C", f"{OFFICE}/mta/exim.conf", "-bdf"], f"{OFFICE}/mta/exim.pid")
        self.servers = [Server(*each) for each in [*dovecot, exim]]
        self.number = 0
        # For a run by hand: what was measured is printed for a run that failed only.
        self.report = open(os.environ.get("SOAK_REPORT", os.devnull), "w")

    def identifier(self):
        with self.lock:
            self.number += 1
            return f"soak.{os.getpid()}.{self.number}@kanzlei.example"

    def is_explained(self, moment, seconds=0):
        """Whether a server was away at a moment, or in the seconds before it."""
        return any(start - 1 <= moment and moment - seconds <= (stop or moment) + GRACE for start, stop in list(self.windows))

    def error(self, who, text, taken=False):
        """An error that a client saw, with what explains it."""
        octets = text if isinstance(text, bytes) else str(text).encode()
        kind = re.sub(rb"\d{3,}|'[^']*'|<[^>]*>", b"_", octets)[:60]
        with self.lock:
            self.errors[f"{who}: {kind.decode(errors='replace')}"] += 1
            if taken and TAKEN.search(octets):
                return
            if AWAY.search(octets) and self.is_explained(time.time()):
                return
            self.unexplained.append((time.strftime("%T"), who, octets[:300]))

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] += number

    def work(self, name, function):
        """A worker until the end; what it did not expect fails the scenario."""
        def loop():
            while time.time() < self.end:
                try:
                    function()
                except (OSError, EOFError, smtplib.SMTPException, ssl.SSLError) as error:
                    self.error(name, self.text(error), taken=True)
                    time.sleep(0.5)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is told at the end
                    self.failures.append((name, repr(error)))
                    time.sleep(1)
        thread = threading.Thread(target=loop, name=name, daemon=True)
        thread.start()
        return thread

    @staticmethod
    def text(error):
        if isinstance(error, smtplib.SMTPResponseException):
            return b"%d %s" % (error.smtp_code, error.smtp_error)
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            code, reply = next(iter(error.recipients.values()))
            return b"%d %s" % (code, reply)
        return f"{type(error).__name__}: EOF {error}" if isinstance(error, EOFError) else f"{type(error).__name__}: {error}"

    # -- What people do

    def ask(self, who, w, text, taken=False):
        """The responses, or None where it was refused for a reason that is known."""
        found = w.command(text)
        if b" OK" in found[-1][:20]:
            return found
        self.error(who, found[-1].split(b" ", 1)[1], taken)
        time.sleep(random.random())
        return None

    def login(self, user):
        w = Wire(IMAPS, CA, timeout=60)
        return w if self.ask(f"login {user}", w, f'LOGIN {user} "pw-{user.split("@")[0]}"') else None

    def read(self, user, others):
        """A client that looks through all it may see, fetches, waits for news, and comes again."""
        if not (w := self.login(user)):
            return
        try:
            for _ in range(random.randrange(2, 8)):
                if not (found := self.ask(f"list {user}", w, 'LIST "" "*"')):
                    return
                self.count("listed", len(found) - 1)
                for mailbox in ["INBOX", *(f"{path(account)}/INBOX" for account in others)]:
                    if not self.ask(f"select {user}", w, f'EXAMINE "{mailbox}"', taken=mailbox != "INBOX"):
                        continue
                    found = self.ask(f"fetch {user}", w, "UID FETCH 1:* (FLAGS ENVELOPE RFC822.SIZE)", taken=True)
                    uids = re.findall(rb"UID (\d+)", b" ".join(found or []))
                    for uid in random.sample(uids, min(3, len(uids))):
                        got = self.ask(f"fetch {user}", w, f"UID FETCH {uid.decode()} BODY.PEEK[]", taken=True)
                        self.count("fetched", sum(b"BODY[]" in line for line in got or []))
                if random.random() < 0.5 and self.ask(f"select {user}", w, "SELECT INBOX"):
                    w.send(b"i IDLE\r\n")
                    time.sleep(random.uniform(0.5, 4))
                    w.send(b"DONE\r\n")
                    w.until(b"i")
                    self.count("idled")
                if time.time() > self.end:
                    return
            w.ok("LOGOUT")
        finally:
            w.raw.close()

    def write(self, user, sender, to):
        """Several messages on one connection."""
        with smtplib.SMTP_SSL("localhost", sending.SUBMISSIONS, context=sending.TRUST, timeout=30) as s:
            s.login(user, "pw-" + user.split("@")[0])
            for _ in range(random.randrange(1, 4)):
                identifier = self.identifier()
                size = 1_000_000 if random.random() < 0.02 else random.randrange(10, 20_000)
                text = "\r\n".join(f"{n} ..Zeile " + "x" * 60 for n in range(size // 70))
                message = (f"From: {sender}\r\nTo: {to}\r\nSubject: Soak\r\nMessage-ID: <{identifier}>\r\n\r\n"
                           f".{identifier}\r\n{text}\r\n")
                with self.lock:
                    self.maybe.add(identifier)
                s.sendmail(sender, [to], message)
                with self.lock:
                    self.expected[to].add(identifier)
                    self.maybe.discard(identifier)
                self.count("sent")
                time.sleep(random.uniform(0.1, 0.6))

    def write_by_program(self):
        identifier = self.identifier()
        with self.lock:
            self.maybe.add(identifier)
        words = ["swaks", "--server", f"localhost:{sending.SUBMISSIONS}", "--tls-on-connect", "--tls-ca-path", CA,
                 "--auth", "PLAIN", "--auth-user", ANNA, "--auth-password", "pw-anna", "--from", ANNA, "--to", BOB,
                 "--header", f"From: {ANNA}", "--header", f"Message-Id: <{identifier}>", "--body", "swaks"]
        done = subprocess.run(words, capture_output=True, timeout=60)
        if done.returncode == 0:
            with self.lock:
                self.expected[BOB].add(identifier)
                self.maybe.discard(identifier)
            self.count("sent by swaks")
        else:
            refusal = re.search(rb"<\*\* +(.*)", done.stdout)
            self.error("swaks", refusal.group(1) if refusal else done.stdout[-200:] + done.stderr[-200:] + b" EOF")
        time.sleep(2)

    def mirror(self, folder):
        """A mail program that synchronises everything there is, into the same mirror each time."""
        try:
            programs.mbsync(folder, "", "INBOX", "Sync Pull\nCreate Near\nExpunge Near")
            self.count("mirrored")
        except AssertionError as error:
            self.error("mbsync", str(error).encode() + b" EOF")
        status, text = programs.curl("", user=CLARA)
        if status == 0:
            self.count("listed by curl")
        else:
            self.error("curl", text + b" EOF")
        time.sleep(3)

    def file(self):
        """Messages are filed, copied and moved between two accounts; each is in one of them afterwards."""
        own, far = SHELF, f"{path(INFO)}/{SHELF}"
        if not (w := self.login(ANNA)):
            return
        try:
            for _ in range(20):
                source, target = random.sample([own, far], 2)
                identifier = self.identifier()
                text = f"From: {ANNA}\r\nMessage-ID: <{identifier}>\r\n\r\n" + "y" * random.randrange(5_000) + "\r\n"
                with self.lock:
                    self.maybe.add(identifier)
                # Whatever the answer to the next ones: it was taken.
                if not self.ask("append", w, f'APPEND "{source}" {{{len(text)}+}}\r\n{text}'):
                    return
                with self.lock:
                    self.expected[SHELF].add(identifier)
                    self.filed[identifier] = time.time()
                    self.maybe.discard(identifier)
                if not self.ask("select", w, f'SELECT "{source}"'):
                    return
                found = self.ask("search", w, f'UID SEARCH HEADER Message-ID "{identifier}"')
                uid = re.search(rb"\* SEARCH (\d+)", b" ".join(found or []))
                if not uid:
                    self.failures.append(("search", f"{identifier} was filed and is not found: {found}"))
                    return
                if self.ask("move", w, f'UID MOVE {uid.group(1).decode()} "{target}"'):
                    self.count("moved")
                time.sleep(random.uniform(0, 0.3))
                if time.time() > self.end:
                    return
            w.ok("LOGOUT")
        finally:
            w.raw.close()

    # -- What happens meanwhile

    def change(self):
        """Twice a second a right is given, or taken."""
        subject, account, words = random.choice([
            (CLARA, BOB, ["--view"]), (CLARA, INFO, ["--view", "--folder", "INBOX"]), (DORA, BOB, ["--edit", "--folder", "INBOX"]),
            (CLARA, INFO, ["--send", "as"]),
        ])
        start = time.time()
        gives = random.random() < 0.5
        gatepost("grant", "add" if gives else "remove", account, subject,
                 *(words if gives else (["--send"] if "--send" in words else [])), status=None)
        self.count("changes")
        time.sleep(max(0, CHANGES - (time.time() - start)))

    def restart(self):
        time.sleep(RESTARTS)
        if time.time() > self.end - GRACE:
            return
        server = self.servers[self.counts["restarts"] % len(self.servers)]
        window = [time.time(), None]
        self.windows.append(window)
        server.restart()
        window[1] = time.time()
        self.count("restarts")

    def sample(self):
        with open(f"/proc/{os.environ['GATEWAY_PID']}/status") as file:
            resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        self.samples.append((time.time(), resident, len(os.listdir(f"/proc/{os.environ['GATEWAY_PID']}/fd"))))
        if len(self.samples) % 60 == 0:
            print(time.strftime("%T"), resident, self.samples[-1][2], dict(self.counts), file=self.report, flush=True)
        time.sleep(1)

    def collect(self, final=False):
        """What arrived is ticked off, and removed, so that mailboxes stay as small as they are in an office."""
        for user, mailbox, key in ((BOB, "INBOX", BOB), (CLARA, "INBOX", CLARA), (INFO, "INBOX", INFO), (ANNA, SHELF, SHELF), (INFO, SHELF, SHELF)):
            try:
                m = owner(user, PORTS[user])
                m.select(mailbox)
                _, found = m.uid("FETCH", "1:*", "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
            except (OSError, EOFError, imaplib.IMAP4.error) as error:
                if final:
                    raise
                self.count(f"collector away {type(error).__name__}")
                continue
            done = []
            with self.lock:
                for part in found:
                    if not isinstance(part, tuple):
                        continue
                    name = re.search(rb"<(soak\.[^>]+)>", part[1])
                    if not name:
                        continue
                    name = name.group(1).decode()
                    # What was filed just now may be on its way to the other shelf, or back from it.
                    if not final and self.filed.get(name, 0) > time.time() - 180:
                        continue
                    if name in self.expected[key]:
                        self.expected[key].discard(name)
                        self.counts["ticked off"] += 1
                        done.append(re.search(rb"UID (\d+)", part[0]).group(1))
                        self.seen.add(name)
                    elif name in self.seen:
                        self.doubled[key] += 1
                    else:
                        # Taken, and the client could not be told.
                        self.counts["arrived unconfirmed"] += 1
                        if name not in self.maybe:
                            self.failures.append(("collect", f"{name} came to {key} from nowhere"))
            for start in range(0, len(done), 500):
                m.uid("STORE", b",".join(done[start:start + 500]), "+FLAGS.SILENT", r"(\Deleted)")
            if done:
                m.expunge()
            with contextlib.suppress(Exception):
                m.logout()
        if not final:
            time.sleep(10)

    # -- At the end

    def settle(self):
        """Servers have a queue; what was accepted is in it, or has arrived."""
        end = time.time() + 30
        exim = self.servers[-1].command[:3]
        while time.time() < end:
            subprocess.run([*exim, "-qff"], timeout=60, capture_output=True)
            self.collect(final=True)
            returned = self.returned()
            for names in self.expected.values():
                self.counts["returned by the server for sending"] += len(names & returned)
                names -= returned
            if not any(self.expected.values()):
                return
            time.sleep(1)

    @staticmethod
    def returned():
        """What the server for sending had, and gave back to its sender: a Dovecot that ends says for a moment that it
        knows nobody, and that is for good."""
        names, returned = {}, set()
        with open(os.environ["MTA_LOG"]) as file:
            for line in file:
                if m := re.match(r"\S+ \S+ (\S+) <= .* id=(soak\.\S+)", line):
                    names[m.group(1)] = m.group(2)
                elif m := re.match(r"\S+ \S+ (\S+) \*\* .* 5\d\d ", line):
                    returned.add(names.get(m.group(1)))
        return returned

    def explained_log(self, start):
        """The log's lines by kind, and those that nothing explains."""
        kinds, unexplained = collections.Counter(), []
        with open(os.environ["GATEWAY_LOG"]) as file:
            for line in file:
                m = re.match(r"(\d{4}-\d\d-\d\dT\S+) (\w+) \S+ ?(.*?)\[\w+\] (.*)", line)
                if not m:
                    unexplained.append(line)
                    continue
                moment = datetime.datetime.strptime(m.group(1), "%Y-%m-%dT%H:%M:%S%z").timestamp()
                level, what = m.group(2), m.group(4)
                if moment < start - 1:
                    continue
                kinds[f"{level}: {what}"] += 1
                if level in ("info", "notice", "debug") and re.match(r"audit log sealed|listening|an interrupted transfer was", what):
                    continue
                # What is said with how often it was, was in the minute before.
                if not self.is_explained(moment, seconds=60 if " times=" in line else 0):
                    unexplained.append(line)
        return kinds, unexplained


def median(numbers):
    return sorted(numbers)[len(numbers) // 2]


def an_office_works_while_servers_and_grants_change():
    for user, mailbox in ((ANNA, SHELF), (INFO, SHELF)):
        owner(user, PORTS[user]).create(mailbox)
    gatepost("grant", "add", INFO, ANNA, "--manage", "--send", "as")
    gatepost("grant", "add", BOB, ANNA, "--send", "on-behalf")
    time.sleep(1)
    office = Office()
    start = time.time()
    folder = tempfile.mkdtemp(prefix="soak-")
    try:
        threads = [office.work(f"reader {n}", lambda user=user, others=others: office.read(user, others)) for n, (user, others) in enumerate([
            (ANNA, [BOB, INFO]), (CLARA, [BOB, INFO]), (BOB, []), (DORA, [BOB]), (CLARA, [BOB, ANNA]), (ANNA, [INFO, CLARA])])]
        threads += [office.work(f"writer {n}", lambda who=who: office.write(*who)) for n, who in enumerate([
            (ANNA, ANNA, BOB), (ANNA, BOB, CLARA), (ANNA, INFO, BOB), (CLARA, INFO, BOB), (BOB, BOB, INFO)])]
        threads += [
            office.work("program", office.write_by_program), office.work("mirror", lambda: office.mirror(folder)),
            office.work("filing", office.file), office.work("filing too", office.file), office.work("change", office.change),
            office.work("restart", office.restart), office.work("sample", office.sample), office.work("collect", office.collect),
        ]
        for thread in threads:
            thread.join(SECONDS + 120)
        hanging = [thread.name for thread in threads if thread.is_alive()]
        office.settle()
        kinds, unexplained = office.explained_log(start)
        quarter = len(office.samples) // 4
        early, late = office.samples[quarter:2 * quarter], office.samples[-quarter:]
        resident = median([s[1] for s in early]), median([s[1] for s in late]), max(s[1] for s in office.samples)
        files = median([s[2] for s in early]), median([s[2] for s in late]), max(s[2] for s in office.samples)

        def tell(*lines):
            for file in (sys.stdout, office.report):
                print(*lines, file=file, sep="\n", flush=True)
        tell(f"{SECONDS} s: {dict(office.counts)}")
        tell(f"resident {resident[0] // 1024} MiB in the second quarter, {resident[1] // 1024} in the last, {resident[2] // 1024} at most;"
              f" files {files}")
        lost = {key: sorted(names)[:10] for key, names in office.expected.items() if names}
        tell(f"doubled: {dict(office.doubled)}; lost: {lost}")
        tell("errors of clients:", *(f"  {n} x {what}" for what, n in office.errors.most_common()))
        tell("the log:", *(f"  {n} x {what}" for what, n in kinds.most_common()))
        assert not hanging, hanging
        assert not office.failures, office.failures[:10]
        assert not office.unexplained, office.unexplained[:10]
        assert not unexplained, unexplained[:10]
        assert not lost, lost
        # Between two servers for mail a message may double: one took it, and could not say so any more.
        assert not office.doubled[SHELF], office.doubled
        assert resident[1] < resident[0] * 1.15 + 16 * 1024, office.samples[::max(1, len(office.samples) // 40)]
        assert files[1] < files[0] * 1.5 + 20, files
        assert office.counts["restarts"] >= 2 and office.counts["sent"] > SECONDS / 4 and office.counts["moved"] > SECONDS / 4
    finally:
        for server in office.servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
