"""Exchange accounts through the gateway. Each function is one scenario; the first argument names it.

Microsoft's side is played by the test process, over HTTPS, with the answers that are documented;
the mail side is real: Dovecot and Exim, which take XOAUTH2 and ask that server about each token.
At Exchange, Vertrieb is given to Anna (FullAccess; Send As through a group), Bob (Reviewer of
Projekte), and Clara (on behalf); Eva's own mailbox is there.
"""
import contextlib
import json
import os
import sys
import time

from scenarios import ANNA, BOB, CLARA, gatepost, run_scenario, wire
from sending import Raw, arrived, connect, refused, subject, text

VERTRIEB, EVA = "vertrieb@kanzlei.example", "eva@kanzlei.example"
PLACE = f"Shared/{VERTRIEB}"


@contextlib.contextmanager
def loaded():
    """Saves Exchange permissions for the time of a scenario."""
    gatepost("permissions", "load", VERTRIEB)
    gatepost("permissions", "save")
    time.sleep(1)
    try:
        yield
    finally:
        nobody = os.path.join(os.path.dirname(os.environ["GATEPOST_CONFIG"]), "nobody.json")
        with open(nobody, "w") as f:
            json.dump([{"Identity": VERTRIEB, "User": "NT AUTHORITY\\SELF", "Deny": False, "IsInherited": False,
                        "AccessRights": ["FullAccess"]}], f)
        for row in json.loads(gatepost("grant", "list", "--account", VERTRIEB, "--withdrawn", "--json")):
            gatepost("grant", "restore", VERTRIEB, row["subject"], status=None)
        gatepost("permissions", "load", VERTRIEB, "--from", nobody)
        gatepost("permissions", "save")
        time.sleep(1)


def listed(w):
    return [line.split(b'"/" ')[-1].strip(b'"').decode() for line in w.ok('LIST "" "*"')]


def nothing_is_in_force_before_it_is_saved():
    said = gatepost("permissions", "load", VERTRIEB)
    assert "5 added, 0 removed, 0 unchanged, 0 still withdrawn, 0 unresolved" in said, said
    assert "Vertriebsteam" in said, said
    assert "Send on Behalf, folder permissions, group members: answered by the Admin API v2.0" in said, said
    assert "FullAccess, Send As, the list of folders, the directory: answered by InvokeCommand" in said, said
    w = wire()
    assert not any(n.startswith(PLACE) for n in listed(w))
    assert w.answer(f'SELECT "{PLACE}/INBOX"').startswith("NO [NONEXISTENT]")
    assert "vertrieb" in gatepost("permissions", "diff")
    assert "the saved permissions stay in force" in gatepost("permissions", "discard")


def both_kinds_are_side_by_side():
    with loaded():
        w = wire()
        names = listed(w)
        for name in ("INBOX", f"Other Users/{BOB}/INBOX", f"{PLACE}/INBOX", f"{PLACE}/Projekte/Geheim"):
            assert name in names, names
        w.ok(f'SELECT "{PLACE}/INBOX"')
        assert b"Text von vertrieb" in b"".join(w.ok("FETCH 1 BODY[TEXT]"))
        w.ok(f'SELECT "Other Users/{BOB}/INBOX"')
        w.ok("SELECT INBOX")
        w.ok(f'STATUS "{PLACE}/Projekte" (MESSAGES)')


def a_reviewer_of_one_folder_reads_that_folder_and_nothing_else():
    with loaded():
        w = wire(BOB)
        names = [n for n in listed(w) if n.startswith(PLACE)]
        assert f"{PLACE}/Projekte" in names, names
        assert not any(word in n for n in names for word in ("INBOX", "Geheim", "Privat")), names
        for folder in ("INBOX", "Projekte/Geheim", "Privat", "projekte", "Sent"):
            assert w.answer(f'SELECT "{PLACE}/{folder}"').startswith("NO [NONEXISTENT]"), folder
        assert w.answer(f'SELECT "{PLACE}/Projekte"').startswith("OK [READ-ONLY]")
        w.ok("FETCH 1 (BODY[])")
        assert b"\\Seen" not in b"".join(w.ok("FETCH 1 FLAGS"))
        for command in ("STORE 1 +FLAGS (\\Seen)", "STORE 1 +FLAGS (\\Deleted)", "EXPUNGE"):
            assert w.answer(command).startswith("NO"), command
        assert w.answer(f'CREATE "{PLACE}/Projekte/Neu"').startswith("NO")
        assert w.answer(f'MYRIGHTS "{PLACE}/Projekte"').startswith("OK")


def who_is_removed_here_is_out_at_once_and_stays_out():
    with loaded():
        w = wire()
        w.ok(f'SELECT "{PLACE}/INBOX"')
        gatepost("grant", "remove", VERTRIEB, ANNA)
        time.sleep(1.5)
        assert w.answer("FETCH 1 BODY[]").startswith(("NO", "BAD")), "still selected"
        assert not any(n.startswith(PLACE) for n in listed(w))
        s = connect()
        refused(lambda: s.sendmail(VERTRIEB, [CLARA], text("nie", VERTRIEB)), 550, "5.7.1")
        assert "still withdrawn" in gatepost("permissions", "load", VERTRIEB)
        gatepost("permissions", "save")
        time.sleep(1)
        assert not any(n.startswith(PLACE) for n in listed(w))
        gatepost("grant", "restore", VERTRIEB, ANNA)
        time.sleep(1.5)
        w.ok(f'SELECT "{PLACE}/INBOX"')
        name = subject()
        connect().sendmail(VERTRIEB, [CLARA], text(name, VERTRIEB))
        assert arrived(name)


def sending_goes_out_with_a_token():
    with loaded():
        name = subject()
        connect().sendmail(VERTRIEB, [CLARA], text(name, VERTRIEB))
        got = arrived(name)
        assert got and b"Sender:" not in got and b"anna" not in got, got
        with open(os.environ["MTA_LOG"]) as f:
            line = [line for line in f if f"<= {VERTRIEB}" in line][-1]
        assert f"A=xoauth2:{VERTRIEB}" in line, line
        name = subject()
        connect(CLARA).sendmail(VERTRIEB, [BOB], text(name, VERTRIEB, BOB))
        assert f"Sender: <{CLARA}>".encode() in arrived(name, BOB)
        s = connect(BOB)
        refused(lambda: s.sendmail(VERTRIEB, [CLARA], text("nie", VERTRIEB)), 550, "5.7.1")


def an_own_mailbox_may_be_at_exchange():
    w = wire(EVA)
    w.ok("SELECT INBOX")
    assert b"Text von eva" in b"".join(w.ok("FETCH 1 BODY[TEXT]"))
    name = subject()
    connect(EVA).sendmail(EVA, [CLARA], text(name, EVA))
    assert arrived(name)


def three_connections_send_through_one_mailbox_and_a_fourth_waits():
    clients = [Raw(EVA) for _ in range(4)]
    for w in clients[:3]:
        assert w.command(f"MAIL FROM:<{EVA}>").startswith("250")
    last = clients[3]
    last.send(f"MAIL FROM:<{EVA}>\r\n".encode())
    last.raw.settimeout(1.5)
    try:
        raise AssertionError(last.reply())
    except TimeoutError:
        pass
    last.raw.settimeout(20)
    assert clients[0].command("QUIT").startswith("221")
    assert last.reply().startswith("250")
    # A client that disconnects while it waits uses no slot.
    gone = Raw(EVA)
    gone.send(f"MAIL FROM:<{EVA}>\r\n".encode())
    time.sleep(0.5)
    gone.raw.close()
    for w in clients[1:]:
        w.raw.close()
    for _ in range(3):
        w = Raw(EVA)
        assert w.command(f"MAIL FROM:<{EVA}>").startswith("250")
        w.raw.close()
        time.sleep(0.3)


def nobody_is_added_here():
    said = gatepost("grant", "add", VERTRIEB, BOB, "--view", status=1)
    assert "its grants come from Exchange" in said, said
    assert "is an IMAP account" in gatepost("permissions", "load", BOB, status=1)


def a_token_goes_to_no_other_server():
    other = "falle@kanzlei.example"
    gatepost("account", "add", other, "--kind", "exchange", "--imap", "mail.anderswo.example")
    try:
        said = gatepost("account", "test", other, status=1)
        assert "mail.anderswo.example gets no token" in said, said
        for name in ("notlocalhost", "localhost.anderswo.example"):
            gatepost("account", "set", other, "--imap", name)
            assert "gets no token" in gatepost("account", "test", other, status=1)
    finally:
        gatepost("account", "remove", other, "--yes")


def the_administrator_can_try_the_way_in():
    said = gatepost("account", "test", VERTRIEB)
    assert "Projekte" in said and "AUTH" in said, said
    assert "tokens of the gateway's application" in gatepost("account", "show", VERTRIEB)


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
