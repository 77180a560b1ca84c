"""A network of its own: three machines with a gateway each, which reach their clients and mail servers by one link, and
the database by another one, which can be cut. The program runs in a network namespace of its own (`unshare -n`), and
each machine is another one."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from database import PostgreSQL, owned
from gateway import free_port
from upstreams import Authority

FRONT, BACK = "10.78.0", "10.77.0"
# The machine that has everything else: the clients, the mail servers, and two servers of PostgreSQL.
HOST, PRIMARY, STANDBY = f"{FRONT}.1", f"{BACK}.1", f"{BACK}.2"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def prepare():
    """Two bridges, to which the machines are linked."""
    ip("link", "set", "lo", "up")
    for bridge, addresses in (("front", [HOST]), ("back", [PRIMARY, STANDBY])):
        ip("link", "add", bridge, "type", "bridge")
        for address in addresses:
            ip("address", "add", f"{address}/24", "dev", bridge)
        ip("link", "set", bridge, "up")


class Machine:
    """A network namespace with two links. It lives as long as its first process."""

    def __init__(self, number):
        self.number, self.address = number, f"{FRONT}.{10 + number}"
        outside = os.readlink("/proc/self/ns/net")
        self.process = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        while os.readlink(f"/proc/{self.process.pid}/ns/net") == outside:
            time.sleep(0.01)
        self.inside("ip", "link", "set", "lo", "up")
        for bridge, network in (("front", FRONT), ("back", BACK)):
            ip("link", "add", f"{bridge}{number}", "type", "veth", "peer", "name", bridge, "netns", str(self.process.pid))
            ip("link", "set", f"{bridge}{number}", "master", bridge, "up")
            self.inside("ip", "address", "add", f"{network}.{10 + number}/24", "dev", bridge)
            self.inside("ip", "link", "set", bridge, "up")

    def words(self, *words):
        return ["nsenter", "-t", str(self.process.pid), "-n", *words]

    def inside(self, *words):
        subprocess.run(self.words(*words), check=True)

    def cut(self):
        """Nothing passes between the machine and the database, and nobody is told."""
        ip("link", "set", f"back{self.number}", "down")

    def join(self):
        ip("link", "set", f"back{self.number}", "up")

    def stop(self):
        self.process.kill()
        self.process.wait()


class Node:
    """A gateway on a machine, with the keys of another one."""

    def __init__(self, first, machine, database, settings):
        self.machine, self.name = machine, f"mail{machine.number}"
        self.folder = tempfile.mkdtemp(prefix="gateway-")
        for name in ("gatepost.yaml", "master.key"):
            shutil.copy(os.path.join(first.folder, name), self.folder)
        shutil.copytree(os.path.join(first.folder, "certs"), os.path.join(self.folder, "certs"))
        self.imaps, self.submissions = free_port(), free_port()
        self.environment = dict(
            first.environment, **settings, GATEPOST_CONFIG=os.path.join(self.folder, "gatepost.yaml"), GATEPOST_STORE=database,
            GATEPOST_NODE=self.name, GATEPOST_LISTEN_IMAPS=f"{machine.address}:{self.imaps}",
            GATEPOST_LISTEN_SUBMISSIONS=f"{machine.address}:{self.submissions}")

    def run(self, *words):
        done = subprocess.run(self.machine.words(os.environ["GATEPOST"], *words), env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        assert done.returncode == 0, (words, done)
        return done.stdout + done.stderr

    def start(self):
        self.process = subprocess.Popen(self.machine.words(os.environ["GATEPOST"], "serve"), env=self.environment,
                                        stderr=open(os.path.join(self.folder, "log"), "ab"))
        for port in (self.imaps, self.submissions):
            end = time.time() + 60
            while True:
                assert self.process.poll() is None and time.time() < end, self.log()[-2000:]
                with contextlib.suppress(OSError):
                    socket.create_connection((self.machine.address, port), 1).close()
                    break
                time.sleep(0.02)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait()

    def log(self):
        with open(os.path.join(self.folder, "log")) as file:
            return file.read()

    def remove(self):
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder)


class Database(PostgreSQL):
    """A server that other machines reach, by TLS."""

    addresses = iter((PRIMARY, STANDBY))
    authority = None

    def __init__(self):
        super().__init__()
        self.address = next(Database.addresses)
        Database.authority = Database.authority or Authority(tempfile.mkdtemp(prefix="db-"))

    def start(self):
        if not os.path.exists(os.path.join(self.data, "db.pem")):
            names = f"IP:{PRIMARY},IP:{STANDBY}"
            for source, name in zip(Database.authority.make("db", names), ("db.pem", "db.key")):
                target = owned(shutil.copy(source, os.path.join(self.data, name)))
                os.chmod(target, 0o600)
            with open(os.path.join(self.data, "pg_hba.conf"), "a") as file:
                file.write(f"hostssl all all {BACK}.0/24 trust\n")
        # The standby has the files of the primary server, with the other address.
        with open(os.path.join(self.data, "postgresql.auto.conf"), "a") as file:
            file.write(f"listen_addresses = '{self.address}'\nssl = on\nssl_cert_file = 'db.pem'\nssl_key_file = 'db.key'\n"
                       # The standby connects again at once, so that a primary server which restarted commits.
                       "wal_retrieve_retry_interval = '200ms'\n")
        super().start()

    @staticmethod
    def url():
        return f"postgresql://gatepost@{PRIMARY},{STANDBY}/mail?sslrootcert={Database.authority.trusted}"

    @staticmethod
    def forget():
        shutil.rmtree(Database.authority.folder)
