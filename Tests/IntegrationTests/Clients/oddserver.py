"""A mail server that writes its responses in every way that servers in use do and the grammar does not know."""
import re
import threading

from upstreams import Server

# What no parser can read; the folders behind it are nobody's.
UNREADABLE = [rb"Mandant 1", rb"Akten(alt)", "M\u00fcller".encode(), rb'"Fritz\Co"']
CAPABILITIES = b"IMAP4rev1  LITERAL+  UIDPLUS  UNSELECT  QUOTA  NAMESPACE"
# The server's names, and what clients are shown.
NAMES = {
    b"INBOX": "INBOX",
    b"Abgleich": "Abgleich",
    "Stra\u00dfe".encode(): "=_Stra&AN8-e",
    b"a&b": "=_a&-b",
    b"Zu\ttun": "=_Zu=09tun",
}


class OddServer(Server):
    """Mailboxes in memory, of messages as `[uid, flags, date, octets]`. `broken` takes the place of lines that begin so,
    `refused` that of the answers to commands; commands in `hangs` are never answered. Folders but INBOX have a prefix.
    """

    def __init__(self, tls, prefix=b"", delimiter=b"/"):
        self.prefix, self.delimiter = prefix, delimiter
        self.folders = {name if name == b"INBOX" else prefix + name: shown for name, shown in NAMES.items()}
        self.boxes = {name: [] for name in self.folders}
        self.next = {name: 1 for name in self.folders}
        self.lock = threading.RLock()
        self.broken = {}
        self.refused = {}
        self.hangs = set()
        self.line_end = b"\r\n"
        self.tells_next = True
        super().__init__(self.converse, tls)

    def converse(self, c):
        Session(self, c).run()


class Session:
    def __init__(self, server, c):
        self.server, self.c, self.selected = server, c, None

    def run(self):
        self.c.send(b"*  OK  [CAPABILITY  %s ]  ready\r\n" % CAPABILITIES)
        while True:
            tag, words = self.command()
            verb = words.pop(0).upper()
            if verb == b"UID":
                verb += b"_" + words.pop(0).upper()
            while verb in self.server.hangs and words != [b"", b""]:
                self.c.line()
            with self.server.lock:
                answer = getattr(self, verb.decode().lower(), self.unknown)
                code = self.server.refused[verb] if verb in self.server.refused else answer(words)
            self.c.send(tag + b" " + (code or b"OK done") + self.server.line_end)
            if verb == b"LOGOUT":
                return

    def command(self):
        """The tag and the words of a command; a list is one word, a string its octets."""
        text, literals = b"", []
        while True:
            line = self.c.line()
            m = re.search(rb"\{(\d+)(\+?)\}$", line)
            if not m:
                text += line
                break
            octets = int(m.group(1))
            if not m.group(2):
                self.c.send(b"+ go on\r\n")
            while len(self.c.buffer) < octets:
                self.c.buffer += self.c.raw.recv(65536)
            literals.append(self.c.buffer[:octets])
            self.c.buffer = self.c.buffer[octets:]
            text += line[:m.start()] + b"\0"
        tag, rest = text.split(b" ", 1)
        words = []
        for word in re.findall(rb'\0|"(?:[^"\\]|\\.)*"|\((?:[^()]|\([^()]*\))*\)|[^ ]+', rest):
            if word == b"\0":
                words.append(literals.pop(0))
            elif word.startswith(b'"'):
                words.append(re.sub(rb"\\(.)", rb"\1", word[1:-1]))
            else:
                words.append(word)
        return tag, words

    def say(self, *lines):
        for line in lines:
            for begin, other in self.server.broken.items():
                if line.startswith(begin):
                    line = other
            self.c.send(line + b"\r\n")

    def unknown(self, words):
        return b"BAD unknown"

    def login(self, words):
        return b"OK in"

    noop = check = login

    def capability(self, words):
        self.say(b"*  CAPABILITY  " + CAPABILITIES)

    def logout(self, words):
        self.say(b"*  BYE  x")

    def list(self, words):
        if words == [b"", b""]:
            return self.say(b'*  LIST  ( \\Noselect )  "%s"  ""' % self.server.delimiter)
        for name in self.server.folders:
            self.say(b'*  LIST  ( \\HasNoChildren )  "%s"  "%s"' % (self.server.delimiter, name))
        for name in UNREADABLE:
            self.say(b'* LIST (\\HasNoChildren) "%s" %s' % (self.server.delimiter, name))

    def namespace(self, words):
        self.say(b'*  NAMESPACE  (("%s"  "%s"))  NIL  NIL' % (self.server.prefix, self.server.delimiter))

    def lsub(self, words):
        self.say(b'*  LSUB  ()  "/"  "INBOX"', b'* LSUB () "/" Mandant 1')

    def status(self, words):
        box = self.server.boxes.get(words[0])
        if box is None:
            return b"NO missing"
        self.say(b'*  STATUS  "%s"  ( MESSAGES  %d  UIDNEXT  %d )' % (words[0], len(box), self.server.next[words[0]]))

    def getquotaroot(self, words):
        self.say(b'*  QUOTAROOT  "INBOX"  "ROOT"', b'* QUOTA "ROOT"')

    def select(self, words):
        self.selected = None
        if words[0] not in self.server.boxes:
            return b"NO missing"
        self.selected = words[0]
        self.say(
            b"* FLAGS  ( \\Seen  \\Flagged \\Answered \\Deleted \\Draft  Wichtig(alt)  \"Zu tun\"  M\xc3\xbcller  NIL )",
            b"*  OK  [PERMANENTFLAGS  (\\Seen \\Flagged \\Answered \\Deleted \\Draft Wichtig(alt) \"Zu tun\")]  Limited",
            b"*  %d   EXISTS " % len(self.box), b"*  0  RECENT",
            b"*  OK  [UIDVALIDITY  7]  ok",
        )
        if self.server.tells_next:
            self.say(b"*  OK  [UIDNEXT  %d ]  ok" % self.server.next[self.selected])
        return b"OK  [READ-WRITE]  open"

    examine = select

    @property
    def box(self):
        return self.server.boxes[self.selected]

    def unselect(self, words):
        self.selected = None

    def messages(self, words, of):
        top = max([of(number, m) for number, m in enumerate(self.box, 1)] or [0])
        for part in words.pop(0).replace(b"*", b"%d" % top).split(b","):
            low, _, high = part.partition(b":")
            low, high = sorted((int(low), int(high or low)))
            for number, m in enumerate(self.box, 1):
                if low <= of(number, m) <= high:
                    yield number, m

    def uid_fetch(self, words):
        for number, m in self.messages(words, lambda _, m: m[0]):
            self.tell(number, m, words[0])

    def tell(self, number, m, items):
        uid, flags, date, octets = m
        parts = [b"UID  %d" % uid]
        if b"FLAGS" in items:
            parts.append(b"FLAGS  ( %s )" % b"  ".join(sorted(flags)))
        if b"INTERNALDATE" in items:
            parts.append(b'INTERNALDATE  "%s"' % date)
        if b"RFC822.SIZE" in items:
            parts.append(b"RFC822.SIZE  %d" % len(octets))
        if m := re.search(rb"BODY\.PEEK\[HEADER\.FIELDS ([^\]]*)\]", items):
            tuid = re.search(rb"^X-TUID: [^\r]*\r\n", octets, re.M)
            text = (tuid.group(0) if tuid else b"") + b"\r\n"
            parts.append(b"BODY[HEADER.FIELDS %s]  {%d}\r\n%s" % (m.group(1), len(text), text))
        if b"BODY.PEEK[]" in items or b"BODY[]" in items:
            parts.append(b"BODY[]  {%d}\r\n%s" % (len(octets), octets))
        self.say(b"*  %d  FETCH  ( %s )" % (number, b"  ".join(parts)))

    def uid_search(self, words):
        self.say(b"*  SEARCH" + b"".join(b"  %d" % m[0] for m in self.box))

    def uid_store(self, words):
        for number, m in self.messages(words, lambda _, m: m[0]):
            flags = set(words[1].strip(b"()").split())
            m[1] = m[1] | flags if words[0][:1] == b"+" else m[1] - flags if words[0][:1] == b"-" else flags
            if b"SILENT" not in words[0]:
                self.say(b"*  %d  FETCH  ( FLAGS  ( %s )  UID  %d )" % (number, b"  ".join(sorted(m[1])), m[0]))

    def expunge(self, words):
        wanted = {m[0] for _, m in self.messages(words, lambda _, m: m[0])} if words else None
        for number in range(len(self.box), 0, -1):
            if b"\\Deleted" in self.box[number - 1][1] and (wanted is None or self.box[number - 1][0] in wanted):
                del self.box[number - 1]
                self.say(b"*  %d   EXPUNGE" % number)

    uid_expunge = expunge

    def close(self, words):
        self.server.boxes[self.selected] = [m for m in self.box if b"\\Deleted" not in m[1]]
        self.selected = None

    def append(self, words):
        name, octets = words[0], words[-1]
        if name not in self.server.boxes:
            return b"NO [TRYCREATE] missing"
        flags = next((w for w in words[1:-1] if w.startswith(b"(")), b"()").strip(b"()").split()
        date = next((w for w in words[1:-1] if re.match(rb"[ \d]\d-", w)), b"17-Jul-2026 02:44:25 +0000")
        uid = self.server.next[name]
        self.server.next[name] += 1
        self.server.boxes[name].append([uid, set(flags), date, octets])
        return b"OK  [APPENDUID  7  %d ]  stored" % uid
