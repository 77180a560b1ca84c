"""A gateway of a scenario's own in front of the same servers, that may be configured, and killed."""
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from scenarios import BOB, CA, CLARA
from wire import Wire

FIRST, SECOND = int(os.environ["FIRST_PORT"]), int(os.environ["SECOND_PORT"])


def free_port():
    """A port for a server that starts later. It is below those that the system gives to connections and to other
    servers, which might take it meanwhile."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_768)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


class Gateway:
    """Clara's and Bob's mailboxes, each its owner's; Clara may do everything in Bob's."""

    def __init__(self, grants=True, **settings):
        self.folder = tempfile.mkdtemp(prefix="gateway-")
        self.port = free_port()
        self.environment = dict(os.environ, GATEPOST_CONFIG=os.path.join(self.folder, "gatepost.yaml"), **settings)
        self.process = None
        self.run("init", self.folder, "--imaps", str(self.port), "--imap", "0", "--submissions", "0", "--submission", "0")
        for user in (CLARA, BOB):
            self.run("user", "add", user, "--password-stdin", stdin=f"pw-{user.split('@')[0]}\n")
        for address, port in ((CLARA, FIRST), (BOB, SECOND)):
            self.run("account", "add", address, "--kind", "imap", "--imap", f"localhost:{port}", "--ca", CA,
                     "--password-stdin", "--owner", address, stdin=f"up-{address}\n")
        if grants:
            self.run("grant", "add", BOB, CLARA, "--manage")

    def run(self, *words, stdin=None, status=0):
        done = subprocess.run([os.environ["GATEPOST"], *words], input=stdin, text=True, capture_output=True,
                              env=self.environment)
        assert status is None or done.returncode == status, (words, done)
        return done.stdout + done.stderr

    def authenticate_with(self, settings):
        """Replaces the part `authentication` of the configuration; `settings` are its lines without indentation."""
        path = os.path.join(self.folder, "gatepost.yaml")
        with open(path) as file:
            text = file.read()
        start = text.index("authentication:\n")
        end = text.index("\n\n", start)
        lines = "".join(f"  {line}\n" for line in settings.strip().splitlines())
        with open(path, "w") as file:
            file.write(text[:start] + "authentication:\n" + lines + text[end:])

    def secret_file(self, name, text):
        """A file that only its owner may read."""
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        return path

    @property
    def store(self):
        return os.path.join(self.folder, "gatepost.sqlite")

    def start(self):
        self.process = subprocess.Popen([os.environ["GATEPOST"], "serve"], env=self.environment,
                                        stderr=open(os.path.join(self.folder, "log"), "ab"))
        submissions = self.environment.get("GATEPOST_LISTEN_SUBMISSIONS", "").rpartition(":")[2]
        for port in [self.port] + ([int(submissions)] if submissions else []):
            end = time.time() + 60
            while True:
                assert self.process.poll() is None and time.time() < end, self.log()[-2000:]
                try:
                    socket.create_connection(("localhost", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def wire(self, user=CLARA):
        w = Wire(self.port, os.path.join(self.folder, "certs/ca.pem"))
        w.login(user, f"pw-{user.split('@')[0]}")
        return w

    def log(self):
        with open(os.path.join(self.folder, "log")) as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder)
