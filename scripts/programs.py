#!/usr/bin/env python3
"""Runs programs in JSON as the Tornado code that squall shows of them, under the installed Tornado, and compares what is printed.

    python3 scripts/programs.py [FILE.json..]

It needs `target/debug/squall`, or the command that `SQUALL` names. Without files it takes those of `tests/conformance/hand`.
"""
import asyncio
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import originals
from tornado import gen, ioloop, locks, queues, util  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parent.parent
SQUALL = os.environ.get("SQUALL", ROOT / "target/debug/squall")

# Programs that print something else, and why.
KNOWN = {
    "gen_raise_stored_exception": "an exception that is kept in a variable is printed without its type",
    "lang_expressions": "objects are printed in words of their own",
    "loop_future_misuse": "Python's messages of InvalidStateError",
    "periodic_overrun": "work takes exactly a period, and the rounding of floats decides whether it is over in time",
}


def shown(path):
    """Returns the Tornado code of a program."""
    command = [SQUALL, "trace", path, "--format", "tornado"]
    return subprocess.run(command, capture_output=True, text=True).stdout


def on_squall(path):
    """Returns what a program prints."""
    return subprocess.run([SQUALL, "run", path], capture_output=True, text=True).stdout


def plain(text):
    """Returns what is printed without what Python says in words of its own."""
    text = re.sub("yielded unknown object .*", "yielded unknown object", text)
    return text.replace("integer division or modulo by zero", "division by zero")


def perform(path):
    """Runs a file on a clock that jumps, and that code which blocks moves on."""
    loop = originals.VirtualLoop()
    asyncio.set_event_loop(loop)
    ioloop.IOLoop.time = lambda self: self.asyncio_loop.time()

    def blocks(seconds):
        loop.selector.ahead += seconds
    time.sleep = blocks
    namespace = {"__name__": "__main__"}
    exec(compile(path.read_text(), str(path), "exec"), namespace)


def main():
    files = [pathlib.Path(name) for name in sys.argv[1:]] or sorted((ROOT / "tests/conformance/hand").glob("*.json"))
    originals.perform = perform
    different, left_out = [], []
    with tempfile.TemporaryDirectory() as directory:
        for file in files:
            code = shown(file)
            program = pathlib.Path(directory, file.stem + ".py")
            program.write_text(code)
            if "run_in_executor" in code:
                left_out.append(file.stem)
                continue
            ours = plain(on_squall(file))
            theirs, ended = originals.printed(program)
            theirs = plain(theirs)
            # squall goes on with the next line of a program after a run that raised.
            same = theirs == ours or not ended and ours.startswith(theirs)
            if same == (file.stem in KNOWN):
                different.append(file.stem)
                print(f"{file.stem}: " + ("prints the same, although it is known not to" if same else "prints something else"))
                sys.stdout.writelines(line + "\n" for line in difflib.unified_diff(ours.splitlines(), theirs.splitlines(), "squall", "Tornado", lineterm=""))
    known = sum(file.stem in KNOWN for file in files)
    same = len(files) - len(left_out) - known - len(different)
    print(f"{same} programs print the same as Tornado code, {known} known ones do not, {len(left_out)} run code on threads")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
