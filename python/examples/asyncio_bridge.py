"""The two sorts of coroutine on one loop of asyncio: each waits for the other."""
import asyncio
import warnings

from tornado import gen
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOMainLoop, to_asyncio_future

# asyncio.get_event_loop() outside of a coroutine is of the time of these documents.
warnings.simplefilter("ignore", DeprecationWarning)


@gen.coroutine
def tornado_coroutine():
    yield gen.sleep(0.05)
    # A coroutine of Tornado can yield Futures of asyncio ...
    yield asyncio.sleep(0.05)
    print("on one loop:", IOLoop.current().asyncio_loop is asyncio.get_event_loop())
    return "tornado"


async def asyncio_coroutine():
    # ... and a native one awaits what Tornado's calls return.
    name = await tornado_coroutine()
    return name, await asyncio.gather(one(1), one(2))


async def one(n):
    await asyncio.sleep(0.01)
    return n


AsyncIOMainLoop().install()
loop = asyncio.get_event_loop()
print(loop.run_until_complete(to_asyncio_future(tornado_coroutine())))
print(loop.run_until_complete(asyncio_coroutine()))
