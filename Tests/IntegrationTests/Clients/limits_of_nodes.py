"""Limits that gateways of one store count together, and their sessions. Each function is one scenario; the first argument
names it."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from database import PostgreSQL, url
from gateway import Gateway, free_port
from logins import sender
from nodes import empty, until
from oversight import best_of_three, soon
from pace import Watch
from scenarios import BOB, CLARA, run_scenario
from sending import subject, text
from wire import Wire

socket.setdefaulttimeout(30)
# A count is written within half a second, and read within another one.
TOLERANCE = 1
# A node without a sign of life counts as dead after this time, and the others notice at their next look.
LEASE = 3 + TOLERANCE


@contextlib.contextmanager
def office(server, **settings):
    """Three gateways that share a database, each with a port for sending."""
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(Gateway(**settings))]
        first = nodes[0]
        for user in (CLARA, BOB):
            first.run("account", "set", user, "--smtp", f"localhost:{os.environ['MTA_PORT']}", "--ca", os.environ["CA"])
        first.run("store", "migrate", url(server))
        for _ in range(2):
            node = Gateway.__new__(Gateway)
            node.__dict__.update(empty(first))
            stack.callback(node.remove)
            nodes.append(node)
        for number, node in enumerate(nodes):
            node.environment.update(GATEPOST_STORE=url(server), GATEPOST_NODE=f"mail{number + 1}",
                                    GATEPOST_LISTEN_SUBMISSIONS=f"127.0.0.1:{free_port()}")
            node.start()
        try:
            yield nodes
        except BaseException:
            for node in nodes:
                sys.stderr.write(node.log()[-2000:])
            raise


def send(node):
    """Sends a message of Clara's to herself, and returns the reply that decides on it."""
    s = sender(node)
    reply = s.command(f"MAIL FROM:<{CLARA}>")
    if not reply.startswith("250"):
        return reply
    assert s.command(f"RCPT TO:<{CLARA}>").startswith("250")
    assert s.command("DATA").startswith("354")
    s.send(text(subject(), CLARA, CLARA))
    return s.command(".")


def refuses(node):
    """Whether a node refuses Clara's next message; it sends none."""
    reply = sender(node).command(f"MAIL FROM:<{CLARA}>")
    assert reply.startswith("250") or "Too many messages in this hour" in reply, reply
    return not reply.startswith("250")


@best_of_three
def messages_of_an_hour_count_on_all_nodes():
    with PostgreSQL() as server:
        server.create()
        with office(server, GATEPOST_LIMITS_MESSAGES_PER_HOUR="3") as nodes:
            for _ in range(2):
                assert send(nodes[0]).startswith("250")
            assert send(nodes[1]).startswith("250")
            watch = Watch()
            for node in nodes:
                until(lambda: refuses(node))
                soon(watch.seconds, TOLERANCE)
            # What a node counted stays when it is dead, and when it starts again.
            nodes[0].kill()
            time.sleep(LEASE)
            assert refuses(nodes[1]) and refuses(nodes[2])
            nodes[0].start()
            until(lambda: refuses(nodes[0]), seconds=5)
            nodes[1].stop()
            nodes[1].start()
            until(lambda: refuses(nodes[1]), seconds=5)


@best_of_three
def recipients_of_an_hour_count_on_all_nodes():
    with PostgreSQL() as server:
        server.create()
        with office(server, GATEPOST_LIMITS_RECIPIENTS_PER_HOUR="5") as nodes:
            s = sender(nodes[0])
            assert s.command(f"MAIL FROM:<{CLARA}>").startswith("250")
            for _ in range(4):
                assert s.command(f"RCPT TO:<{CLARA}>").startswith("250")
            time.sleep(TOLERANCE + 0.5)
            other = sender(nodes[1])
            assert other.command(f"MAIL FROM:<{CLARA}>").startswith("250")
            assert other.command(f"RCPT TO:<{CLARA}>").startswith("250")
            assert "Too many recipients in this hour" in other.command(f"RCPT TO:<{CLARA}>")


def refusal(node, login):
    """Seconds until a wrong password is refused."""
    w = Wire(node.port, os.path.join(node.folder, "certs/ca.pem"))
    watch = Watch()
    assert w.answer(f'LOGIN "{login}" "wrong"').startswith("NO [AUTHENTICATIONFAILED]")
    return watch


@best_of_three
def failed_logins_at_one_node_slow_the_next_one_at_another():
    with PostgreSQL() as server:
        server.create()
        with office(server) as nodes:
            soon(refusal(nodes[1], "nobody@kanzlei.example").seconds, 0.9)
            for _ in range(3):
                refusal(nodes[0], BOB)
            time.sleep(TOLERANCE + 0.5)
            # Four from this address before, of which three had this name: 0.25 seconds, doubled four times.
            assert refusal(nodes[1], BOB).elapsed > 3.9
            time.sleep(TOLERANCE + 0.5)
            assert refusal(nodes[2], "somebody@kanzlei.example").elapsed > 7.9
            # The right password waits for nothing.
            watch = Watch()
            nodes[2].wire(BOB).ok("NOOP")
            soon(watch.seconds, 2)
            # The database has no login name of a client.
            rows = server.psql("SELECT kind, key FROM nodecount")
            assert "failures|127.0.0.1" in rows and "@" not in rows, rows


def connects(node, user=CLARA):
    """A session, or nothing if the user has too many."""
    w = Wire(node.port, os.path.join(node.folder, "certs/ca.pem"))
    answer = w.answer(f'LOGIN "{user}" "pw-{user.split("@")[0]}"')
    assert answer.startswith("OK") or "Too many connections" in answer, answer
    return w if answer.startswith("OK") else None


@best_of_three
def connections_of_a_user_count_on_all_nodes_while_these_live():
    with PostgreSQL() as server:
        server.create()
        with office(server, GATEPOST_LIMITS_CONNECTIONS_PER_USER="4") as nodes:
            here = [connects(nodes[0]) for _ in range(2)]
            there = connects(nodes[1])
            assert all(here) and there
            time.sleep(TOLERANCE + 0.5)
            last = connects(nodes[2])
            assert last and not connects(nodes[2])
            # Each user has connections of their own.
            assert connects(nodes[2], BOB)
            time.sleep(TOLERANCE + 0.5)
            assert not connects(nodes[0])
            # A connection that ends makes room on the other nodes.
            there.raw.close()
            watch = Watch()
            found = []
            until(lambda: found.append(connects(nodes[2])) or found[-1])
            soon(watch.seconds, TOLERANCE + 0.5)
            assert not connects(nodes[2])
            # Those of a dead node do not count any more.
            nodes[0].kill()
            watch = Watch()
            until(lambda: found.append(connects(nodes[2])) or found[-1])
            until(lambda: found.append(connects(nodes[1])) or found[-1])
            soon(watch.seconds, LEASE + 0.5)
            # Nor those of a node that stops.
            nodes[2].stop()
            watch = Watch()
            until(lambda: found.append(connects(nodes[1])) or found[-1])
            soon(watch.seconds, TOLERANCE + 0.5)


@best_of_three
def connections_of_an_address_count_on_all_nodes():
    with PostgreSQL() as server:
        server.create()
        with office(server, GATEPOST_LIMITS_CONNECTIONS_PER_ADDRESS="3") as nodes:
            held = [Wire(nodes[0].port, os.path.join(nodes[0].folder, "certs/ca.pem")) for _ in range(3)]
            time.sleep(TOLERANCE + 0.5)
            w = Wire(nodes[1].port, os.path.join(nodes[1].folder, "certs/ca.pem"))
            assert w.greeting.startswith(b"* BYE [UNAVAILABLE]"), w.greeting
            for other in held:
                other.raw.close()
            time.sleep(TOLERANCE + 0.5)
            w = Wire(nodes[1].port, os.path.join(nodes[1].folder, "certs/ca.pem"))
            assert w.greeting.startswith(b"* OK"), w.greeting


@best_of_three
def without_the_database_each_node_counts_on():
    with PostgreSQL() as server:
        server.create()
        with office(server, GATEPOST_LIMITS_MESSAGES_PER_HOUR="4", GATEPOST_LIMITS_CONNECTIONS_PER_USER="6") as nodes:
            for _ in range(2):
                assert send(nodes[0]).startswith("250")
            time.sleep(TOLERANCE + 0.5)
            with server.frozen():
                time.sleep(2)
                # A login and an own mailbox wait for nothing.
                watch = Watch()
                w = nodes[1].wire()
                w.ok("SELECT INBOX")
                soon(watch.seconds, 2)
                # The node adds its own messages to those that it had read.
                assert send(nodes[1]).startswith("250") and send(nodes[1]).startswith("250")
                assert refuses(nodes[1])
                # This one knows of two.
                assert not refuses(nodes[2])
            until(lambda: refuses(nodes[2]), seconds=15)
            # The other nodes have no connection of Clara's when they are heard last.
            time.sleep(TOLERANCE + 1)
            server.stop()
            time.sleep(1.5)
            more = [connects(nodes[1]) for _ in range(6)]
            assert [bool(w) for w in more] == [True] * 5 + [False], more
            more[0].ok("SELECT INBOX")
            server.start()
            # The nodes write everything again, and learn the rest.
            until(lambda: server.psql("SELECT sum(count) FROM nodecount WHERE kind = 'user'") == "6", seconds=15)
            until(lambda: not connects(nodes[0]), seconds=15)
            log = nodes[1].log()
            assert "limits count together with the other nodes again" in log
            assert log.count("limits count on this node alone") < 5 and "administrator's command" not in log, log


def sessions(node, status=0):
    done = subprocess.run([os.environ["GATEPOST"], "session", "list", "--json"], text=True, capture_output=True,
                          env=node.environment)
    assert done.returncode == status, done
    return json.loads(done.stdout), done.stderr


def sessions_of_all_nodes_are_listed_and_ended():
    with PostgreSQL() as server:
        server.create()
        with office(server) as nodes:
            clients = [node.wire(user) for node, user in zip(nodes, (CLARA, BOB, CLARA))]
            second = nodes[1].wire(CLARA)
            second.ok("SELECT INBOX")
            listed, complaint = sessions(nodes[0])
            assert [(s["node"], s["user"]) for s in listed] == [
                ("mail1", CLARA), ("mail2", BOB), ("mail2", CLARA), ("mail3", CLARA)], listed
            assert complaint == "" and listed[2]["folder"] == "INBOX", (complaint, listed)
            names = [line.split()[0] for line in nodes[2].run("session", "list").splitlines()[1:]]
            assert names == [f"{s['node']}/{s['session']}" for s in listed], names
            # A session of another node's ends, and nothing else does.
            watch = Watch()
            assert "ended" in nodes[2].run("session", "end", names[2])
            assert second.closed() and watch.elapsed < 10
            for client in clients:
                client.ok("NOOP")
            assert "no session" in nodes[0].run("session", "end", names[2], status=1)
            assert "no gateway has the name mail9" in nodes[0].run("session", "end", "mail9/1", status=1)
            assert "several nodes may have a session 1" in nodes[0].run("session", "end", "1", status=1)
            # The node that ended it has the record.
            records = json.loads(nodes[0].run("audit", "list", "--json"))
            assert [r["node"] for r in records if r["event"] == "session end"] == ["mail2"], records
            # A node that hangs is named: while it counts as living, and afterwards.
            nodes[2].process.send_signal(signal.SIGSTOP)
            try:
                listed, complaint = sessions(nodes[0], status=1)
                assert [s["node"] for s in listed] == ["mail1", "mail2"] and "mail3 did not answer" in complaint, complaint
                time.sleep(3)
                listed, complaint = sessions(nodes[0])
                assert [s["node"] for s in listed] == ["mail1", "mail2"] and "mail3 was last seen" in complaint, complaint
                assert "mail3 does not answer" in nodes[0].run("session", "end", names[3], status=1)
            finally:
                nodes[2].process.send_signal(signal.SIGCONT)
            # Nobody waits for the answer to what was asked meanwhile.
            until(lambda: len(sessions(nodes[0])[0]) == 3)
            clients[2].ok("NOOP")
            # With one node its number is enough.
            nodes[0].stop()
            nodes[2].stop()
            listed, complaint = sessions(nodes[1])
            assert len(listed) == 1 and complaint == "", (listed, complaint)
            assert "ended" in nodes[0].run("session", "end", str(listed[0]["session"]))
            assert clients[1].closed()
            nodes[1].stop()
            assert "no gateway uses the database" in nodes[0].run("session", "list", status=1)
            assert server.psql("SELECT count(*) FROM noderequest") == server.psql("SELECT count(*) FROM nodeanswer") == "0"


def commands_at_once_get_the_sessions_of_their_own_request():
    with PostgreSQL() as server:
        server.create()
        with office(server) as nodes:
            clients = [nodes[n % 3].wire() for n in range(9)]
            names = [f"{s['node']}/{s['session']}" for s in sessions(nodes[0])[0]]
            results = {}

            def command(number):
                node = nodes[number % 3]
                if number < 9:
                    results[number] = node.run("session", "end", names[number], status=None)
                else:
                    results[number] = len(sessions(node)[0])
            commands = [threading.Thread(target=command, args=(n,)) for n in range(15)]
            for c in commands:
                c.start()
            for c in commands:
                c.join()
            assert all("ended" in results[n] for n in range(9)), results
            assert all(0 <= results[n] <= 9 for n in range(9, 15)), results
            assert all(c.closed() for c in clients) and sessions(nodes[0])[0] == []


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
