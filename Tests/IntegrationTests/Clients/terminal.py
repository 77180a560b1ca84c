"""Mail programs that need a terminal."""
import os
import pty
import select
import time


class Terminal:
    """A program in a terminal of 80 by 24."""

    def __init__(self, *words, **environment):
        self.shown = b""
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="vt100", LINES="24", COLUMNS="80", LC_ALL="C.UTF-8", **environment)
            os.execvp(words[0], words)

    def type(self, text):
        os.write(self.file, text.encode())

    def wait_for(self, text, seconds=30):
        end = time.time() + seconds
        while text.encode() not in self.shown:
            assert time.time() < end, (text, self.shown[-3000:])
            if select.select([self.file], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self.file, 65536)
                except OSError:
                    raise AssertionError((text, self.shown[-3000:])) from None

    def clear(self):
        self.shown = b""

    def end(self, seconds=60):
        """Waits until the program ends, and returns its exit status."""
        end = time.time() + seconds
        while True:
            assert time.time() < end, self.shown[-3000:]
            if select.select([self.file], [], [], 0.2)[0]:
                try:
                    octets = os.read(self.file, 65536)
                except OSError:
                    # The terminal has no more writer.
                    break
                self.shown += octets
                if not octets:
                    break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
