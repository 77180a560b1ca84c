"""Sessions that ask again and again what they may see, and changes of that at a rate."""
import asyncio
import bisect
import contextlib
import random
import ssl
import subprocess
import threading
import time

GONE = (OSError, EOFError, asyncio.TimeoutError, AssertionError, ssl.SSLError)


class Session:
    """Sends one command at intervals, on one connection after the other. `seen` has the times of each command and of
    its answer, and whether it was granted."""

    def __init__(self, address, user, command, pause, password="x"):
        self.address, self.user, self.command, self.pause, self.password = address, user, command, pause, password
        self.seen, self.logins = [], 0

    async def open(self, context):
        self.reader, self.writer = await asyncio.wait_for(asyncio.open_connection(
            *self.address, ssl=context, server_hostname="localhost", ssl_handshake_timeout=60), 60)
        await self.reader.readline()
        assert (await self.ask(f'LOGIN {self.user} "{self.password}"'))[-1].startswith(b"t OK")
        self.logins += 1

    async def ask(self, text):
        self.writer.write(f"t {text}\r\n".encode())
        lines = [await asyncio.wait_for(self.reader.readline(), 60)]
        while not lines[-1].startswith(b"t "):
            assert lines[-1], "the session ended"
            lines.append(await asyncio.wait_for(self.reader.readline(), 60))
        return lines

    async def poll(self):
        sent = time.monotonic()
        lines = await self.ask(self.command)
        granted = lines[-1].startswith(b"t OK") and (self.command != "NAMESPACE" or b"Other Users/" in lines[0])
        self.seen.append((sent, time.monotonic(), granted))

    async def run(self, context, over):
        await asyncio.sleep(random.random() * self.pause)
        while not over.is_set():
            with contextlib.suppress(*GONE):
                if not self.logins:
                    await self.open(context)
                while not over.is_set():
                    await self.poll()
                    await asyncio.sleep(self.pause * random.uniform(0.8, 1.2))
            if not over.is_set():
                await asyncio.sleep(random.uniform(0.1, 0.5))
                with contextlib.suppress(*GONE):
                    await self.open(context)
        with contextlib.suppress(Exception):
            self.writer.close()


class Changes(threading.Thread):
    """Withdraws and restores grants in the database, at a rate. After a failure the same change is made again."""

    def __init__(self, primary, grants, rate, channel):
        super().__init__(daemon=True)
        self.primary, self.grants, self.rate, self.channel = primary, grants, rate, channel
        # When each grant was changed: the time before the change, and that of the answer to the COMMIT. The
        # first change withdraws.
        self.history = {number: [] for number in grants}
        self.count, self.failures, self.slowest = 0, 0, 0.0
        self.is_over = threading.Event()
        self.psql = None

    def run(self):
        due = time.monotonic()
        while not self.is_over.is_set():
            number = random.choice(list(self.grants))
            self.change(number, len(self.history[number]) % 2)
            due = max(due + 1 / self.rate, time.monotonic() - 1)
            self.is_over.wait(max(0, due - time.monotonic()))
        if self.psql:
            self.psql.kill()
            self.psql.wait()

    def change(self, number, confirmed):
        begun = time.monotonic()
        while not self.commit(self.grants[number], confirmed):
            self.failures += 1
            if self.is_over.wait(0.1):
                return
        self.history[number].append((begun, time.monotonic()))
        self.slowest = max(self.slowest, time.monotonic() - begun)
        self.count += 1

    def commit(self, grant, confirmed):
        if self.psql is None or self.psql.poll() is not None:
            self.psql = subprocess.Popen(
                ["stdbuf", "-oL", "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.primary().folder, "-U", "gatepost", "mail"],
                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            self.psql.stdin.write(
                "BEGIN; SELECT 'lock' FROM storelock WHERE name = 'model' FOR UPDATE; "
                f'UPDATE "grant" SET confirmed = {confirmed} WHERE id = {grant}; UPDATE revision SET value = value + 1; '
                "INSERT INTO revisiontoken SELECT value, decode(md5(random()::text), 'hex') FROM revision; "
                f"NOTIFY {self.channel}; COMMIT; SELECT 'done';\n")
            self.psql.stdin.flush()
            while line := self.psql.stdout.readline():
                if line == "done\n":
                    return True
        except OSError:
            pass
        self.psql.kill()
        self.psql.wait()
        return False

    def verdict(self, number, sent, received):
        """How long the right had been gone when a command was sent, negative if it was there; None if it changed while
        the command was under way."""
        moments = self.history[number]
        index = bisect.bisect_right([done for _, done in moments], sent)
        if index < len(moments) and moments[index][0] <= received:
            return None
        since = moments[index - 1][1] if index else 0
        return sent - since if index % 2 else since - sent


def judged(sessions, changes, number_of):
    """The longest times of answers that granted what was gone, most of them, and the delays of the first refusals."""
    kept, refused, checked = [], [], 0
    for session in sessions:
        number = number_of(session)
        if number not in changes.history:
            continue
        for sent, received, granted in session.seen:
            gone = changes.verdict(number, sent, received)
            checked += gone is not None
            if granted and gone is not None and gone > 0:
                kept.append((gone, sent, session.command[:9], session.user))
        refusals = [received for _, received, granted in session.seen if not granted]
        for index in range(0, len(changes.history[number]), 2):
            done = changes.history[number][index][1]
            later = changes.history[number][index + 1:index + 2]
            at = bisect.bisect_left(refusals, done)
            if at < len(refusals) and (not later or refusals[at] < later[0][0]):
                refused.append(refusals[at] - done)
    return sorted(kept), sorted(refused), checked
