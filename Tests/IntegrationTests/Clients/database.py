"""PostgreSQL and HAProxy for gateways that share a store: servers of a scenario's own."""
import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from gateway import free_port

BIN = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]


def as_postgres(*words):
    """PostgreSQL does not run as root. setpriv becomes the command, so that signals reach it alone."""
    prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
    return prefix + [os.path.join(BIN, words[0]), *words[1:]]


def owned(folder):
    if os.getuid() == 0:
        entry = pwd.getpwnam("postgres")
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    return folder


class PostgreSQL:
    """A server with an empty database `mail`; its socket is in its folder."""

    SETTINGS = "listen_addresses = ''\nmax_connections = 200\nsynchronous_commit = on\n"

    def __init__(self):
        # Another user must reach it, whatever TMPDIR is.
        self.folder = owned(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self.process = None

    def create(self):
        subprocess.run(as_postgres("initdb", "-D", self.data, "-U", "gatepost", "-A", "trust", "-E", "UTF8",
                                   "--locale=C.UTF-8", "--no-sync"), check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(self.data, "postgresql.auto.conf"), "a") as file:
            file.write(self.SETTINGS)
        self.start()
        self.psql("CREATE DATABASE mail", "postgres")
        return self

    def standby(self, name):
        """A server that follows this one by streaming."""
        other = type(self)()
        os.rmdir(other.data) if os.path.exists(other.data) else None
        subprocess.run(as_postgres("pg_basebackup", "-D", other.data, "-R", "-X", "stream", "-c", "fast",
                                   "-d", f"host={self.folder} user=gatepost application_name={name}"), check=True)
        with open(os.path.join(other.data, "postgresql.auto.conf"), "a") as file:
            file.write(f"primary_conninfo = 'host={self.folder} user=gatepost application_name={name}'\n")
        other.start()
        return other

    @property
    def data(self):
        return os.path.join(self.folder, "data")

    def start(self):
        self.process = subprocess.Popen(
            as_postgres("postgres", "-D", self.data, "-k", self.folder),
            stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.folder, "log"), "ab"))
        end = time.time() + 60
        while subprocess.run(as_postgres("pg_isready", "-q", "-h", self.folder)).returncode != 0:
            assert self.process.poll() is None and time.time() < end, open(os.path.join(self.folder, "log")).read()[-2000:]
            time.sleep(0.05)

    def psql(self, sql, database="mail"):
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "gatepost", "-c", sql,
                               database], text=True, capture_output=True)
        assert done.returncode == 0, done
        return done.stdout.strip()

    def stop(self, mode="fast"):
        subprocess.run(as_postgres("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop"), stdout=subprocess.DEVNULL)
        self.process.wait()

    def promote(self):
        subprocess.run(as_postgres("pg_ctl", "-D", self.data, "-w", "promote"), check=True, stdout=subprocess.DEVNULL)

    @contextlib.contextmanager
    def frozen(self):
        """No process of the server runs, and no connection ends."""
        with open(os.path.join(self.data, "postmaster.pid")) as file:
            leader = int(file.readline())
        children = subprocess.run(["pgrep", "-P", str(leader)], text=True, capture_output=True).stdout.split()
        everybody = [leader] + [int(child) for child in children]
        for process in everybody:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in everybody:
                os.kill(process, signal.SIGCONT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)


def url(*servers):
    return "postgresql:///mail?user=gatepost&host=" + ",".join(server.folder for server in servers)


class Balancer:
    """HAProxy in front of several gateways, each a port of this machine or an address with a port."""

    def __init__(self, ports):
        self.folder = tempfile.mkdtemp(prefix="haproxy-")
        self.port = free_port()
        addresses = [f"127.0.0.1:{port}" if isinstance(port, int) else port for port in ports]
        servers = "".join(f"    server node{n} {address} check inter 200ms fall 1 rise 1\n"
                          for n, address in enumerate(addresses))
        path = os.path.join(self.folder, "haproxy.cfg")
        with open(path, "w") as file:
            file.write("global\n    maxconn 4000\ndefaults\n    mode tcp\n    timeout connect 5s\n    timeout client 600s\n"
                       "    timeout server 600s\n    option redispatch\n"
                       f"listen imaps\n    bind 127.0.0.1:{self.port}\n    balance roundrobin\n{servers}")
        self.process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", path], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def __enter__(self):
        end = time.time() + 30
        while True:
            assert self.process.poll() is None and time.time() < end
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            time.sleep(0.02)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)
