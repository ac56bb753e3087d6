"""A list or a dict of Futures is one yield: all of them are waited for at the same time."""
from local_site import serve
from tornado import gen, ioloop
from tornado.httpclient import AsyncHTTPClient


@gen.coroutine
def parallel_fetch(url1, url2):
    http_client = AsyncHTTPClient()
    resp1, resp2 = yield [http_client.fetch(url1), http_client.fetch(url2)]
    print(resp1.body.decode(), "and", resp2.body.decode())


@gen.coroutine
def parallel_fetch_many(urls):
    http_client = AsyncHTTPClient()
    responses = yield [http_client.fetch(url) for url in urls]
    # responses is a list of HTTPResponses in the same order.
    print([response.body.decode() for response in responses])


@gen.coroutine
def parallel_fetch_dict(urls):
    http_client = AsyncHTTPClient()
    responses = yield {url: http_client.fetch(url) for url in urls}
    # responses is a dict {url: HTTPResponse}.
    for url, response in responses.items():
        print(url.removeprefix(site), "is", response.body.decode())


@gen.coroutine
def main():
    urls = [site + "/slow?after=0.1", site + "/fast"]
    yield parallel_fetch(*urls)
    yield parallel_fetch_many(urls)
    yield parallel_fetch_dict(urls)


site = serve()
ioloop.IOLoop.current().run_sync(main)
