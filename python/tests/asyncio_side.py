"""What programs of asyncio use, on squall's loop.

    python tests/asyncio_side.py
"""

import asyncio
import socket
import sys
import threading
import unittest

import squall

squall.install()

from tornado import gen  # noqa: E402
from tornado.ioloop import IOLoop  # noqa: E402
from tornado.platform.asyncio import AsyncIOMainLoop, to_asyncio_future  # noqa: E402


@gen.coroutine
def decorated(value):
    yield gen.moment
    yield gen.sleep(0.001)
    return value


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

    def test_current_task(self):
        async def body():
            return asyncio.current_task() is not None and await decorated(True)

        self.assertEqual(self.both(body), True)


class BridgeTest(unittest.TestCase):
    def test_main_loop_of_the_documents(self):
        AsyncIOMainLoop().install()
        loop = asyncio.get_event_loop()
        self.assertEqual(loop.run_until_complete(to_asyncio_future(decorated(5))), 5)
        self.assertEqual(IOLoop.current().run_sync(lambda: decorated(6)), 6)
        IOLoop.current().close()


if __name__ == "__main__":
    unittest.main()
