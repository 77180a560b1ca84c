"""Real mail programs through the gateway. Each function is one scenario; the first argument names it."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from scenarios import ANNA, BOB, CA, CLARA, IMAPS, INFO, SHARED, append, granted, owner, run_scenario
from terminal import Terminal

MESSAGES = 1000
MASS = "Masse"


def curl(path, *options, user=ANNA):
    done = subprocess.run(
        ["curl", "-sS", "--cacert", CA, "-u", f"{user}:pw-{user.split('@')[0]}", *options,
         f"imaps://localhost:{IMAPS}/{path}"], capture_output=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def quoted(name):
    return "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in name)


def message(number):
    """Messages as they come: octets above ASCII, long lines, dots, `From ` at the start of a line."""
    body = "\r\n".join([
        f"Nummer {number}", ".", "..", "From dem Amtsgericht", "\u00dcberl\u00e4nge " * (number % 50),
        "x" * (number * 7 % 3000), "* 1 FETCH (FLAGS ())", "a1 OK nicht wahr", "{5}", ")",
    ])
    return (f"From: <post@gericht.example>\r\nTo: <{BOB}>\r\nSubject: Masse {number}\r\n"
            f"Message-ID: <masse.{number}@gericht.example>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            f"{body}\r\n").encode()


def stored(folder):
    """The messages of a Maildir folder by Message-ID, with CR LF, without mbsync's own header."""
    found = {}
    for part in ("cur", "new"):
        for name in os.listdir(os.path.join(folder, part)):
            with open(os.path.join(folder, part, name), "rb") as file:
                octets = re.sub(rb"\r?\n", b"\r\n", file.read())
            octets = re.sub(rb"^X-TUID: [^\r]*\r\n", b"", octets, flags=re.M)
            identifier = re.search(rb"^Message-ID: (\S+)", octets, re.M | re.I).group(1)
            assert identifier not in found, ("twice", identifier)
            found[identifier] = (octets, name.rpartition(":2,")[2] if ":2," in name else "")
    return found


def mbsync(folder, path, patterns, options, status=0, login=(IMAPS, ANNA, "pw-anna", CA)):
    """Runs mbsync once. `login` is port, user, password and authority; any status will do if it is None."""
    port, user, password, authority = login
    configuration = os.path.join(folder, "mbsyncrc")
    with open(configuration, "w") as file:
        file.write(f"""
IMAPAccount gateway
Host localhost
Port {port}
User {user}
Pass {password}
SSLType IMAPS
CertificateFile {authority}
Timeout 60

IMAPStore far
Account gateway
Path "{path}"

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns {patterns}
{options}
SyncState *
""")
    os.makedirs(os.path.join(folder, "mail"), exist_ok=True)
    done = subprocess.run(["mbsync", "-c", configuration, "all"], capture_output=True, text=True, timeout=300)
    assert status is None or done.returncode == status, done
    return done.stdout + done.stderr


def curl_lists_reads_and_is_refused():
    m = owner(BOB, int(os.environ["SECOND_PORT"]))
    m.create("Lesen")
    append(m, "Lesen", "mit curl")
    status, text = curl("")
    assert status == 0 and f"{SHARED}/Lesen".encode() in text, text
    status, text = curl(quoted(f"{SHARED}/Lesen") + "/;UID=1")
    assert status == 0 and b"mit curl" in text, text
    status, text = curl(quoted(f"Other Users/{CLARA}/INBOX") + "/;UID=1")
    assert status == 67 and b"failed" in text.lower() and b"Clara" not in text, (status, text)
    status, text = curl("", user="nobody@kanzlei.example")
    assert status == 67, (status, text)


def mbsync_mirrors_a_shared_account():
    """A thousand messages come through octet for octet, and a mirror changes nothing there."""
    m = owner(BOB, int(os.environ["SECOND_PORT"]))
    m.create(MASS)
    for number in range(MESSAGES):
        assert m.append(MASS, r"(\Flagged)" if number % 3 == 0 else None, None, message(number))[0] == "OK"
    folder = tempfile.mkdtemp(prefix="mbsync-")
    try:
        mbsync(folder, f"{SHARED}/", f'"{MASS}" "INBOX"', "Sync Pull\nCreate Near")
        near = stored(os.path.join(folder, "mail", MASS))
        far = stored(os.path.join(os.environ["SECOND"], BOB, "." + MASS))
        assert len(near) == len(far) == MESSAGES, (len(near), len(far))
        for identifier, (octets, flags) in far.items():
            assert near[identifier][0] == octets, (identifier, near[identifier][0], octets)
            assert ("F" in near[identifier][1]) == ("F" in flags), identifier
            assert "S" not in flags, ("marked as seen", identifier)
        mbsync(folder, f"{SHARED}/", f'"{MASS}"', "Sync Pull\nCreate Near")
        assert len(stored(os.path.join(folder, "mail", MASS))) == MESSAGES
    finally:
        shutil.rmtree(folder)


def mbsync_works_both_ways():
    """In a function mailbox that may be edited: what is new, flagged and deleted goes both ways."""
    gatepost_grant = granted(INFO, ANNA, "--manage")
    m = owner(INFO, int(os.environ["FIRST_PORT"]))
    m.create("Abgleich")
    for number in range(50):
        m.append("Abgleich", None, None, message(number))
    folder = tempfile.mkdtemp(prefix="mbsync-")
    options = "Sync All\nCreate Both\nExpunge Both"
    try:
        with gatepost_grant:
            mbsync(folder, f"Shared/{INFO}/", '"Abgleich"', options)
            near = os.path.join(folder, "mail", "Abgleich")
            assert len(stored(near)) == 50
            for number in range(50, 80):
                with open(os.path.join(near, "new", f"{number}.neu.hier"), "wb") as file:
                    file.write(message(number).replace(b"\r\n", b"\n"))
            gone = sorted(os.listdir(os.path.join(near, "cur")) + os.listdir(os.path.join(near, "new")))
            gone = [name for name in gone if not name.endswith(".neu.hier")][0]
            part = "cur" if os.path.exists(os.path.join(near, "cur", gone)) else "new"
            base = gone.partition(":2,")[0]
            os.rename(os.path.join(near, part, gone), os.path.join(near, "cur", base + ":2,T"))
            m.select("Abgleich")
            m.store("50", "+FLAGS", r"(\Flagged)")
            m.unselect()
            mbsync(folder, f"Shared/{INFO}/", '"Abgleich"', options)
            here, there = stored(near), stored(os.path.join(os.environ["FIRST"], INFO, ".Abgleich"))
            assert len(here) == len(there) == 79, (len(here), len(there))
            for identifier, (octets, _) in there.items():
                assert here[identifier][0] == octets, identifier
            assert sum("F" in flags for _, flags in here.values()) == 1
    finally:
        shutil.rmtree(folder)


def mutt_reads_a_shared_folder():
    m = owner(BOB, int(os.environ["SECOND_PORT"]))
    m.create("Terminal")
    append(m, "Terminal", "Gruss aus dem Terminal")
    folder = tempfile.mkdtemp(prefix="mutt-")
    with open(os.path.join(folder, "muttrc"), "w") as file:
        file.write(f"""
set imap_user="{ANNA}"
set imap_pass="pw-anna"
set ssl_ca_certificates_file="{CA}"
set certificate_file="{CA}"
set ssl_starttls=yes
set folder="imaps://localhost:{IMAPS}/"
set imap_delim_chars="/"
set header_cache=""
set sort=date
set sleep_time=0
set confirmappend=no
""")
    try:
        t = Terminal("mutt", "-n", "-F", os.path.join(folder, "muttrc"), "-f", f"={SHARED}/Terminal", HOME=folder)
        t.wait_for("Gruss aus dem Terminal")
        t.clear()
        t.type("\r")
        t.wait_for("Gruss aus dem Terminal")
        t.type("q")
        t.clear()
        # Deleting is refused before it is tried: the folder is read-only.
        t.type("d")
        t.wait_for("read-only")
        t.type("x")
        os.waitpid(t.pid, 0)
        m.select("Terminal", readonly=True)
        assert b"\\Seen" not in m.fetch("1", "(FLAGS)")[1][0]
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    run_scenario(globals(), sys.argv[1])
