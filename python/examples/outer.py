"""A coroutine calls another by yielding what the call returns."""
from local_site import serve
from tornado import gen, ioloop
from tornado.httpclient import AsyncHTTPClient


@gen.coroutine
def coroutine_visit():
    http_client = AsyncHTTPClient()
    response = yield http_client.fetch(site)
    print(response.body.decode())


@gen.coroutine
def outer_coroutine():
    print("start call coroutine_visit")
    yield coroutine_visit()
    print("end call coroutine_visit")


site = serve()
ioloop.IOLoop.current().run_sync(outer_coroutine)
