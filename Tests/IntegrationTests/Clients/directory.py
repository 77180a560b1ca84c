"""Logins with the passwords of a directory, a real slapd. Each function is one scenario; the first argument names it."""
import concurrent.futures
import contextlib
import json
import os
import socket
import sys
import time

from directorylies import BOBS, CLARAS, HONEST, LIES, LIES_ABOUT_BINDS, MATCHES, REFUSED, UNAVAILABLE
from gateway import Gateway
from hanging import delays_no_password_login
from lyingdirectory import LyingDirectory
from pace import Watch
from scenarios import BOB, CLARA, run_scenario
from slapd import GROUPS, PEOPLE, SERVICE, Slapd
from wire import Wire

EMIL, FRIDA = "emil@kanzlei.example", "frida@kanzlei.example"


class Office:
    """Clara and Bob are people of the directory, with passwords of their own."""

    def __init__(self, stack, directory=None, **options):
        self.slapd = directory or stack.enter_context(Slapd())
        self.slapd.add_person("clara", CLARA, "Baum-17")
        self.slapd.add_person("bob", BOB, "Haus-18")
        self.gateway = stack.enter_context(Gateway(grants=False))
        self.password = self.gateway.secret_file("ldap.secret", "secret\n")
        self.configure(**options)
        self.gateway.start()

    def configure(self, sources="[ldap]", template=False, servers=None, ca=None, filter="(mail={login})", more=""):
        """`more` are further lines of the part `ldap`."""
        if template:
            sources = '[gateway]\ndomains: ["kanzlei.example ldap"]'
        urls = servers or [f"ldaps://localhost:{self.slapd.ldaps}"]
        lookup = (f'bindAs: "uid={{user}},{PEOPLE}"' if template else
                  f'base: "{PEOPLE}"\n  filter: "{filter}"\n  account: "{SERVICE}"\n  passwordFile: {self.password}')
        listed = ", ".join(f'"{url.format(slapd=self.slapd)}"' for url in urls)
        more = "".join(f"\n  {line}" for line in more.splitlines())
        self.gateway.authenticate_with(
            f"sources: {sources}\nldap:\n  servers: [{listed}]\n  caFile: {ca or self.slapd.ca}\n  {lookup}{more}")

    def restart(self):
        """With nothing remembered of earlier logins."""
        self.gateway.stop()
        self.gateway.start()

    def wire(self, timeout=60):
        return Wire(self.gateway.port, os.path.join(self.gateway.folder, "certs/ca.pem"), timeout=timeout)

    def begin(self, password, user=CLARA):
        """A connection that has sent a login."""
        w = self.wire()
        w.send(f'x LOGIN {{{len(user.encode())}+}}\r\n{user} "{password}"\r\n'.encode())
        return w

    def login(self, password, user=CLARA):
        return self.begin(password, user).until(b"x")[-1].partition(b" ")[2]


def passwords_of_the_directory_open_mail():
    for options in ({}, {"template": True}, {"servers": ["ldap://localhost:{slapd.ldap}"]}):
        with contextlib.ExitStack() as stack:
            office = Office(stack, **options)
            assert office.login("Baum-17").startswith(b"OK"), (options, office.gateway.log())
            assert office.login("Haus-18", user=BOB.upper()).startswith(b"OK")
            # Neither another password, nor that of somebody else, nor the one in the store.
            for password in ("baum-17", "Haus-18", "pw-clara", ""):
                assert office.login(password) == REFUSED, password
            records = office.gateway.run("audit", "list")
            assert "Baum-17" not in records and "Haus-18" not in records


def a_login_is_no_filter_and_no_name():
    with contextlib.ExitStack() as stack:
        # A filter that finds more people than the one that was asked for.
        office = Office(stack, filter="(|(mail={login})(objectClass=inetOrgPerson))")
        assert office.login("Baum-17").startswith(b"OK")
        assert office.login("Haus-18") == REFUSED
        for user in ("*", "*)(uid=*", "clara*", "cl\\2ara@kanzlei.example", f"{CLARA})(|(uid=*", f"clara,{PEOPLE}", "uid=clara"):
            answer = office.login("Baum-17", user=user)
            assert answer.startswith((b"NO [AUTHENTICATIONFAILED]", b"BAD")), (user, answer)


def a_directory_that_lies_opens_no_mail():
    rows = [(template, *row, "Baum-17", b"OK") for template in (False, True) for row in HONEST]
    rows += [(False, *row, "Baum-17", b"OK") for row in MATCHES] + [(False, *row) for row in LIES]
    rows += [(template, *row) for template in (False, True) for row in LIES_ABOUT_BINDS]
    # A refusal comes late: some gateways wait at the same time.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for part in [pool.submit(opens_no_mail, rows[number::4]) for number in range(4)]:
            part.result()


def opens_no_mail(rows):
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(LyingDirectory())
        office = Office(stack, directory=directory)
        for template, name, operation, lie, password, expected in rows:
            office.configure(template=template)
            office.restart()
            directory.tell(**{operation: lie})
            w = office.begin(password)
            answer = w.until(b"x")[-1].partition(b" ")[2]
            assert answer.startswith(expected), (template, name, answer, office.gateway.log()[-2000:])
            assert directory.told == 1 or lie is None, (template, name)
            assert w.answer("SELECT INBOX").startswith("OK") == (expected == b"OK"), (template, name)
        records = office.gateway.run("audit", "list")
        assert "the source ldap cannot check logins" in records, records
        for secret in ("Baum-17", "Haus-18"):
            assert secret not in records and secret not in office.gateway.log(), secret


def a_person_who_is_disabled_here_or_unknown_there_is_refused():
    with contextlib.ExitStack() as stack:
        office = Office(stack, sources="[ldap, gateway]")
        assert office.login("Baum-17").startswith(b"OK")
        # The directory knows Clara: her password in the store counts for nothing.
        assert office.login("pw-clara") == REFUSED
        office.slapd.delete(f"uid=bob,{PEOPLE}")
        # It does not know Bob any more: the next source decides.
        assert office.login("Haus-18", user=BOB) == REFUSED
        assert office.login("pw-bob", user=BOB).startswith(b"OK")
        office.gateway.run("user", "disable", CLARA)
        deadline = time.monotonic() + 5
        # A session that was about to open ends without an answer.
        with contextlib.suppress(EOFError):
            while office.login("Baum-17").startswith(b"OK"):
                assert time.monotonic() < deadline
        time.sleep(1)
        assert office.login("Baum-17") == REFUSED


def a_directory_that_fails_is_no_wrong_password():
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.socket())
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        office = Office(stack, servers=[f"ldaps://localhost:{silent.getsockname()[1]}", "ldaps://localhost:{slapd.ldaps}"])
        start = time.monotonic()
        assert office.login("Baum-17").startswith(b"OK"), office.gateway.log()
        assert time.monotonic() - start < 10
        office.slapd.stop()
        answer = office.login("Haus-18", user=BOB)
        assert answer.startswith(UNAVAILABLE), answer
        records = office.gateway.run("audit", "list")
        assert "the source ldap cannot check logins" in records, records
    with contextlib.ExitStack() as stack:
        office = Office(stack, ca="/etc/ssl/certs/ca-certificates.crt")
        assert office.login("Baum-17").startswith(UNAVAILABLE)
        assert "certificate" in office.gateway.log(), office.gateway.log()


def a_directory_that_hangs_delays_no_other_source():
    with contextlib.ExitStack() as stack:
        office = Office(stack, sources="[gateway]\ndomains: [\"kanzlei.example gateway\", \"firma.test ldap\"]")
        office.gateway.run("user", "add", "dora@firma.test", "--without-password")
        with office.slapd.suspended():
            delays_no_password_login(
                office.gateway, "directory", lambda number: office.begin(f"guess {number}", user="dora@firma.test"))


def guesses_do_not_reach_the_directory():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        for w in [office.begin(f"guess {number}") for number in range(20)]:
            assert w.until(b"x")[-1].startswith(b"x NO")
        records = office.gateway.run("audit", "list")
        assert "the server was not asked" in records, records


class GroupOffice(Office):
    """The directory's group Sekretariat has Clara, two groups deeper, where it is a member again; Emil, who is no user; and Frida,
    by her user ID. Its members may read Bob's mail."""

    SHARED = f'"Other Users/{BOB}/INBOX"'

    def __init__(self, stack, minutes=15):
        super().__init__(stack, sources="[gateway]", more=f'groupBase: "{GROUPS}"\ngroupMinutes: {minutes}')
        people = {uid: self.slapd.add_person(uid) for uid in ("emil", "frida")} | {"clara": CLARAS}
        groups = {cn: f"cn={cn},{GROUPS}" for cn in ("Sekretariat", "Empfang", "Lehrlinge", "Boten")}
        self.slapd.add_group("Sekretariat", groups["Empfang"])
        self.slapd.add_group("Empfang", groups["Lehrlinge"], groups["Boten"], people["emil"])
        self.slapd.add_group("Lehrlinge", people["clara"], groups["Sekretariat"])
        self.slapd.add_posix_group("Boten", 2001, "frida")
        # Without the filter, it would be one of the group.
        self.slapd.add_group("Andere", BOBS)
        self.groups, run = groups, self.gateway.run
        run("user", "add", "frida@kanzlei.example", "--without-password")
        run("group", "add", "Sekretariat", "--ldap", "(cn=Sekretariat)")
        run("grant", "add", BOB, "group:Sekretariat", "--view")

    def show(self):
        group = json.loads(self.gateway.run("group", "show", "Sekretariat", "--json"))
        assert group["name"] == "Sekretariat" and group["directory"]["filter"] == "(cn=Sekretariat)", group
        return group["members"], group["directory"]

    def wait_for(self, w, beginning, seconds=5):
        """Waits until the answer to a session that asks for Bob's INBOX begins like this."""
        watch = Watch()
        while not (answer := w.answer(f"STATUS {self.SHARED} (MESSAGES)")).startswith(beginning):
            assert watch.seconds < seconds, answer
            time.sleep(0.1)


def members_of_a_directory_group_have_its_grants():
    with contextlib.ExitStack() as stack:
        office = GroupOffice(stack)
        run, w = office.gateway.run, office.gateway.wire()
        members, directory = office.show()
        assert members == [CLARA, FRIDA] and directory["unknown"] == [EMIL], (members, directory)
        assert directory["failure"] is None and abs(time.time() - directory["read"]) < 60, directory
        assert directory["tried"] == directory["read"], directory
        office.wait_for(w, "OK")
        w.ok(f"SELECT {office.SHARED}")
        # She leaves, also for the session that is open.
        office.slapd.modify(office.groups["Lehrlinge"], "delete", "member", CLARAS)
        run("group", "refresh", "Sekretariat")
        office.wait_for(w, "NO [NONEXISTENT]", seconds=2)
        assert w.answer("FETCH 1 FLAGS").startswith("BAD")
        assert not any(BOB.encode() in line for line in w.ok('LIST "" "*"'))
        assert office.show()[0] == [FRIDA], office.show()
        # Emil becomes a user, and a member with the next reading.
        run("user", "add", EMIL, "--password-stdin", stdin="pw-emil\n")
        assert office.show()[0] == [FRIDA]
        said = run("group", "refresh")
        assert "1 joined, 0 left" in said, said
        members, directory = office.show()
        assert members == [EMIL, FRIDA] and directory["unknown"] == [], (members, directory)
        office.wait_for(office.gateway.wire(EMIL), "OK")
        records = run("audit", "list")
        assert "group refresh Sekretariat" in records and f"joined {EMIL}" in records and f"left {CLARA}" in records, records
        # The directory decides, nobody else.
        for words in (("join", "Sekretariat", CLARA), ("leave", "Sekretariat", FRIDA)):
            said = run("group", *words, status=1)
            assert "come from the directory" in said and "gatepost group refresh Sekretariat" in said, said
        assert office.show()[0] == [EMIL, FRIDA]
        run("group", "add", "Eigene")
        said = run("group", "refresh", "Eigene", status=1)
        assert "gatepost group join" in said, said


def a_group_that_cannot_be_read_keeps_its_members():
    with contextlib.ExitStack() as stack:
        office = GroupOffice(stack)
        run, w, slapd = office.gateway.run, office.gateway.wire(), office.slapd
        members, before = office.show()
        office.wait_for(w, "OK")
        # In whole seconds.
        time.sleep(1.1)

        def fails(reason):
            said = run("group", "refresh", status=1)
            assert reason in said and "keep their members" in said and "repeat the command" in said, said
            now, directory = office.show()
            assert now == members and directory["unknown"] == before["unknown"], (now, directory)
            assert reason in directory["failure"] and directory["read"] == before["read"] < directory["tried"], directory
            assert w.answer(f"STATUS {office.SHARED} (MESSAGES)").startswith("OK")

        with slapd.suspended():
            fails("localhost")
        slapd.stop()
        fails("localhost")
        said = run("group", "add", "Boten", "--ldap", "(cn=Boten)", status=1)
        assert "the group was not added" in said and "Boten" not in run("group", "list"), said
        slapd.start()
        slapd.delete(office.groups["Sekretariat"])
        fails("no group below")
        slapd.add_group("Sekretariat", office.groups["Empfang"])
        slapd.modify(office.groups["Empfang"], "delete", "member", office.groups["Boten"])
        run("group", "refresh")
        now, directory = office.show()
        assert now == [CLARA] and directory["failure"] is None and directory["read"] > before["read"], (now, directory)


def the_gateway_reads_groups_of_the_directory_by_itself():
    with contextlib.ExitStack() as stack:
        office = GroupOffice(stack, minutes=1)
        w = office.gateway.wire()
        office.wait_for(w, "OK")
        office.slapd.modify(office.groups["Lehrlinge"], "delete", "member", CLARAS)
        office.wait_for(w, "NO [NONEXISTENT]", seconds=90)
        members, directory = office.show()
        assert members == [FRIDA] and directory["failure"] is None, (members, directory)
        records = office.gateway.run("audit", "list")
        assert f"left {CLARA}" in records, records


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
