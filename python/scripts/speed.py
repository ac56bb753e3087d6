#!/usr/bin/env python3
"""Compares squall with CPython's Tornado and asyncio: nanoseconds per thing, and bytes per suspended coroutine.

    pip install ./python tornado==6.5.*
    python python/scripts/speed.py                     the median of 5 rounds, in turn
    python python/scripts/speed.py 1                   fewer rounds
    python python/scripts/speed.py 5 call done         only these rows
    python python/scripts/speed.py instructions call   instructions instead of nanoseconds (needs valgrind)

The work is that of `scripts/python_rows.py`. Each contestant has a process of its own; squall's and Tornado's run the same
program. `watched-` repeats a row while the loop watches a descriptor. `http-hello` has the CPU time that Tornado's own web
server takes for a request on each loop, and `http-hello-wall` that of the clock on the wall.
"""

import asyncio
import functools
import gc
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

ROWS = (
    "call", "done", "moment-1", "moment-1000", "native-moment", "waiting", "native-waiting", "chain", "multi",
    "queue-ping-pong", "lock", "timers-cancelled", "thread-one-way",
)  # fmt: skip
OTHERS = ("http-hello", "http-hello-wall", "memory")
WATCHED = tuple(f"watched-{row}" for row in ROWS)
CONTESTANTS = ("squall", "tornado", "asyncio")
SIZES = {"http-hello": 8_000, "http-hello-wall": 8_000}


def memory(Future, wait_for, wait):
    """Returns the row of the bytes of a coroutine that waits for a Future, with that Future."""

    async def run(n):
        gc.collect()
        before = resident()
        futures = [Future() for _ in range(n)]
        coroutines = [wait_for(future) for future in futures]
        await asyncio.sleep(0)
        taken = resident() - before
        for future in futures:
            future.set_result(0)
        await wait(coroutines)
        return taken

    return run


def resident():
    """Returns the resident memory of the process in bytes."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


def rows_of(who):
    """Returns the rows of a contestant, and their sizes."""
    if who == "squall":
        import squall

        squall.install()
    import http_hello
    import python_rows as rows

    native = who == "asyncio"
    all_of_them = rows.ASYNCIO if native else rows.TORNADO
    wait_for = rows.asyncio_call_of(rows.native_wait_for) if native else rows.wait_for
    wait = rows.gather if native else rows.gen.multi
    others = {
        "http-hello": http_hello.hello(rows.clock),
        "http-hello-wall": http_hello.hello(rows.wall_clock),
        "memory": memory(asyncio.Future if native else rows.Future, wait_for, wait),
    }
    return all_of_them | others, lambda row: SIZES.get(row) or rows.size(row)


async def watching(run, row, n):
    """Does a row, while the loop watches a descriptor if the row is a watched one."""
    if not row.startswith("watched-"):
        return await run(n)
    loop = asyncio.get_running_loop()
    here, there = socket.socketpair()
    with here, there:
        loop.add_reader(here, lambda: None)
        taken = await run(n)
        loop.remove_reader(here)
    return taken


def contestant(who):
    """Does the rows that are asked for on standard input, one a line: a row, and how many things or nothing."""
    rows, size = rows_of(who)
    for line in sys.stdin:
        row, *n = line.split()
        n = int(n[0]) if n else size(row.removeprefix("watched-"))
        work = functools.partial(watching, rows[row.removeprefix("watched-")], row, n)
        if who == "asyncio":
            taken = asyncio.run(work())
        else:
            from tornado import ioloop

            io_loop = ioloop.IOLoop(make_current=False)
            taken = io_loop.run_sync(work)
            io_loop.close()
        print(json.dumps(taken / n), flush=True)


def start(who, *before):
    command = [*before, sys.executable, __file__, "--as", who]
    env = os.environ | {"PYTHONHASHSEED": "0"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def ask(process, row):
    process.stdin.write(row + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        sys.exit(process.communicate()[1])
    return json.loads(answer)


def times(rounds, rows):
    """Yields each row with the median of each contestant."""
    everyone = {who: start(who) for who in CONTESTANTS}
    for row in rows:
        if row == "memory":
            # In a process that has freed nothing yet.
            yield row, [ask(start(who), row) for who in CONTESTANTS]
        else:
            measured = [[ask(process, row) for process in everyone.values()] for _ in range(rounds)]
            yield row, [statistics.median(column) for column in zip(*measured)]


def instructions(rows):
    """Yields each row with the instructions for one thing: the difference of two sizes, in processes of their own."""
    few, many = 2_000, 12_000
    count = re.compile(r"I\s+refs:\s+([\d,]+)")
    valgrind = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")

    def counted(who, row, n):
        # The first two only let the program get going.
        _, told = start(who, *valgrind).communicate(f"{row} 1000\n{row} 1000\n{row} {n}\n")
        return int(count.search(told)[1].replace(",", ""))

    for row in rows:
        yield row, [(counted(who, row, many) - counted(who, row, few)) / (many - few) for who in CONTESTANTS]


def main():
    first, *rows = sys.argv[1:] or ["5"]
    if first == "instructions":
        table = instructions(rows or ROWS)
    else:
        table = times(int(first), rows or ROWS + OTHERS + WATCHED)
    print(f"| {'row':<24} | squall | tornado | asyncio | of tornado | of asyncio |")
    print("|---|---:|---:|---:|---:|---:|")
    for row, (ours, tornado, native) in table:
        print(
            f"| {row:<24} | {ours:6.0f} | {tornado:7.0f} | {native:7.0f} | {ours / tornado:10.2f} | {ours / native:10.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        contestant(sys.argv[2])
    else:
        main()
