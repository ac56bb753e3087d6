#!/usr/bin/env python3
"""Fetches from servers that others wrote, by the example `fetch`: http.server, Tornado, nginx, and one that is bad.

    cargo build --all-features --example fetch && scripts/fetch_others.py

Prints a line for each server; exits with 1 if one was not fetched as it should be. Installs what it needs: Tornado in a
temporary virtual environment, nginx by apt-get.
"""

import http.server
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import example_server

example_server.need_packages(example_server.TORNADO)
example_server.need_program("nginx")

FETCH = os.path.join(os.environ.get("CARGO_TARGET_DIR", example_server.ROOT / "target"), "debug/examples/fetch")
SIZES = {"small": 5, "large": 3_000_000}

TORNADO = """
import sys, tornado.ioloop, tornado.web
class Moved(tornado.web.RequestHandler):
    def get(self): self.redirect("/static/small")
app = tornado.web.Application([("/moved", Moved), ("/(.*)", tornado.web.StaticFileHandler, {"path": sys.argv[2]})],
                              static_path=sys.argv[2], compress_response=True)
app.listen(int(sys.argv[1]), "127.0.0.1")
tornado.ioloop.IOLoop.current().start()
"""

NGINX = """
daemon off; pid {dir}/pid; error_log stderr;
events {{}}
http {{ access_log off; gzip on; gzip_types *; gzip_min_length 1; client_body_temp_path {dir}/t;
  server {{ listen 127.0.0.1:{port}; root {files}; location /moved {{ return 302 /small; }} }} }}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def fetch(server, port, moved):
    base = f"http://127.0.0.1:{port}"
    expected = [f"200 {size} {base}/{name}" for name, size in SIZES.items()] * 20
    expected += [f"200 5 {base}/moved"] * moved
    urls = [line.split()[2] for line in expected]
    ran = subprocess.run([FETCH, *urls, f"{base}/missing"], capture_output=True, text=True)
    good = sorted(ran.stdout.splitlines()) == sorted(expected) and ran.returncode == 1 and "HTTP 404" in ran.stderr
    print(f"{server}: {'well' if good else 'NOT WELL'}, {len(urls)} fetched")
    if not good:
        print(ran.stdout, ran.stderr)
    return good


OK = b"HTTP/1.1 200 OK\r\n"
# What a bad server answers to a path, and what is said of that. A server that closes at once is asked again, once.
BAD = {
    "/nothing": (b"", "could not be"),
    "/no-http": (b"SSH-2.0-OpenSSH_9.6\r\n", "could not be received"),
    "/half-a-head": (OK + b"Content-Le", "could not be received"),
    "/half-a-body": (OK + b"Content-Length: 10\r\n\r\nhalf", "could not be received"),
    "/half-a-chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\nhalf", "could not be received"),
    "/bad-chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "could not be received"),
    "/two-lengths": (OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nfive!", "could not be received"),
    "/large-head": (OK + b"X: " + b"y" * 1_000_000, "the head of .* is larger than 65536 bytes"),
    "/no-gzip": (OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf", "could not be decoded"),
    "/loop": (b"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n", "redirects once more"),
    "/nowhere": (b"HTTP/1.1 302 Found\r\nLocation: gopher://a/\r\nContent-Length: 0\r\n\r\n", "redirects to"),
    "/status": (b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n", "HTTP 418"),
}
# What is odd and allowed, and the length of its body.
ODD = {
    "/until-the-end": (OK + b"\r\nto the end", 10),
    "/no-content": (b"HTTP/1.1 204 No Content\r\n\r\n", 0),
    "/continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 4\r\n\r\nbody", 4),
    "/bare-lf": (b"HTTP/1.1 200 OK\nContent-Length: 4\n\nbody", 4),
    "/trailer": (OK + b"Transfer-Encoding: chunked\r\n\r\n4;a=b\r\nbody\r\n0\r\nX: y\r\n\r\n", 4),
    "/too-much": (OK + b"Content-Length: 4\r\n\r\nbody and more than was said", 4),
}


def answer_badly(connection):
    with connection:
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(1 << 16)
            if not chunk:
                return
            received += chunk
        path = received.split(b" ")[1].decode()
        try:
            connection.sendall((BAD.get(path) or ODD[path])[0])
        except OSError:
            pass


def bad_server():
    """Serves one request on each connection, badly. Returns its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer_badly, args=[connection], daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def fetch_badly():
    base = f"http://127.0.0.1:{bad_server()}"
    ran = subprocess.run([FETCH, *(base + path for path in [*BAD, *ODD])], capture_output=True, text=True, timeout=60)
    expected = sorted(f"{204 if path == '/no-content' else 200} {size} {base}{path}" for path, (_, size) in ODD.items())
    said = ran.stderr.splitlines()
    missing = [path for path, (_, words) in BAD.items()
               if not any(path in line and re.search(words, line) for line in said)]
    good = sorted(ran.stdout.splitlines()) == expected and not missing and len(said) == len(BAD) and ran.returncode == 1
    print(f"a bad server: {'well' if good else 'NOT WELL'}, {len(BAD) + len(ODD)} fetched")
    if not good:
        print(f"not said of {missing}", ran.stdout, ran.stderr, sep="\n")
    return good


def main():
    with tempfile.TemporaryDirectory() as files, tempfile.TemporaryDirectory() as other:
        os.chmod(files, 0o755)
        for name, size in SIZES.items():
            with open(os.path.join(files, name), "w") as f:
                f.write("x" * size)
        results = [fetch_badly()]

        class Many(http.server.ThreadingHTTPServer):
            request_queue_size = 100

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=files)

            def log_message(self, *args):
                pass

        for version in ["HTTP/1.0", "HTTP/1.1"]:
            Handler.protocol_version = version
            server = Many(("127.0.0.1", 0), Handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            results.append(fetch(f"http.server, {version}", server.server_port, False))
            server.shutdown()

        def tornado(port):
            return [sys.executable, "-c", TORNADO, str(port), files]

        def nginx(port):
            path = os.path.join(other, "nginx.conf")
            with open(path, "w") as f:
                f.write(NGINX.format(dir=other, port=port, files=files))
            return ["nginx", "-c", path]

        for name, command in [("Tornado", tornado), ("nginx", nginx)]:
            port = free_port()
            process = subprocess.Popen(command(port), stderr=subprocess.DEVNULL)
            try:
                wait_for(port)
                results.append(fetch(name, port, True))
            finally:
                process.terminate()
                process.wait()
        sys.exit(not all(results))


main()
