"""How scenarios judge time. A machine with two cores that runs other tests makes everything slow: what counts is the
time in which nothing on it waited for a processor, and work of the processor by a piece of work measured in the same
run."""
import hashlib
import threading
import time

PRESSURE = "/proc/pressure/cpu"


class Lateness:
    """Measures the delay of a sleeping thread, for kernels without pressure information."""

    STEP = 0.02

    def __init__(self):
        self.seconds = 0.0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            begin = time.monotonic()
            time.sleep(self.STEP)
            self.seconds += max(0.0, time.monotonic() - begin - self.STEP)


def kernel_pressure():
    """Seconds since the start of the machine in which some task waited for a processor; None where it is not told."""
    try:
        with open(PRESSURE) as file:
            return int(file.readline().rsplit("total=", 1)[1]) / 1_000_000
    except (OSError, IndexError, ValueError):
        return None


LATENESS = Lateness() if kernel_pressure() is None else None


def waited():
    return LATENESS.seconds if LATENESS else kernel_pressure()


class Watch:
    """A stopwatch that starts when it is created."""

    def __init__(self):
        self.begin, self.waited = time.monotonic(), waited()

    @property
    def elapsed(self):
        """Seconds of the clock, for events that must not come too early."""
        return time.monotonic() - self.begin

    @property
    def seconds(self):
        """Seconds in which no task waited for a processor, for events that must not come too late."""
        return max(0.0, self.elapsed - (waited() - self.waited))


def unit():
    """CPU seconds of a fixed piece of work on this machine now."""
    def once():
        begin = time.thread_time()
        octets = b""
        for number in range(45_000):
            octets = hashlib.sha256(octets + b"%d" % number).digest()
        return time.thread_time() - begin
    return sorted(once() for _ in range(5))[2]
