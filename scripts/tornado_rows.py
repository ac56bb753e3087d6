#!/usr/bin/env python3
"""The rows of `cargo bench --bench peers` that Tornado and asyncio have too, for scale.

    pip install tornado==6.5.2
    scripts/tornado_rows.py            nanoseconds per thing: the median of 5 rounds, in turn
    scripts/tornado_rows.py 1          fewer rounds

The same work in the same sizes as in benches/peers/rows: see there for what each row does.
"""

import asyncio
import statistics
import sys
import threading
import time

from tornado import gen, ioloop, locks, queues

clock = time.perf_counter_ns


@gen.coroutine
def number(i):
    return i


async def tornado_call(n):
    start = clock()
    assert sum([number(i).result() for i in range(n)]) == n * (n - 1) // 2
    return clock() - start


async def asyncio_call(n):
    async def native(i):
        return i

    start = clock()
    total = 0
    for i in range(n):
        total += await asyncio.ensure_future(native(i))
    assert total == n * (n - 1) // 2
    return clock() - start


@gen.coroutine
def tornado_done(n):
    done = asyncio.Future()
    done.set_result(1)
    start = clock()
    total = 0
    for _ in range(n):
        total += yield done
    assert total == n
    return clock() - start


async def asyncio_done(n):
    done = asyncio.Future()
    done.set_result(1)
    start = clock()
    total = 0
    for _ in range(n):
        total += await done
    assert total == n
    return clock() - start


@gen.coroutine
def turns(n):
    for _ in range(n):
        yield gen.moment


async def native_turns(n):
    for _ in range(n):
        await asyncio.sleep(0)


def tornado_moment(coroutines):
    async def run(n):
        start = clock()
        await gen.multi([turns(n // coroutines) for _ in range(coroutines)])
        return clock() - start
    return run


def asyncio_moment(coroutines):
    async def run(n):
        start = clock()
        await asyncio.gather(*[native_turns(n // coroutines) for _ in range(coroutines)])
        return clock() - start
    return run


@gen.coroutine
def wait_for(future):
    return (yield future)


async def native_wait_for(future):
    return await future


def waiting(call):
    async def run(n):
        start = clock()
        futures = [asyncio.Future() for _ in range(n)]
        coroutines = [call(future) for future in futures]
        await asyncio.sleep(0)
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


async def native_link(before):
    return await before + 1


def chain(call):
    async def run(n):
        start = clock()
        bottom = last = asyncio.Future()
        for _ in range(n):
            last = call(last)
        await asyncio.sleep(0)
        bottom.set_result(0)
        assert await last == n
        return clock() - start
    return run


def together(wait):
    async def run(n):
        futures = [asyncio.Future() for _ in range(n)]
        start = clock()
        all_of_them = wait(futures)
        for i, future in enumerate(futures):
            future.set_result(i)
        assert sum(await all_of_them) == n * (n - 1) // 2
        return clock() - start
    return run


def ping_pong(queue):
    async def run(n):
        there, back = queue(), queue()

        async def answer():
            for _ in range(n):
                await back.put(await there.get() + 1)

        start = clock()
        answering = asyncio.ensure_future(answer())
        ball = 0
        for _ in range(n):
            await there.put(ball)
            ball = await back.get()
        await answering
        assert ball == n
        return clock() - start
    return run


def lock(make):
    async def run(n):
        shared, count = make(), 0

        async def waiter():
            nonlocal count
            for _ in range(n // 1000):
                await shared.acquire()
                count += 1
                await asyncio.sleep(0)
                shared.release()

        start = clock()
        await asyncio.gather(*[waiter() for _ in range(1000)])
        assert count == n
        return clock() - start
    return run


async def tornado_cancelled(n):
    loop = ioloop.IOLoop.current()
    start = clock()
    for timer in [loop.call_later(3600, lambda: None) for _ in range(n)]:
        loop.remove_timeout(timer)
    return clock() - start


async def asyncio_cancelled(n):
    loop = asyncio.get_running_loop()
    start = clock()
    for timer in [loop.call_later(3600, lambda: None) for _ in range(n)]:
        timer.cancel()
    return clock() - start


def one_way(add_callback):
    async def run(n):
        add, calls, finished = add_callback(), [0], asyncio.Event()

        def count():
            calls[0] += 1
            if calls[0] == n:
                finished.set()

        start = clock()
        thread = threading.Thread(target=lambda: [add(count) for _ in range(n)])
        thread.start()
        await finished.wait()
        time_taken = clock() - start
        thread.join()
        return time_taken
    return run


# Each row: its name, the number of things, and the functions that do it.
ROWS = [
    ("call", 100_000, tornado_call, asyncio_call),
    ("done", 100_000, tornado_done, asyncio_done),
    ("moment-1", 100_000, tornado_moment(1), asyncio_moment(1)),
    ("moment-1000", 100_000, tornado_moment(1000), asyncio_moment(1000)),
    ("waiting", 100_000, waiting(wait_for), waiting(lambda f: asyncio.ensure_future(native_wait_for(f)))),
    ("chain", 10_000, chain(link), chain(lambda f: asyncio.ensure_future(native_link(f)))),
    ("multi", 10_000, together(gen.multi), together(lambda futures: asyncio.gather(*futures))),
    ("queue-ping-pong", 100_000, ping_pong(queues.Queue), ping_pong(asyncio.Queue)),
    ("lock", 100_000, lock(locks.Lock), lock(asyncio.Lock)),
    ("timers-cancelled", 100_000, tornado_cancelled, asyncio_cancelled),
    ("thread-one-way", 100_000, one_way(lambda: ioloop.IOLoop.current().add_callback),
     one_way(lambda: asyncio.get_running_loop().call_soon_threadsafe)),
]


async def on_a_loop(run, n):
    return await run(n)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"| {'row':<16} | {'things':>8} | {'tornado':>9} | {'asyncio':>9} |")
    print("|---|---:|---:|---:|")
    for row, n, *contestants in ROWS:
        times = [[asyncio.run(on_a_loop(run, n)) / n for run in contestants] for _ in range(rounds)]
        tornado, native = (statistics.median(column) for column in zip(*times))
        print(f"| {row:<16} | {n:>8} | {tornado:>9.0f} | {native:>9.0f} |", flush=True)


if __name__ == "__main__":
    main()
