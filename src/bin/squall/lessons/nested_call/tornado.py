from tornado import gen, ioloop, web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port


@gen.coroutine
def coroutine_visit():
    client = AsyncHTTPClient()
    response = yield client.fetch(SITE + "/")
    print(response.body.decode())
    return len(response.body)


@gen.coroutine
def outer_coroutine():
    print("start call coroutine_visit")
    yield coroutine_visit()
    print("end call coroutine_visit")


class Page(web.RequestHandler):
    """The one page of the site, which takes 100 ms."""
    @gen.coroutine
    def get(self):
        yield gen.sleep(0.1)
        self.write(f"page {self.request.path}")


socket, port = bind_unused_port()
HTTPServer(web.Application([("/", Page)])).add_sockets([socket])
SITE = f"http://127.0.0.1:{port}"
ioloop.IOLoop.current().run_sync(outer_coroutine)
