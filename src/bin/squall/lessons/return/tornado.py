from tornado import gen, ioloop, web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port


def return_if_known(path):
    """A plain function: it cannot return from the coroutine that calls
    it, but it can raise."""
    if path == "/known":
        raise gen.Return("a page that is known")


@gen.coroutine
def fetch_coroutine(path):
    return_if_known(path)
    print(f"{path} must be fetched")
    response = yield AsyncHTTPClient().fetch(SITE + path)
    raise gen.Return(response.body.decode())


@gen.coroutine
def read():
    print((yield fetch_coroutine("/known")))
    print((yield fetch_coroutine("/new")))


class Page(web.RequestHandler):
    """The one page of the site, which takes 100 ms."""
    @gen.coroutine
    def get(self):
        yield gen.sleep(0.1)
        self.write(f"page {self.request.path}")


socket, port = bind_unused_port()
HTTPServer(web.Application([("/new", Page)])).add_sockets([socket])
SITE = f"http://127.0.0.1:{port}"
ioloop.IOLoop.current().run_sync(read)
