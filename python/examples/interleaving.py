"""A Future that is kept and not yielded at once: the next chunk is fetched while this one is sent."""
from local_site import serve
from tornado import gen, ioloop, web
from tornado.gen import convert_yielded
from tornado.httpclient import AsyncHTTPClient

CHUNKS = [b"one ", b"two ", b"three"]


class Decorated(web.RequestHandler):
    def initialize(self):
        self.chunks = iter(CHUNKS)

    @gen.coroutine
    def fetch_next_chunk(self):
        yield gen.sleep(0.02)
        return next(self.chunks, None)

    @gen.coroutine
    def get(self):
        fetch_future = self.fetch_next_chunk()
        while True:
            chunk = yield fetch_future
            if chunk is None:
                break
            self.write(chunk)
            fetch_future = self.fetch_next_chunk()
            yield self.flush()


class Native(web.RequestHandler):
    def initialize(self):
        self.chunks = iter(CHUNKS)

    async def fetch_next_chunk(self):
        await gen.sleep(0.02)
        return next(self.chunks, None)

    async def get(self):
        # convert_yielded() starts the native coroutine in the background. A decorated one needs no such call.
        fetch_future = convert_yielded(self.fetch_next_chunk())
        while True:
            chunk = await fetch_future
            if chunk is None:
                break
            self.write(chunk)
            fetch_future = convert_yielded(self.fetch_next_chunk())
            await self.flush()


@gen.coroutine
def read_both():
    for path in "/decorated", "/native":
        received = []
        yield AsyncHTTPClient().fetch(site + path, streaming_callback=received.append)
        print(path, b"".join(received))


site = serve([(r"/decorated", Decorated), (r"/native", Native)])
ioloop.IOLoop.current().run_sync(read_both)
