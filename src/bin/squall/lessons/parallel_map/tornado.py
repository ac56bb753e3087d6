from tornado import gen, ioloop, web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port


@gen.coroutine
def parallel_fetch_dict(paths):
    client = AsyncHTTPClient()
    responses = yield {path: client.fetch(SITE + path) for path in paths}
    for path in sorted(responses):
        print(f"{path}: {responses[path].body.decode()}")


class Page(web.RequestHandler):
    """A page of the site."""
    @gen.coroutine
    def get(self):
        yield gen.sleep({"/": 0.1, "/a": 0.2, "/bcd": 0.4}[self.request.path])
        self.write(f"page {self.request.path}")


socket, port = bind_unused_port()
HTTPServer(web.Application([("/.*", Page)])).add_sockets([socket])
SITE = f"http://127.0.0.1:{port}"
paths = ["/a", "/bcd", "/"]
ioloop.IOLoop.current().run_sync(lambda: parallel_fetch_dict(paths))
