"""Programs from Debian packages that cannot be installed beside Dovecot's: of the packages of IMAP servers one may be installed.

The packages are downloaded once, into `.build/servers`, and unpacked into a folder of the scenario's. They are not installed: no service is started,
and nothing else of the machine is changed. The libraries are those that the packages in the README do not bring along.
"""
import fcntl
import glob
import os
import subprocess

PACKAGES = {
    "cyrus": ["cyrus-imapd", "cyrus-common", "libsasl2-modules", "libical3", "libjansson4", "libpcre3", "libpq5", "libxapian30", "libxml2"],
    "courier": ["courier-imap", "courier-base", "courier-authlib", "libcourier-unicode4", "gamin", "libgamin0", "libpcre3"],
}
DOWNLOADS = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../.build/servers"))


def downloaded(name):
    """The packages of a server, as files."""
    folder = os.path.join(DOWNLOADS, name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = [glob.glob(os.path.join(folder, f"{package}_*.deb")) for package in PACKAGES[name]]
        if not all(found):
            command = ["apt-get", "download", *PACKAGES[name]]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, f"{' '.join(command)} needs a network and the lists of `apt-get update`: {done.stderr}"
            found = [glob.glob(os.path.join(folder, f"{package}_*.deb")) for package in PACKAGES[name]]
    return [files[0] for files in found]


class Programs:
    """The programs of one server below `root`, and the environment that they run in."""

    def __init__(self, name, root):
        self.root = root
        for package in downloaded(name):
            subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
        # The package's folders are its own; this one is read by whoever runs the server.
        os.chmod(root, 0o755)
        libraries = [folder for pattern in ("usr/lib/*-linux-gnu", "lib/*-linux-gnu", "usr/lib") for folder in glob.glob(self.path(pattern))]
        self.environment = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": ":".join(libraries),
                            "SASL_PATH": ":".join(os.path.join(folder, "sasl2") for folder in libraries)}

    def path(self, name):
        return os.path.join(self.root, name)


if __name__ == "__main__":
    for server in PACKAGES:
        downloaded(server)
