"""Gateways that share one store in PostgreSQL. Each function is one scenario; the first argument names it."""
import contextlib
import json
import os
import shutil
import socket
import sys
import time

from database import Balancer, PostgreSQL, url
from gateway import Gateway
from oversight import best_of_three, soon
from pace import Watch
from scenarios import BOB, CLARA, run_scenario
from wire import Wire

socket.setdefaulttimeout(30)
PLACE = f"Other Users/{BOB}/INBOX"


@contextlib.contextmanager
def office(count, *servers):
    """Gateways with one store, which the first one copies into the database."""
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(Gateway())]
        first = nodes[0]
        first.run("store", "migrate", url(*servers))
        for number in range(count):
            if number > 0:
                node = Gateway.__new__(Gateway)
                node.__dict__.update(empty(first))
                stack.callback(node.remove)
                nodes.append(node)
            nodes[number].environment.update(GATEPOST_STORE=url(*servers), GATEPOST_NODE=f"mail{number + 1}")
        for node in nodes:
            node.start()
        try:
            yield nodes
        except BaseException:
            for node in nodes:
                sys.stderr.write(node.log()[-3000:])
            raise


def empty(first):
    """The attributes of a gateway with the keys of the first one, and no store of its own."""
    import tempfile
    from gateway import free_port
    folder = tempfile.mkdtemp(prefix="gateway-")
    port = free_port()
    for name in ("gatepost.yaml", "master.key"):
        shutil.copy(os.path.join(first.folder, name), folder)
    shutil.copytree(os.path.join(first.folder, "certs"), os.path.join(folder, "certs"))
    environment = dict(first.environment, GATEPOST_CONFIG=os.path.join(folder, "gatepost.yaml"),
                       GATEPOST_LISTEN_IMAPS=f"127.0.0.1:{port}")
    return dict(folder=folder, port=port, environment=environment, process=None)


def through(balancer, node, user=CLARA):
    w = Wire(balancer.port, os.path.join(node.folder, "certs/ca.pem"))
    w.login(user, f"pw-{user.split('@')[0]}")
    return w


def is_open(w):
    """A session whose answer waits for an audit record ends if the record cannot be written."""
    try:
        return w.answer(f'SELECT "{PLACE}"').startswith("OK")
    except (EOFError, OSError):
        return False


def until(condition, watch=None, seconds=30):
    end = time.time() + seconds
    while not condition():
        if watch:
            soon(watch.seconds)
        assert time.time() < end
        time.sleep(0.02)


@best_of_three
def a_change_is_in_force_on_every_node_within_a_second():
    with PostgreSQL() as server:
        server.create()
        with office(3, server) as nodes, Balancer([n.port for n in nodes]) as balancer:
            until(lambda: all(is_open(n.wire()) for n in nodes))
            sessions = [through(balancer, nodes[0]) for _ in range(6)]
            until(lambda: all(is_open(w) for w in sessions))
            for node in nodes:
                # Each node's own command makes the change.
                node.run("grant", "remove", BOB, CLARA)
                watch = Watch()
                for w in sessions:
                    until(lambda: not is_open(w), watch)
                node.run("grant", "add", BOB, CLARA, "--view")
                for w in sessions:
                    until(lambda: is_open(w))
            # Connections were spread over all nodes, and each has a log of its own.
            for node in nodes:
                assert json.loads(node.run("session", "list", "--json")), node.environment["GATEPOST_NODE"]
            logs = server.psql("SELECT DISTINCT node FROM audit WHERE node <> '' ORDER BY node").split()
            assert logs == ["mail1", "mail2", "mail3"], logs
            # A node that is killed takes nobody else along, and a new one with its name continues its log.
            nodes[2].kill()
            until(lambda: is_open(through(balancer, nodes[0])))
            nodes[2].start()
            until(lambda: is_open(nodes[2].wire()))
            for node in nodes:
                assert "all intact" in node.run("audit", "verify")


@best_of_three
def a_node_without_its_database_shares_nothing():
    with PostgreSQL() as server:
        server.create()
        with office(2, server) as nodes:
            until(lambda: all(is_open(n.wire()) for n in nodes))
            sessions, owner = [n.wire() for n in nodes], nodes[0].wire(BOB)
            until(lambda: all(is_open(w) for w in sessions))
            with server.frozen():
                time.sleep(1.3)
                for w in sessions:
                    assert w.answer("FETCH 1:* (FLAGS)").startswith(("NO", "BAD"))
                    assert not is_open(w)
                owner.ok("SELECT INBOX")
                time.sleep(3)
                assert not is_open(sessions[0])
            for node in nodes:
                until(lambda: is_open(node.wire()))
            sessions = [n.wire() for n in nodes]
            # A server that stops and starts again.
            server.stop()
            for w in sessions:
                until(lambda: not is_open(w))
            owner.ok("SELECT INBOX")
            server.start()
            for node in nodes:
                until(lambda: is_open(node.wire()))
            assert "all intact" in nodes[0].run("audit", "verify")


@best_of_three
def a_standby_takes_over_and_nothing_comes_back():
    with PostgreSQL() as server:
        server.create()
        with server.standby("second") as standby:
            server.psql("ALTER SYSTEM SET synchronous_standby_names = 'second'")
            server.psql("SELECT pg_reload_conf()")
            with office(2, server, standby) as nodes:
                until(lambda: all(is_open(n.wire()) for n in nodes))
                nodes[0].run("group", "add", "Empfang")
                nodes[1].run("grant", "remove", BOB, CLARA)
                server.stop("immediate")
                for node in nodes:
                    assert not is_open(node.wire())
                standby.promote()
                # What was answered is there.
                until(lambda: "Empfang" in nodes[0].run("group", "list", status=None))
                nodes[1].run("group", "add", "Buchhaltung")
                assert not any(is_open(n.wire()) for n in nodes)
                nodes[0].run("grant", "add", BOB, CLARA, "--view")
                until(lambda: all(is_open(n.wire()) for n in nodes))
                for node in nodes:
                    assert "all intact" in node.run("audit", "verify")


@best_of_three
def a_standby_that_lacks_changes_waits_for_an_administrator():
    with PostgreSQL() as server:
        server.create()
        with server.standby("second") as standby:
            with office(2, server, standby) as nodes:
                until(lambda: all(is_open(n.wire()) for n in nodes))
                until(lambda: server.psql("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()") == "1")
                standby.psql("SELECT pg_wal_replay_pause()")
                standby.stop()
                nodes[0].run("grant", "remove", BOB, CLARA)
                for node in nodes:
                    until(lambda: not is_open(node.wire()))
                server.stop("immediate")
                standby.start()
                standby.promote()
                # The grant is there again, and opens nothing.
                until(lambda: CLARA in nodes[0].run("grant", "list", status=None))
                time.sleep(2)
                for node in nodes:
                    assert not is_open(node.wire())
                    assert "gatepost store accept" in node.log()
                nodes[0].run("store", "accept", "--yes")
                until(lambda: is_open(nodes[0].wire()))
                assert not is_open(nodes[1].wire())
                nodes[1].run("store", "accept", "--yes")
                until(lambda: is_open(nodes[1].wire()))


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
