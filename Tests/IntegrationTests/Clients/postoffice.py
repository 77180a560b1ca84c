"""Mail servers of a scenario's own that show what became of each message: Dovecot with Clara's and Bob's mailboxes, and
a submission server that counts."""
import base64
import collections
import contextlib
import hashlib
import imaplib
import re
import sqlite3
import ssl
import threading

from dovecot import Dovecot
from scenarios import BOB, CLARA
from upstreams import Server, context

NAMESPACE = r"""
    namespace inbox {
      inbox = yes
      separator = /
      mailbox Sent {
        special_use = \Sent
        auto = subscribe
      }
    }
    mail_max_userip_connections = 10000
    default_process_limit = 3000
    default_client_limit = 6000
    """
# So cheap that logins are not what is measured.
COST = 10


class Ledger:
    """A submission server: how often it took each message, by its subject."""

    def __init__(self, certificate, address):
        self.taken = collections.Counter()
        self.lock = threading.Lock()
        self.server = Server(self.serve, context(certificate), address)
        self.port = self.server.port

    def serve(self, connection):
        connection.send("220 mx ESMTP\r\n")
        while True:
            verb = connection.line()[:4].upper()
            if verb == b"EHLO":
                connection.send("250-mx\r\n250 AUTH PLAIN\r\n")
            elif verb == b"AUTH":
                connection.send("235 ok\r\n")
            elif verb == b"DATA":
                connection.send("354 go\r\n")
                self.take(connection)
                connection.send("250 taken\r\n")
            else:
                connection.send("250 ok\r\n")

    def take(self, connection):
        name = None
        while (line := connection.line().rstrip(b"\r\n")) != b".":
            if line.startswith(b"Subject: "):
                name = line[9:].decode()
        with self.lock:
            self.taken[name] += 1


class PostOffice:
    """Both servers. `address` is where gateways reach them."""

    def __init__(self, address="127.0.0.1"):
        self.address = "localhost" if address == "127.0.0.1" else address
        self.dovecot = Dovecot(NAMESPACE, CLARA, addresses=[a for a in [address] if a != "127.0.0.1"])
        with open(self.dovecot.path("users"), "w") as file:
            file.write("".join(f"{user}:{{PLAIN}}up-{user}\n" for user in (CLARA, BOB)))
        self.ledger = Ledger(self.dovecot.certificate, address)

    def __enter__(self):
        self.dovecot.__enter__()
        for user, folder in ((CLARA, "Quelle"), (BOB, "Ziel"), (BOB, "Sent")):
            with self.mailbox(user) as m:
                m.create(folder)
        return self

    def __exit__(self, *error):
        self.ledger.server.socket.close()
        self.dovecot.__exit__(*error)

    @contextlib.contextmanager
    def mailbox(self, user):
        """A connection to the server itself, as the owner."""
        m = imaplib.IMAP4_SSL("localhost", self.dovecot.port, ssl_context=ssl.create_default_context(cafile=self.dovecot.ca))
        m.login(user, f"up-{user}")
        try:
            yield m
        finally:
            m.shutdown()

    def subjects(self, user, folder):
        """How often each subject is in a folder."""
        with self.mailbox(user) as m:
            assert m.select(folder, readonly=True)[0] == "OK", folder
            found = m.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        octets = b"".join(item[1] for item in found if isinstance(item, tuple))
        return collections.Counter(name.decode() for name in re.findall(rb"Subject: (\S+)", octets))

    def connect(self, gateway):
        """Makes these the servers of a gateway's accounts. Clara may send as Bob, who gets the copies."""
        for user in (CLARA, BOB):
            gateway.run("account", "set", user, "--imap", f"{self.address}:{self.dovecot.port}", "--ca", self.dovecot.ca,
                        "--smtp", f"{self.address}:{self.ledger.port}", "--password-stdin", stdin=f"up-{user}\n")
        gateway.run("account", "set", BOB, "--sent-copy", "owner")
        gateway.run("grant", "add", BOB, CLARA, "--send", "as")
        with contextlib.closing(sqlite3.connect(gateway.store)) as store:
            store.executemany("UPDATE user SET password = ? WHERE login = ?",
                              ((cheap(f"pw-{user.split('@')[0]}"), user) for user in (CLARA, BOB)))
            store.commit()


def cheap(password):
    """A password as the store has it, with a hash that takes no time."""
    salt = bytes(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=1 << COST, r=8, p=1, dklen=32, maxmem=1 << 27)
    return "$".join(["scrypt", str(COST), "8", "1", base64.b64encode(salt).decode(), base64.b64encode(key).decode()])
