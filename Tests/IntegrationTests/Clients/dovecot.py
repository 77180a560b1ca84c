"""A real Dovecot of a scenario's own, whose namespaces the scenario writes."""
import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

from gateway import free_port
from upstreams import Authority

EXECUTABLE = shutil.which("dovecot", path=os.environ["PATH"] + ":/usr/sbin")


class Dovecot:
    """One account, `owner` with the password `secret`; its mail is in `mail`, in Maildir++. It has the address of this
    machine, and those in `addresses`."""

    def __init__(self, namespaces, owner="owner", addresses=()):
        self.folder = tempfile.mkdtemp(prefix="dovecot-")
        os.chmod(self.folder, 0o755)
        authority = Authority(self.folder)
        certificate, key = authority.make("server", ",".join(["DNS:localhost", *(f"IP:{a}" for a in addresses)]))
        self.certificate, self.addresses = (certificate, key), ["127.0.0.1", *addresses]
        self.ca, self.port, self.owner = authority.trusted, free_port(), owner
        self.mail = os.path.join(self.folder, "mail")
        os.mkdir(self.mail)
        self.is_root = os.geteuid() == 0
        self.user = "nobody" if self.is_root else pwd.getpwuid(os.geteuid()).pw_name
        self.group = "nogroup" if self.is_root else grp.getgrgid(os.getegid()).gr_name
        with open(self.path("users"), "w") as file:
            file.write(f"{owner}:{{PLAIN}}secret\n")
        with open(self.path("dovecot.conf"), "w") as file:
            file.write(self.configuration(certificate, key) + namespaces.replace("MAIL", self.mail))
        self.process = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def configuration(self, certificate, key):
        own = "" if self.is_root else f"""
            default_internal_user = {self.user}
            default_login_user = {self.user}
            default_internal_group = {self.group}
            service anvil {{
              chroot =
            }}
            service imap-login {{
              chroot =
            }}
            service stats {{
              chroot =
            }}"""
        return f"""{own}
            base_dir = {self.path('run')}
            state_dir = {self.path('state')}
            log_path = {self.path('log')}
            protocols = imap
            listen = {", ".join(self.addresses)}
            ssl = required
            ssl_cert = <{certificate}
            ssl_key = <{key}
            mail_location = maildir:{self.mail}/%u
            mail_uid = {self.user}
            mail_gid = {self.group}
            first_valid_uid = 1
            service imap-login {{
              inet_listener imap {{
                port = 0
              }}
              inet_listener imaps {{
                port = {self.port}
                ssl = yes
              }}
            }}
            passdb {{
              driver = passwd-file
              args = {self.path('users')}
            }}
            userdb {{
              driver = static
              args = uid={self.user} gid={self.group} home={self.mail}/%u
            }}
            """

    def deliver(self, folder, subject):
        """Puts a message into a Maildir below `mail`."""
        for part in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.mail, folder, part), exist_ok=True)
        with open(os.path.join(self.mail, folder, "new", f"{time.time_ns()}.x"), "w") as file:
            file.write(f"From: x@kanzlei.example\r\nSubject: {subject}\r\n\r\n{subject}\r\n")

        self.hand_over()

    def own(self, gateway, address):
        """Makes this the server of an account."""
        gateway.run("account", "set", address, "--imap", f"localhost:{self.port}", "--ca", self.ca, "--username", self.owner,
                    "--password-stdin", stdin="secret\n")

    def hand_over(self):
        """Gives the mail to the user that Dovecot reads it as."""
        if not self.is_root:
            return
        for path, folders, files in os.walk(self.mail):
            for name in [path] + [os.path.join(path, file) for file in files]:
                shutil.chown(name, self.user, self.group)

    def __enter__(self):
        self.hand_over()
        self.process = subprocess.Popen([EXECUTABLE, "-F", "-c", self.path("dovecot.conf")],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.time() + 30
        while True:
            assert self.process.poll() is None and time.time() < end, open(self.path("log")).read()[-2000:]
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        # A process of its own may still take a file away.
        shutil.rmtree(self.folder, ignore_errors=True)
