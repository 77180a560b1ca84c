"""Second readers of what the gateway accepts. FUZZ_ROUNDS asks for more rounds than a test run has time for.

The same commands by the gateway and to a real Dovecot: what the gateway answers with OK, Dovecot does too, with the same effect: afterwards both mailboxes have the
same folders, messages and flags. What the gateway refuses is not tried: it may refuse more. No command is
answered twice, or not at all.

The same names of authors by the gateway and to decoders of mail programs: of what it accepts none shows the address of
somebody else, nor anything that is not seen.
"""
import os
import random
import re
import sys

import names
from scenarios import ANNA, CA, CLARA, IMAPS, owner, run_scenario
from sending import Raw
from wire import Wire

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "12000")) // 12
PORT = int(os.environ["FIRST_PORT"])
DIRECT = "info@kanzlei.example"
NAMES = ["Diff", "Diff/a", "Diff/b c", "Diff/&ANw-ber", "Diff/x&-y", 'Diff/q"q', "Diff/b\\s", "Diff/{5}", "Diff/%", "Diff/inbox",
         "Diff/Cafe&AwE-", "Diff/Caf&AOk-", "Diff/&AOk", "Diff/&", "Diff//x", "Diff/", "/Diff", "Diff/..", "Diff/x/", "", "Diff/&AC8-"]
SETS = ["1", "2", "1:2", "3,1", "1:*", "1", "2:3", "*", "2:1", "1,3", "4294967295", "0", "1:", "5:3,1", "*:1", "1,1,1", "2:4"]
FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "gelb", "$MDNSent", "\\Deleted", "\\Flagged", "\\Draft", "$Forwarded", "wichtig", "\\Recent", "\\X", "a]", ""]
STRINGS = ["eins", "", "z wei", 'a"b', "a\\b", "{3}", "NIL", "\u00fc", "(", "*", "Subject"]
TEMPLATES = [
    "CREATE @", "DELETE @", "RENAME @ @", "STATUS @ (MESSAGES UIDNEXT UNSEEN)", "SUBSCRIBE @", "UNSUBSCRIBE @", "SELECT @", "EXAMINE @",
    'LIST "" @', 'LIST @ "*"', "LSUB \"\" @", "FETCH # (UID FLAGS)", "UID FETCH # (FLAGS BODY.PEEK[HEADER.FIELDS (% %)])",
    "FETCH # BODY[1]<0.5>", "FETCH # (RFC822.SIZE INTERNALDATE ENVELOPE BODYSTRUCTURE)", "STORE # +FLAGS (! !)", "STORE # -FLAGS.SILENT !",
    "UID STORE # FLAGS (!)", "SEARCH SUBJECT %", "UID SEARCH OR FROM % NOT (SEEN BODY %)", "SEARCH # UID #", "SEARCH SINCE 1-Feb-2026 LARGER 3",
    "SEARCH CHARSET UTF-8 TEXT %", "UID SEARCH RETURN (MIN MAX COUNT) ALL", "SORT (REVERSE DATE SUBJECT) UTF-8 ALL", "COPY # @", "MOVE # @",
    "UID COPY # @", "EXPUNGE", "UID EXPUNGE #", "CHECK", "NOOP", "CLOSE", "UNSELECT", "APPEND @ (!) ~", "APPEND @ ~", "ENABLE CONDSTORE",
    "FETCH # (MODSEQ)", "THREAD REFERENCES UTF-8 ALL",
]
SPICE = '{}()"\\ *%&~[]<>,:0AZ\x00\u00fc'


def spelled(text, r):
    octets = text.encode()
    kind = r.randrange(3)
    if kind == 0:
        return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    if kind == 1:
        return b"{%d+}\r\n" % len(octets) + octets
    # Seldom what is no atom.
    return octets if re.fullmatch(r"[A-Za-z0-9/&-]+", text) or r.random() < 0.1 else b'"x"'


def command(r):
    out = b""
    for c in r.choice(TEMPLATES):
        out += {"@": lambda: spelled(r.choice(NAMES), r), "#": lambda: r.choice(SETS).encode(), "!": lambda: r.choice(FLAGS).encode(),
                "%": lambda: spelled(r.choice(STRINGS), r),
                "~": lambda: (lambda m: b"{%d+}\r\n%s" % (len(m), m))(f"Subject: {r.choice(STRINGS)}\r\n\r\n{r.random()}\r\n".encode()),
                }.get(c, c.encode)()
    if r.random() < 0.2:
        place = r.randrange(len(out))
        spice = r.choice(SPICE).encode()
        out = out[:place] + spice + out[place + r.randrange(2):]
    return out


class Side:
    """One end of the comparison: a connection that is opened again when it is lost, with what was selected."""

    def __init__(self, port, user, password):
        self.port, self.user, self.password, self.selected = port, user, password, None
        self.open()

    def open(self):
        self.w = Wire(self.port, CA, timeout=10)
        self.w.login(self.user, self.password)
        if self.selected and not self.w.command(self.selected)[-1].split(b" ")[1] == b"OK":
            self.selected = None

    def ask(self, octets):
        """OK, NO or BAD; None where the connection was closed before. All that comes before NOOP's answer belongs to the command.

        A server that lost the selected mailbox says so to NOOP: Dovecot ends the connection, and the gateway closes the mailbox.
        """
        tagged = []
        try:
            self.w.send(b"c1 " + octets + b"\r\nc2 NOOP\r\n")
            while not tagged or not tagged[-1].startswith(b"c2 "):
                line = self.w.response()
                if re.match(rb"c\d ", line):
                    tagged.append(line)
                elif line.startswith(b"* BYE"):
                    raise EOFError(line)
                elif line.startswith(b"* OK [CLOSED]") and octets.split(b" ")[0].upper() not in (b"SELECT", b"EXAMINE"):
                    self.selected = None
        except (EOFError, OSError):
            self.w.raw.close()
            self.open()
            return tagged[0].split(b" ")[1].decode() if tagged else None
        assert [t[:3] for t in tagged] == [b"c1 ", b"c2 "], (octets, tagged)
        condition = tagged[0].split(b" ")[1].decode()
        verb = octets.split(b" ")[0].upper()
        if verb in (b"SELECT", b"EXAMINE"):
            self.selected = octets if condition == "OK" else None
        elif verb in (b"CLOSE", b"UNSELECT") and condition == "OK":
            self.selected = None
        return condition


def state(user):
    """Folders with their messages' subjects and flags, told by the server itself."""
    m = owner(user, PORT)
    found = {}
    for line in m.list('""', "Diff*")[1]:
        if line is None:
            continue
        octets = b"".join(line) if isinstance(line, tuple) else line
        name = re.search(rb'"/" (.*)$', octets, re.S).group(1)
        if b"\\noselect" in octets.lower() or b"\\nonexistent" in octets.lower():
            continue
        spelling = name.decode() if not isinstance(line, tuple) else '"' + line[1].decode().replace("\\", "\\\\").replace('"', '\\"') + '"'
        # A folder that was deleted, and has others below it, is listed like any other.
        if m.select(spelling, readonly=True)[0] != "OK":
            found[spelling] = None
            continue
        messages = []
        for part in m.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1]:
            if isinstance(part, tuple):
                head = part[0] if b"FLAGS" in part[0] else b""
                flags = sorted(set(re.search(rb"FLAGS \(([^)]*)\)", head).group(1).split()) - {b"\\Recent"}) if head else []
                messages.append((flags, part[1]))
        found[spelling] = messages
    m.logout()
    return found


def what_the_gateway_accepts_a_real_server_does_too():
    r = random.Random(int(os.environ.get("FUZZ_SEED", "1")))
    gate, direct = Side(IMAPS, CLARA, "pw-clara"), Side(PORT, DIRECT, "up-" + DIRECT)
    for side in (gate, direct):
        side.ask(b"CREATE Diff")
        side.ask(b"CREATE Diff/a")
        for n in range(4):
            message = b"Subject: eins\r\n\r\nx%d\r\n" % n
            assert side.ask(b"APPEND Diff/a (\\Seen) {%d+}\r\n%s" % (len(message), message)) == "OK"
        assert side.ask(b"SELECT Diff/a") == "OK"
    counts = {}
    for number in range(ROUNDS):
        octets = command(r)
        # What would leave the comparison: other folders than these, and the other's INBOX.
        if b"\r\n" in octets and not re.fullmatch(rb"[^\r\n]*(\{\d+\+\}\r\n[\x00-\xff]*)?", octets, re.S):
            continue
        answer = gate.ask(octets)
        counts[answer] = counts.get(answer, 0) + 1
        if answer == "OK":
            other = direct.ask(octets)
            # What names nothing is unsubscribed from without asking anybody.
            assert other == "OK" or octets.upper().startswith(b"UNSUBSCRIBE "), (number, octets, other)
        if number % 500 == 499:
            assert state(CLARA) == state(DIRECT), number
    assert state(CLARA) == state(DIRECT)
    print(counts)
    assert counts["OK"] > ROUNDS / 5, counts
    for user in (CLARA, DIRECT):
        m = owner(user, PORT)
        for name in sorted(state(user), reverse=True):
            m.unsubscribe(name)
            m.delete(name)


def no_program_shows_another_address_than_the_gateway_read():
    r = random.Random(int(os.environ.get("FUZZ_SEED", "1")))
    perl, w = names.Perl(), Raw()
    accepted, breaches = 0, []
    for number in range(ROUNDS):
        name = names.name(r)
        w.begin()
        w.send(f"From: {name} <{ANNA}>\r\n\r\nx\r\n.\r\n".encode())
        answer = w.reply()
        assert answer[:3] in ("250", "550"), (number, name, answer)
        if answer.startswith("550"):
            continue
        accepted += 1
        found = ((text, names.breach(text, ANNA)) for text in names.shown(name, ANNA, perl))
        breaches += [(number, name, text, what) for text, what in found if what][:1]
    perl.close()
    assert not breaches, (len(breaches), breaches[:20])
    assert accepted > ROUNDS / 20, accepted


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
