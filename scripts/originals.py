#!/usr/bin/env python3
"""Runs the Tornado original of each lesson under the installed Tornado, and compares what it prints with the lesson.

    python3 scripts/originals.py [LESSON..]

It needs `target/debug/squall`, or the command that `SQUALL` names. Originals that only sleep run on a clock that jumps, so a
minute takes no time. Those with sockets or threads run in real time, which is less than a second for each.
"""
import asyncio
import difflib
import os
import pathlib
import re
import runpy
import selectors
import subprocess
import sys

# Loaded once: each original runs in a copy of this process.
from tornado import gen, httpclient, httpserver, ioloop, iostream, locks, queues, tcpclient, tcpserver, testing, web  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parent.parent
LESSONS = ROOT / "src/bin/squall/lessons"
SQUALL = os.environ.get("SQUALL", ROOT / "target/debug/squall")

# What a lesson does that Tornado cannot do: `explore` tries every order of events.
OURS = re.compile(r"order \d+: v1:.*\n")


class Jumping(selectors.DefaultSelector):
    """A selector under which the time of the loop jumps to the next timer."""
    ahead = 0.0

    def select(self, timeout=None):
        if timeout is None:
            raise RuntimeError("nothing that is left can wake the loop")
        self.ahead += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.selector = Jumping()
        super().__init__(self.selector)

    def time(self):
        return self.selector.ahead


def perform(path):
    """Runs an original in this process."""
    if not re.search("socket|ThreadPoolExecutor", path.read_text()):
        asyncio.set_event_loop(VirtualLoop())
        ioloop.IOLoop.time = lambda self: self.asyncio_loop.time()
    runpy.run_path(str(path), run_name="__main__")


def printed(path):
    """Runs an original in a copy of this process, and returns what it printed, and whether it ended well."""
    read, write = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.dup2(write, 1)
        # Warnings and logged exceptions are part of some lessons.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        status = 1
        try:
            perform(path)
            sys.stdout.flush()
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with open(read, encoding="utf-8") as file:
        text = file.read()
    return text, os.waitpid(child, 0)[1] == 0


def main(names):
    listed = subprocess.run([SQUALL, "lessons"], check=True, capture_output=True, text=True).stdout
    lessons = re.findall(r"^  (\w+) ", listed, re.M)
    missing = {path.parent.name for path in LESSONS.glob("*/tornado.py")} ^ set(lessons)
    if missing:
        sys.exit(f"lessons without an original, or originals without a lesson: {missing}")
    failed = 0
    for name in names or lessons:
        run = subprocess.run([SQUALL, "run", name], capture_output=True, text=True)
        ours = OURS.sub("", run.stdout)
        theirs, well = printed(LESSONS / name / "tornado.py")
        if not well or ours != theirs:
            failed += 1
            print(f"{name}: Tornado prints something else" if well else f"{name}: the original failed")
            sys.stdout.writelines(difflib.unified_diff(theirs.splitlines(True), ours.splitlines(True), "Tornado", "squall"))
    print(f"{len(names or lessons) - failed} originals print what their lessons print")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main(sys.argv[1:])
