from tornado import gen, ioloop
from tornado.iostream import StreamClosedError
from tornado.locks import Event
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.testing import bind_unused_port


class Server(TCPServer):
    viewers = 0

    @gen.coroutine
    def page(self, to):
        """Sends a page in parts."""
        self.viewers += 1
        for part in (b"one\n", b"two\n", b"three\n", b"four\n"):
            # A flush: it raises if the client has left.
            yield to.write(part)
            yield gen.sleep(0.1)
        # After an exception this is never done.
        self.viewers -= 1

    @gen.coroutine
    def handle_stream(self, stream, address):
        try:
            yield self.page(stream)
        except StreamClosedError:
            print("the client has left")
        served.set()


@gen.coroutine
def visit():
    stream = yield TCPClient().connect("127.0.0.1", port)
    yield stream.read_until(b"\n")
    stream.close()
    yield served.wait()


socket, port = bind_unused_port()
server, served = Server(), Event()
server.add_sockets([socket])
ioloop.IOLoop.current().run_sync(visit)
print(f"viewers: {server.viewers}")
