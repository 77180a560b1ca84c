"""Logins with the passwords of a directory, a real slapd. Each function is one scenario; the first argument names it."""
import contextlib
import os
import socket
import sys
import time

from gateway import Gateway
from scenarios import BOB, CLARA, run_scenario
from slapd import PEOPLE, SERVICE, Slapd
from wire import Wire

REFUSED = b"NO [AUTHENTICATIONFAILED] Login failed"
UNAVAILABLE = b"NO [UNAVAILABLE] "


class Office:
    """Clara and Bob are people of the directory, with passwords of their own."""

    def __init__(self, stack, sources="[ldap]", template=False, servers=None, ca=None, filter="(mail={login})"):
        self.slapd = stack.enter_context(Slapd())
        self.slapd.add_person("clara", CLARA, "Baum-17")
        self.slapd.add_person("bob", BOB, "Haus-18")
        self.gateway = stack.enter_context(Gateway())
        password = self.gateway.secret_file("ldap.secret", "secret\n")
        if template:
            sources = '[gateway]\ndomains: ["kanzlei.example ldap"]'
        urls = servers or [f"ldaps://localhost:{self.slapd.ldaps}"]
        lookup = (f'bindAs: "uid={{user}},{PEOPLE}"' if template else
                  f'base: "{PEOPLE}"\n  filter: "{filter}"\n  account: "{SERVICE}"\n  passwordFile: {password}')
        listed = ", ".join(f'"{url.format(slapd=self.slapd)}"' for url in urls)
        self.gateway.authenticate_with(
            f"sources: {sources}\nldap:\n  servers: [{listed}]\n  caFile: {ca or self.slapd.ca}\n  {lookup}")
        self.gateway.start()

    def wire(self, timeout=60):
        return Wire(self.gateway.port, os.path.join(self.gateway.folder, "certs/ca.pem"), timeout=timeout)

    def login(self, password, user=CLARA):
        w = self.wire()
        return w.command(f'LOGIN {{{len(user.encode())}+}}\r\n{user} "{password}"')[-1].partition(b" ")[2]


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
            wires = []
            for number in range(40):
                w = office.wire()
                w.send(f'x LOGIN dora@firma.test "guess {number}"\r\n'.encode())
                wires.append(w)
            time.sleep(0.5)
            slowest = 0
            for _ in range(5):
                start = time.monotonic()
                office.gateway.wire()
                slowest = max(slowest, time.monotonic() - start)
            print(f"password login beside a hanging directory: {slowest:.2f} s")
            assert slowest < 3, slowest


def guesses_do_not_reach_the_directory():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        wires = []
        for number in range(20):
            w = office.wire()
            w.send(f'x LOGIN {CLARA} "guess {number}"\r\n'.encode())
            wires.append(w)
        for w in wires:
            assert w.until(b"x")[-1].startswith(b"x NO")
        records = office.gateway.run("audit", "list")
        assert "the server was not asked" in records, records


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
