#!/usr/bin/env python3
"""Fetches from servers that others wrote, by the example `fetch`: http.server, Tornado and nginx, each if it is there.

    cargo build --features http-client --example fetch && scripts/fetch_others.py

Prints a line for each server; exits 1 if one was not fetched as it should be.
"""
import http.server
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FETCH = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "debug/examples/fetch")
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


def main():
    with tempfile.TemporaryDirectory() as files, tempfile.TemporaryDirectory() as other:
        os.chmod(files, 0o755)
        for name, size in SIZES.items():
            with open(os.path.join(files, name), "w") as f:
                f.write("x" * size)
        results = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=files)

            def log_message(self, *args):
                pass

        for version in ["HTTP/1.0", "HTTP/1.1"]:
            Handler.protocol_version = version
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            results.append(fetch(f"http.server, {version}", server.server_port, False))
            server.shutdown()

        commands = {}
        if subprocess.run([sys.executable, "-c", "import tornado"], capture_output=True).returncode == 0:
            commands["Tornado"] = lambda port: [sys.executable, "-c", TORNADO, str(port), files]
        if shutil.which("nginx"):

            def nginx(port):
                path = os.path.join(other, "nginx.conf")
                with open(path, "w") as f:
                    f.write(NGINX.format(dir=other, port=port, files=files))
                return ["nginx", "-c", path]

            commands["nginx"] = nginx
        for name, command in commands.items():
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
