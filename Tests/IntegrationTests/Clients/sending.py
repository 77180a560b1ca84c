"""What a client can send through the gateway. Each function is one scenario; the first argument
names it. Messages go out by a real MTA, which lets each login send as itself only, into the
mailboxes of the real servers.
"""
import base64
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from scenarios import ANNA, BOB, CA, CLARA, INFO, gatepost, owner, run_scenario

SUBMISSIONS, SUBMISSION = int(os.environ["SUBMISSIONS"]), int(os.environ["SUBMISSION"])
TRUST = ssl.create_default_context(cafile=CA)
PORT_OF = {ANNA: "FIRST_PORT", CLARA: "FIRST_PORT", INFO: "FIRST_PORT", BOB: "SECOND_PORT"}


class may_send:
    """A send right of Anna's for the time of a scenario."""

    def __init__(self, account, right):
        self.account, self.right = account, right

    def __enter__(self):
        gatepost("grant", "add", self.account, ANNA, "--send", self.right)
        time.sleep(1)

    def __exit__(self, *_):
        gatepost("grant", "remove", self.account, ANNA, "--send")
        time.sleep(1)


def connect(user=ANNA):
    s = smtplib.SMTP_SSL("localhost", SUBMISSIONS, context=TRUST, timeout=20)
    if user:
        s.login(user, "pw-" + user.split("@")[0])
    return s


class Raw:
    """A client that sends what it is told, word for word."""

    def __init__(self, user=ANNA, port=SUBMISSIONS, tls=True, trust=None):
        self.raw = socket.create_connection(("localhost", port), 20)
        if tls:
            self.raw = (trust or TRUST).wrap_socket(self.raw, server_hostname="localhost")
        self.buffer = b""
        self.greeting = self.reply()
        self.command("EHLO client.example")
        if user and tls:
            secret = base64.b64encode(f"\0{user}\0pw-{user.split('@')[0]}".encode()).decode()
            assert self.command("AUTH PLAIN " + secret).startswith("235")

    def send(self, octets):
        self.raw.sendall(octets)

    def reply(self):
        lines = []
        while True:
            while b"\r\n" not in self.buffer:
                octets = self.raw.recv(65536)
                if not octets:
                    raise EOFError(lines)
                self.buffer += octets
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            lines.append(line.decode())
            if line[3:4] != b"-":
                return "\n".join(lines)

    def command(self, text):
        self.send(text.encode() + b"\r\n")
        return self.reply()

    def begin(self, sender=ANNA, to=CLARA):
        assert self.command(f"MAIL FROM:<{sender}>").startswith("250")
        assert self.command(f"RCPT TO:<{to}>").startswith("250")
        assert self.command("DATA").startswith("354")

    def closed(self):
        try:
            while self.raw.recv(4096):
                pass
        except (ConnectionError, ssl.SSLError):
            pass
        return True


count = 0


def subject():
    global count
    count += 1
    return f"p{os.getpid()}-{count}"


def text(name, sender=ANNA, to=CLARA, more="", body="Guten Tag\r\n"):
    return f"From: {sender}\r\nTo: {to}\r\nSubject: {name}\r\n{more}\r\n{body}".encode()


def arrived(name, user=CLARA, seconds=8):
    """The octets of the message with this subject, as its server has them."""
    m = owner(user, int(os.environ[PORT_OF[user]]))
    end = time.time() + seconds
    while True:
        m.select("INBOX")
        found = m.search(None, "SUBJECT", name)[1][0].split()
        if found or time.time() > end:
            break
        time.sleep(0.2)
    messages = [m.fetch(n, "(BODY.PEEK[])")[1][0][1] for n in found]
    m.logout()
    assert len(messages) <= 1, f"{name} arrived {len(messages)} times"
    return messages[0] if messages else None


def refused(call, code, word=""):
    try:
        call()
    except smtplib.SMTPDataError as e:
        assert e.smtp_code == code and word in e.smtp_error.decode(), e
    except smtplib.SMTPSenderRefused as e:
        assert e.smtp_code == code and word in e.smtp_error.decode(), e
    else:
        raise AssertionError("it was accepted")


# -- Sending


def a_message_goes_out_and_arrives_octet_for_octet():
    name = subject()
    body = "".join(f"{line}\r\n" for line in [".", "..", ".x", "", "...y", "z" * 990, "äöü", "", "."])
    message = text(name, more="X-Leer:\r\nX-Gefaltet: a\r\n\tb\r\n", body=body.encode().decode())
    message = message.decode().encode("utf-8")
    connect().sendmail(ANNA, [CLARA, BOB], message, mail_options=["BODY=8BITMIME"])
    for user in (CLARA, BOB):
        got = arrived(name, user)
        assert got is not None and got.endswith(message), (user, got)


def sending_as_somebody_needs_the_right():
    s = connect()
    for sender, header in ((INFO, INFO), (ANNA, INFO), (INFO, ANNA), (CLARA, CLARA), (ANNA, BOB)):
        refused(lambda: s.sendmail(sender, [BOB], text("nie", header)), 550, "5.7.1")
        s.rset()
    refused(lambda: s.sendmail("x@anderswo.example", [BOB], text("nie", ANNA)), 550, "5.7.1")
    with may_send(INFO, "as"):
        name = subject()
        s.sendmail(INFO, [BOB], text(name, INFO, BOB))
        got = arrived(name, BOB)
        assert got and b"Sender:" not in got and b"anna" not in got, got
        name = subject()
        s.sendmail(ANNA, [BOB], text(name, INFO, BOB))
        assert arrived(name, BOB)
    refused(lambda: s.sendmail(INFO, [BOB], text("nie", INFO)), 550, "5.7.1")
    assert arrived("nie", BOB, 0.5) is None


def on_behalf_shows_who_it_was():
    with may_send(BOB, "on-behalf"):
        s = connect()
        name = subject()
        message = text(name, f'"Bob Berger" <{BOB}>', CLARA, more=f"Reply-To: {BOB}\r\n")
        s.sendmail(BOB, [CLARA], message)
        got = arrived(name)
        assert got and got.endswith(f"Sender: <{ANNA}>\r\n".encode() + message), got
        name = subject()
        message = text(name, BOB, CLARA, more=f"Sender: {ANNA}\r\n")
        s.sendmail(BOB, [CLARA], message)
        assert arrived(name).endswith(message)
        # The name in Sender is the gateway's to write, and nothing else changes.
        name = subject()
        message = text(name, BOB, CLARA, more=f'Sender: "Bob Berger" <{ANNA}>\r\nX-A: b\r\n', body=".\r\n..\r\n")
        s.sendmail(BOB, [CLARA], message)
        assert arrived(name).endswith(message.replace(b'Sender: "Bob Berger" <', b"Sender: <")), arrived(name)
        for sender in (BOB, CLARA):
            refused(lambda: s.sendmail(BOB, [CLARA], text("nie", BOB, more=f"Sender: {sender}\r\n")), 550, "Sender")


def a_null_reverse_path_goes_out_by_from():
    name = subject()
    message = text(name, more="Content-Type: text/plain\r\n", body="gelesen\r\n")
    s = connect()
    s.sendmail("", [CLARA], message)
    got = arrived(name)
    assert got and got.endswith(message), got
    refused(lambda: s.sendmail("", [CLARA], text("nie", BOB)), 550, "From")
    refused(lambda: s.sendmail("", ["niemand@kanzlei.example"], text("nie")), 550)


def recipients_answers_are_the_servers():
    s = connect()
    s.ehlo()
    s.mail(ANNA)
    code, answer = s.rcpt("niemand@kanzlei.example")
    assert code == 550 and b"No such user" in answer, answer
    assert s.rcpt(CLARA)[0] == 250
    assert s.data(text(subject()))[0] == 250
    s.mail(ANNA)
    s.rcpt("niemand@kanzlei.example")
    refused(lambda: s.data(text("nie")), 554)


def pipelined_commands_get_their_replies_in_order():
    w = Raw()
    unknown = "niemand@kanzlei.example"

    def codes(*recipients, more=b"", further=0):
        lines = [f"MAIL FROM:<{ANNA}>", *(f"RCPT TO:<{r}>" for r in recipients), "DATA", ""]
        w.send("\r\n".join(lines).encode() + more)
        return [w.reply()[:3] for _ in range(len(recipients) + 2 + further)]

    for _ in range(3):
        name = subject()
        assert codes(CLARA, unknown, BOB) == ["250", "250", "550", "250", "354"]
        w.send(text(name) + b".\r\n")
        assert w.reply().startswith("250")
        for user in (CLARA, BOB):
            assert arrived(name, user).endswith(text(name))
    assert codes(unknown, unknown) == ["250", "550", "550", "554"]
    assert w.command("RSET").startswith("250")
    # The server waits for a message whose header is refused: nothing of it is sent.
    assert codes(CLARA) == ["250", "250", "354"]
    w.send(text("nie", BOB) + b".\r\n")
    assert w.reply().startswith("550 5.7.1")
    # The message in the same go as its envelope.
    for _ in range(2):
        w = Raw()
        name = subject()
        assert codes(CLARA, more=text(name) + b".\r\nQUIT\r\n", further=2) == ["250", "250", "354", "250", "221"]
        assert arrived(name).endswith(text(name))
    assert arrived("nie", seconds=0.5) is None


def chunks_are_one_message():
    name = subject()
    message = text(name, body=".\r\n..\r\nEnde\r\n")
    w = Raw()
    assert "CHUNKING" in w.command("EHLO again.example")
    for size in (1, 7, 1000):
        name = subject()
        message = text(name, body=".\r\n..\r\nEnde\r\n")
        assert w.command(f"MAIL FROM:<{ANNA}>").startswith("250")
        assert w.command(f"RCPT TO:<{CLARA}>").startswith("250")
        chunks = [message[i:i + size] for i in range(0, len(message), size)]
        for chunk in chunks:
            w.send(b"BDAT %d\r\n" % len(chunk) + chunk)
            assert w.reply().startswith("250")
        assert w.command("BDAT 0 LAST").startswith("250")
        assert arrived(name).endswith(message)
    # Octets of a chunk are never commands, whatever was decided about the message.
    evil = text("nie", BOB) + f"MAIL FROM:<{BOB}>\r\nRCPT TO:<{CLARA}>\r\nDATA\r\n".encode()
    w.send(f"MAIL FROM:<{ANNA}>\r\nRCPT TO:<{CLARA}>\r\nBDAT {len(evil)} LAST\r\n".encode() + evil + b"NOOP\r\n")
    answers = [w.reply() for _ in range(4)]
    assert answers[2].startswith("550 5.7.1") and answers[3].startswith("250 2.0.0"), answers
    assert w.command("BDAT 5x").startswith("501") and w.closed()


def smuggled_messages_are_refused():
    ends = [b"\n.\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\n.\r\n", b"\n.\r", b"\r\n.\r", b"\r\n.\r\r\n",
            b"\r\n\0.\r\n", b"\r\n.\0\r\n"]
    w = Raw()
    for number, end in enumerate(ends):
        w.begin()
        evil = f"MAIL FROM:<{BOB}>\r\nRCPT TO:<{CLARA}>\r\nDATA\r\nFrom: {BOB}\r\nSubject: nie\r\n\r\nevil\r\n.\r\n"
        w.send(text(f"nie{number}", body="Guten Tag") + end + evil.encode())
        answer = w.reply()
        assert answer.startswith("550 5.6.0"), (end, answer)
        assert w.command("RSET").startswith("250")
    # Such ends may stand in a header too.
    for field in (b"X-A: b\rFrom: x\r\n", b"X-A: b\nFrom: x\r\n", b"X-A: \0\r\n"):
        w.begin()
        w.send(field + text("nie") + b".\r\n")
        assert w.reply().startswith("550 5.6.0")
    name = subject()
    w.begin()
    message = text(name, body="\x0b.\r\n . \r\n\xc2\x85.\xc2\x85")
    w.send(message + b"\r\n.\r\n")
    assert w.reply().startswith("250")
    assert arrived(name).endswith(message + b"\r\n")
    assert arrived("nie", seconds=0.5) is None


def headers_that_lie_are_refused():
    ceo = BOB
    headers = [
        f"From: {ANNA}\r\nFrom: {ceo}\r\n", f"From: {ceo}\r\nFrom: {ANNA}\r\n",
        f" From: {ceo}\r\nFrom: {ANNA}\r\n", f"From: {ANNA}\r\nFrom : {ceo}\r\n",
        f"From\r\n : {ceo}\r\nFrom: {ANNA}\r\n", f"From: <{ANNA}>{ceo}\r\n",
        f"From: {ceo},<{ANNA}>\r\n", f"From: {ceo} <{ANNA}>\r\n", f"From: <{ceo}>\\, <{ANNA}>\r\n",
        f"From: =?utf-8?B?{base64.b64encode(f'<{ceo}>'.encode()).decode()}?=,<{ANNA}>\r\n",
        f"From: =?utf-8?Q?=3Cbob=40kanzlei.example=3E?= <{ANNA}>\r\n",
        f"From: Execs: {ceo};\r\n", f"From: x:{ceo};<{ANNA}>\r\n", "From: undisclosed:;\r\n",
        f'From: "{ceo}" <{ANNA}>\r\n', "From:\r\n", "From: <>\r\n", "From: anna\r\n", "",
        f"From:\r\n {ceo}\r\n", f"From: {ANNA}\r\n ,{ceo}\r\n", f"From:\r\n\t\r\n {ANNA}\r\n",
        f"garbage\r\nFrom: {ANNA}\r\n", f"From: {ANNA}\r\n \r\nFrom: {ceo}\r\n",
        f"From {ceo} Mon Jan 1 00:00:00 2026\r\nFrom: {ANNA}\r\n", f"From: BOB@kanzlei.example\r\n",
        f'From: "bob"@kanzlei.example\r\n', f"From: {ANNA}.\r\n", f"From: <@x.example:{ANNA}>\r\n",
        f"From: {ANNA}\r\nSender: {ceo}\r\n", f"From: {ANNA}\r\nSender: {ANNA}\r\nSender: {ANNA}\r\n",
        f"From: {ANNA}\r\nResent-From: {ceo}\r\n", f"From: {ANNA}\r\nResent-Sender: {ceo}\r\n",
        f"From: {ANNA}\r\nTo: a@b.example\r\nTo: c@d.example\r\n",
        f"X-Pad: {'x' * 900}\r\n" * 300 + f"From: {ceo}\r\n",
    ]
    w = Raw()
    for header in headers:
        w.begin()
        w.send(header.encode() + b"Subject: nie\r\n\r\nHallo\r\n.\r\n")
        answer = w.reply()
        assert answer[0] == "5", (header, answer)
    assert arrived("nie", seconds=0.5) is None
    good = [
        f'From: "Anna Arendt" <{ANNA}>\r\n', f"From: Anna A. Arendt <{ANNA}>\r\n",
        f"From: =?utf-8?Q?B=C3=BCro?= <{ANNA}>\r\n", f"From: {ANNA} (Anna)\r\n", f"FROM:{ANNA}\r\n",
        f"From: Anna\r\n <{ANNA}>\r\n", f"from: ANNA@Kanzlei.Example\r\n",
        f'From: "{ANNA}" <{ANNA}>\r\n', f"From: {ANNA}\r\nSender: {ANNA}\r\nResent-From: {ANNA}\r\n",
    ]
    for header in good:
        w.begin()
        w.send(header.encode() + b"Subject: gut\r\n\r\nHallo\r\n.\r\n")
        answer = w.reply()
        assert answer.startswith("250"), (header, answer)


# -- Copies in Sent


def sent(user, name):
    """UIDs of the messages with this subject in a Sent folder, and the first one's octets and flags."""
    m = owner(user, int(os.environ[PORT_OF[user]]))
    m.select("Sent")
    found = m.uid("SEARCH", "SUBJECT", name)[1][0].split()
    first = m.uid("FETCH", found[0], "(FLAGS BODY.PEEK[])")[1][0] if found else (b"", b"")
    m.logout()
    return found, first


def eventually(condition, seconds=10):
    end = time.time() + seconds
    while not condition() and time.time() < end:
        time.sleep(0.3)
    assert condition()


def copies_are_filed_where_the_account_says():
    s = connect()
    with may_send(INFO, "as"), may_send(BOB, "on-behalf"):
        for policy, owners, senders in (("none", 0, 0), ("owner", 1, 0), ("sender", 0, 1), ("both", 1, 1)):
            gatepost("account", "set", INFO, "--sent-copy", policy)
            time.sleep(1)
            name = subject()
            message = text(name, INFO, more=f"Message-ID: <{name}@client.example>\r\n", body=".\r\n..\r\n")
            s.sendmail(INFO, [CLARA], message)
            eventually(lambda: (len(sent(INFO, name)[0]), len(sent(ANNA, name)[0])) == (owners, senders))
            for user in [u for u, count in ((INFO, owners), (ANNA, senders)) if count]:
                head, octets = sent(user, name)[1]
                assert b"\\Seen" in head and octets == message, (head, octets)
        # Signed by the gateway, and so in the copy.
        gatepost("account", "set", BOB, "--sent-copy", "owner")
        time.sleep(1)
        name = subject()
        s.sendmail(BOB, [CLARA], text(name, BOB))
        eventually(lambda: len(sent(BOB, name)[0]) == 1)
        assert sent(BOB, name)[1][1] == f"Sender: <{ANNA}>\r\n".encode() + text(name, BOB)
        # The owner's own program files what the owner sends.
        name = subject()
        connect(BOB).sendmail(BOB, [CLARA], text(name, BOB))
        assert arrived(name)
        time.sleep(1)
        assert not sent(BOB, name)[0]
    gatepost("account", "set", INFO, "--sent-copy", "none")
    gatepost("account", "set", BOB, "--sent-copy", "none")


def nobody_keeps_a_copy_out_of_another_account():
    """Whoever sends chooses the Message-ID: one that is there, one that is part of it, one of nothing."""
    gatepost("account", "set", INFO, "--sent-copy", "owner")
    with may_send(INFO, "as"):
        s = connect()
        first = f"{subject()}@client.example"
        names = []
        for identifier in (f"<{first}>", f"<{first}>", "<", first[:4], "@"):
            names.append(subject())
            s.sendmail(INFO, [CLARA], text(names[-1], INFO, more=f"Message-ID: {identifier}\r\n"))
            eventually(lambda: len(sent(INFO, names[-1])[0]) == 1)
        # The gateway looks again after twenty seconds, in accounts of the sender's own.
        time.sleep(25)
        for name in names:
            assert len(sent(INFO, name)[0]) == 1, name
    gatepost("account", "set", INFO, "--sent-copy", "none")


def a_message_that_is_not_sent_is_not_filed():
    gatepost("account", "set", INFO, "--sent-copy", "both")
    with may_send(INFO, "as"):
        w = Raw()
        w.begin(INFO)
        w.send(text("nichtgesendet", INFO) + b"bare\n\r\n.\r\n")
        assert w.reply().startswith("550")
        w.begin(INFO)
        w.send(text("nichtgesendet", INFO) + b"x" * 100_000)
        w.raw.close()
        time.sleep(1)
    assert not sent(INFO, "nichtgesendet")[0] and not sent(ANNA, "nichtgesendet")[0]
    folder = os.path.join(os.path.dirname(os.environ["GATEPOST_CONFIG"]), "sent")
    eventually(lambda: not os.listdir(folder))
    gatepost("account", "set", INFO, "--sent-copy", "none")


def a_copy_of_the_clients_own_is_the_only_one():
    gatepost("account", "set", INFO, "--sent-copy", "sender")
    with may_send(INFO, "as"):
        own = owner(ANNA, int(os.environ["FIRST_PORT"]))
        for before in (True, False):
            name = subject()
            message = text(name, INFO, more=f"Message-ID: <{name}@client.example>\r\n")
            if before:
                assert own.append("Sent", "(\\Seen)", None, message)[0] == "OK"
            connect().sendmail(INFO, [CLARA], message)
            if before:
                assert arrived(name)
                time.sleep(2)
            else:
                eventually(lambda: len(sent(ANNA, name)[0]) == 1)
                filed = sent(ANNA, name)[0]
                assert own.append("Sent", "(\\Seen \\Flagged)", None, message)[0] == "OK"
                eventually(lambda: len(sent(ANNA, name)[0]) == 1, 40)
                assert sent(ANNA, name)[0] != filed and b"Flagged" in sent(ANNA, name)[1][0]
            assert len(sent(ANNA, name)[0]) == 1
    gatepost("account", "set", INFO, "--sent-copy", "none")


def a_decoy_does_not_take_the_copy_out():
    """Whoever gets a message knows its Message-ID; what has it in Sent is not the message by that."""
    gatepost("account", "set", INFO, "--sent-copy", "sender")
    with may_send(INFO, "as"):
        own = owner(ANNA, int(os.environ["FIRST_PORT"]))
        name = subject()
        identifier = f"Message-ID: <{name}@client.example>\r\n"
        for decoy in (text(name, INFO, more=identifier, body="Etwas anderes\r\n"),
                      text(name, INFO, to=BOB, more=identifier)):
            assert own.append("Sent", "(\\Seen)", None, decoy)[0] == "OK"
        message = text(name, INFO, more=identifier)
        connect().sendmail(INFO, [CLARA], message)
        eventually(lambda: len(sent(ANNA, name)[0]) == 3)
        # The gateway looks again after twenty seconds.
        time.sleep(25)
        own.select("Sent")
        filed = sent(ANNA, name)[0]
        texts = [own.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1] for uid in filed]
        assert len(texts) == 3 and message in texts, texts
    gatepost("account", "set", INFO, "--sent-copy", "none")


def a_message_whose_copy_has_no_room_is_not_sent():
    """A thousand copies wait for a server that is away: the next message of that account is refused, and
    those of others go."""
    from gateway import Gateway, free_port
    port = free_port()
    with Gateway(grants=False, GATEPOST_LISTEN_SUBMISSIONS=f"127.0.0.1:{port}") as gateway:
        for user in (CLARA, BOB):
            gateway.run("account", "set", user, "--smtp", f"localhost:{os.environ['MTA_PORT']}", "--ca", CA)
        gateway.run("account", "set", BOB, "--imap", "localhost:1", "--sent-copy", "owner")
        gateway.run("grant", "add", BOB, CLARA, "--send", "as")
        folder = os.path.join(gateway.folder, "sent")
        os.makedirs(folder)
        for number in range(1_000):
            with open(os.path.join(folder, f"2.{number}.eml"), "wb") as file:
                file.write(text("liegengeblieben"))
        gateway.start()
        trust = ssl.create_default_context(cafile=os.path.join(gateway.folder, "certs/ca.pem"))
        s = smtplib.SMTP_SSL("localhost", port, context=trust, timeout=20)
        s.login(CLARA, "pw-clara")
        names = [subject(), subject()]
        refused(lambda: s.sendmail(BOB, [CLARA], text(names[0], BOB)), 452, "No room for the copy")
        s.sendmail(CLARA, [CLARA], text(names[1], CLARA))
        assert arrived(names[1])
        assert arrived(names[0], seconds=1) is None
        assert len(os.listdir(folder)) == 1_000


def an_administrator_sees_whether_sending_works():
    import json
    for account, word in ((ANNA, "PIPELINING"), (BOB, "SMTPUTF8")):
        found = json.loads(gatepost("account", "test", account, "--json"))
        assert word in found["sending"], found
    assert json.loads(gatepost("explain", ANNA, INFO, "--json"))["send"] == "none"
    with may_send(INFO, "on-behalf"):
        assert json.loads(gatepost("explain", ANNA, INFO, "--json"))["send"] == "on-behalf"
    assert "failed" not in gatepost("doctor")
    folder = os.path.join(os.path.dirname(os.environ["GATEPOST_CONFIG"]), "sent")
    waiting = os.path.join(folder, "1.left.eml")
    os.makedirs(folder, exist_ok=True)
    with open(waiting, "wb") as file:
        file.write(text("liegengeblieben"))
    os.utime(waiting, (0, 0))
    assert "could not be filed" in gatepost("doctor", status=1)
    os.remove(waiting)
    port = gatepost("account", "show", ANNA, "--json")
    gatepost("account", "set", CLARA, "--smtp", "localhost:1")
    assert "localhost:1 cannot be reached" in gatepost("account", "test", CLARA, status=1)
    gatepost("account", "set", CLARA, "--smtp", "localhost:%d" % json.loads(port)["smtp"]["port"])


# -- Mail programs


def tool(*words, stdin=b"", status=0):
    done = subprocess.run(words, input=stdin, capture_output=True, timeout=60)
    assert (done.returncode == 0) == (status == 0), (words, done)
    return (done.stdout + done.stderr).decode(errors="replace")


def curl_sends_and_is_refused():
    def curl(sender, message, **kw):
        return tool("curl", "-sS", "-v", "--cacert", CA, "-u", f"{ANNA}:pw-anna", "-T", "-", "--mail-from", sender,
                    "--mail-rcpt", CLARA, f"smtps://localhost:{SUBMISSIONS}", stdin=message, **kw)
    name = subject()
    curl(ANNA, text(name))
    assert arrived(name).endswith(text(name))
    assert "550" in curl(BOB, text("nie", BOB), status=55)
    assert "5.7.1" in curl(ANNA, text("nie", BOB), status=55)


def swaks_sends_with_starttls():
    name = subject()

    def swaks(*words, **kw):
        return tool("swaks", "--server", "localhost", "--port", str(SUBMISSION), "--tls", "--tls-ca-path", CA,
                    "--auth-user", ANNA, "--auth-password", "pw-anna", "--to", CLARA, *words, **kw)
    for mechanism in ("PLAIN", "LOGIN"):
        name = subject()
        swaks("--auth", mechanism, "--from", ANNA, "--header", f"Subject: {name}", "--body", "..Gruss\n.\n")
        assert b"\r\n..Gruss\r\n.\r\n" in arrived(name)
    assert "550 5.7.1" in swaks("--auth", "PLAIN", "--from", ANNA, "--h-From", BOB, "--header", "Subject: nie", status=1)
    assert "550 5.7.1" in swaks("--auth", "PLAIN", "--from", CLARA, "--header", "Subject: nie", status=1)


def msmtp_sends():
    name = subject()
    with tempfile.NamedTemporaryFile("w", suffix=".msmtprc") as file:
        file.write(f"""
account gateway
host localhost
port {SUBMISSIONS}
tls on
tls_starttls off
tls_trust_file {CA}
auth on
user {ANNA}
password pw-anna
from {ANNA}
account default : gateway
""")
        file.flush()
        os.chmod(file.name, 0o600)
        tool("msmtp", "-C", file.name, CLARA, stdin=text(name).replace(b"\r\n", b"\n"))
        assert arrived(name).endswith(text(name))
        answer = tool("msmtp", "-C", file.name, CLARA, stdin=text("nie", BOB), status=1)
        assert "5.7.1" in answer, answer


def a_large_message_takes_no_more_memory():
    def resident():
        with open(f"/proc/{os.environ['GATEWAY_PID']}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    w = Raw()
    assert w.command(f"MAIL FROM:<{ANNA}>").startswith("250")
    assert w.command(f"RCPT TO:<{CLARA}>").startswith("250")
    before = resident()
    assert w.command("DATA").startswith("354")
    w.send(text("gross"))
    line = b"." + b"x" * 996 + b"\r\n"
    for _ in range(100):
        w.send(line * 800)
    after = resident()
    w.send(b".\r\n")
    assert w.reply().startswith("250")
    assert after - before < 16_384, (before, after)


# -- The session


def nothing_but_starttls_before_tls():
    w = Raw(port=SUBMISSION, tls=False)
    extensions = w.command("EHLO x.example")
    assert "STARTTLS" in extensions and "AUTH" not in extensions and "SIZE" not in extensions, extensions
    for verb in ("AUTH PLAIN AGEAYg==", f"MAIL FROM:<{ANNA}>", "VRFY x"):
        assert w.command(verb).startswith("530"), verb
    w = Raw(port=SUBMISSION, tls=False)
    w.send(b"STARTTLS\r\nNOOP\r\n")
    assert w.closed()
    s = smtplib.SMTP("localhost", SUBMISSION, timeout=20)
    s.starttls(context=TRUST)
    s.login(ANNA, "pw-anna")
    name = subject()
    s.sendmail(ANNA, [CLARA], text(name))
    assert arrived(name)


def logins_are_checked():
    w = Raw(user=None)
    assert w.command(f"MAIL FROM:<{ANNA}>").startswith("530")
    assert w.command("AUTH LOGIN").startswith("334")
    assert w.command(base64.b64encode(ANNA.encode()).decode()).startswith("334")
    assert w.command(base64.b64encode(b"falsch").decode()).startswith("535")
    assert w.command("AUTH LOGIN " + base64.b64encode(ANNA.encode()).decode()).startswith("334")
    assert w.command(base64.b64encode(b"pw-anna").decode()).startswith("235")
    assert w.command("AUTH PLAIN AGEAYg==").startswith("503")
    other = base64.b64encode(f"{BOB}\0{ANNA}\0pw-anna".encode()).decode()
    assert Raw(user=None).command("AUTH PLAIN " + other).startswith("535")


def commands_in_the_wrong_order_or_form():
    w = Raw()
    for verb in ("DATA", f"RCPT TO:<{BOB}>"):
        assert w.command(verb).startswith("503"), verb
    for argument in (f"<{ANNA}", f"<{ANNA}>x", f"<@evil.example:{ANNA}>", "<anna>", "<@kanzlei.example>",
                     "<anna@>", f"<{ANNA}> SIZE=1 SIZE=2", f"<{ANNA}> SIZE=-1", f"<{ANNA}> ENVID=a+0D+0A"):
        assert w.command("MAIL FROM:" + argument).startswith("501"), argument
        if argument == "<anna@>":
            w = Raw()
    w = Raw()
    for argument in (f"<{ANNA}> FOO=BAR", f"<{ANNA}> BODY=BINARYMIME", f"<{ANNA}> REQUIRETLS"):
        assert w.command("MAIL FROM:" + argument).startswith("555"), argument
    assert w.command(f"MAIL FROM:<{ANNA}> SIZE=99999999999").startswith("552")
    assert w.command(f"MAIL FROM:<{ANNA}> AUTH={BOB}").startswith("250")
    assert w.command(f"MAIL FROM:<{ANNA}>").startswith("503")
    assert w.command("DATA").startswith("554")
    assert w.command(f"RCPT TO:<{CLARA}> ORCPT=rfc822;v+0D").startswith("501")


def a_right_that_ends_stops_the_message():
    gatepost("grant", "add", INFO, ANNA, "--send", "as")
    time.sleep(1)
    w = Raw()
    w.begin(INFO)
    w.send(text("nie", INFO) + b"x" * 100_000 + b"\r\n")
    gatepost("grant", "remove", INFO, ANNA, "--send")
    time.sleep(1)
    w.send(b"y\r\n.\r\n")
    assert w.reply().startswith("550 5.7.1")
    assert w.command(f"MAIL FROM:<{INFO}>").startswith("550 5.7.1")
    assert w.command(f"MAIL FROM:<{ANNA}>").startswith("250")
    assert arrived("nie", seconds=1) is None


def a_client_that_vanishes_sends_nothing():
    w = Raw()
    w.begin()
    w.send(text("nie") + b"x" * 200_000)
    w.raw.close()
    assert arrived("nie", seconds=1.5) is None


def an_account_without_a_server_says_so():
    w = Raw("dora@kanzlei.example")
    assert w.command("MAIL FROM:<dora@kanzlei.example>").startswith("550 5.7.1 No server")


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
