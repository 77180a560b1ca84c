"""A source of logins that hangs, beside one that does not."""
import time

# More than a source has threads.
LOGINS = 40


def delays_no_password_login(gateway, source, begin):
    """Checks that Clara logs in with her password in the store while the logins of a source wait; returns their connections.

    `begin(number)` sends a login that the hanging source decides, and returns its connection; `source` is its name."""
    waiting = [begin(number) for number in range(LOGINS)]
    time.sleep(0.5)
    slowest = 0
    for _ in range(5):
        start = time.monotonic()
        gateway.wire()
        slowest = max(slowest, time.monotonic() - start)
    print(f"password login beside a hanging {source}: {slowest:.2f} s")
    assert slowest < 3, slowest
    return waiting
