"""The row `http-hello` of `speed.py`: Tornado's own web server answers `hello` to 16 connections of another process.

Its client sends a request on each connection, and then reads each answer.
"""

import socket
import subprocess
import sys

CONNECTIONS = 16
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def hello(clock):
    """Returns the row, whose result is the time of the server by that clock, without what it takes to start."""

    async def run(n):
        from tornado import gen, httpserver, ioloop, netutil, web

        class Hello(web.RequestHandler):
            def get(self):
                self.write("hello")

        application = web.Application([("/", Hello)], log_function=lambda _handler: None)
        server = httpserver.HTTPServer(application)
        sockets = netutil.bind_sockets(0, "127.0.0.1", socket.AF_INET)
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        command = [sys.executable, __file__, str(port), str(n // CONNECTIONS)]
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def line():
            return ioloop.IOLoop.current().run_in_executor(None, client.stdout.readline)

        await line()
        start = clock()
        client.stdin.close()
        await line()
        taken = clock() - start
        server.stop()
        await server.close_all_connections()
        client.wait()
        await gen.sleep(0)
        return taken

    return run


def main(port, rounds):
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    for rounds in (3, rounds):
        # The first rounds are not measured: a line tells that they are over, and the end of the input to go on.
        for _ in range(rounds):
            for connection in connections:
                connection.sendall(REQUEST)
            for connection in connections:
                answer = connection.recv(4096)
                while not answer.endswith(b"hello"):
                    answer += connection.recv(4096)
        print("done", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
