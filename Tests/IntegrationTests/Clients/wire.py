"""A plain IMAP client over TLS: it sends what it is told and shows what comes, word for word."""
import re
import socket
import ssl


class Wire:
    def __init__(self, port, ca, tls=True, timeout=20):
        self.raw = socket.create_connection(("localhost", port), timeout)
        self.context = ssl.create_default_context(cafile=ca)
        self.buffer = b""
        self.count = 0
        if tls:
            self.start_tls()
        self.greeting = self.line()

    def start_tls(self):
        self.raw = self.context.wrap_socket(self.raw, server_hostname="localhost")

    def send(self, octets):
        self.raw.sendall(octets)

    def fill(self):
        octets = self.raw.recv(65536)
        if not octets:
            raise EOFError(self.buffer)
        self.buffer += octets

    def line(self):
        while b"\r\n" not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def exactly(self, count):
        while len(self.buffer) < count:
            self.fill()
        octets, self.buffer = self.buffer[:count], self.buffer[count:]
        return octets

    def response(self):
        """One response with its literals in line."""
        whole = self.line()
        last = whole
        while (m := re.search(rb"\{(\d+)\}$", last)) and whole.startswith(b"* ") \
                and not re.match(rb"\* (OK|NO|BAD|BYE) ", whole):
            whole += b"\r\n" + self.exactly(int(m.group(1)))
            last = self.line()
            whole += last
        return whole

    def until(self, tag):
        """Responses up to the tagged one, which comes last."""
        found = []
        while True:
            found.append(self.response())
            if found[-1].startswith(tag + b" "):
                return found

    def command(self, text):
        self.count += 1
        tag = b"t%d" % self.count
        self.send(tag + b" " + (text.encode() if isinstance(text, str) else text) + b"\r\n")
        return self.until(tag)

    def answer(self, text):
        """The tagged answer without its tag."""
        return self.command(text)[-1].split(b" ", 1)[1].decode()

    def ok(self, text):
        found = self.command(text)
        assert b" OK" in found[-1], (text, found)
        return found[:-1]

    def until_untagged(self, word, ask=None):
        """The next untagged response with a word, of those a server sends by itself or when asked."""
        while True:
            for line in ask() if ask else [self.response()]:
                if line.startswith(b"* ") and word in line:
                    return line

    def login(self, name, password):
        return self.ok(f'LOGIN "{name}" "{password}"')

    def closed(self):
        try:
            while True:
                self.fill()
        except (EOFError, ConnectionError, ssl.SSLError):
            return True
