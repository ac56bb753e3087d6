#!/usr/bin/env python3
"""Compares squall with CPython's Tornado and asyncio: nanoseconds per thing, and bytes per suspended coroutine.

    pip install ./python tornado==6.5.*
    python python/scripts/speed.py             the median of 5 rounds, in turn
    python python/scripts/speed.py 1           fewer rounds
    python python/scripts/speed.py 5 call done only these rows

The work is that of `scripts/tornado_rows.py`, in the same sizes. Each contestant has a process of its own; squall's and
Tornado's run the same program. `watched` repeats a row while the loop watches a descriptor.
"""

import asyncio
import gc
import importlib.util
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time

clock = time.perf_counter_ns
ROOT = pathlib.Path(__file__).resolve().parents[2]


def decorated_rows():
    """Returns the rows of Tornado's modules, and a function that runs one."""
    from tornado import gen, ioloop, locks, queues
    from tornado.concurrent import Future

    def ready(value):
        future = Future()
        future.set_result(value)
        return future

    @gen.coroutine
    def number(i):
        return i

    @gen.coroutine
    def call(n):
        start = clock()
        assert sum([number(i).result() for i in range(n)]) == n * (n - 1) // 2
        return clock() - start

    @gen.coroutine
    def done(n):
        future, total, start = ready(1), 0, clock()
        for _ in range(n):
            total += yield future
        assert total == n
        return clock() - start

    @gen.coroutine
    def turns(n):
        for _ in range(n):
            yield gen.moment

    def moment(coroutines):
        @gen.coroutine
        def run(n):
            start = clock()
            yield [turns(n // coroutines) for _ in range(coroutines)]
            return clock() - start

        return run

    async def native_turns(n):
        for _ in range(n):
            await asyncio.sleep(0)

    async def native_moment(n):
        start = clock()
        await gen.multi([native_turns(n // 1000) for _ in range(1000)])
        return clock() - start

    @gen.coroutine
    def wait_for(future):
        return (yield future)

    async def native_wait_for(future):
        return await future

    def waiting(wait):
        async def run(n):
            start = clock()
            futures = [Future() for _ in range(n)]
            coroutines = [wait(future) for future in futures]
            await gen.sleep(0)
            for i, future in enumerate(futures):
                future.set_result(i)
            total = 0
            for coroutine in coroutines:
                total += await coroutine
            assert total == n * (n - 1) // 2
            return clock() - start

        return run

    @gen.coroutine
    def link(before):
        return (yield before) + 1

    async def chain(n):
        start = clock()
        bottom = last = Future()
        for _ in range(n):
            last = link(last)
        await gen.sleep(0)
        bottom.set_result(0)
        assert await last == n
        return clock() - start

    async def multi(n):
        futures = [Future() for _ in range(n)]
        start = clock()
        together = gen.multi(futures)
        for i, future in enumerate(futures):
            future.set_result(i)
        assert sum(await together) == n * (n - 1) // 2
        return clock() - start

    async def ping_pong(n):
        there, back = queues.Queue(), queues.Queue()

        async def answer():
            for _ in range(n):
                await back.put(await there.get() + 1)

        start = clock()
        answering, ball = gen.convert_yielded(answer()), 0
        for _ in range(n):
            await there.put(ball)
            ball = await back.get()
        await answering
        assert ball == n
        return clock() - start

    async def lock(n):
        shared, count = locks.Lock(), 0

        async def waiter():
            nonlocal count
            for _ in range(n // 1000):
                await shared.acquire()
                count += 1
                await asyncio.sleep(0)
                shared.release()

        start = clock()
        await gen.multi([waiter() for _ in range(1000)])
        assert count == n
        return clock() - start

    async def cancelled(n):
        loop = ioloop.IOLoop.current()
        start = clock()
        for timer in [loop.call_later(3600, lambda: None) for _ in range(n)]:
            loop.remove_timeout(timer)
        return clock() - start

    async def one_way(n):
        add, calls, finished = ioloop.IOLoop.current().add_callback, [0], Future()

        def count():
            calls[0] += 1
            if calls[0] == n:
                finished.set_result(None)

        start = clock()
        thread = threading.Thread(target=lambda: [add(count) for _ in range(n)])
        thread.start()
        await finished
        taken = clock() - start
        thread.join()
        return taken

    async def memory(n):
        """The bytes of a coroutine that waits for a Future, with that."""
        gc.collect()
        before = resident()
        futures = [Future() for _ in range(n)]
        coroutines = [wait_for(future) for future in futures]
        taken = resident() - before
        for future in futures:
            future.set_result(0)
        await gen.multi(coroutines)
        return taken

    rows = {
        "call": call,
        "done": done,
        "moment-1": moment(1),
        "moment-1000": moment(1000),
        "native-moment": native_moment,
        "waiting": waiting(wait_for),
        "native-waiting": waiting(lambda future: gen.convert_yielded(native_wait_for(future))),
        "chain": chain,
        "multi": multi,
        "queue-ping-pong": ping_pong,
        "lock": lock,
        "timers-cancelled": cancelled,
        "thread-one-way": one_way,
        "memory": memory,
    }

    def run(row, n):
        io_loop = ioloop.IOLoop(make_current=False)
        here, there = socket.socketpair()
        if row.startswith("watched-"):
            io_loop.add_handler(here, lambda *_: None, io_loop.READ)
        taken = io_loop.run_sync(lambda: rows[row.removeprefix("watched-")](n))
        io_loop.close()
        here.close()
        there.close()
        return taken

    return run


def asyncio_rows():
    """Returns a function that runs a row of `scripts/tornado_rows.py` on asyncio alone."""
    spec = importlib.util.spec_from_file_location("tornado_rows", ROOT / "scripts/tornado_rows.py")
    rows = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rows)
    natives = {name: native for name, _, _, native in rows.ROWS}
    natives["native-moment"], natives["native-waiting"] = natives["moment-1000"], natives["waiting"]

    async def memory(n):
        gc.collect()
        before = resident()
        futures = [asyncio.Future() for _ in range(n)]
        tasks = [asyncio.ensure_future(rows.native_wait_for(future)) for future in futures]
        await asyncio.sleep(0)
        taken = resident() - before
        for future in futures:
            future.set_result(0)
        await asyncio.gather(*tasks)
        return taken

    natives["memory"] = memory

    async def on_a_loop(row, n):
        here, there = socket.socketpair()
        loop = asyncio.get_running_loop()
        if row.startswith("watched-"):
            loop.add_reader(here, lambda: None)
        taken = await natives[row.removeprefix("watched-")](n)
        loop.remove_reader(here)
        here.close()
        there.close()
        return taken

    return lambda row, n: asyncio.run(on_a_loop(row, n))


def resident():
    """Returns the resident memory of the process in bytes."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


SIZES = {"chain": 10_000, "multi": 10_000}
ROWS = (
    "call", "done", "moment-1", "moment-1000", "native-moment", "waiting", "native-waiting", "chain", "multi",
    "queue-ping-pong", "lock", "timers-cancelled", "thread-one-way", "watched-moment-1", "watched-queue-ping-pong", "memory",
)  # fmt: skip


def contestant(who):
    """Runs the rows that are asked for on standard input, one a line."""
    if who == "squall":
        import squall

        squall.install()
    run = asyncio_rows() if who == "asyncio" else decorated_rows()
    for line in sys.stdin:
        row = line.strip()
        n = SIZES.get(row, 100_000)
        print(json.dumps(run(row, n) / n), flush=True)


def ask(process, row):
    process.stdin.write(row + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    start = lambda who: subprocess.Popen(
        [sys.executable, __file__, "--as", who], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    everyone = {who: start(who) for who in ("squall", "tornado", "asyncio")}
    print(f"| {'row':<24} | squall | tornado | asyncio | of tornado | of asyncio |")
    print("|---|---:|---:|---:|---:|---:|")
    for row in sys.argv[2:] or ROWS:
        if row == "memory":
            measured = {who: [ask(start(who), row)] for who in everyone}
        else:
            measured = {who: [] for who in everyone}
            for _ in range(rounds):
                for who, process in everyone.items():
                    measured[who].append(ask(process, row))
        ours, tornado, native = (statistics.median(times) for times in measured.values())
        print(
            f"| {row:<24} | {ours:6.0f} | {tornado:7.0f} | {native:7.0f} | {ours / tornado:10.2f} | {ours / native:10.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        contestant(sys.argv[2])
    else:
        main()
