"""The rows of `tornado_rows.py` and of `../python/scripts/speed.py`: the work of each on Tornado's modules, and on asyncio.

`TORNADO[row](n)` and `ASYNCIO[row](n)` are coroutines that do `n` things and return the nanoseconds that these took: CPU
time of the thread, or by the wall clock if two threads work. squall runs the rows of Tornado, if its modules were installed
before this is imported. See `../benches/README.md` for what each row does.
"""

import asyncio
import threading
import time

from tornado import gen, ioloop, locks, queues
from tornado.concurrent import Future

clock = time.thread_time_ns
wall_clock = time.perf_counter_ns

SIZES = {"chain": 10_000, "multi": 10_000}


def size(row):
    """Returns how many things a row does."""
    return SIZES.get(row, 100_000)


def ready(future, value):
    future.set_result(value)
    return future


@gen.coroutine
def number(i):
    return i


@gen.coroutine
def tornado_call(n):
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
    done, total, start = ready(Future(), 1), 0, clock()
    for _ in range(n):
        total += yield done
    assert total == n
    return clock() - start


async def asyncio_done(n):
    done, total, start = ready(asyncio.Future(), 1), 0, clock()
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


def moment(coroutines, turns, wait):
    async def run(n):
        start = clock()
        await wait([turns(n // coroutines) for _ in range(coroutines)])
        return clock() - start

    return run


def gather(coroutines):
    return asyncio.gather(*coroutines)


@gen.coroutine
def wait_for(future):
    return (yield future)


async def native_wait_for(future):
    return await future


def native_call(future):
    return gen.convert_yielded(native_wait_for(future))


def asyncio_call_of(coroutine):
    return lambda future: asyncio.ensure_future(coroutine(future))


def waiting(Future, call):
    async def run(n):
        start = clock()
        futures = [Future() for _ in range(n)]
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


def chain(Future, call):
    async def run(n):
        start = clock()
        bottom = last = Future()
        for _ in range(n):
            last = call(last)
        await asyncio.sleep(0)
        bottom.set_result(0)
        assert await last == n
        return clock() - start

    return run


def together(Future, wait):
    async def run(n):
        futures = [Future() for _ in range(n)]
        start = clock()
        all_of_them = wait(futures)
        for i, future in enumerate(futures):
            future.set_result(i)
        assert sum(await all_of_them) == n * (n - 1) // 2
        return clock() - start

    return run


def ping_pong(queue, spawn):
    async def run(n):
        there, back = queue(), queue()

        async def answer():
            for _ in range(n):
                await back.put(await there.get() + 1)

        start = clock()
        answering, ball = spawn(answer()), 0
        for _ in range(n):
            await there.put(ball)
            ball = await back.get()
        await answering
        assert ball == n
        return clock() - start

    return run


def lock(make, wait):
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
        await wait([waiter() for _ in range(1000)])
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


def one_way(Future, add_callback):
    async def run(n):
        add, calls, finished = add_callback(), [0], Future()

        def count():
            calls[0] += 1
            if calls[0] == n:
                finished.set_result(None)

        start = wall_clock()
        thread = threading.Thread(target=lambda: [add(count) for _ in range(n)])
        thread.start()
        await finished
        taken = wall_clock() - start
        thread.join()
        return taken

    return run


TORNADO = {
    "call": tornado_call,
    "done": tornado_done,
    "moment-1": moment(1, turns, gen.multi),
    "moment-1000": moment(1000, turns, gen.multi),
    "native-moment": moment(1000, native_turns, gen.multi),
    "waiting": waiting(Future, wait_for),
    "native-waiting": waiting(Future, native_call),
    "chain": chain(Future, link),
    "multi": together(Future, gen.multi),
    "queue-ping-pong": ping_pong(queues.Queue, gen.convert_yielded),
    "lock": lock(locks.Lock, gen.multi),
    "timers-cancelled": tornado_cancelled,
    "thread-one-way": one_way(Future, lambda: ioloop.IOLoop.current().add_callback),
}

ASYNCIO = {
    "call": asyncio_call,
    "done": asyncio_done,
    "moment-1": moment(1, native_turns, gather),
    "moment-1000": moment(1000, native_turns, gather),
    "native-moment": moment(1000, native_turns, gather),
    "waiting": waiting(asyncio.Future, asyncio_call_of(native_wait_for)),
    "native-waiting": waiting(asyncio.Future, asyncio_call_of(native_wait_for)),
    "chain": chain(asyncio.Future, asyncio_call_of(native_link)),
    "multi": together(asyncio.Future, gather),
    "queue-ping-pong": ping_pong(asyncio.Queue, asyncio.ensure_future),
    "lock": lock(asyncio.Lock, gather),
    "timers-cancelled": asyncio_cancelled,
    "thread-one-way": one_way(asyncio.Future, lambda: asyncio.get_running_loop().call_soon_threadsafe),
}
