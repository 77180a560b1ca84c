"""An LDAP server that answers for whom a scenario says: honest, except for the lies that it is told to tell."""
import collections
import shutil
import socket
import tempfile

from slapd import PEOPLE, SERVICE
from upstreams import Authority, Server, context

# Operations (RFC 4511 §4).
BIND, BOUND, UNBIND, SEARCH, ENTRY, DONE = 0x60, 0x61, 0x42, 0x63, 0x64, 0x65
REFERENCE, EXTENDED, EXTENDED_DONE = 0x73, 0x77, 0x78
SUCCESS, PROTOCOL_ERROR, REFERRAL, SASL_IN_PROGRESS, INVALID_CREDENTIALS = 0, 2, 10, 14, 49
WHO_AM_I = b"1.3.6.1.4.1.4203.1.11.3"
ELSEWHERE = "ldaps://elsewhere.test/dc=elsewhere,dc=test"

# `name` is that of a bind, `value` the password of a bind or what a search looks for.
Request = collections.namedtuple("Request", "id operation name value")


# -- BER (X.690), as far as LDAP uses it (RFC 4511 §5.1)


def element(tag, *contents):
    octets = b"".join(contents)
    size = bytes([len(octets)]) if len(octets) < 0x80 else b"\x84" + len(octets).to_bytes(4, "big")
    return bytes([tag]) + size + octets


def number(value, tag=0x02):
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def text(value, tag=0x04):
    return element(tag, value.encode())


def elements(octets):
    """The tags and contents of the elements in a row."""
    found = []
    while octets:
        tag, length, start = octets[0], octets[1], 2
        if length >= 0x80:
            start += length & 0x7F
            length = int.from_bytes(octets[2:start], "big")
        found.append((tag, octets[start:start + length]))
        octets = octets[start + length:]
    return found


# -- Messages of a server


def message(id, *operation):
    return element(0x30, number(id), *operation)


def result(id, tag, code=SUCCESS, *more):
    return message(id, element(tag, number(code, 0x0A), text(""), text(""), *more))


def referral(id, tag):
    return result(id, tag, REFERRAL, element(0xA3, text(ELSEWHERE)))


def entry(id, name, *addresses):
    """An entry with its mail addresses, or without the attribute."""
    attribute = element(0x30, text("mail"), element(0x31, *map(text, addresses)))
    return message(id, element(ENTRY, text(name), element(0x30, *([attribute] if addresses else []))))


def reference(id):
    return message(id, element(REFERENCE, text(ELSEWHERE)))


def found(id, *messages):
    """Messages and the end of a search."""
    return b"".join(messages) + result(id, DONE)


def identity(id, name):
    """The answer to "Who am I?" (RFC 4532)."""
    return result(id, EXTENDED_DONE, SUCCESS, text(name, 0x8B))


# -- The server


class LyingDirectory:
    """Listens on 127.0.0.1 with TLS: `ldaps` is the port, `ca` its authority.

    `lies[operation](connection, request)` sends another answer than the honest one; an EOFError ends the connection. The
    operations are "account" and "person" (a bind by the gateway or as somebody else), "search", "identity", and "connect",
    which is before the first request, without one."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="lying-directory-")
        authority = Authority(self.folder)
        self.ca = authority.trusted
        # libldap expects the name of this machine for `localhost`.
        names = f"DNS:localhost,IP:127.0.0.1,DNS:{socket.gethostname()},DNS:{socket.getfqdn()}"
        self.passwords, self.names, self.lies, self.told = {SERVICE: b"secret"}, {}, {}, 0
        self.server = Server(self.serve, context(authority.make("server", names)))
        self.ldaps = self.server.port

    def add_person(self, uid, address, password):
        name = f"uid={uid},{PEOPLE}"
        self.names[address.encode()], self.passwords[name] = name, password.encode()

    def tell(self, **lies):
        self.lies, self.told = lies, 0

    def serve(self, c):
        c.identity = ""
        self.answer(c, "connect", None, lambda: None)
        while True:
            request = self.request(c)
            if request.operation == BIND:
                self.answer(c, "account" if request.name == SERVICE else "person", request, lambda: self.bind(c, request))
            elif request.operation == SEARCH:
                self.answer(c, "search", request, lambda: self.search(c, request))
            elif request.operation == EXTENDED and request.value == WHO_AM_I:
                name = f"dn:{c.identity}" if c.identity else ""
                self.answer(c, "identity", request, lambda: c.send(identity(request.id, name)))
            else:
                raise EOFError

    def answer(self, c, operation, request, honest):
        if operation in self.lies:
            self.told += 1
            self.lies[operation](c, request)
        else:
            honest()

    def bind(self, c, request):
        """A simple bind without a password or a name succeeds as nobody (RFC 4513 §5.1.2)."""
        is_right = self.passwords.get(request.name) == request.value
        is_nobody = not request.name or not request.value
        c.identity = request.name if is_right else ""
        c.send(result(request.id, BOUND, SUCCESS if is_right or is_nobody else INVALID_CREDENTIALS))

    def search(self, c, request):
        name = self.names.get(request.value)
        c.send(found(request.id, *([entry(request.id, name, request.value.decode())] if name else [])))

    @staticmethod
    def request(c):
        octets = exactly(c, 2)
        if octets[1] >= 0x80:
            octets += exactly(c, octets[1] & 0x7F)
        length = octets[1] if octets[1] < 0x80 else int.from_bytes(octets[2:], "big")
        (_, id), (operation, content), *_ = elements(exactly(c, length))
        name, value = "", b""
        if operation == BIND:
            _, (_, name), (_, value) = elements(content)
            name = name.decode()
        elif operation == SEARCH:
            # The assertion of a filter such as (mail=clara@kanzlei.example).
            value = elements(elements(content)[6][1])[1][1]
        elif operation == EXTENDED:
            value = elements(content)[0][1]
        return Request(int.from_bytes(id, "big"), operation, name, value)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def exactly(c, count):
    octets = b""
    while len(octets) < count:
        part = c.raw.recv(count - len(octets))
        if not part:
            raise EOFError
        octets += part
    return octets


def cut(c, octets):
    """Sends the first half of an answer, and ends the connection."""
    c.send(octets[:len(octets) // 2])
    raise EOFError


def ignored(c, octets):
    """Sends an answer that the client should ignore, and waits a moment only for what it sends else."""
    c.send(octets)
    c.raw.settimeout(1)
