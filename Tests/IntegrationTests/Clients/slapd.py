"""A real OpenLDAP server of a scenario's own, whose people and groups the scenario writes."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from gateway import free_port
from upstreams import Authority

EXECUTABLE = shutil.which("slapd", path=os.environ["PATH"] + ":/usr/sbin:/usr/libexec")
MODULES = next((folder for folder in ("/usr/lib/ldap", "/usr/lib64/openldap") if os.path.isdir(folder)), None)
SUFFIX = "dc=kanzlei,dc=example"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
ADMINISTRATOR, SERVICE = f"cn=administrator,{SUFFIX}", f"cn=gatepost,{SUFFIX}"


def ldif(name, attributes):
    """The lines of an entry; an attribute may have one value or a list of them. Values are UTF-8 of one line."""
    lines = [f"dn: {name}"]
    for attribute, values in attributes.items():
        lines += [f"{attribute}: {value}" for value in ([values] if isinstance(values, str) else values)]
    return "\n".join(lines) + "\n\n"


class Slapd:
    """Listens on 127.0.0.1: `ldaps` is the port with TLS from the first octet, `ldap` the one for StartTLS. Without TLS, the
    server does nothing. `SERVICE` reads everything but passwords, people read their own entries, nobody else anything; the
    password of both accounts is `secret`.

    The certificate is for `localhost`, 127.0.0.1, and the name of this machine, which libldap expects for `localhost`. `names`
    and `certificate` (arguments of `Authority.make`) make another one. `overlays` are modules such as `memberof`, and `settings`
    are further lines of the database's configuration."""

    def __init__(self, overlays=(), settings="", names=None, **certificate):
        self.folder = tempfile.mkdtemp(prefix="slapd-")
        self.ldap, self.ldaps = free_port(), free_port()
        authority = Authority(self.folder)
        names = names or f"DNS:localhost,IP:127.0.0.1,DNS:{socket.gethostname()},DNS:{socket.getfqdn()}"
        pem, key = authority.make("server", names, **certificate)
        self.ca, self.other_ca = authority.trusted, authority.path("other-ca.pem")
        os.mkdir(self.path("data"))
        with open(self.path("slapd.conf"), "w") as file:
            file.write(self.configuration(pem, key, overlays, settings))
        self.process = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def configuration(self, certificate, key, overlays, settings):
        schemas = "".join(f"include /etc/ldap/schema/{name}.schema\n" for name in ("core", "cosine", "nis", "inetorgperson"))
        modules = "".join(f"moduleload {name}\n" for name in ("back_mdb", *overlays))
        return (f"{schemas}modulepath {MODULES}\n{modules}"
                f"pidfile {self.path('pid')}\n"
                f"TLSCACertificateFile {self.ca}\nTLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n"
                "TLSVerifyClient never\n"
                "security tls=1\n"
                f"database mdb\nmaxsize 268435456\ndbnosync\ndirectory {self.path('data')}\n"
                f"suffix {SUFFIX}\nrootdn {ADMINISTRATOR}\nrootpw secret\n"
                "index objectClass,uid,mail,member,uniqueMember,memberUid eq\n"
                "access to attrs=userPassword by anonymous auth by * none\n"
                f"access to * by dn.exact={SERVICE} read by self read by * none\n"
                f"{settings}\n" + "".join(f"overlay {name}\n" for name in overlays))

    def start(self):
        self.process = subprocess.Popen(
            [EXECUTABLE, "-f", self.path("slapd.conf"), "-d", "0",
             "-h", f"ldap://127.0.0.1:{self.ldap}/ ldaps://127.0.0.1:{self.ldaps}/"],
            stdout=subprocess.DEVNULL, stderr=open(self.path("log"), "ab"))
        end = time.time() + 30
        for port in (self.ldap, self.ldaps):
            while True:
                assert self.process.poll() is None and time.time() < end, open(self.path("log")).read()[-2000:]
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                time.sleep(0.02)

    def stop(self):
        if self.process and self.process.poll() is None:
            # A suspended process does not take the signal.
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def suspend(self):
        """No request is answered, and no connection ends."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def suspended(self):
        self.suspend()
        try:
            yield
        finally:
            self.resume()

    def tool(self, *words, stdin=None, status=0):
        """A tool of ldap-utils as the administrator. Only its own variables configure it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LDAP")}
        environment |= {"LDAPCONF": os.devnull, "LDAPRC": "none", "HOME": self.folder, "LDAPTLS_CACERT": self.ca,
                        "LDAPTLS_REQCERT": "demand"}
        done = subprocess.run(
            [words[0], "-x", "-H", f"ldaps://127.0.0.1:{self.ldaps}", "-D", ADMINISTRATOR, "-w", "secret", *words[1:]],
            input=stdin, text=True, capture_output=True, env=environment)
        assert status is None or done.returncode == status, (words, done)
        return done.stdout

    def add(self, name, **attributes):
        """Adds an entry."""
        self.tool("ldapadd", stdin=ldif(name, attributes))

    def add_all(self, entries):
        """Adds many entries: pairs of a name and its attributes."""
        self.tool("ldapadd", stdin="".join(ldif(name, attributes) for name, attributes in entries))

    def modify(self, name, operation, attribute, *values):
        """`operation` is add, delete or replace."""
        lines = [f"dn: {name}", "changetype: modify", f"{operation}: {attribute}", *(f"{attribute}: {v}" for v in values), "-"]
        self.tool("ldapmodify", stdin="\n".join(lines) + "\n")

    def delete(self, name):
        self.tool("ldapdelete", name)

    def search(self, filter, *attributes, base=SUFFIX):
        """The lines of the result, as LDIF."""
        return self.tool("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", base, filter, *attributes)

    @staticmethod
    def person(uid, mail=None, password=None, **attributes):
        """A name and attributes for `add_all`. Without a mail address, it is one of the office."""
        return f"uid={uid},{PEOPLE}", {
            "objectClass": "inetOrgPerson", "uid": uid, "cn": uid, "sn": uid, "mail": mail or f"{uid}@kanzlei.example",
            **({"userPassword": password} if password else {}), **attributes}

    def add_person(self, uid, mail=None, password=None, **attributes):
        """Adds a person, and returns the name."""
        name, attributes = self.person(uid, mail, password, **attributes)
        self.add(name, **attributes)
        return name

    def add_group(self, cn, *members):
        """Adds a group, and returns its name. Members are names of people and of groups, existing or not; a groupOfNames has at
        least one."""
        name = f"cn={cn},{GROUPS}"
        self.add(name, objectClass="groupOfNames", cn=cn, member=members)
        return name

    def add_posix_group(self, cn, number, *user_ids):
        name = f"cn={cn},{GROUPS}"
        self.add(name, objectClass="posixGroup", cn=cn, gidNumber=str(number),
                 **({"memberUid": user_ids} if user_ids else {}))
        return name

    def set_password(self, name, password):
        self.modify(name, "replace", "userPassword", password)

    def __enter__(self):
        try:
            self.start()
            self.add_all([
                (SUFFIX, {"objectClass": ["organization", "dcObject"], "dc": "kanzlei", "o": "Kanzlei"}),
                (PEOPLE, {"objectClass": "organizationalUnit", "ou": "people"}),
                (GROUPS, {"objectClass": "organizationalUnit", "ou": "groups"}),
                (SERVICE, {"objectClass": ["organizationalRole", "simpleSecurityObject"], "cn": "gatepost",
                           "userPassword": "secret"}),
            ])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
