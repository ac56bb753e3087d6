"""A coroutine fetches a page: the Future of the fetch is yielded, and its result comes back."""
from local_site import serve
from tornado import gen, ioloop
from tornado.httpclient import AsyncHTTPClient


@gen.coroutine
def coroutine_visit(url):
    http_client = AsyncHTTPClient()
    response = yield http_client.fetch(url)
    print(response.body.decode())
    return len(response.body)


async def native_visit(url):
    response = await AsyncHTTPClient().fetch(url)
    print(response.body.decode())
    return len(response.body)


site = serve()
io_loop = ioloop.IOLoop.current()
print(io_loop.run_sync(lambda: coroutine_visit(site + "/decorated")), "bytes")
print(io_loop.run_sync(lambda: native_visit(site + "/native")), "bytes")
