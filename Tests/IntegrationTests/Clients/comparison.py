"""The same commands to a mail server directly, and through the gateway, compared line by line. Each function is one scenario; the first argument names it.

Accounts of one server begin alike. `direct` is used without the gateway, `own` by its owner through the gateway, `shared` by a delegate with full rights
below `Other Users`, and `account` by the same delegate who logs in with `LOGIN/ACCOUNT`. What differs is in `differences.py`, with its reason:
a difference that is not there fails, and so does an entry of it that nothing matches. SHOW_DIFFERENCES=1 prints all of them.
"""
import collections
import concurrent.futures
import os
import re
import sys

from courier import Courier
from cyrus import Cyrus
from differences import DIFFERENCES, NOT_YET, PATHS
from dovecot import Dovecot
from gateway import Gateway
from scenarios import BOB, CLARA, INFO, run_scenario
from wire import Wire

DORA = "dora@kanzlei.example"
SECRET = "secret"
# Of the upstream accounts: the four that are compared, and the delegate's own.
OWNERS = ["direct", "own", "shared", "account", "delegate"]
DOVECOT = """
mail_plugins = quota acl
protocol imap {
  mail_plugins = quota acl imap_quota imap_acl
}
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=100M
  acl = vfile
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    auto = subscribe
    special_use = \\Sent
  }
}
"""

PLAIN = b"From: Anna <anna@kanzlei.example>\r\nTo: bob@kanzlei.example\r\nSubject: Akte 1\r\nDate: Sat, 3 Feb 2024 10:00:00 +0100\r\n" \
        b"Message-ID: <1@kanzlei.example>\r\n\r\nDie Akte liegt bei.\r\n"
REPLY = b"From: Bob <bob@kanzlei.example>\r\nTo: anna@kanzlei.example\r\nSubject: Re: Akte 1\r\nDate: Sun, 4 Feb 2024 10:00:00 +0100\r\n" \
        b"Message-ID: <2@kanzlei.example>\r\nIn-Reply-To: <1@kanzlei.example>\r\nReferences: <1@kanzlei.example>\r\n\r\nDanke.\r\n"
PARTS = b"From: =?utf-8?Q?J=C3=BCrgen?= <j@gericht.example>\r\nTo: undisclosed-recipients:;\r\nSubject: =?utf-8?Q?Verf=C3=BCgung?=\r\n" \
        b"Date: Mon, 5 Feb 2024 10:00:00 +0100\r\nMessage-ID: <3@gericht.example>\r\nMIME-Version: 1.0\r\n" \
        b"Content-Type: multipart/mixed; boundary=\"=_x\"\r\n\r\nPreamble\r\n--=_x\r\nContent-Type: text/plain; charset=utf-8\r\n" \
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nAnbei die Verf=C3=BCgung {3}\r\n--=_x\r\nContent-Type: application/pdf; name=\"a \\\"b\\\".pdf\"\r\n" \
        b"Content-Disposition: attachment; filename=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n" \
        b"--=_x\r\nContent-Type: message/rfc822\r\n\r\n" + PLAIN + b"\r\n--=_x--\r\n"
MESSAGES = {"plain": PLAIN, "reply": REPLY, "parts": PARTS, "empty": b"Subject: leer\r\n\r\n", "word": b"Akte"}

# `@name` is a folder, spelled as each path has it, and `~name` a message, as a literal. CONNECT begins a session anew,
# and a message comes into INBOX at ARRIVE.
# [EXTENSION] stands before what goes to servers that offer it only: without it a server may take parts of the command for others.
STEPS = r"""
CAPABILITY
NAMESPACE
ID NIL
ID ("name" "comparison")
NOOP
LIST "" ""
LIST "" @*
LIST "" @%
LSUB "" @*
CREATE @Akten
CREATE @Akten
CREATE @Akten/Mandant 1
CREATE @Akten/Neu/
DELETE @Akten/Neu
CREATE @Akten/&APw-ber
CREATE @Archiv
CREATE @Archiv/2024
CREATE @Archiv/2024/Januar
CREATE @Tief/a/b
DELETE @Tief/a/b
DELETE @Tief/a
DELETE @Tief
CREATE @INBOX
LIST "" @Akten
LIST "" @Akten/%
LIST "" @Akten/*
LIST "" @A%
LIST "" @*
LIST "" @%
LIST @Akten/ %
LIST "" (@Akten @Archiv/%)
LIST (SUBSCRIBED) "" @*
LIST (SUBSCRIBED RECURSIVEMATCH) "" @%
LIST "" @* RETURN (SUBSCRIBED CHILDREN)
LIST "" @* RETURN (SPECIAL-USE)
LIST (SPECIAL-USE) "" @*
LIST "" @A* RETURN (STATUS (MESSAGES UNSEEN))
LIST "" @A* RETURN (MYRIGHTS)
SUBSCRIBE @Akten
SUBSCRIBE @Akten/Mandant 1
SUBSCRIBE @Fehlt
LSUB "" @*
LSUB "" @%
LIST (SUBSCRIBED) "" @*
LIST (SUBSCRIBED) "" @%
LIST (SUBSCRIBED RECURSIVEMATCH) "" @%
UNSUBSCRIBE @Akten
UNSUBSCRIBE @Fehlt
UNSUBSCRIBE @Fehlt
LSUB "" @*
RENAME @Archiv/2024 @Archiv/2025
RENAME @Archiv/2025/Januar @Archiv/2025/Februar
RENAME @Fehlt @Fehlt2
RENAME @Akten @Archiv
APPEND @Fehlt ~plain
STATUS @Akten (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
STATUS @Akten (HIGHESTMODSEQ)
STATUS @Akten (SIZE)
STATUS @Akten (MAILBOXID)
STATUS @Akten (APPENDLIMIT)
STATUS @Fehlt (MESSAGES)
STATUS @INBOX (MESSAGES RECENT UNSEEN)
STATUS @Akten (NONSENSE)
APPEND @Akten (\Seen) "03-Feb-2024 10:00:00 +0100" ~plain
APPEND @Akten () "04-Feb-2024 10:00:00 +0100" ~reply
APPEND @Akten (\Flagged $Forwarded wichtig) "05-Feb-2024 10:00:00 +0100" ~parts
APPEND @Akten ~empty
APPEND @INBOX "06-Feb-2024 10:00:00 +0100" ~plain
CREATE @Mehrere
[MULTIAPPEND] APPEND @Mehrere ~plain (\Seen) ~reply
STATUS @Mehrere (MESSAGES UNSEEN)
DELETE @Mehrere
STATUS @Akten (MESSAGES UNSEEN UIDNEXT)
SELECT @Fehlt
SELECT @Akten
FETCH 1:* FLAGS
FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)
FETCH 1:* FAST
FETCH 1:* ALL
FETCH 1:* FULL
FETCH 1:3 ENVELOPE
FETCH 1:3 BODY
FETCH 1:3 BODYSTRUCTURE
FETCH 1 RFC822.HEADER
FETCH 3 BODY.PEEK[]
FETCH 3 BODY.PEEK[HEADER]
FETCH 3 BODY.PEEK[HEADER.FIELDS (From Subject)]
FETCH 3 BODY.PEEK[HEADER.FIELDS.NOT (From Subject)]
FETCH 3 BODY.PEEK[TEXT]
FETCH 3 BODY.PEEK[1]
FETCH 3 BODY.PEEK[1.MIME]
FETCH 3 BODY.PEEK[3.HEADER]
FETCH 3 BODY.PEEK[3.1]
FETCH 3 BODY.PEEK[9]
FETCH 3 BODY.PEEK[]<0.20>
FETCH 3 BODY.PEEK[]<5000.20>
FETCH 3 BINARY.PEEK[2]
FETCH 3 BINARY.SIZE[2]
FETCH 4 BODY[TEXT]
FETCH 2 (UID BODY[])
FETCH 2 RFC822
FETCH 2 RFC822.TEXT
FETCH 1 (MODSEQ)
FETCH 1 (EMAILID THREADID)
FETCH 1 (PREVIEW)
FETCH 1 (SAVEDATE)
FETCH 9 FLAGS
FETCH 1 NONSENSE
FETCH 0 FLAGS
UID FETCH 1:* FLAGS
UID FETCH 99 FLAGS
UID FETCH 1:2 (FLAGS BODY.PEEK[HEADER.FIELDS (Message-ID)])
SEARCH ALL
SEARCH UNSEEN
SEARCH SUBJECT Akte
SEARCH SUBJECT ~word
SEARCH CHARSET UTF-8 TEXT "Danke"
SEARCH CHARSET NONSENSE TEXT "Danke"
SEARCH SINCE 4-Feb-2024 BEFORE 6-Feb-2024
SEARCH KEYWORD wichtig
SEARCH OR FLAGGED NOT SEEN
SEARCH HEADER Message-ID <2@kanzlei.example>
SEARCH LARGER 300
SEARCH NONSENSE
UID SEARCH FROM bob
UID SEARCH RETURN (MIN MAX COUNT) ALL
SEARCH RETURN (ALL) SEEN
SEARCH RETURN () UNSEEN
SEARCH UID 2:3
SEARCH RETURN (SAVE) SEEN
FETCH $ FLAGS
SEARCH 1:2 NOT $
SORT (SUBJECT) UTF-8 ALL
SORT RETURN (COUNT) (SUBJECT) UTF-8 ALL
UID SORT (REVERSE DATE) UTF-8 ALL
THREAD REFERENCES UTF-8 ALL
THREAD ORDEREDSUBJECT UTF-8 ALL
STORE 1 +FLAGS (\Answered)
STORE 1 -FLAGS.SILENT (\Answered)
STORE 2 FLAGS (\Seen gelb)
UID STORE 2 +FLAGS (\Draft)
STORE 99 +FLAGS (\Seen)
STORE 1 +FLAGS (\Recent)
STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\Flagged)
COPY 1 @Archiv
COPY 1:2 @Fehlt
UID COPY 1:2 @Archiv
UID COPY 99 @Archiv
COPY 1 @Akten
CREATE @Quelle
CREATE @Ziel
APPEND @Quelle ~plain
APPEND @Quelle ~reply
SELECT @Quelle
MOVE 1 @Fehlt
MOVE 1 @Ziel
UID MOVE 2 @Ziel
CLOSE
STATUS @Quelle (MESSAGES)
STATUS @Ziel (MESSAGES)
DELETE @Quelle
DELETE @Ziel
EXAMINE @Akten
STORE 2 +FLAGS (\Deleted)
Expunge
CLOSE
NOOP
SELECT @Akten
STORE 1 +FLAGS (\Deleted)
EXPUNGE
UID STORE 4 +FLAGS (\Deleted)
UID EXPUNGE 4
UID EXPUNGE 99
CHECK
CLOSE
FETCH 1 FLAGS
CONNECT
ENABLE CONDSTORE
ENABLE QRESYNC
ENABLE NONSENSE
SELECT @Archiv (CONDSTORE)
SELECT @Archiv
FETCH 1:* (UID FLAGS)
FETCH 1:* FLAGS (CHANGEDSINCE 1)
UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)
SEARCH MODSEQ 1
STORE 1 +FLAGS (\Deleted)
CLOSE
STATUS @Archiv (MESSAGES HIGHESTMODSEQ)
GETQUOTAROOT @INBOX
GETQUOTAROOT @Akten
GETQUOTA ""
GETQUOTA "ROOT"
MYRIGHTS @INBOX
MYRIGHTS @Akten
MYRIGHTS @Fehlt
GETACL @Akten
LISTRIGHTS @Akten anyone
SELECT @INBOX
IDLE
FETCH * (UID FLAGS)
UNSELECT
EXAMINE @INBOX
CLOSE
RENAME @INBOX @Alt
STATUS @INBOX (MESSAGES)
STATUS @Alt (MESSAGES)
DELETE @Alt
DELETE @Fehlt
DELETE @INBOX
DELETE @Akten
LIST "" @*
DELETE @Akten/Mandant 1
DELETE @Archiv/2025/Februar
LIST "" @*
LIST "" @* RETURN (SUBSCRIBED)
CREATE @Besonders (USE (\Drafts))
DELETE @Besonders
NOTIFY SET (selected (MessageNew MessageExpunge))
NOTIFY NONE
CONNECT
SELECT @INBOX
ARRIVE
NOOP
[NOTIFY] NOTIFY NONE
ARRIVE
[NOTIFY] NOOP
SELECT @Archiv
[NOTIFY] SELECT @INBOX
ARRIVE
[NOTIFY] NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange))
NOOP
CONNECT
[CONDSTORE] STATUS @Archiv (HIGHESTMODSEQ)
SELECT @INBOX
STORE 1 -FLAGS (\Flagged)
STORE 1 +FLAGS (\Flagged)
CONNECT
XNONSENSE
SELECT
FETCH
LOGIN a b
GETMETADATA @INBOX /private/comment
GENURLAUTH "imap://x/" INTERNAL
COMPRESS NONSENSE
LOGOUT
""".strip().split("\n")

# What the server has afterwards, asked without the gateway.
STATE = """
LIST "" @*
LSUB "" @*
SELECT @INBOX
FETCH 1:* (FLAGS BODY.PEEK[])
SELECT @Akten
FETCH 1:* (FLAGS BODY.PEEK[])
SELECT @Archiv
FETCH 1:* (FLAGS BODY.PEEK[])
""".strip().split("\n")

# What is another's for each account, and where the responses with a folder's name have it.
NUMBERS = rb"(UIDVALIDITY|HIGHESTMODSEQ|MODSEQ|NOMODSEQ|UNCHANGEDSINCE|CHANGEDSINCE) ?\(?\d+\)?"
IDENTIFIERS = rb"(EMAILID|THREADID|MAILBOXID) (\([^()]*\)|NIL)"
NAMED = {b"LIST": 2, b"LSUB": 2, b"STATUS": 0, b"QUOTAROOT": 0, b"ACL": 0, b"MYRIGHTS": 0, b"LISTRIGHTS": 0}
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|\((?:[^()"]|"(?:[^"\\]|\\.)*"|\([^()]*\))*\)|[^ ]+')


class Path:
    """One way to an account: how it spells folders, and a connection."""

    def __init__(self, port, ca, user, password, root="", inbox="INBOX", delimiter="/"):
        self.root, self.inbox, self.delimiter = root, inbox, delimiter
        self.connect = lambda: self.log_in(Wire(port, ca), user, password)
        self.wire, self.selected = self.connect(), None

    @staticmethod
    def log_in(wire, user, password):
        wire.login(user, password)
        return wire

    def spell(self, name):
        """A folder's name, or a pattern, quoted."""
        if name != "INBOX":
            name = self.root + name.replace("/", self.delimiter)
        else:
            name = self.inbox
        return f'"{name}"'

    def unspell(self, token):
        """The name as the steps have it."""
        name = re.sub(rb"\\(.)", rb"\1", token[1:-1]) if token.startswith(b'"') else token
        if name in (b"", self.inbox.encode()):
            return b'"INBOX"' if name else b'""'
        name = name.decode("latin-1").replace(self.delimiter, "/")
        root = self.root.replace(self.delimiter, "/")
        return ('"' + (name[len(root):] if name.startswith(root) else "OUTSIDE " + name) + '"').encode("latin-1")

    def run(self, step):
        """The normalised answer to a step."""
        if step == "CONNECT":
            self.wire.raw.close()
            self.wire, self.selected = self.connect(), None
            return []
        if step == "ARRIVE":
            self.arrive()
            return []
        if extension := re.match(r"\[(\S+)\] ", step):
            if extension[1] not in self.offered:
                return []
            step = step[extension.end():]
        parts = re.split(r"~(\w+)", re.sub(r"(?<=[ (])@([\w/&%*-]*(?: [12](?!\S))?)", lambda m: self.spell(m[1]), step))
        try:
            found = self.idle() if step == "IDLE" else self.exchange(parts)
        except (EOFError, OSError) as error:
            # What comes next has a connection of its own, in the same folder.
            self.wire.raw.close()
            self.wire = self.connect()
            if self.selected:
                self.wire.command(self.selected)
            return [f"CLOSED {type(error).__name__}".encode()]
        if step.startswith(("SELECT ", "EXAMINE ")):
            self.selected = parts[0] if b" OK" in found[-1] else None
        elif step in ("CLOSE", "UNSELECT"):
            self.selected = None
        return [line for response in found for line in self.normalised(response)]

    def exchange(self, parts):
        """The answer to a command: its text, the names of its literals and the text behind each."""
        self.wire.count += 1
        tag = b"t%d" % self.wire.count
        octets, found = tag + b" " + parts[0].encode(), []
        for name, text in zip(parts[1::2], parts[2::2]):
            self.wire.send(octets + b"{%d}\r\n" % len(MESSAGES[name]))
            found.append(self.wire.response())
            while not found[-1].startswith((b"+", tag + b" ")):
                found.append(self.wire.response())
            if not found[-1].startswith(b"+"):
                return found
            octets = MESSAGES[name] + text.encode()
        self.wire.send(octets + b"\r\n")
        return found + self.wire.until(tag)

    def idle(self):
        """What comes while a message arrives."""
        self.wire.send(b"idle IDLE\r\n")
        found = [self.wire.response()]
        if found[-1].startswith(b"+"):
            self.arrive()
            while not re.search(rb" EXISTS$", found[-1]):
                found.append(self.wire.response())
            self.wire.send(b"DONE\r\n")
            found += self.wire.until(b"idle")
        return found

    def normalised(self, response):
        """A response without what is another's for each account, and without text for people."""
        response = re.sub(rb"^(t\d+|idle) ", b"TAG ", response)
        response = re.sub(NUMBERS, rb"\1 N", response)
        response = re.sub(IDENTIFIERS, rb"\1 X", response)
        response = re.sub(rb"((?:COPYUID|APPENDUID) )\d+", rb"\1N", response)
        response = re.sub(rb'INTERNALDATE "(?![ 0][3-6]-Feb-2024)[^"]*"', b'INTERNALDATE "NOW"', response)
        response = re.sub(rb'SAVEDATE "[^"]*"', b'SAVEDATE "NOW"', response)
        if condition := re.match(rb"(TAG|\*) (OK|NO|BAD|BYE|PREAUTH)( \[CAPABILITY [^\]]*\])?( \[[^\]]*\])?", response):
            return [condition[1] + b" " + condition[2] + (condition[4] or b"")]
        if response.startswith(b"+"):
            return [b"+"]
        if response.startswith(b"* CAPABILITY "):
            return [b"* CAPABILITY " + atom for atom in sorted(set(response.split(b" ")[2:]))]
        return self.renamed(response)

    def renamed(self, response):
        """A response with the folder's name as the steps have it."""
        kind = response.split(b" ")[1]
        if kind not in NAMED:
            return [response]
        tokens = TOKEN.findall(response)
        place = 2 + NAMED[kind]
        tokens[place] = self.unspell(tokens[place])
        if kind not in (b"LIST", b"LSUB"):
            return [b" ".join(tokens)]
        # Each attribute by itself, so that each difference is one. Whether messages came since is a matter of time.
        delimiter = b'"/"' if tokens[3] == b'"%s"' % self.delimiter.encode() else tokens[3]
        name = b"* " + kind + b" " + tokens[4]
        return [b" ".join([name, delimiter, *tokens[5:]])] + [name + b" " + attribute for attribute in sorted(tokens[2][1:-1].split())
                                                                    if attribute.lower() not in (b"\\marked", b"\\unmarked")]


def differences(direct, other):
    """The lines that one has and the other has not, `NO becomes BAD` for the tagged ones, or that all are there in another order."""
    less, more = [list((collections.Counter(a) - collections.Counter(b)).elements()) for a, b in ((direct, other), (other, direct))]
    found = []
    if less and more and less[-1].startswith(b"TAG ") and more[-1].startswith(b"TAG "):
        found = [b"%s becomes %s" % (less.pop()[4:], more.pop()[4:])]
    found += [b"- " + line for line in less] + [b"+ " + line for line in more]
    if not found and direct != other:
        found = [b"another order"]
    if not found and direct[:1] and direct[0].startswith(b"CLOSED"):
        found = [b"both " + direct[0]]
    return [line.decode("latin-1") for line in found]


class Comparison:
    """One server, the accounts on it, and what differed."""

    def __init__(self, server, name, prefix="", delimiter="/"):
        """The server's personal namespace has a prefix and a delimiter; the gateway shows neither."""
        self.server, self.name, self.prefix, self.delimiter = server, name, prefix, delimiter
        self.found, self.offered = [], []

    def run(self):
        for owner in OWNERS:
            # Where nothing is below INBOX, others than the owner may create nothing there.
            straight = self.straight(owner)
            assert all(straight.run(step)[-1].startswith(b"TAG OK") for step in ("CREATE @Da", "SUBSCRIBE @Da"))
        self.offered = [line.decode().split(" ")[-1] for line in self.straight("direct").run("CAPABILITY")]
        with Gateway(grants=False) as gateway:
            self.set_up(gateway)
            gateway.start()
            paths = [self.straight("direct"), self.through(gateway, CLARA), self.through(gateway, DORA, f"Other Users/{BOB}/"),
                     self.through(gateway, f"{DORA}/{INFO}")]
            with concurrent.futures.ThreadPoolExecutor() as executor:
                direct, *others = executor.map(self.answers, paths, OWNERS)
        for label, answers in zip(PATHS, others):
            for step, answer, other in zip(STEPS + [f"afterwards {step}" for step in STATE], direct, answers):
                self.found += [(label, step, line) for line in differences(answer, other)]
        self.judge()

    def set_up(self, gateway):
        """Clara and Bob own an account, Dora has one and full rights on Bob's and on one that is nobody's."""
        gateway.run("user", "add", DORA, "--password-stdin", stdin="pw-dora\n")
        for address, owner in ((CLARA, "own"), (BOB, "shared"), (INFO, "account"), (DORA, "delegate")):
            where = ["--imap", f"localhost:{self.server.port}", "--ca", self.server.ca, "--username", owner, "--password-stdin"]
            if address in (CLARA, BOB):
                gateway.run("account", "set", address, *where, stdin=f"{SECRET}\n")
            else:
                gateway.run("account", "add", address, "--kind", "imap", *where, *(["--owner", DORA] if address == DORA else []), stdin=f"{SECRET}\n")
        for account in (BOB, INFO):
            gateway.run("grant", "add", account, DORA, "--manage")

    def straight(self, owner):
        """The way without the gateway."""
        return Path(self.server.port, self.server.ca, owner, SECRET, self.prefix, delimiter=self.delimiter)

    def through(self, gateway, user, root=""):
        """The way through the gateway, to the folders below a root."""
        ca = os.path.join(gateway.folder, "certs/ca.pem")
        return Path(gateway.port, ca, user, f"pw-{user.split('@')[0]}", root, root + "INBOX")

    def answers(self, path, owner):
        """The answers to all steps by this path, and what this owner's account has afterwards."""
        path.offered = self.offered
        path.arrive = lambda: self.straight(owner).run("APPEND @INBOX ~reply")
        found = [path.run(step) for step in STEPS]
        afterwards = self.straight(owner)
        return found + [afterwards.run(step) for step in STATE]

    def judge(self):
        """Each difference has a reason, and each reason a difference."""
        listed = [entry for entry in DIFFERENCES + NOT_YET if self.name in entry.servers and (self.prefix or not entry.prefixed)]
        unknown = [found for found in self.found if not any(entry.explains(*found) for entry in listed)]
        unused = [entry for entry in listed if not any(entry.explains(*found) for found in self.found)]
        if os.environ.get("SHOW_DIFFERENCES"):
            for label, step, line in self.found:
                print("known  " if (label, step, line) not in unknown else "UNKNOWN", self.name, label, "|", step, "=>", line)
        assert not unknown and not unused, "\n".join(["Differences without a reason:", *map(str, unknown), "Reasons without a difference:", *map(str, unused)])


def dovecot_answers_the_same_directly_and_through_the_gateway():
    server = Dovecot(DOVECOT, OWNERS[0])
    with open(server.path("users"), "a") as file:
        file.writelines(f"{owner}:{{PLAIN}}{SECRET}\n" for owner in OWNERS[1:])
    with server:
        Comparison(server, "dovecot").run()


def cyrus_answers_the_same_directly_and_through_the_gateway():
    with Cyrus(OWNERS) as server:
        Comparison(server, "cyrus").run()


def cyrus_with_a_prefix_answers_the_same_directly_and_through_the_gateway():
    """As Debian configures it."""
    with Cyrus(OWNERS, altnamespace="no", unixhierarchysep="no") as server:
        Comparison(server, "cyrus", "INBOX.", ".").run()


def courier_answers_the_same_directly_and_through_the_gateway():
    with Courier(OWNERS) as server:
        Comparison(server, "courier", "INBOX.", ".").run()


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
