"""Threads, signals, exceptions, context variables, and the end of the interpreter.

    python tests/soundness.py
"""

import asyncio
import contextvars
import ctypes
import copy
import datetime
import functools
import gc
import inspect
import os
import pathlib
import platform
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
import unittest
import weakref

import squall

squall.install()

from tornado import gen, locks, queues  # noqa: E402
from tornado.concurrent import Future  # noqa: E402
from tornado.ioloop import IOLoop  # noqa: E402


def on_thread(function):
    """Calls `function` on another thread, and returns its result or its exception."""
    results = []

    def call():
        try:
            results.append(function())
        except BaseException as raised:
            results.append(raised)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return results[0]


class LoopTest(unittest.TestCase):
    def setUp(self):
        self.io_loop = IOLoop()
        self.addCleanup(self.io_loop.close)


class ThreadTest(LoopTest):
    def test_use_on_another_thread_raises(self):
        future = Future()
        self.io_loop.run_sync(lambda: None)
        for use in (
            future.done,
            future.result,
            lambda: future.set_result(1),
            future.cancel,
            lambda: future.add_done_callback(print),
            lambda: iter(future),
            self.io_loop.stop,
            lambda: self.io_loop.run_sync(lambda: None),
            lambda: self.io_loop.call_later(1, print),
        ):
            self.assertIsInstance(on_thread(use), RuntimeError)
        self.assertFalse(future.done())
        self.assertIn("another thread", on_thread(lambda: repr(future)))

    def test_yield_of_a_future_of_another_thread_raises(self):
        future = Future()

        async def waits():
            await future

        self.assertIsInstance(on_thread(lambda: IOLoop().run_sync(waits)), RuntimeError)

    def test_drop_on_another_thread_is_sent_home(self):
        freed = []

        class Result:
            def __del__(self):
                freed.append(threading.current_thread())

        box = [Future()]
        box[0].set_result(Result())
        on_thread(box.clear)
        self.assertEqual(freed, [])
        self.io_loop.run_sync(lambda: gen.sleep(0.001))
        self.assertEqual(freed, [threading.current_thread()])

    def test_drop_on_another_thread_wakes_the_loop(self):
        freed = []

        class Result:
            def __del__(self):
                freed.append(threading.current_thread())

        box = [Future()]
        box[0].set_result(Result())

        @gen.coroutine
        def waits():
            yield self.io_loop.run_in_executor(None, box.clear)
            yield gen.sleep(0.01)

        self.io_loop.run_sync(waits)
        self.assertEqual(freed, [threading.current_thread()])

    def test_collection_on_another_thread_touches_nothing(self):
        future = Future()
        future.cycle = future
        alive = weakref.ref(future)
        del future
        on_thread(gc.collect)
        gc.collect()
        self.assertIsNone(alive())

    def test_objects_of_a_thread_that_has_ended_are_left_alone(self):
        future = on_thread(Future)
        self.assertRaises(RuntimeError, future.done)
        del future
        gc.collect()

    def test_add_callback_from_many_threads(self):
        seen = []

        @gen.coroutine
        def waits():
            done = Future()

            def add(n):
                for i in range(200):
                    self.io_loop.add_callback(seen.append, (n, i))
                self.io_loop.add_callback(lambda: seen.append("end"))

            threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            while seen.count("end") < 4:
                yield gen.sleep(0.001)
            for thread in threads:
                thread.join()

        self.io_loop.run_sync(waits)
        self.assertEqual(len(seen), 804)
        self.assertEqual([i for n, i in filter(lambda it: it != "end", seen) if n == 2], list(range(200)))

    def test_other_threads_run_while_the_loop_sleeps(self):
        turns, ends = [0], []

        def spin():
            while not ends:
                turns[0] += 1
                time.sleep(0.001)

        thread = threading.Thread(target=spin)
        thread.start()
        self.io_loop.run_sync(lambda: gen.sleep(0.3))
        ends.append(True)
        thread.join()
        self.assertGreater(turns[0], 20)

    def test_loop_that_is_made_here_runs_there(self):
        io_loop = IOLoop(make_current=False)
        io_loop.add_callback(io_loop.add_callback, io_loop.stop)
        self.assertIsNone(on_thread(io_loop.start))
        io_loop.close()

    def test_current_loop_runs_on_another_thread_unless_it_is_in_use(self):
        io_loop = IOLoop()
        io_loop.add_callback(io_loop.add_callback, io_loop.stop)
        self.assertIsNone(on_thread(io_loop.start))
        io_loop.close()

    def test_moment_is_of_each_thread(self):
        @gen.coroutine
        def body():
            yield gen.moment
            yield [gen.moment, None]
            yield gen.with_timeout(datetime.timedelta(seconds=1), gen.moment)
            return "done"

        self.assertEqual(on_thread(lambda: IOLoop(make_current=False).run_sync(body)), "done")

    def test_locks_and_queues_belong_to_the_thread_that_uses_them_first(self):
        kinds = (locks.Lock, locks.Semaphore, locks.BoundedSemaphore, queues.Queue, queues.PriorityQueue, queues.LifoQueue)
        waits = [make().acquire if hasattr(make, "acquire") else make(1).put for make in kinds]
        condition, event = locks.Condition(), locks.Event()

        def use():
            io_loop = IOLoop(make_current=False)
            done = [io_loop.run_sync(functools.partial(wait, *([1] if "put" in wait.__name__ else []))) for wait in waits]
            io_loop.run_sync(lambda: condition.wait(datetime.timedelta(seconds=0.001)))
            event.set()
            io_loop.run_sync(event.wait)
            io_loop.close()
            return done

        self.assertIsInstance(on_thread(use), list)
        for wait in waits:
            self.assertRaisesRegex(RuntimeError, "another thread", wait.__self__.__repr__)
        self.assertRaisesRegex(RuntimeError, "another thread", event.is_set)


class LeavingTest(LoopTest):
    def setUp(self):
        super().setUp()
        # A program that a shell starts in the background ignores this signal.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)

    def interrupted(self, start):
        """Runs `start` and interrupts it after 0.1 s. Returns how long it went on after that."""
        sent = []

        def interrupt():
            time.sleep(0.1)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with self.assertRaises(KeyboardInterrupt):
            self.io_loop.run_sync(start)
        late = time.monotonic() - sent[0]
        thread.join()
        self.assertIsNone(self.io_loop.run_sync(lambda: gen.sleep(0.001)))
        return late

    def test_interrupt_while_the_loop_sleeps(self):
        self.assertLess(self.interrupted(lambda: gen.sleep(60)), 0.3)

    @unittest.skipUnless(sys.platform == "linux" and platform.machine() == "x86_64", "sends a signal to one thread")
    def test_interrupt_after_the_thread_that_waits_for_signals_has_got_one_itself(self):
        self.io_loop.run_sync(lambda: gen.moment)
        before = signal.signal(signal.SIGUSR1, lambda *_: None)
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        threads = []
        # A thread has its name a moment after it was started.
        while not threads:
            tasks = pathlib.Path("/proc/self/task").glob("*/comm")
            threads = [int(task.parent.name) for task in tasks if task.read_text().startswith("squall-signals")]
        tgkill = 234
        ctypes.CDLL(None).syscall(tgkill, os.getpid(), threads[0], int(signal.SIGUSR1))
        self.assertLess(self.interrupted(lambda: gen.sleep(60)), 0.3)

    def test_interrupt_while_the_loop_sleeps_without_a_timer(self):
        self.assertLess(self.interrupted(Future), 0.3)

    def test_interrupt_while_a_descriptor_is_watched(self):
        reads, writes = os.pipe()
        self.io_loop.add_handler(reads, lambda *_: None, self.io_loop.READ)
        try:
            self.assertLess(self.interrupted(Future), 0.3)
        finally:
            self.io_loop.remove_handler(reads)
            os.close(reads)
            os.close(writes)

    def test_interrupt_while_coroutines_run(self):
        @gen.coroutine
        def busy():
            while True:
                yield gen.moment

        async def native():
            while True:
                await asyncio.sleep(0)

        self.assertLess(self.interrupted(busy), 0.3)
        self.assertLess(self.interrupted(native), 0.3)

    def test_interrupt_while_python_computes(self):
        @gen.coroutine
        def computes():
            yield gen.moment
            while True:
                pass

        self.assertLess(self.interrupted(computes), 0.3)

    def test_exit_leaves_the_run(self):
        @gen.coroutine
        def exits():
            yield gen.moment
            sys.exit(3)

        async def native():
            await asyncio.sleep(0)
            sys.exit(3)

        for body in (exits, native, lambda: sys.exit(3), lambda: self.io_loop.add_callback(sys.exit, 3) or Future()):
            with self.assertRaises(SystemExit) as raised:
                self.io_loop.run_sync(body)
            self.assertEqual(raised.exception.code, 3)

    def test_exit_leaves_the_call(self):
        @gen.coroutine
        def exits():
            sys.exit(3)

        self.assertRaises(SystemExit, exits)
        self.assertIsNone(self.io_loop.run_sync(lambda: None))


class ExceptionTest(LoopTest):
    def test_exception_is_the_same_object_and_its_traceback_does_not_grow(self):
        error = ValueError("no")

        @gen.coroutine
        def raises():
            yield gen.moment
            raise error

        async def passes(future):
            return await future

        @gen.coroutine
        def asks():
            lengths = set()
            future = raises()
            for _ in range(5):
                try:
                    yield future
                except ValueError as raised:
                    assert raised is error
                    lengths.add(len(traceback.extract_tb(raised.__traceback__)))
                try:
                    yield passes(future)
                except ValueError as raised:
                    assert raised is error
                try:
                    future.result()
                except ValueError as raised:
                    assert raised is error
            return lengths

        self.assertEqual(len(self.io_loop.run_sync(asks)), 1)

    def test_traceback_names_each_coroutine(self):
        @gen.coroutine
        def inner():
            yield gen.moment
            raise KeyError("inner")

        async def middle():
            return await inner()

        @gen.coroutine
        def outer():
            return (yield middle())

        names = []
        try:
            self.io_loop.run_sync(outer)
        except KeyError as raised:
            names = [frame.name for frame in traceback.extract_tb(raised.__traceback__)]
        self.assertEqual([name for name in names if name in ("outer", "middle", "inner")], ["outer", "middle", "inner"])

    def test_exception_that_nobody_retrieves_is_logged(self):
        @gen.coroutine
        def fails():
            yield gen.moment
            raise KeyError("lost")

        @gen.coroutine
        def calls():
            fails()
            yield gen.sleep(0.001)

        with self.assertLogs("asyncio", "ERROR") as logged:
            self.io_loop.run_sync(calls)
        self.assertIn("Future exception was never retrieved", logged.output[0])
        self.assertIn("KeyError: 'lost'", logged.output[0])

    def test_exception_of_a_comparison_in_a_queue_is_raised(self):
        from tornado.queues import PriorityQueue

        queue = PriorityQueue()
        queue.put_nowait(1)
        self.assertRaises(TypeError, queue.put_nowait, "one")

    def test_stop_iteration_is_refused(self):
        self.assertRaises(TypeError, Future().set_exception, StopIteration)
        self.assertRaises(TypeError, Future().set_exception, 5)


class ContextTest(LoopTest):
    def test_context_variables_are_those_of_each_call(self):
        variable = contextvars.ContextVar("variable", default=0)

        @gen.coroutine
        def decorated(n):
            variable.set(n)
            yield gen.moment
            yield gen.sleep(0.001)
            return variable.get()

        async def native(n):
            variable.set(n)
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
            return variable.get()

        @gen.coroutine
        def both():
            variable.set(9)
            seen = yield [decorated(1), native(2), decorated(3), native(4)]
            callback = Future()
            self.io_loop.add_callback(lambda: callback.set_result(variable.get()))
            seen.append((yield callback))
            return seen

        self.assertEqual(self.io_loop.run_sync(both), [1, 2, 3, 4, 9])
        self.assertEqual(variable.get(), 0)


@gen.coroutine
def decorated(i, *, more=0):
    """Adds two numbers."""
    return i + more


class DecoratedTest(LoopTest):
    def test_decorated_function_looks_like_the_function(self):
        self.assertEqual((decorated.__name__, decorated.__qualname__), ("decorated", "decorated"))
        self.assertEqual((decorated.__doc__, decorated.__module__), ("Adds two numbers.", __name__))
        self.assertEqual(str(inspect.signature(decorated)), "(i, *, more=0)")
        self.assertEqual(decorated.__wrapped__(1, more=2), 3)
        self.assertTrue(repr(decorated).startswith("<function decorated at 0x"))
        self.assertTrue(gen.is_coroutine_function(decorated))
        decorated.mark = 5
        self.assertEqual(functools.wraps(decorated)(lambda: None).mark, 5)
        self.assertIs(copy.deepcopy(decorated), decorated)
        self.assertIs(pickle.loads(pickle.dumps(decorated)), decorated)

    def test_arguments_arrive(self):
        self.assertEqual(decorated(1).result(), 1)
        self.assertEqual(decorated(1, more=2).result(), 3)
        self.assertEqual(decorated(i=1).result(), 1)
        self.assertRaises(TypeError, decorated(1, 2).result)

    def test_it_is_bound_like_a_function(self):
        class Base:
            @gen.coroutine
            def own(self):
                return self

            @classmethod
            @gen.coroutine
            def of_class(cls):
                return cls

            @staticmethod
            @gen.coroutine
            def of_none(*args):
                return args

        class Derived(Base):
            @gen.coroutine
            def own(self):
                return (yield super().own())

        it = Derived()
        self.assertIs(it.own().result(), it)
        self.assertIs(Derived.own(it).result(), it)
        self.assertTrue(inspect.ismethod(it.own))
        self.assertIs(it.own.__func__, Derived.own)
        self.assertIs(it.of_class().result(), Derived)
        self.assertEqual(it.of_none().result(), ())

    def test_call_that_has_ended_at_once_is_a_future(self):
        five = decorated(5)
        self.assertIsInstance(five, Future)
        self.assertTrue(five.done() and not five.cancelled() and five.exception() is None)
        self.assertFalse(five.cancel())
        self.assertRaises(asyncio.InvalidStateError, five.set_result, 6)
        self.assertEqual(repr(five), "<Future finished result=5>")
        calls = []
        five.add_done_callback(calls.append)
        self.assertEqual(self.io_loop.run_sync(lambda: gen.multi([five, five])), [5, 5])
        self.assertEqual(calls, [five])

    def test_await_ends_with_each_kind_of_value(self):
        @gen.coroutine
        def same(it):
            return it

        async def awaits(it):
            return await same(it)

        for it in (None, 5, (1, 2), (), ValueError("a value"), StopIteration(3)):
            self.assertIs(self.io_loop.run_sync(lambda: awaits(it)), it)
            iterator = iter(same(it))
            with self.assertRaises(StopIteration) as stop:
                iterator.send(None)
            self.assertIs(stop.exception.value, it)
            self.assertEqual(list(iter(same(it))), [])


class EndTest(unittest.TestCase):
    def run_program(self, text):
        return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)

    def test_interpreter_ends_with_suspended_coroutines(self):
        ended = self.run_program(
            "import squall; squall.install()\n"
            "from tornado import gen, ioloop, locks\n"
            "lock = locks.Lock()\n"
            "@gen.coroutine\n"
            "def waits():\n"
            "    try:\n"
            "        yield lock.acquire()\n"
            "        yield [gen.sleep(1000), lock.acquire()]\n"
            "    finally:\n"
            "        print('finally')\n"
            "async def native():\n"
            "    try:\n"
            "        await lock.acquire()\n"
            "    finally:\n"
            "        print('finally')\n"
            "kept = [waits()]\n"
            "ioloop.IOLoop.current().add_callback(native)\n"
            "ioloop.IOLoop.current().run_sync(lambda: gen.sleep(0.01))\n"
        )
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(ended.stdout, "finally\n" * 2)

    def test_interpreter_ends_with_threads_that_hold_objects(self):
        ended = self.run_program(
            "import squall, threading, time; squall.install()\n"
            "from tornado import gen, ioloop\n"
            "from tornado.concurrent import Future\n"
            "held = Future()\n"
            "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
            "thread = threading.Thread(target=lambda: ioloop.IOLoop().run_sync(lambda: gen.sleep(0.01)))\n"
            "thread.start(); thread.join()\n"
        )
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))

    def test_failure_of_the_program_is_a_traceback_and_status_1(self):
        ended = self.run_program(
            "import squall; squall.install()\n"
            "from tornado import gen, ioloop\n"
            "@gen.coroutine\n"
            "def divide(x, y):\n"
            "    yield gen.moment\n"
            "    return x / y\n"
            "ioloop.IOLoop.current().run_sync(lambda: divide(1, 0))\n"
        )
        self.assertEqual(ended.returncode, 1)
        self.assertTrue(ended.stderr.endswith("ZeroDivisionError: division by zero\n"), ended.stderr)


if __name__ == "__main__":
    unittest.main()
