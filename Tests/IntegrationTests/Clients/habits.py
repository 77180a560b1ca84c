"""What mail programs write that the grammar does not have, or that is large. Each function is one scenario; the first
argument names it. Behind the gateway are the real servers, which say the same to the same words.
"""
import imaplib
import os
import re
import ssl
import sys
import time

from pace import Watch
from scenarios import ANNA, BOB, CA, CLARA, IMAPS, SHARED, append, granted, owner, run_scenario, wire
from sending import SUBMISSION, SUBMISSIONS, Raw, arrived, subject, text, tool
from wire import Wire

FIRST = int(os.environ["FIRST_PORT"])


def client(user=ANNA):
    m = imaplib.IMAP4_SSL("localhost", IMAPS, ssl_context=ssl.create_default_context(cafile=CA), timeout=20)
    m.login(user, "pw-anna")
    return m


def answer(m, call):
    """The condition of an immediate answer; imaplib raises an exception for BAD."""
    watch = Watch()
    try:
        condition = call()[0]
    except imaplib.IMAP4.error as error:
        condition = "BAD" if "BAD" in str(error) else str(error)
    assert watch.seconds < 5, (condition, watch.seconds)
    return condition


def large_commands_are_answered_at_once():
    m, direct = client(), owner(ANNA, FIRST)
    append(direct, "INBOX", "large")
    every = ",".join(str(n) for n in range(1, 20_001))
    sparse = ",".join(str(n) for n in range(1, 22_001, 2))
    longer = ",".join(str(n) for n in range(1, 40_001, 2))
    for each in (m, direct):
        assert each.select("INBOX")[0] == "OK"
    # More ranges than 10,000, in a line of less than 64 KiB: the server takes it.
    for uids in (every, sparse):
        assert answer(m, lambda: m.uid("FETCH", uids, "(FLAGS)")) == "OK"
        assert m.noop()[0] == "OK"
    # A refusal of the server keeps its condition.
    for each in (m, direct):
        assert answer(each, lambda: each.uid("FETCH", longer, "(FLAGS)")) == "BAD"
        assert each.noop()[0] == "OK"
    assert answer(m, lambda: m.search(None, "NOT " * 17_000 + "ALL")) == "NO"
    assert m.noop()[0] == "OK"
    # Dovecot refuses a word, and ends the connection at a literal, of more than 64 KiB; the client's stays.
    w = wire()
    for criteria in (b"TEXT {70000+}\r\n" + b"x" * 70_000, b"TEXT {70000+}\r\n" + b"x y " * 17_500,
                     b"TEXT {40000+}\r\n" + b"x" * 40_000 + b" TEXT {40000+}\r\n" + b"y" * 40_000,
                     b"TEXT {40000+}\r\n" + b"x y " * 10_000 + b" TEXT {40000+}\r\n" + b"y z " * 10_000):
        w.ok("SELECT INBOX")
        watch = Watch()
        found = w.command(b"SEARCH " + criteria)
        assert found[-1].split(b" ", 1)[1].startswith((b"OK", b"BAD Refused", b"NO [UNAVAILABLE]")), found
        assert watch.seconds < 5
        w.ok("NOOP")
    # Over the gateway's own limits.
    for line in (b"NOOP " + b"x" * 300_000, b"SEARCH TEXT {131073+}\r\n" + b"x" * 131_073, b"SELECT {131073}"):
        assert w.answer(line).startswith("NO [TOOBIG]"), line[:40]
        w.ok("SELECT INBOX")


def what_phones_append_is_stored():
    with granted(BOB, ANNA, "--manage"):
        w = wire()
        for folder in ("INBOX", f"{SHARED}/INBOX"):
            for number, (options, moment) in enumerate((
                    ('(\\Seen) "3-Feb-2026 18:28:47 +0000"', b"03-Feb-2026 18:28:47"),
                    ('(\\Seen ) "13-Feb-2026 18:28:47 GMT"', b"13-Feb-2026 18:28:47"),
                    ('(\\Seen)  " 3-Feb-2026 18:28:47 +0000" ', b"03-Feb-2026 18:28:47"))):
                w.send(f'a{number} APPEND "{folder}" {options} {{14}}\r\n'.encode())
                assert w.line().startswith(b"+"), options
                w.send(b"Subject: x\r\n\r\n\r\n")
                stored = re.search(rb"OK \[APPENDUID \d+ (\d+)\]", w.until(b"a%d" % number)[-1])
                assert stored, options
                w.ok(f'SELECT "{folder}" ')
                found = w.ok(f"UID FETCH  {stored[1].decode()}  ( FLAGS  INTERNALDATE ) ")
                line = [each for each in found if b"INTERNALDATE" in each][0]
                assert moment in line.replace(b'" ', b'"0') and b"\\Seen" in line, line


def searches_and_notifications_as_dovecot_takes_them():
    w = wire()
    w.ok("SELECT INBOX")
    assert w.answer('SEARCH RETURN (MIN) 1:3 MODSEQ "/flags/\\\\seen" all 1').startswith("OK")
    for line in ("NOOP ", "SEARCH  NOT  SEEN ", "STATUS  INBOX  ( MESSAGES ) ", 'LIST  ""  "%"  RETURN  ( CHILDREN ) '):
        assert w.answer(line).startswith("OK"), line
    assert w.answer("NOTIFY SET STATUS (mailboxes X (MessageExpunge))").startswith(("OK", "NO [CANNOT]"))


def an_id_of_the_largest_size_is_read():
    fields = " ".join(f'"field{number:02}" "{"x" * 1_024}"' for number in range(30))
    w = Wire(IMAPS, CA)
    w.ok(f"ID ({fields})")
    w.login(ANNA, "pw-anna")
    for _ in range(3):
        w.ok(f"ID ({fields})")
    assert w.answer(f'ID ({fields} "one" "more")').startswith("NO [LIMIT]")
    w.ok("NOOP ")


def envelopes_as_programs_write_them():
    name = subject()
    w = Raw()
    assert w.command("EHLO pc.example ").startswith("250")
    assert w.command(f"MAIL FROM:{ANNA} ").startswith("250")
    assert w.command(f"RCPT TO:{CLARA}").startswith("250")
    # The server knows the addresses, but not these users.
    for recipient in ("a..b@carrier.example", "<.a@carrier.example>", "<a.@carrier.example>"):
        assert w.command(f"RCPT TO:{recipient}").startswith("550 5.1.1 No such user"), recipient
    assert w.command("DATA ").startswith("354")
    w.send(text(name) + b".\r\n")
    assert w.reply().startswith("250")
    assert arrived(name).endswith(text(name))
    assert w.command("MAIL FROM:bob@kanzlei.example").startswith("550")
    assert w.command("NOOP " + "x" * 9_000).startswith("500")
    assert w.command("NOOP").startswith("250")
    name = subject()
    tool("curl", "-sS", "--cacert", CA, "-u", f"{ANNA}:pw-anna", "-T", "-", "--mail-from", ANNA, "--mail-rcpt", CLARA,
         f"smtps://localhost:{SUBMISSIONS}/pc.example%20", stdin=text(name))
    assert arrived(name).endswith(text(name))
    said = tool("swaks", "--server", "localhost", "--port", str(SUBMISSION), "--tls", "--tls-ca-path", CA, "--auth", "PLAIN",
                "--auth-user", ANNA, "--auth-password", "pw-anna", "--from", ANNA, "--to", "a..b@carrier.example", status=1)
    assert "550 5.1.1 No such user" in said, said


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
