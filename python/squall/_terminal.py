"""The stepper in the terminal, which is a part of the command `squall`: it reads the trace that was recorded here."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path


class NoStepper(Exception):
    """The trace cannot be stepped through in the terminal; says why."""


def step(trace, options):
    """Steps through a trace until the reader quits."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoStepper("This is not a terminal.")
    command = find()
    if command is None:
        raise NoStepper("The stepper in the terminal needs the command `squall`, which is not on the PATH.")
    with tempfile.TemporaryDirectory(prefix="squall-") as folder:
        file = Path(folder, "trace.jsonl")
        file.write_text(trace.jsonl(), encoding="utf-8")
        sys.stdout.flush()
        code = subprocess.run([command, "step", *options, str(file)]).returncode
    if code != 0:
        raise NoStepper(f"`{command} step` ended with {code}.")


def find():
    """Returns the path of the command `squall`: beside this Python, or on the PATH."""
    beside = [os.path.dirname(sys.executable), sysconfig.get_path("scripts")]
    found = (shutil.which("squall", path=path) for path in [*beside, None])
    return next((command for command in found if command and is_stepper(command)), None)


def is_stepper(command):
    """Returns whether that is squall's command, and not another one of that name."""
    try:
        asked = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and asked.stdout.startswith("squall ")
