"""Runs the example `server` for the scripts that try it from outside."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TORNADO, WEBSOCKETS = "tornado==6.5.2", "websockets==15.0.1"


def need_packages(*requirements):
    """Goes on in a fresh virtual environment if one of the packages is missing, and never returns in that case."""
    try:
        for requirement in requirements:
            __import__(requirement.partition("==")[0])
        return
    except ImportError:
        if os.environ.get("SQUALL_SCRIPT_VENV"):
            raise
    with tempfile.TemporaryDirectory(prefix="squall-venv-") as directory:
        create_environment(directory)
        python = str(Path(directory, "bin", "python"))
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements],
                       check=True)
        environment = dict(os.environ, SQUALL_SCRIPT_VENV=directory)
        status = subprocess.run([python, *sys.argv], env=environment).returncode
    sys.exit(status)


def create_environment(directory):
    """Makes a virtual environment. Debian's python3 has the module for it in a package of its own."""
    try:
        venv.create(directory, with_pip=True)
    except subprocess.CalledProcessError:
        apt_install("python3-venv")
        venv.create(directory, with_pip=True, clear=True)


def apt_install(package):
    """Installs a package of Debian's, where there is apt-get and this user may do so."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", package], **quiet)


def need_program(name):
    """Installs a program if it is missing."""
    if shutil.which(name) is None:
        apt_install(name)
    if shutil.which(name) is None:
        sys.exit(f"this script needs {name}")


class Server:
    """The example server as a process of its own, on a free port. A context manager that ends it."""

    def __init__(self, binary, *arguments, descriptors=None):
        command = [str(binary), "127.0.0.1:0", *map(str, arguments)]
        if descriptors is not None:
            command = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh", *command]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log)
        self.url = self.process.stdout.readline().decode().strip()
        match = re.fullmatch(r"https?://([0-9.]+):(\d+)", self.url)
        if match is None:
            self.process.kill()
            sys.exit(f"{binary} does not print its address: {self.logged()}")
        self.address = (match[1], int(match[2]))

    def logged(self):
        """What the server has written to its log so far."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def rss(self, field="VmRSS"):
        """The server's memory in bytes: `VmRSS` is now, `VmHWM` the most so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024

    def descriptors(self):
        """The number of the server's open descriptors."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu(self):
        """The seconds of processor time that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def terminate(self):
        """Asks the server to stop, as an operator does."""
        self.process.send_signal(signal.SIGTERM)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
