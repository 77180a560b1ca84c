"""Folders that a server opens and does not list, with a real Dovecot. Each function is one scenario; the first
argument names it.
"""
import contextlib
import sys
import time

from dovecot import Dovecot
from gateway import Gateway
from scenarios import BOB, CLARA, run_scenario

ROOT = f"Other Users/{BOB}"
MISSING = "NO [NONEXISTENT] No such mailbox"

OWN = """
namespace inbox {
  inbox = yes
  separator = /
}
"""
# The usual set-up after a migration from Courier: the old names open, and are not listed.
ALIAS = """
namespace alias {
  prefix = INBOX/
  separator = /
  hidden = yes
  list = no
  alias_for =
}
"""
PUBLIC = """
namespace firm {
  type = public
  prefix = Firm/
  separator = /
  location = maildir:MAIL/firm
  hidden = yes
  list = no
}
"""


@contextlib.contextmanager
def office(namespaces, *grant):
    """Bob's mailbox on a server with these namespaces, of which Clara has a grant."""
    with Dovecot(namespaces) as server, Gateway(grants=False) as gateway:
        server.deliver("owner", "in the INBOX")
        server.own(gateway, BOB)
        gateway.start()
        bob = gateway.wire(BOB)
        for name in ("Private", "Akten"):
            bob.ok(f"CREATE {name}")
            message = f"Subject: {name}\r\n\r\n{name}\r\n".encode()
            bob.ok(b"APPEND %s {%d+}\r\n%s" % (name.encode(), len(message), message))
        gateway.run("grant", "add", BOB, CLARA, *grant, "--no-check")
        # A change takes effect within a second, and a login may take less.
        clara = gateway.wire(CLARA)
        while clara.answer(f'MYRIGHTS "{ROOT}/INBOX"') == MISSING:
            time.sleep(0.05)
        yield gateway, server, bob
        # No message is lost.
        assert len([line for line in bob.ok('LIST "" *') if b"Private" in line or b"Akten" in line]) == 2
        assert b"(MESSAGES 1)" in bob.ok("STATUS Private (MESSAGES)")[0]


def lines(answer):
    return [line.split(b" ", 1)[1] if line.startswith(b"t") else line for line in answer]


def a_hidden_alias_of_a_folder_is_a_missing_folder():
    with office(OWN + ALIAS, "--manage", "--folder", "INBOX", "--subtree") as (gateway, server, bob):
        # The folder exists: its owner may use the name.
        bob.ok("SELECT INBOX/Private")
        w = gateway.wire(CLARA)
        w.ok(f'SELECT "{ROOT}/INBOX"')
        message = b"Subject: x\r\n\r\nx\r\n"
        commands = [
            'SELECT "@"', 'EXAMINE "@"', 'STATUS "@" (MESSAGES)', 'MYRIGHTS "@"', 'SUBSCRIBE "@"', 'GETACL "@"',
            'CREATE "@/New"', f'RENAME "@" "{ROOT}/INBOX/Mine"', 'DELETE "@"', 'COPY 1 "@"', 'UID MOVE 1 "@"', 'LIST "" "@"',
            'LIST "@" "*"', 'LSUB "" "@"', 'LIST "" "@" RETURN (STATUS (MESSAGES))',
            b'APPEND "@" {%d+}\r\n%s' % (len(message), message),
        ]
        for command in commands:
            command = command if isinstance(command, bytes) else command.encode()
            answers = []
            for name in ("Private", "Nothing"):
                w.ok(f'SELECT "{ROOT}/INBOX"')
                answers.append(lines(w.command(command.replace(b"@", f"{ROOT}/INBOX/{name}".encode()))))
            assert answers[0] == answers[1], answers
            assert answers[0][-1].startswith((b"NO ", b"OK LIST", b"OK LSUB")), (command, answers)
            assert not any(b"Private" in line for line in answers[0]), answers
        listed = b"\n".join(w.ok('LIST "" "*"'))
        assert b"Private" not in listed and b"INBOX" in listed, listed


def a_hidden_public_namespace_is_not_reached():
    with office(OWN + PUBLIC, "--view") as (gateway, server, bob):
        server.deliver("firm/.Partners", "confidential")
        bob.ok("SELECT Firm/Partners")
        w = gateway.wire(CLARA)
        for name in ("Firm/Partners", "Firm/Nothing", "Nothing"):
            for command in ("SELECT", "EXAMINE", "MYRIGHTS"):
                assert w.answer(f'{command} "{ROOT}/{name}"') == MISSING, (command, name)
            assert w.answer(f'STATUS "{ROOT}/{name}" (MESSAGES)') == MISSING
        w.ok(f'SELECT "{ROOT}/Akten"')
        assert b"Partners" not in b"\n".join(w.ok('LIST "" "*"'))


def a_folder_is_there_as_soon_as_it_is_made():
    with office(OWN, "--manage") as (gateway, server, bob):
        w = gateway.wire(CLARA)
        assert w.answer(f'SELECT "{ROOT}/Later"') == MISSING
        bob.ok("CREATE Later")
        w.ok(f'SELECT "{ROOT}/Later"')
        w.ok(f'CREATE "{ROOT}/Later/Below"')
        w.ok(f'SELECT "{ROOT}/Later/Below"')
        w.ok(f'RENAME "{ROOT}/Later" "{ROOT}/Sooner"')
        assert w.answer(f'SELECT "{ROOT}/Later/Below"') == MISSING
        w.ok(f'SELECT "{ROOT}/Sooner/Below"')
        w.ok("CLOSE")
        w.ok(f'DELETE "{ROOT}/Sooner/Below"')
        w.ok(f'DELETE "{ROOT}/Sooner"')
        assert w.answer(f'SELECT "{ROOT}/Sooner"') == MISSING


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
