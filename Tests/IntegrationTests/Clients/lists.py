"""Lists of folders of many accounts. Each function is one scenario; the first argument names it."""
import contextlib
import shutil
import sys
import tempfile
import time

from gateway import Gateway
from pace import Watch
from scenarios import BOB, CLARA, run_scenario
from upstreams import Authority, Server, context, imap

ACCOUNTS = 40
ROOT = "Other Users/"


def silent(c):
    """Accepts a connection and sends nothing."""
    while c.raw.recv(65536):
        pass


@contextlib.contextmanager
def office(last, **settings):
    """Clara may read function mailboxes at one server, of which each connection is counted, and the mailbox `last` at
    a server with a script of its own. Bob may, too."""
    folder = tempfile.mkdtemp(prefix="lists-")
    authority = Authority(folder)
    tls = context(authority.make("good", "DNS:localhost"))
    own = Server(imap(), tls)
    many = Server(imap(), tls)
    other = Server(last, tls)
    gateway = Gateway(grants=False, **settings)
    try:
        for number in range(ACCOUNTS):
            address = f"a{number:02}@kanzlei.example"
            port = other.port if number == ACCOUNTS - 1 else many.port
            gateway.run("account", "add", address, "--kind", "imap", "--imap", f"localhost:{port}", "--ca", authority.trusted,
                        "--password-stdin", stdin="x\n")
            for user in (CLARA, BOB):
                gateway.run("grant", "add", address, user, "--view")
        for user in (CLARA, BOB):
            gateway.run("account", "set", user, "--imap", f"localhost:{own.port}", "--ca", authority.trusted)
        gateway.start()
        yield gateway, many, other
    finally:
        own.close()
        many.close()
        other.close()
        gateway.remove()
        shutil.rmtree(folder)


def timed(act, most, least=0.0):
    watch = Watch()
    result = act()
    assert least <= watch.elapsed and watch.seconds < most, (watch.elapsed, watch.seconds)
    return result


def inboxes(lines):
    """The number of listed shared mailboxes, and whether the client is warned."""
    return sum(line.endswith(b"@kanzlei.example/INBOX") for line in lines), lines[-1].startswith(b"* NO [UNAVAILABLE] ")


def a_server_that_hangs_is_waited_for_once():
    """Only the first LIST waits for the server, and only for a short time."""
    with office(silent) as (gateway, many, other):
        w = timed(gateway.wire, most=3)
        lines = timed(lambda: w.ok('LIST "" "*"'), least=1.5, most=6)
        assert inboxes(lines) == (ACCOUNTS - 1, True), lines[-2:]
        for _ in range(3):
            lines = timed(lambda: w.ok('LIST "" "*"'), most=1.5)
            assert inboxes(lines) == (ACCOUNTS - 1, True), lines[-2:]
        # Nor does another user's session wait.
        bob = timed(lambda: gateway.wire(BOB), most=3)
        lines = timed(lambda: bob.ok('LIST "" "*"'), most=2)
        assert inboxes(lines) == (ACCOUNTS - 1, True), lines[-2:]
        # A command on that mailbox reports the problem.
        assert "NO [UNAVAILABLE]" in bob.answer(f'LIST "" "Shared/a{ACCOUNTS - 1}@kanzlei.example/*"')


def what_one_session_listed_another_one_shows():
    """A login and a LIST after it do not connect to a server whose folders are known."""
    with office(imap()) as (gateway, many, other):
        w = gateway.wire()
        assert not many.connections, "the login connects to shared accounts"
        assert inboxes(w.ok('LIST "" "*"')) == (ACCOUNTS, False)
        connected = len(many.connections)
        assert connected == ACCOUNTS - 1, connected
        for user in (BOB, CLARA):
            other_session = gateway.wire(user)
            assert inboxes(other_session.ok('LIST "" "*"')) == (ACCOUNTS, False)
            assert inboxes(other_session.ok('LIST "" "*"')) == (ACCOUNTS, False)
        assert len(many.connections) == connected, len(many.connections)
        # Known folders give no rights.
        gateway.run("grant", "remove", "a00@kanzlei.example", BOB)
        # The change takes effect within a second.
        time.sleep(1)
        assert inboxes(gateway.wire(BOB).ok('LIST "" "*"')) == (ACCOUNTS - 1, False)
        # Another credential may see other folders, so the server is asked.
        gateway.run("account", "set", "a01@kanzlei.example", "--password-stdin", stdin="y\n")
        end = time.time() + 60
        while len(many.connections) == connected:
            assert time.time() < end
            assert inboxes(gateway.wire(BOB).ok('LIST "" "*"')) == (ACCOUNTS - 1, False)
        assert len(many.connections) == connected + 1, len(many.connections)


def folders_of_a_server_that_hangs_later_are_shown_as_they_were():
    """LIST shows the folders known last, even if they are out of date."""
    hangs = []

    def script(c):
        if hangs:
            return silent(c)
        imap()(c)
    with office(script, GATEPOST_LIMITS_FOLDER_LIST_SECONDS="0") as (gateway, many, other):
        assert inboxes(gateway.wire().ok('LIST "" "*"')) == (ACCOUNTS, False)
        hangs.append(True)
        for most in (6, 1.5):
            w = gateway.wire()
            lines = timed(lambda: w.ok('LIST "" "*"'), most=most)
            assert inboxes(lines) == (ACCOUNTS, True), lines[-2:]
        # The gateway asks the server again by itself, and the folders are back.
        hangs.clear()
        other.connections[-1].close()
        end = time.time() + 60
        while inboxes(lines)[1]:
            assert time.time() < end, lines[-2:]
            time.sleep(1)
            lines = gateway.wire().ok('LIST "" "*"')
        assert inboxes(lines) == (ACCOUNTS, False)


def a_folder_that_is_made_is_shown_at_once():
    """Commands through the gateway make the known folders out of date."""
    with Gateway(GATEPOST_LIMITS_LIST_CONNECTIONS="0") as gateway:
        gateway.start()
        reader = gateway.wire()
        root = f"{ROOT}{BOB}"
        before = reader.ok(f'LIST "" "{root}/*"')
        owner = gateway.wire(BOB)
        owner.ok("CREATE Neu-und-sichtbar")
        try:
            lines = gateway.wire().ok(f'LIST "" "{root}/*"')
            assert len(lines) == len(before) + 1 and any(b"Neu-und-sichtbar" in line for line in lines), lines
        finally:
            owner.ok("DELETE Neu-und-sichtbar")
        assert len(gateway.wire().ok(f'LIST "" "{root}/*"')) == len(before)


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
