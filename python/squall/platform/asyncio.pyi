import asyncio
from typing import Any

from squall.concurrent import Future
from squall.ioloop import IOLoop

class BaseAsyncIOLoop(IOLoop): ...
class AsyncIOLoop(BaseAsyncIOLoop): ...
class AsyncIOMainLoop(BaseAsyncIOLoop): ...

class AsyncioLoop(asyncio.AbstractEventLoop):
    io_loop: IOLoop

class EventLoopPolicy(asyncio.AbstractEventLoopPolicy): ...

AnyThreadEventLoopPolicy = EventLoopPolicy

class AddThreadSelectorEventLoop:
    def __new__(cls, real_loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop: ...  # type: ignore[misc]

def to_tornado_future(asyncio_future: asyncio.Future[Any]) -> asyncio.Future[Any]: ...
def to_asyncio_future(tornado_future: Any) -> Future[Any]: ...
