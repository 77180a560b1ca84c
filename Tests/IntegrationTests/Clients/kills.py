"""A gateway that is killed during moves, submissions with copies, and shared reads, again and again. Each function is
one scenario; the first argument names it. GATEPOST_KILLS is the number of kills."""
import collections
import contextlib
import json
import os
import random
import sqlite3
import ssl
import sys
import threading
import time

from database import PostgreSQL, url
from gateway import Gateway, free_port
from postoffice import PostOffice
from scenarios import run_scenario
from work import Mover, Reader, Sender, imap, submission

KILLS = int(os.environ.get("GATEPOST_KILLS", "10"))
SETTINGS = dict(GATEPOST_LIMITS_MESSAGES_PER_HOUR="1000000", GATEPOST_LIMITS_RECIPIENTS_PER_HOUR="1000000",
                GATEPOST_LIMITS_SETTLE_SECONDS="2", GATEPOST_AUDIT="required")


class Rows:
    """What the store has, read past the gateway."""

    def __init__(self, gateway, server=None, node=""):
        self.gateway, self.server, self.node = gateway, server, node

    def column(self, sql):
        if self.server:
            return self.server.psql(sql).splitlines()
        with contextlib.closing(sqlite3.connect(f"file:{self.gateway.store}?mode=ro", uri=True, timeout=10)) as store:
            return [row[0] for row in store.execute(sql)]

    def journal(self):
        return int(self.column("SELECT count(*) FROM transfer")[0])

    def records(self, after):
        """How many records of each event were added, and the number of the last one."""
        rows = self.column(f"SELECT record FROM audit WHERE node = '{self.node}' AND sequence > {after} ORDER BY sequence")
        records = [json.loads(row) for row in rows]
        events = collections.Counter(r["event"] for r in records if r.get("outcome", "allowed") == "allowed")
        return events, after + len(rows)


def settle(rows, gateway, seconds=90):
    end = time.time() + seconds
    while rows.journal():
        assert time.time() < end, ("the journal keeps an entry", gateway.log()[-2000:])
        time.sleep(0.02)


def kill(gateway, workers):
    """Lets the workers begin, and kills the gateway at a random moment."""
    before = [worker.answered for worker in workers]

    def work(worker):
        while gateway.process.poll() is None:
            worker.try_to_work()
            time.sleep(0.05)
    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    end = time.time() + 60
    while any(worker.answered == count for worker, count in zip(workers, before)):
        assert time.time() < end and gateway.process.poll() is None, ([(w.answered, w.error) for w in workers], gateway.log()[-3000:])
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.3))
    gateway.kill()
    for thread in threads:
        thread.join()


def waiting(gateway):
    """The messages that wait for a Sent folder in files, with what is known of them."""
    folder = os.path.join(gateway.folder, "sent")
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name)) as file:
            found[name] = [line.strip() for line in file if line.startswith("Subject: ")]
    return found


def killed(gateway, office, rows):
    port = free_port()
    gateway.environment.update(SETTINGS, GATEPOST_LISTEN_SUBMISSIONS=f"127.0.0.1:{port}")
    ca = os.path.join(gateway.folder, "certs/ca.pem")
    login, trust = imap(gateway.port, ca), ssl.create_default_context(cafile=ca)
    mover, reader = Mover(login, office), Reader(login)
    senders = [Sender(submission(port, trust), office, prefix) for prefix in "st"]
    workers, interrupted, begun = [mover, reader, *senders], 0, time.time()
    gateway.start()
    last = rows.records(0)[1]
    for number in range(KILLS):
        before = [(worker.asked, worker.answered) for worker in workers]
        kill(gateway, workers)
        asked, answered = ([now - then[index] for now, then in zip((getattr(w, name) for w in workers), before)]
                           for index, name in enumerate(("asked", "answered")))
        events, last = rows.records(last)
        # The mover opens Bob's folder, too.
        assert events["select"] >= answered[1], (number, events, asked, answered)
        assert sum(answered[2:]) <= events["send as"] <= sum(asked[2:]), (number, events, asked, answered)
        assert events["move"] >= answered[0], (number, events, asked, answered)
        interrupted += rows.journal() > 0
        gateway.start()
        settle(rows, gateway)
        mover.check()
    # A copy whose server could not be used at first is filed half a minute later, or five minutes.
    end = time.time() + 420
    while missing := [name for sender in senders for name in sender.missing()]:
        assert time.time() < end, (missing, waiting(gateway), gateway.log()[-2000:])
        time.sleep(0.5)
    without, doubled = (sum((sender.check()[part] for sender in senders), []) for part in (0, 1))
    gateway.stop()
    assert "all intact" in gateway.run("audit", "verify")
    print(f"{KILLS} kills in {time.time() - begun:.0f} s; moves {mover.answered} of {mover.asked} answered, "
          f"{interrupted} times one was interrupted; messages {sum(s.answered for s in senders)} of "
          f"{sum(s.asked for s in senders)} answered, {len(without)} taken by the server without an answer and without a copy, {len(doubled)} with two copies; "
          f"reads {reader.answered} of {reader.asked}; {last} audit records")
    # A kill while a repeated copy is compared leaves two: the gateway removes no message but the one that it appended.
    assert len(doubled) <= 1 + KILLS // 100, doubled


def nothing_is_lost_with_a_file():
    with PostOffice() as office, Gateway() as gateway:
        office.connect(gateway)
        killed(gateway, office, Rows(gateway))


def nothing_is_lost_with_a_database():
    with PostgreSQL() as server, PostOffice() as office, Gateway() as gateway:
        server.create()
        office.connect(gateway)
        gateway.run("store", "migrate", url(server))
        gateway.environment.update(GATEPOST_STORE=url(server), GATEPOST_NODE="mail1")
        killed(gateway, office, Rows(gateway, server, "mail1"))


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
