"""A handler that asks another server, by a coroutine that ends with `raise gen.Return(value)`."""
import json
import logging

from local_site import serve
from tornado import gen, ioloop, web
from tornado.httpclient import AsyncHTTPClient


class Users(web.RequestHandler):
    """The other server: it knows two users."""

    def get(self, name):
        ages = {"ada": 36, "alan": 41}
        if name not in ages:
            raise web.HTTPError(404, reason="Unknown User")
        self.write({"name": name, "age": ages[name]})


@gen.coroutine
def fetch_json(url):
    response = yield AsyncHTTPClient().fetch(url, raise_error=False)
    if response.code != 200:
        raise gen.Return({"error": response.reason})
    # Before Python 3.3 a generator could not `return` a value.
    raise gen.Return(json.loads(response.body))


class GetUser(web.RequestHandler):
    @gen.coroutine
    def get(self, name):
        user = yield fetch_json(f"{site}/users/{name}")
        self.write(json.dumps(user))
        self.finish()


@gen.coroutine
def ask():
    for name in "ada", "alan", "nobody":
        response = yield AsyncHTTPClient().fetch(f"{site}/get/{name}")
        print(response.body.decode())


logging.getLogger("tornado.access").setLevel(logging.ERROR)
site = serve([(r"/users/(\w+)", Users), (r"/get/(\w+)", GetUser)])
ioloop.IOLoop.current().run_sync(ask)
