"""What programs of asyncio use, on squall's loop.

    python tests/asyncio_side.py
"""

import asyncio
import gc
import socket
import subprocess
import sys
import threading
import unittest
import weakref

import squall

squall.install()

from tornado import gen  # noqa: E402
from tornado.concurrent import Future  # noqa: E402
from tornado.ioloop import IOLoop  # noqa: E402
from tornado.platform.asyncio import AsyncIOMainLoop, to_asyncio_future  # noqa: E402


@gen.coroutine
def decorated(value):
    yield gen.moment
    yield gen.sleep(0.001)
    return value


async def native_sleep():
    await asyncio.sleep(0.001)


class AsyncioTest(unittest.TestCase):
    """Each test runs once as a task of asyncio, and once as a native coroutine of squall."""

    def both(self, body):
        expected = asyncio.run(body())
        io_loop = IOLoop(make_current=False)
        self.addCleanup(io_loop.close)
        self.assertEqual(io_loop.run_sync(body), expected)
        return expected

    def test_sleep_gather_and_tasks(self):
        async def body():
            task = asyncio.create_task(native(3))
            results = await asyncio.gather(decorated(1), native(2), asyncio.sleep(0.001, 4))
            return [*results, await task]

        async def native(value):
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
            return value

        self.assertEqual(self.both(body), [1, 2, 4, 3])

    def test_wait_for(self):
        async def body():
            try:
                await asyncio.wait_for(asyncio.sleep(60), 0.01)
            except asyncio.TimeoutError:
                return await asyncio.wait_for(decorated(5), 60)

        self.assertEqual(self.both(body), 5)

    @unittest.skipIf(sys.version_info < (3, 11), "asyncio.timeout is of Python 3.11")
    def test_timeout(self):
        async def body():
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(60)
            except TimeoutError:
                async with asyncio.timeout(60):
                    return await decorated("in time")

        self.assertEqual(self.both(body), "in time")

    @unittest.skipIf(sys.version_info < (3, 11), "TaskGroup is of Python 3.11")
    def test_task_group(self):
        async def fails():
            await asyncio.sleep(0.001)
            raise KeyError("no")

        async def body():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(asyncio.sleep(0.001, n)) for n in range(3)]
            results = [task.result() for task in tasks]
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(fails())
                    await asyncio.sleep(60)
            except BaseExceptionGroup as raised:
                return results, repr(raised.exceptions[0])

        self.assertEqual(self.both(body), ([0, 1, 2], "KeyError('no')"))

    def test_cancel_reaches_what_is_awaited(self):
        async def waits(seen):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        async def body():
            seen, future = [], gen.convert_yielded(waits_of := waits([]))
            waits_of.close()
            future.cancel()
            future = gen.convert_yielded(waits(seen))
            await asyncio.sleep(0.001)
            future.cancel()
            try:
                await future
            except asyncio.CancelledError:
                seen.append("raised")
            return seen

        self.assertEqual(self.both(body), ["cancelled", "raised"])

    def test_locks_events_and_queues(self):
        async def body():
            event, queue, lock, seen = asyncio.Event(), asyncio.Queue(1), asyncio.Lock(), []

            async def producer():
                await event.wait()
                for n in range(3):
                    async with lock:
                        await queue.put(n)

            task = asyncio.ensure_future(producer())
            event.set()
            while len(seen) < 3:
                seen.append(await queue.get())
            await task
            return seen

        self.assertEqual(self.both(body), [0, 1, 2])

    def test_threads(self):
        async def body():
            loop = asyncio.get_running_loop()
            future = loop.create_future()
            threading.Thread(target=lambda: loop.call_soon_threadsafe(future.set_result, 1)).start()
            return await future, await loop.run_in_executor(None, lambda: 2), await asyncio.to_thread(lambda: 3)

        self.assertEqual(self.both(body), (1, 2, 3))

    def test_readers_and_writers(self):
        async def body():
            here, there = socket.socketpair()
            here.setblocking(False)
            there.setblocking(False)
            loop, future = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
            loop.add_writer(there, lambda: (there.send(b"hello"), loop.remove_writer(there)))
            loop.add_reader(here, lambda: (future.set_result(here.recv(100)), loop.remove_reader(here)))
            received = await future
            here.close()
            there.close()
            return received

        self.assertEqual(self.both(body), b"hello")

    def test_streams_and_servers(self):
        async def body():
            async def shouts(reader, writer):
                writer.write((await reader.readline()).upper())
                await writer.drain()
                writer.close()

            server = await asyncio.start_server(shouts, "127.0.0.1", 0)
            async with server:
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                writer.write(b"hello\n")
                answer = await reader.read()
                writer.close()
                await writer.wait_closed()
            return answer

        self.assertEqual(self.both(body), b"HELLO\n")

    def test_subprocesses(self):
        async def body():
            pipe = asyncio.subprocess.PIPE
            command = [sys.executable, "-c", "print(input() * 2)"]
            child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
            return (await child.communicate(b"ab\n"))[0], child.returncode

        self.assertEqual(self.both(body), (b"abab\n", 0))

    @unittest.skipIf(sys.version_info < (3, 11), "asyncio's own tasks forget messages in Python 3.10")
    def test_message_of_a_cancellation(self):
        async def waits(awaitable, seen):
            try:
                await awaitable
            except asyncio.CancelledError as raised:
                seen.append(raised.args)
                raise

        @gen.coroutine
        def yields(future, seen):
            try:
                yield future
            except asyncio.CancelledError as raised:
                seen.append(raised.args)

        async def of_tasks():
            seen = []
            for make in (asyncio.ensure_future, gen.convert_yielded):
                for awaited in (Future(), asyncio.get_running_loop().create_future(), asyncio.sleep(60)):
                    task = make(waits(awaited, seen))
                    await asyncio.sleep(0.001)
                    task.cancel("too late")
                    try:
                        await task
                    except asyncio.CancelledError as raised:
                        seen.append(raised.args)
            return seen

        self.assertEqual(asyncio.run(of_tasks()), [("too late",)] * 12)

        async def of_future():
            seen, future = [], Future()
            yields(future, seen)
            tasks = [asyncio.ensure_future(waits(future, seen)), gen.convert_yielded(waits(future, seen))]
            await asyncio.sleep(0.001)
            future.cancel("by hand")
            await asyncio.wait(tasks)
            with self.assertRaises(asyncio.CancelledError) as raised:
                future.result()
            return [*seen, raised.exception.args]

        self.assertEqual(asyncio.run(of_future()), [("by hand",)] * 4)

    def test_asynchronous_generators_are_closed_at_the_end(self):
        ended = []

        async def numbers():
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(0)
                ended.append("closed")

        kept = []

        async def body():
            for generator in (numbers(), numbers()):
                await generator.__anext__()
                kept.append(generator)
            kept.pop()
            del generator
            # asyncio closes the one that was dropped soon, and the other one at the end.
            await asyncio.sleep(0.01)
            return list(ended)

        self.assertEqual(asyncio.run(body()), ["closed"])
        self.assertEqual(ended, ["closed"] * 2)

    def test_current_loop_is_that_which_was_set(self):
        asyncio.set_event_loop(None)
        self.addCleanup(asyncio.set_event_loop, None)
        with self.assertRaisesRegex(RuntimeError, "no current event loop"):
            asyncio.get_event_loop()
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        asyncio.set_event_loop(loop)
        self.assertIs(asyncio.get_event_loop(), loop)
        self.assertIs(IOLoop.current().asyncio_loop, loop)

    def test_closed_loop_is_freed_without_the_collector(self):
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(native_sleep())
        alive = weakref.ref(loop.io_loop)
        loop.close()
        self.assertIsNone(alive())
        self.assertTrue(loop.is_closed())
        self.assertRaisesRegex(RuntimeError, "Event loop is closed", loop.call_soon, print)

    def test_current_task(self):
        async def body():
            return asyncio.current_task() is not None and await decorated(True)

        self.assertEqual(self.both(body), True)

    def test_current_task_is_the_coroutine_that_runs_and_none_in_callbacks(self):
        async def body():
            async def native():
                first = asyncio.current_task()
                await asyncio.sleep(0)
                return first, asyncio.current_task()

            in_callback = asyncio.get_running_loop().create_future()
            tasks = [asyncio.ensure_future(native()), gen.convert_yielded(native())]
            asyncio.get_running_loop().call_soon(lambda: in_callback.set_result(asyncio.current_task()))
            here = asyncio.current_task()
            results = [await task for task in tasks]
            of_both = [first is task and second is task for task, (first, second) in zip(tasks, results)]
            return of_both, await in_callback, here is not None and asyncio.current_task() is here

        self.assertEqual(self.both(body), ([True, True], None, True))

    def test_loop_without_a_current_task_after_a_coroutine_has_ended(self):
        async def body():
            return asyncio.current_task()

        io_loop = IOLoop(make_current=False)
        self.addCleanup(io_loop.close)
        self.assertTrue(io_loop.run_sync(body).done())
        self.assertIsNone(asyncio.current_task(io_loop.asyncio_loop))

    def test_registry_of_convert_yielded(self):
        # In a process of its own, since nothing can be taken out of the registry.
        code = (
            "import collections.abc, squall; squall.install()\n"
            "from tornado import gen\n"
            "async def native(): pass\n"
            "gen.convert_yielded.register(collections.abc.Coroutine, lambda it: it.close())\n"
            "assert gen.convert_yielded(native()) is None\n"
            "assert gen.convert_yielded.dispatch(int) is gen.convert_yielded.registry[object]\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


class BridgeTest(unittest.TestCase):
    def test_timer_is_cancelled_like_one_of_asyncio(self):
        io_loop = IOLoop(make_current=False)
        self.addCleanup(io_loop.close)
        called = []
        for set_timer in io_loop.call_later, io_loop.add_timeout, io_loop.call_at:
            delay = 0 if set_timer == io_loop.call_later else io_loop.time()
            handle = set_timer(delay, called.append, "cancelled")
            self.assertFalse(handle.cancelled())
            handle.cancel()
            handle.cancel()
            self.assertTrue(handle.cancelled())
            self.assertIn("cancelled", repr(handle))
        later = io_loop.call_later(1000, called.append, "later")
        self.assertAlmostEqual(later.when() - io_loop.asyncio_loop.time(), 1000, delta=60)
        # What Tornado cancels is any handle with that method.
        removed = io_loop.asyncio_loop.call_later(0, called.append, "removed")
        io_loop.remove_timeout(removed)
        with self.assertRaises(AttributeError):
            io_loop.remove_timeout(None)
        called_at_last = io_loop.call_later(0.001, io_loop.stop)
        io_loop.start()
        self.assertEqual((called, called_at_last.cancelled(), removed.cancelled()), ([], False, True))
        io_loop.close()
        later.cancel()
        self.assertTrue(later.cancelled())

    def test_loop_gets_its_handlers_before_its_thread_runs_it(self):
        io_loop = IOLoop(make_current=False)
        here, there = socket.socketpair()
        unused, closed = socket.socketpair()
        self.addCleanup(here.close)
        self.addCleanup(there.close)
        read = []

        def ready(fd, events):
            read.append((fd.recv(10), events, threading.current_thread() is thread))
            io_loop.stop()

        io_loop.add_handler(here, ready, IOLoop.NONE)
        io_loop.update_handler(here, IOLoop.READ)
        io_loop.add_handler(unused, ready, IOLoop.READ)
        io_loop.remove_handler(unused)
        number = unused.fileno()
        unused.close()
        closed.close()
        with self.assertRaises(OSError):
            io_loop.add_handler(number, ready, IOLoop.READ)
        there.send(b"early")

        def run():
            io_loop.start()
            io_loop.close()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        self.assertEqual(read, [(b"early", IOLoop.READ, True)])

    def test_main_loop_of_the_documents(self):
        AsyncIOMainLoop().install()
        loop = asyncio.get_event_loop()
        self.assertEqual(loop.run_until_complete(to_asyncio_future(decorated(5))), 5)
        self.assertEqual(IOLoop.current().run_sync(lambda: decorated(6)), 6)
        IOLoop.current().close()


if __name__ == "__main__":
    unittest.main()
