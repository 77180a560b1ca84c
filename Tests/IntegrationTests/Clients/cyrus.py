"""A real Cyrus of a scenario's own, from the Debian package, with its configuration and folders in a temporary folder."""
import grp
import os
import pwd
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

from gateway import free_port
from packages import Programs
from upstreams import Authority
from wire import Wire

ADMINISTRATOR = "administrator"
PASSWORD = "secret"
FOLDERS = ["conf", "conf/db", "conf/socket", "conf/proc", "conf/log", "conf/msg", "conf/quota", "conf/user", "conf/lock", "conf/backup", "mail",
           # Cyrus creates this one itself at the first APPEND. Two APPENDs at once race: one fails with "System I/O error",
           # and Cyrus then reads the octets of its message as commands.
           "mail/stage."]


class Cyrus:
    """Accounts of these owners, all with the password `secret`. Root runs it as nobody, anybody else as themselves."""

    def __init__(self, owners, **settings):
        self.folder = tempfile.mkdtemp(prefix="cyrus-")
        os.chmod(self.folder, 0o755)
        self.programs = Programs("cyrus", self.path("programs"))
        authority = Authority(self.folder)
        certificate, key = authority.make("server", "DNS:localhost")
        self.ca, self.port, self.owners = authority.trusted, free_port(), owners
        self.is_root = os.geteuid() == 0
        self.user = "nobody" if self.is_root else pwd.getpwuid(os.geteuid()).pw_name
        self.group = "nogroup" if self.is_root else grp.getgrgid(os.getegid()).gr_name
        for name in FOLDERS:
            os.mkdir(self.path(name))
        if self.is_root:
            for name in FOLDERS + [certificate, key]:
                shutil.chown(self.path(name), self.user, self.group)
        with open(self.path("imapd.conf"), "w") as file:
            file.write(self.configuration(certificate, key) + "".join(f"{name}: {value}\n" for name, value in settings.items()))
        with open(self.path("cyrus.conf"), "w") as file:
            file.write(self.services())
        self.passwords = socket.socket(socket.AF_UNIX)
        self.passwords.bind(self.path("mux"))
        os.chmod(self.path("mux"), 0o777)
        self.passwords.listen()
        threading.Thread(target=self.check_passwords, daemon=True).start()
        self.process = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def configuration(self, certificate, key):
        return (f"configdirectory: {self.path('conf')}\ndefaultpartition: default\npartition-default: {self.path('mail')}\n"
                f"cyrus_user: {self.user}\ncyrus_group: {self.group}\nadmins: {ADMINISTRATOR}\nservername: localhost\n"
                f"sasl_pwcheck_method: saslauthd\nsasl_saslauthd_path: {self.path('mux')}\nsasl_mech_list: PLAIN\n"
                f"tls_server_cert: {certificate}\ntls_server_key: {key}\nimapidlepoll: 1\n")

    def services(self):
        programs, configuration = self.programs.path("usr/lib/cyrus/bin"), self.path("imapd.conf")
        return (f'START {{\n recover cmd="{programs}/ctl_cyrusdb -C {configuration} -r"\n}}\n'
                f'SERVICES {{\n imaps cmd="{programs}/imapd -C {configuration} -s" listen="127.0.0.1:{self.port}" prefork=1\n}}\nEVENTS {{\n}}\n')

    def check_passwords(self):
        """What saslauthd(8) does: four counted strings are the login, the password, the service and the realm."""
        while True:
            try:
                connection, _ = self.passwords.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                _, password, _, _ = (stream.read(*struct.unpack(">H", stream.read(2))) for _ in range(4))
                answer = b"OK" if password.decode() == PASSWORD else b"NO"
                connection.sendall(struct.pack(">H", len(answer)) + answer)

    def __enter__(self):
        rights = {"user": self.user, "group": self.group, "extra_groups": []} if self.is_root else {}
        # In a group of its own: when it ends, it ends its group.
        self.process = subprocess.Popen(
            [self.programs.path("usr/lib/cyrus/bin/master"), "-C", self.path("imapd.conf"), "-M", self.path("cyrus.conf"), "-p", self.path("conf/pid")],
            env=self.programs.environment, stdout=subprocess.DEVNULL, stderr=open(self.path("log"), "w"), start_new_session=True, **rights)
        end = time.time() + 30
        while True:
            assert self.process.poll() is None and time.time() < end, open(self.path("log")).read()[-2000:]
            try:
                w = Wire(self.port, self.ca)
                break
            except OSError:
                time.sleep(0.05)
        w.login(ADMINISTRATOR, PASSWORD)
        delimiter = "/" if b'"/"' in w.ok('LIST "" ""')[0] else "."
        for owner in self.owners:
            w.ok(f"CREATE user{delimiter}{owner}")
            w.ok(f"SETQUOTA user{delimiter}{owner} (STORAGE 10000)")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.passwords.close()
        # Who served a client may still write as it ends.
        shutil.rmtree(self.folder, ignore_errors=True)
