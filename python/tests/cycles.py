"""The table of cycles: which of them the collector frees, and that a coroutine which can go on is never freed.

    python tests/cycles.py

| cycle | collected |
|---|---|
| an object that holds the Future that its coroutine waits for | yes |
| the same, with the result held by the object | yes |
| a chain of coroutines that wait for each other | yes |
| a native coroutine | yes |
| a callback of a Future that it holds, whatever resolves that | yes |
| a list that a coroutine waits for, one of whose Futures it holds | yes |
| a Future whose result or exception holds it | yes |
| a decorated function that holds itself | yes |
| a lock that a coroutine waits for, which holds it | yes |
| items of a queue that hold the queue | yes |
| a stopped PeriodicCallback that its callback holds | yes |
| an asyncio Future that a native coroutine waits for | yes |
| a timer, or a callback that is ready, which holds its loop | when the loop is closed |
| a coroutine that waits for a time limit | when the limit is over |
"""

import asyncio
import datetime
import gc
import unittest
import weakref

import squall

squall.install()

from tornado import gen, locks, queues  # noqa: E402
from tornado.concurrent import Future  # noqa: E402
from tornado.ioloop import IOLoop, PeriodicCallback  # noqa: E402


class Thing:
    """Something that can be in a cycle, and weakly referenced."""


@gen.coroutine
def waits(future, thing, ended):
    try:
        yield future
    finally:
        ended.append("finally")


async def awaits(future, thing, ended):
    try:
        await future
    finally:
        ended.append("finally")


class CycleTest(unittest.TestCase):
    def setUp(self):
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        self.io_loop = IOLoop()
        self.addCleanup(self.io_loop.close)
        self.ended = []

    def turn(self):
        self.io_loop.run_sync(lambda: gen.moment)

    def assert_collected(self, make):
        """Calls `make` with a new object, and asserts that only the collector frees that."""
        thing = Thing()
        alive = weakref.ref(thing)
        keep = make(thing)
        del thing
        self.turn()
        self.assertIsNotNone(alive(), "it was a cycle")
        del keep
        gc.collect()
        self.assertIsNone(alive(), "it is collected")

    def test_object_that_holds_the_future_its_coroutine_waits_for(self):
        def make(thing):
            thing.future = Future()
            waits(thing.future, thing, self.ended)

        self.assert_collected(make)
        self.assertEqual(self.ended, ["finally"])

    def test_object_that_holds_the_result_too(self):
        def make(thing):
            thing.future = Future()
            thing.result = waits(thing.future, thing, self.ended)

        self.assert_collected(make)
        self.assertEqual(self.ended, ["finally"])

    def test_chain_of_coroutines(self):
        def make(thing):
            thing.future = Future()
            waits(waits(waits(thing.future, thing, self.ended), thing, self.ended), None, self.ended)

        self.assert_collected(make)
        self.assertEqual(self.ended, ["finally"] * 3)

    def test_native_coroutine(self):
        def make(thing):
            thing.future = Future()
            gen.convert_yielded(awaits(thing.future, thing, self.ended))

        self.assert_collected(make)
        self.assertEqual(self.ended, ["finally"])

    def test_callback(self):
        def make(thing):
            thing.future = Future()
            thing.future.add_done_callback(lambda _: thing)

        self.assert_collected(make)

    def test_callback_of_a_request(self):
        for wait in (lambda: locks.Event().wait(), lambda: queues.Queue().get(), lambda: gen.multi([Future()])):

            def make(thing):
                thing.future = wait()
                thing.future.add_done_callback(lambda _: thing)

            self.assert_collected(make)

    def test_list(self):
        def make(thing):
            thing.future = Future()
            waits([thing.future, Future()], thing, self.ended)

        self.assert_collected(make)
        self.assertEqual(self.ended, ["finally"])

    def test_dict_of_coroutines(self):
        def make(thing):
            thing.future = Future()
            waits({"a": waits(thing.future, thing, self.ended), "b": awaits(thing.future, thing, self.ended)}, None, self.ended)

        self.assert_collected(make)
        self.assertEqual(self.ended, ["finally"] * 3)

    def test_result_that_holds_its_future(self):
        def make(thing):
            thing.future = Future()
            thing.future.set_result(thing)

        self.assert_collected(make)

    def test_result_of_a_call_that_has_ended_at_once(self):
        @gen.coroutine
        def same(thing):
            return thing

        def make(thing):
            thing.result = same(thing)

        self.assert_collected(make)

    def test_decorated_function_that_an_attribute_of_it_holds(self):
        def make(thing):
            @gen.coroutine
            def holds():
                return thing

            holds.itself = holds

        self.assert_collected(make)

    def test_exception_that_holds_its_future(self):
        def make(thing):
            thing.future = Future()
            error = ValueError()
            error.thing = thing
            thing.future.set_exception(error)
            thing.future.exception()

        self.assert_collected(make)

    def test_attribute_of_a_future(self):
        def make(thing):
            thing.future = Future()
            thing.future.thing = thing

        self.assert_collected(make)

    def test_lock(self):
        def make(thing):
            thing.lock = locks.Lock()
            thing.lock.acquire()
            waits(thing.lock.acquire(), thing, self.ended)

        self.assert_collected(make)
        self.assertEqual(self.ended, ["finally"])

    def test_event_and_condition(self):
        def make(thing):
            thing.event, thing.condition = locks.Event(), locks.Condition()
            waits(thing.event.wait(), thing, self.ended)
            waits(thing.condition.wait(), thing, self.ended)

        self.assert_collected(make)
        self.assertEqual(self.ended, ["finally"] * 2)

    def test_queue(self):
        def make(thing):
            thing.empty = queues.Queue()
            waits(thing.empty.get(), thing, self.ended)

        self.assert_collected(make)
        self.assertEqual(self.ended, ["finally"])

    def test_items_of_queues(self):
        for kind in (queues.Queue, queues.LifoQueue):

            def make(thing):
                thing.queue = kind()
                thing.queue.put_nowait(thing)

            self.assert_collected(make)

    def test_periodic_callback_that_is_stopped(self):
        def make(thing):
            thing.periodic = PeriodicCallback(lambda: thing, 1000)
            thing.periodic.start()
            thing.periodic.stop()

        self.assert_collected(make)

    def test_asyncio_future(self):
        def make(thing):
            thing.future = asyncio.Future(loop=self.io_loop.asyncio_loop)
            gen.convert_yielded(awaits(thing.future, thing, self.ended))

        self.assert_collected(make)
        self.assertEqual(self.ended, ["finally"])

    def test_timer_and_callback_go_with_their_loop(self):
        thing = Thing()
        thing.io_loop = IOLoop(make_current=False)
        thing.io_loop.call_later(1000, lambda: thing)
        thing.io_loop.add_callback(lambda: thing)
        alive = weakref.ref(thing)
        thing.io_loop.close()
        del thing
        gc.collect()
        self.assertIsNone(alive())

    def test_coroutine_goes_with_its_loop(self):
        io_loop = IOLoop(make_current=False)
        thing = Thing()
        alive = weakref.ref(thing)

        def start():
            waits(gen.sleep(1000), thing, self.ended)
            waits(gen.with_timeout(io_loop.time() + 1000, Future()), thing, self.ended)
            waits([gen.sleep(1000), Future()], thing, self.ended)

        io_loop.run_sync(start)
        del thing, start
        gc.collect()
        self.assertIsNotNone(alive(), "its timers can wake it")
        io_loop.close()
        gc.collect()
        self.assertIsNone(alive())
        self.assertEqual(self.ended, ["finally"] * 3)


class LiveTest(unittest.TestCase):
    """A coroutine that can go on is never collected, whatever holds what wakes it."""

    def setUp(self):
        self.io_loop = IOLoop()
        self.addCleanup(self.io_loop.close)

    def assert_goes_on(self, start, wake):
        """Starts a coroutine by `start`, collects, then calls `wake`; the coroutine must go on."""
        went_on = []

        @gen.coroutine
        def coroutine(yielded):
            yield yielded
            went_on.append(True)

        async def native(yielded):
            await gen.convert_yielded(yielded)
            went_on.append(True)

        for body in (coroutine, native):
            del went_on[:]

            def begin():
                body_of = body(start())
                gen.convert_yielded(body_of)

            self.io_loop.run_sync(begin)
            self.io_loop.run_sync(lambda: gen.moment)
            gc.collect()
            wake()
            for _ in range(6):
                self.io_loop.run_sync(lambda: gen.moment)
                gc.collect()
            self.assertEqual(went_on, [True])

    def test_future(self):
        held = []

        def start():
            held[:] = [Future()]
            return held[0]

        self.assert_goes_on(start, lambda: held[0].set_result(None))

    def test_future_in_a_list(self):
        held = []

        def start():
            held[:] = [Future()]
            return [[held[0]]]

        self.assert_goes_on(start, lambda: held[0].set_result(None))

    def test_collection_between_the_last_future_of_a_list_and_the_list(self):
        @gen.coroutine
        def child():
            yield gen.moment
            # This runs when the coroutine has ended, and before the list is done.
            self.io_loop.add_callback(gc.collect)
            return 1

        @gen.coroutine
        def both():
            return (yield [child(), child()])

        @gen.coroutine
        def one_by_one():
            children = gen.WaitIterator(child(), child())
            return [(yield children.next()), (yield children.next())]

        for waits_for_all in (both, one_by_one):
            self.assertEqual(self.io_loop.run_sync(waits_for_all, timeout=5), [1, 1])

    def test_coroutine_of_a_future(self):
        held = []

        @gen.coroutine
        def passes(future):
            yield future

        def start():
            held[:] = [Future()]
            return passes(passes(held[0]))

        self.assert_goes_on(start, lambda: held[0].set_result(None))

    def test_lock(self):
        lock = locks.Lock()

        def start():
            lock.acquire()
            return lock.acquire()

        def wake():
            lock.release()
            lock.release()

        self.assert_goes_on(start, wake)

    def test_queue(self):
        queue = queues.Queue()
        self.assert_goes_on(queue.get, lambda: queue.put_nowait(1))

    def test_full_queue(self):
        queue = queues.Queue(1)
        queue.put_nowait(0)
        self.assert_goes_on(lambda: queue.put(1), lambda: (queue.get_nowait()))

    def test_event(self):
        event = locks.Event()
        self.assert_goes_on(event.wait, event.set)

    def test_sleep(self):
        self.assert_goes_on(lambda: gen.sleep(0.01), lambda: self.io_loop.run_sync(lambda: gen.sleep(0.03)))

    def test_time_limit(self):
        limited = lambda: gen.maybe_future(gen.with_timeout(self.io_loop.time() + 5, gen.sleep(0.01)))
        self.assert_goes_on(limited, lambda: self.io_loop.run_sync(lambda: gen.sleep(0.03)))

    def test_wait_iterator(self):
        held = []

        def start():
            held[:] = [Future(), Future()]
            return gen.WaitIterator(*held).next()

        self.assert_goes_on(start, lambda: held[1].set_result(None))

    def test_callback_that_only_its_future_holds(self):
        seen, future = [], Future()

        @gen.coroutine
        def waits(other):
            yield other
            seen.append("went on")

        def start():
            other = Future()
            waits(other)
            future.add_done_callback(lambda _: other.set_result(None))

        self.io_loop.run_sync(start)
        gc.collect()
        future.set_result(None)
        for _ in range(4):
            self.io_loop.run_sync(lambda: gen.moment)
        self.assertEqual(seen, ["went on"])

    def test_callbacks_of_futures_that_only_squall_holds(self):
        """Tornado's queue, lock, timer or task holds the Future. Here it does not, and the callback is called all the same."""
        seen, soon = [], datetime.timedelta(seconds=0.001)
        queue, full, event, condition, semaphore = queues.Queue(), queues.Queue(1), locks.Event(), locks.Condition(), locks.Semaphore(0)
        full.put_nowait(1)

        @gen.coroutine
        def returns():
            yield gen.sleep(0.001)
            return "returned"

        async def native():
            await asyncio.sleep(0.001)

        waits = {
            "get": queue.get, "get in time": lambda: queue.get(soon), "put": lambda: full.put(2), "join": full.join,
            "event": event.wait, "event in time": lambda: locks.Event().wait(soon), "condition": condition.wait,
            "condition in time": lambda: locks.Condition().wait(soon), "semaphore": semaphore.acquire,
            "semaphore in time": lambda: locks.Semaphore(0).acquire(soon), "sleep": lambda: gen.sleep(0.001),
            "limit": lambda: gen.with_timeout(soon, Future()), "coroutine": returns, "list": lambda: gen.multi([returns()]),
            "native": lambda: gen.convert_yielded(native()), "task": lambda: asyncio.ensure_future(native()),
            "asyncio": lambda: gen.convert_yielded(asyncio.sleep(0.001)), "iterator": lambda: gen.WaitIterator(returns()).next(),
            "thread": lambda: self.io_loop.run_in_executor(None, int),
        }  # fmt: skip

        def wake():
            for wake in (full.get_nowait, full.get_nowait, full.task_done, full.task_done, event.set, condition.notify, semaphore.release):
                wake()
            queue.put_nowait(1)
            queue.put_nowait(2)

        def start():
            for name, wait in waits.items():
                future = wait()
                future.add_done_callback(lambda future, name=name: (future.exception(), seen.append(name)))
            del future
            gc.collect()
            self.io_loop.call_later(0.0005, wake)

        self.io_loop.run_sync(start)
        self.io_loop.run_sync(lambda: gen.sleep(0.1))
        self.assertEqual(sorted(seen), sorted(waits))

    def test_executor(self):
        self.assert_goes_on(
            lambda: self.io_loop.run_in_executor(None, lambda: None),
            lambda: self.io_loop.run_sync(lambda: gen.sleep(0.05)),
        )

    def test_asyncio_future(self):
        held = []

        def start():
            held[:] = [self.io_loop.asyncio_loop.create_future()]
            return held[0]

        self.assert_goes_on(start, lambda: held[0].set_result(None))


if __name__ == "__main__":
    unittest.main()
