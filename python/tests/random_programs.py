"""Runs random programs on squall and on Tornado, and compares their logs, line by line.

    python tests/random_programs.py            300 programs
    python tests/random_programs.py 2000 5000  the programs with these numbers
    python tests/random_programs.py --log 17   the log of one program on both

A program is a tree of coroutines, decorated and native ones, that share queues, locks and Futures.
"""

import asyncio
import json
import random
import subprocess
import sys

COUNT = 300
# How long a program may run in seconds: many end in a deadlock. One that ends differently on the two is tried again with the
# longer time, since a busy machine may not get to its end in the shorter one.
LIMIT, LONG_LIMIT = 0.05, 2.0


def world(seed, log):
    """Returns a random program: a coroutine function. What it does goes into `log`."""
    from tornado import gen, ioloop, locks, queues
    from tornado.concurrent import Future

    choose = random.Random(seed)
    kind = choose.choice([queues.Queue, queues.LifoQueue, queues.PriorityQueue])
    queue, event, lock = kind(choose.choice([0, 1, 2])), locks.Event(), locks.Lock()
    semaphore, condition = locks.Semaphore(2), locks.Condition()
    futures = [Future() for _ in range(4)]

    def coroutine(name, depth):
        plan = [(choose.randrange(18), choose.randrange(4)) for _ in range(choose.randrange(2, 7))]
        is_native = choose.random() < 0.4
        children = [coroutine(name * 10 + i, depth + 1) for i in range(choose.randrange(3))] if depth < 2 else []

        def at_once(op, which, started):
            """Does what takes no waiting. Returns what is to be waited for, or `None`."""
            future = futures[which]
            if op == 0:
                return gen.moment if not is_native else asyncio.sleep(0)
            if op == 1:
                return queue.put(name)
            if op == 2:
                return queue.get()
            if op == 3:
                event.set()
            elif op == 4 and not future.done():
                future.set_result(name)
            elif op == 5 and not future.done():
                future.set_exception(KeyError(name))
                future.exception()
            elif op == 6:
                ioloop.IOLoop.current().add_callback(log.append, (name, "callback"))
            elif op == 7 and started:
                return gen.multi(started)
            elif op == 8:
                future.add_done_callback(lambda _: log.append((name, "done")))
            elif op == 9:
                return future
            elif op == 10:
                return semaphore.acquire()
            elif op == 11:
                semaphore.release()
            elif op == 12:
                condition.notify()
            elif op == 13 and started:
                return gen.WaitIterator(*started).next()
            elif op == 14:
                try:
                    log.append((name, queue.get_nowait()))
                except queues.QueueEmpty:
                    log.append((name, "empty"))
            elif op == 15:
                # One that nothing waits for: before Tornado 6.6, a decorated coroutine that waits is never resumed.
                cancelled = Future()
                log.append((name, cancelled.cancel(), cancelled.done()))
            elif op == 16 and not is_native:
                return 5
            elif op == 17:
                # Tornado wakes those that wait for an event in the order of a set, so this only looks.
                log.append((name, event.is_set()))
            return None

        def finish(op, result):
            shown = result if isinstance(result, (int, list, type(None))) else "object"
            log.append((name, op, shown))

        if is_native:

            async def body():
                started = [gen.convert_yielded(child()) for child in children]
                for op, which in plan:
                    log.append((name, op))
                    try:
                        awaited = at_once(op, which, started)
                        finish(op, await awaited if awaited is not None else None)
                        if op == 10:
                            async with lock:
                                await asyncio.sleep(0)
                    except (KeyError, asyncio.CancelledError) as raised:
                        log.append((name, op, type(raised).__name__))
                if started:
                    await gen.multi(started, quiet_exceptions=Exception)
                return name

        else:

            @gen.coroutine
            def body():
                started = [gen.convert_yielded(child()) for child in children]
                for op, which in plan:
                    log.append((name, op))
                    try:
                        yielded = at_once(op, which, started)
                        if yielded is not None:
                            finish(op, (yield yielded))
                        if op == 10:
                            with (yield lock.acquire()):
                                yield gen.moment
                    except (KeyError, gen.BadYieldError) as raised:
                        log.append((name, op, type(raised).__name__))
                if started:
                    yield started
                raise gen.Return(name)

        return body

    return coroutine(1, 0)


def run(seed, limit):
    """Returns the log of a program, and how it ended."""
    from tornado import gen, ioloop

    io_loop, log, end = ioloop.IOLoop(make_current=False), [], ["stopped"]

    def ended(future):
        end[0] = "cancelled" if future.cancelled() else repr(future.exception() or future.result())
        io_loop.stop()

    def start():
        io_loop.add_future(gen.convert_yielded(world(seed, log)()), ended)

    io_loop.add_callback(start)
    io_loop.call_later(limit, io_loop.stop)
    io_loop.start()
    log = list(log)
    io_loop.close()
    return [end[0], *map(list, log)]


def contestant(who, limit):
    """Writes the log of each program whose number is on standard input."""
    import logging

    logging.disable()
    if who == "squall":
        import squall

        squall.install()
    for line in sys.stdin:
        print(json.dumps(run(int(line), limit), default=repr), flush=True)


def logs_of(who, seeds, limit=LIMIT):
    text = "".join(f"{seed}\n" for seed in seeds)
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--as", who, str(limit)], input=text, capture_output=True, text=True
    )
    logs = [json.loads(line) for line in ran.stdout.splitlines()]
    if len(logs) < len(seeds):
        raise SystemExit(f"{who} ended after {len(logs)} programs: {ran.stderr[-2000:]}")
    return logs


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--log"]:
        seeds = [int(arguments[1])]
    else:
        seeds = range(*map(int, arguments)) if arguments else range(COUNT)
    ours, theirs = logs_of("squall", seeds), logs_of("tornado", seeds)
    again = [n for n, (a, b) in enumerate(zip(ours, theirs)) if a != b]
    for logs, who in ((ours, "squall"), (theirs, "tornado")):
        for n, log in zip(again, logs_of(who, [seeds[n] for n in again], LONG_LIMIT)):
            logs[n] = log
    different = [seed for seed, a, b in zip(seeds, ours, theirs) if a != b]
    lines = sum(map(len, ours))
    print(f"{len(seeds) - len(different)} of {len(seeds)} random programs write the log that they write on Tornado, {lines} lines")
    for seed in different[:5]:
        index = list(seeds).index(seed)
        for n, (a, b) in enumerate(zip(ours[index] + [None], theirs[index] + [None])):
            if a != b:
                print(f"  program {seed}, line {n}: squall {a}, Tornado {b}")
                break
    if arguments[:1] == ["--log"]:
        print(*ours[0], sep="\n")
        print("Tornado:", *theirs[0], sep="\n")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        contestant(sys.argv[2], float(sys.argv[3]))
    else:
        main()
