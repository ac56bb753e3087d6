from tornado import gen, ioloop, web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port


@gen.coroutine
def parallel_fetch():
    client = AsyncHTTPClient()
    # Both start in the call; the slower one decides the time.
    one, two = yield [client.fetch(SITE + path) for path in ("/a", "/b")]
    print(f"{one.body.decode()}, {two.body.decode()}")


class Page(web.RequestHandler):
    """A page of the site."""
    @gen.coroutine
    def get(self):
        yield gen.sleep({"/a": 0.2, "/b": 0.1}[self.request.path])
        self.write(f"page {self.request.path}")


socket, port = bind_unused_port()
HTTPServer(web.Application([("/.", Page)])).add_sockets([socket])
SITE = f"http://127.0.0.1:{port}"
ioloop.IOLoop.current().run_sync(parallel_fetch)
