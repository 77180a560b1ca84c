"""App passwords of users. Each function is one scenario; the first argument names it."""
import contextlib
import json
import os
import sys
import time

from gateway import Gateway
from scenarios import BOB, CLARA, run_scenario
from wire import Wire

ENDED = b"* BYE The password or token of this session is not valid now: log in again"


class Office:
    def __init__(self, stack):
        self.gateway = stack.enter_context(Gateway())
        self.gateway.start()

    def add(self, name, *options, user=CLARA):
        return self.gateway.run("user", "app-password", "add", user, "--name", name, *options).strip()

    def rows(self, user=CLARA):
        return json.loads(self.gateway.run("user", "app-password", "list", user, "--json"))

    def login(self, password, user=CLARA):
        w = Wire(self.gateway.port, os.path.join(self.gateway.folder, "certs/ca.pem"))
        return w.command(f'LOGIN {user} "{password}"')[-1].partition(b" ")[2], w

    def soon(self, password, user=CLARA):
        """A login with a password that was added a moment ago."""
        deadline = time.monotonic() + 5
        while True:
            answer, w = self.login(password, user)
            if answer.startswith(b"OK") or time.monotonic() > deadline:
                assert answer.startswith(b"OK"), answer
                return w
            time.sleep(0.2)


def an_app_password_works_until_it_is_revoked():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        phone, laptop = office.add("Phone"), office.add("Laptop")
        assert phone != laptop and len(phone) == 29, phone
        on_phone, on_laptop = office.soon(phone), office.soon(laptop)
        own = office.login("pw-clara")
        assert own[0].startswith(b"OK")
        # As people type it.
        assert office.login(phone.upper().replace("-", " "))[0].startswith(b"OK")
        # Somebody else's, a part of it, and another one.
        for password, user in ((phone, BOB), (phone[:-1], CLARA), (phone[:-1] + ("a" if phone[-1] != "a" else "b"), CLARA)):
            assert office.login(password, user)[0].startswith(b"NO [AUTHENTICATIONFAILED]")
        deadline = time.monotonic() + 5
        while not all(row["used"] for row in office.rows()):
            assert time.monotonic() < deadline, office.rows()
        assert [row["name"] for row in office.rows()] == ["Laptop", "Phone"]
        office.gateway.run("user", "app-password", "revoke", CLARA, "--name", "Phone")
        while not (line := on_phone.line()).startswith(b"* BYE"):
            pass
        assert line == ENDED, line
        assert on_laptop.answer("NOOP").startswith("OK") and own[1].answer("NOOP").startswith("OK")
        assert office.login(phone)[0].startswith(b"NO")
        # It is nowhere in plain text.
        records = office.gateway.run("audit", "list")
        assert "app-password add" in records and "app-password revoke" in records and phone not in records
        for path, _, files in os.walk(office.gateway.folder):
            for name in files:
                with contextlib.suppress(OSError), open(os.path.join(path, name), "rb") as file:
                    assert laptop.replace("-", "").encode() not in file.read().replace(b"-", b""), name


def an_app_password_expires():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6))
        password = office.add("Guest", "--until", until)
        w = office.soon(password)
        while not (line := w.line()).startswith(b"* BYE"):
            pass
        assert line == ENDED, line
        assert office.login(password)[0].startswith(b"NO [AUTHENTICATIONFAILED]")


def wrong_uses_name_the_remedy():
    with contextlib.ExitStack() as stack:
        office = Office(stack)
        run = office.gateway.run
        office.add("Phone")
        for words, text in (
            (("add", CLARA, "--name", "Phone"), "choose another name"),
            (("add", CLARA, "--name", " "), "one line of 1 to 100 characters"),
            (("add", CLARA, "--name", "a\nb"), "one line of 1 to 100 characters"),
            (("add", CLARA, "--name", "Old", "--until", "2020-01-01"), "expired already"),
            (("add", "nobody@kanzlei.example", "--name", "x"), "nobody@kanzlei.example"),
            (("revoke", CLARA, "--name", "phone"), "app-password list"),
        ):
            assert text in run("user", "app-password", *words, status=None), words
        for number in range(49):
            office.add(f"Program {number}")
        assert "revoke those" in run("user", "app-password", "add", CLARA, "--name", "x", status=None)
        # Where the source is not asked, the command says so.
        office.gateway.authenticate_with("sources: [upstream]")
        assert "add gateway to authentication.sources" in run("user", "app-password", "add", BOB, "--name", "x")


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
