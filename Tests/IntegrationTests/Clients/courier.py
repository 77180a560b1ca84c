"""A real Courier of a scenario's own, from the Debian package, with its folders in a temporary folder.

`imaplogin`, the program that takes Courier's logins, has the place of its authentication daemon compiled in, below `/run`. So `login` here speaks
until a client is logged in, and then leaves the connection to Courier's `imapd`, in the environment that `imaplogin` makes.
"""
import grp
import os
import pwd
import select
import shutil
import subprocess
import tempfile

from packages import Programs
from upstreams import Authority, Server, context

PASSWORD = "secret"
# As in the package's /etc/courier/imapd, and what `imapd` adds to it.
CONFIGURED = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
CAPABILITIES = CONFIGURED + " ACL ACL2=UNION ENABLE UTF8=ACCEPT"
CHUNK = 65536


class Courier:
    """Accounts of these owners, all with the password `secret`. Root runs `imapd` as nobody, anybody else as themselves."""

    def __init__(self, owners, quota=10_000_000):
        self.folder = tempfile.mkdtemp(prefix="courier-")
        os.chmod(self.folder, 0o755)
        self.programs = Programs("courier", self.path("programs"))
        authority = Authority(self.folder)
        self.certificate, self.ca = authority.make("server", "DNS:localhost"), authority.trusted
        self.is_root = os.geteuid() == 0
        self.user = "nobody" if self.is_root else pwd.getpwuid(os.geteuid()).pw_name
        self.group = "nogroup" if self.is_root else grp.getgrgid(os.getegid()).gr_name
        self.owners = owners
        os.mkdir(self.path("mail"))
        self.own(self.path("mail"))
        for owner in owners:
            self.run([self.programs.path("usr/bin/maildirmake.courier"), self.maildir(owner)], check=True)
            self.run([self.programs.path("usr/bin/maildirmake.courier"), "-q", f"{quota}S", self.maildir(owner)], check=True)
        self.server = self.notices = None
        # By this name `imapd` finds the program that tells it of new messages.
        self.programs.environment["GAM_CLIENT_ID"] = os.path.basename(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def maildir(self, owner):
        return os.path.join(self.path("mail"), owner)

    def own(self, path):
        if self.is_root:
            shutil.chown(path, self.user, self.group)

    def rights(self):
        return {"user": self.user, "group": self.group, "extra_groups": []} if self.is_root else {}

    def run(self, words, check=False):
        return subprocess.run(words, env=self.programs.environment, check=check, **self.rights())

    @property
    def port(self):
        return self.server.port

    def __enter__(self):
        self.notices = subprocess.Popen([self.programs.path("usr/libexec/gam_server"), "--notimeout", os.path.basename(self.folder)],
                                        env=self.programs.environment, **self.rights())
        self.server = Server(self.login, context(self.certificate))
        return self

    def __exit__(self, *_):
        self.server.close()
        self.notices.terminate()
        self.notices.wait()
        # Who served a client may still write as it ends.
        shutil.rmtree(self.folder, ignore_errors=True)

    def login(self, connection):
        connection.send(f"* OK [CAPABILITY {CAPABILITIES}] Courier-IMAP ready.\r\n")
        while True:
            tag, verb, *rest = connection.line().decode().split(" ", 2)
            if verb.upper() == "LOGIN":
                name, password = (word.strip('"') for word in rest[0].split(" "))
                if name in self.owners and password == PASSWORD:
                    return self.serve(connection, tag, name)
                connection.send(f"{tag} NO Login failed.\r\n")
            elif verb.upper() == "CAPABILITY":
                connection.send(f"* CAPABILITY {CAPABILITIES}\r\n{tag} OK CAPABILITY completed\r\n")
            elif verb.upper() == "LOGOUT":
                return connection.send(f"* BYE Courier-IMAP server shutting down\r\n{tag} OK LOGOUT completed\r\n")
            else:
                connection.send(f"{tag} NO Invalid command\r\n")

    def serve(self, connection, tag, owner):
        environment = dict(self.programs.environment, IMAPLOGINTAG=tag, AUTHENTICATED=owner, AUTHADDR=owner, AUTHFULLNAME=owner, AUTHACCOUNT=owner,
                           MAILDIR=self.maildir(owner), HOME=self.folder, TCPREMOTEIP="127.0.0.1", TCPREMOTEPORT="1", PROTOCOL="IMAP",
                           IMAP_CAPABILITY=CONFIGURED, IMAP_KEYWORDS="1", IMAP_ACL="1", IMAP_MAILBOX_SANITY_CHECK="1", IMAP_USELOCKS="1",
                           IMAP_IDLE_TIMEOUT="1", IMAP_OBSOLETE_CLIENT="0", IMAP_TRASHFOLDERNAME="Trash", IMAP_EMPTYTRASH="Trash:7")
        process = subprocess.Popen([self.programs.path("usr/bin/imapd"), self.maildir(owner)], env=environment, cwd=self.maildir(owner), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, **self.rights())
        with process:
            connection.raw.settimeout(None)
            process.stdin.write(connection.buffer)
            # One thread: a TLS connection is not to be read and written at once.
            while True:
                ready, _, _ = ([connection.raw], [], []) if connection.raw.pending() else select.select([connection.raw, process.stdout], [], [])
                if process.stdout in ready:
                    octets = process.stdout.read(CHUNK)
                    if not octets:
                        return
                    connection.send(octets)
                elif octets := connection.raw.recv(CHUNK):
                    process.stdin.write(octets)
                else:
                    return process.terminate()
