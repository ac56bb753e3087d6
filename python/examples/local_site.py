"""A web server on this machine, in the process of the example that fetches from it."""
from tornado import gen, httpserver, netutil, web


class Page(web.RequestHandler):
    """Answers with the path that was asked for, after the given number of seconds."""

    @gen.coroutine
    def get(self):
        yield gen.sleep(float(self.get_query_argument("after", "0")))
        self.write(f"page {self.request.path}")


def serve(handlers=((r"/.*", Page),)):
    """Serves `handlers` on a free port, and returns the address."""
    sockets = netutil.bind_sockets(0, "127.0.0.1")
    httpserver.HTTPServer(web.Application(list(handlers))).add_sockets(sockets)
    return "http://127.0.0.1:%d" % sockets[0].getsockname()[1]
