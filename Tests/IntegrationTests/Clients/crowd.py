"""Two thousand sessions while a hundred changes a second are applied: who loses a right loses it within
a second, and nobody else loses anything. The only scenario; it prints what it measured.
"""
import asyncio
import contextlib
import json
import os
import random
import sqlite3
import ssl
import sys
import time

from gateway import Gateway
from scenarios import BOB, run_scenario

USERS, SESSIONS, SECONDS, CHANGES = 200, 2_000, 12, 100


class Changes:
    """Removes and restores the grants of every second user, directly in the store."""

    def __init__(self, path):
        self.store = sqlite3.connect(path, isolation_level=None, timeout=10)
        self.ids = [row[0] for row in self.store.execute('SELECT id FROM "grant" WHERE user IS NOT NULL ORDER BY id')]
        # The times of the changes for each user; the state before the first is "granted".
        self.history = {number: [] for number in range(USERS)}
        self.count = 0

    def toggle(self, number):
        granted = len(self.history[number]) % 2 == 1
        self.store.execute("BEGIN IMMEDIATE")
        self.store.execute('UPDATE "grant" SET confirmed = ? WHERE id = ?', (granted, self.ids[number]))
        self.store.execute("UPDATE revision SET value = value + 1")
        begun = time.monotonic()
        self.store.execute("COMMIT")
        self.history[number].append((begun, time.monotonic()))
        self.count += 1

    async def run(self):
        end = time.monotonic() + SECONDS
        due = time.monotonic()
        while due < end:
            self.toggle(random.randrange(0, USERS, 2))
            due += 1 / CHANGES
            await asyncio.sleep(max(0, due - time.monotonic()))

    def was(self, number, start, end):
        """Whether the right existed all the time from start to end; None if it changed."""
        moments = self.history[number]
        before = sum(done <= start for _, done in moments)
        after = sum(begun <= end for begun, _ in moments)
        return before % 2 == 0 if before == after else None


class Session:
    def __init__(self, number):
        self.user = number % USERS
        self.seen = []

    async def open(self, port, context):
        self.reader, self.writer = await asyncio.open_connection("localhost", port, ssl=context)
        await self.reader.readline()
        assert b"OK" in (await self.command(f'LOGIN u{self.user}@kanzlei.example x'))[-1]

    async def command(self, text):
        self.writer.write(f"t {text}\r\n".encode())
        lines = [await self.reader.readline()]
        while not lines[-1].startswith(b"t "):
            assert lines[-1], "the session ended"
            lines.append(await self.reader.readline())
        return lines

    async def watch(self, end):
        await asyncio.sleep(random.random())
        while time.monotonic() < end:
            sent = time.monotonic()
            # The gateway answers this itself, from the permissions in force.
            lines = await self.command("NAMESPACE")
            assert lines[-1].startswith(b"t OK"), lines
            self.seen.append((sent, time.monotonic(), b"Other Users/" in lines[0]))
            await asyncio.sleep(random.uniform(0.8, 1.2))


def processor_time(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def crowd(gateway):
    context = ssl.create_default_context(cafile=os.path.join(gateway.folder, "certs/ca.pem"))
    sessions = [Session(number) for number in range(SESSIONS)]
    start = time.monotonic()
    # The first login of each user includes the password verification.
    for begin in range(0, SESSIONS, 100):
        await asyncio.gather(*(s.open(gateway.port, context) for s in sessions[begin:begin + 100]))
    print(f"{SESSIONS} logins in {time.monotonic() - start:.1f} s")
    changes = Changes(gateway.store)
    before, start = processor_time(gateway.process.pid), time.monotonic()
    end = start + SECONDS
    await asyncio.gather(changes.run(), *(s.watch(end) for s in sessions))
    duration = time.monotonic() - start
    used = processor_time(gateway.process.pid) - before
    seen = kept = lost = checked = 0
    for session in sessions:
        for sent, received, granted in session.seen:
            seen += 1
            # A change may take a second to take effect.
            was = changes.was(session.user, sent - 1, received)
            checked += was is not None
            kept += was is False and granted
            lost += was is True and not granted
    print(f"{changes.count} changes and {seen} commands in {duration:.1f} s, {checked} of them decided by what was a second"
          f" before; {used:.1f} s of the gateway's processor time")
    assert kept == 0, f"{kept} answers with a right that had gone more than a second before"
    assert lost == 0, f"{lost} answers without a right that was there"
    assert changes.count > CHANGES * SECONDS * 0.5 and checked > seen * 0.5, (changes.count, checked, seen)
    with contextlib.suppress(Exception):
        for session in sessions:
            session.writer.close()


def two_thousand_sessions_while_a_hundred_changes_a_second_are_applied():
    # The changes are measured, not the rate of password verifications.
    with Gateway(grants=False, GATEPOST_LIMITS_CONNECTIONS_PER_ADDRESS="5000", GATEPOST_LIMITS_LOGIN_SECONDS="300") as gateway:
        document = gateway.run("export")
        model = json.loads(document)
        model["users"] += [{"login": f"u{n}@kanzlei.example", "name": None, "role": None, "disabled": False} for n in range(USERS)]
        model["grants"] = [{"account": BOB, "subject": f"u{n}@kanzlei.example", "rights": "lr", "send": "none",
                            "scope": None, "until": None, "source": "local", "reason": None} for n in range(USERS)]
        path = os.path.join(gateway.folder, "model.json")
        with open(path, "w") as file:
            json.dump(model, file)
        gateway.run("apply", path, "--yes")
        # All users have one password: the hash is copied from one user.
        gateway.run("user", "password", "u0@kanzlei.example", "--password-stdin", stdin="x\n")
        with contextlib.closing(sqlite3.connect(gateway.store)) as store:
            store.execute("""UPDATE user SET password = (SELECT password FROM user WHERE login = 'u0@kanzlei.example')
                             WHERE login LIKE 'u%@kanzlei.example'""")
            store.commit()
        # Raises the priority where that is allowed.
        with contextlib.suppress(PermissionError):
            os.nice(-15)
        gateway.start()
        asyncio.run(crowd(gateway))


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
