#!/usr/bin/env python3
"""Tries the example web server with clients that others wrote: curl, Tornado, `websockets`, `http.client`, and raw bytes.

    cargo build --all-features --example server
    scripts/http_short.py              every check
    scripts/http_short.py websocket    those whose name contains that
    SERVER=path scripts/http_short.py  another binary

Names each check that failed and exits with 1 if there is one. Installs what it needs: the Python packages in a temporary
virtual environment, curl by apt-get. Takes under a minute. The heavy tests are in http_heavy.py.
"""

import asyncio
import base64
import email.utils
import hashlib
import http.client
import json
import os
import select
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse
from pathlib import Path

import example_server
from example_server import ROOT, Server

example_server.need_packages(example_server.TORNADO, example_server.WEBSOCKETS)
example_server.need_program("curl")

import tornado.httpclient
import tornado.websocket
import websockets

BINARY = os.environ.get("SERVER") or ROOT / "target/debug/examples/server"
PAGE = bytes(range(256)) * 40
MEGABYTES_5 = os.urandom(1 << 20) * 5
SECOND_REQUEST = b"GET / HTTP/1.1\r\nHost: second\r\n\r\n"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def same(got, expected, what=""):
    if got != expected:
        raise AssertionError(f"{what}: got {str(got)[:300]!r}, expected {str(expected)[:300]!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(str(what)[:600])


# ---- Clients


def connect(server):
    connection = socket.create_connection(server.address, timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def rest(connection):
    """All that comes until the server closes the connection."""
    received = b""
    try:
        while chunk := connection.recv(1 << 16):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def talk(server, *parts):
    """Sends bytes, a moment apart, and returns all that comes back until the server closes."""
    with connect(server) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                if len(parts) > 1:
                    time.sleep(0.02)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return rest(connection)


def head(method, path, *headers, version="1.1"):
    lines = [f"{method} {path} HTTP/{version}", "Host: a", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def until(connection, mark, received=b""):
    while mark not in received:
        chunk = connection.recv(1 << 16)
        holds(chunk, f"closed before {mark!r}: {received!r}")
        received += chunk
    return received


def status(answer):
    return answer.split(b"\r\n", 1)[0].decode("latin-1")


def answers(received):
    return received.count(b"HTTP/1.1 ") + received.count(b"HTTP/1.0 ")


def request(server, method, path, body=None, headers=None, **options):
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    try:
        connection.request(method, path, body, headers or {}, **options)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def curl(server, *arguments, stdin=None):
    paths = [server.url + argument if argument.startswith("/") and argument != os.devnull else argument for argument in arguments]
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20", "--path-as-is", *paths],
                          input=stdin, capture_output=True)
    same(done.returncode, 0, f"curl {arguments}: {done.stderr.decode()}")
    return done.stdout


def in_loop(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def lives(server):
    same(request(server, "GET", "/")[2], b"Hello", "the server afterwards")


def refused(server, name, request_bytes, statuses=("400 Bad Request",)):
    """A malformed request is answered once, and nothing after it is taken for a request."""
    received = talk(server, request_bytes + SECOND_REQUEST)
    holds(status(received) in [f"HTTP/1.1 {line}" for line in statuses], f"{name}: {received!r}")
    same(answers(received), 1, f"{name}: answers")


# ---- HTTP


@check
def get_by_http_client(server):
    code, headers, body = request(server, "GET", "/")
    same((code, body), (200, b"Hello"))
    same(headers["content-length"], "5")
    holds(abs(email.utils.parsedate_to_datetime(headers["date"]).timestamp() - time.time()) < 30, headers["date"])


@check
def head_has_the_headers_of_get_and_no_body(server):
    received = talk(server, head("HEAD", "/static/page.bin", "Connection: close"))
    holds(f"content-length: {len(PAGE)}".encode() in received.lower(), received)
    holds(received.endswith(b"\r\n\r\n"), received[-100:])
    holds(f"content-length: {len(PAGE)}".encode() in curl(server, "--head", "/static/page.bin").lower(), "curl --head")


@check
def responses_of_204_and_304_have_no_body(server):
    for code in [204, 304]:
        with connect(server) as connection:
            for _ in range(2):
                connection.sendall(head("GET", f"/status?code={code}"))
                received = until(connection, b"\r\n\r\n")
                same(status(received).split()[1], str(code))
                holds(received.endswith(b"\r\n\r\n"), received)
                holds(b"transfer-encoding" not in received.lower(), received)
            connection.sendall(SECOND_REQUEST)
            holds(until(connection, b"Hello").startswith(b"HTTP/1.1 200 "), "the request after it")
        same(request(server, "GET", f"/status?code={code}")[::2], (code, b""))


@check
def json_of_16_kib(server):
    code, headers, body = request(server, "GET", "/json")
    same((code, len(body)), (200, 16 * 1024))
    holds(headers["content-type"].startswith("application/json"), headers)
    same(json.loads(body)[1], {"id": 1, "name": "user 0001"})


@check
def echo_by_each_method(server):
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"]:
        code, headers, body = request(server, method, "/echo", b"\x00\xff body", {"content-type": "text/x"})
        same((code, headers["content-type"], body), (200, "text/x", b"\x00\xff body"), method)


@check
def other_methods_are_405_with_allow(server):
    for method in ["POST", "PUT", "BREW"]:
        code, headers, _ = request(server, method, "/")
        same(code, 405, method)
        holds("GET" in headers["allow"], headers)


@check
def unknown_path_is_404(server):
    same(request(server, "GET", "/nothing")[0], 404)


@check
def echo_of_5_mb_chunked_by_http_client(server):
    parts = [MEGABYTES_5[i : i + 77_777] for i in range(0, len(MEGABYTES_5), 77_777)]
    code, _, body = request(server, "POST", "/echo", iter(parts), {"transfer-encoding": "chunked"}, encode_chunked=True)
    same((code, body == MEGABYTES_5), (200, True))


@check
def echo_of_20_mb_chunked_both_ways_at_once(server):
    chunk = MEGABYTES_5[: 1 << 18]
    with connect(server) as connection:
        connection.sendall(head("POST", "/echo", "Transfer-Encoding: chunked", "Connection: close"))

        def send():
            for _ in range(80):
                connection.sendall(b"%x;name=value\r\n%b\r\n" % (len(chunk), chunk))
            connection.sendall(b"0\r\nTrailer: of the body\r\n\r\n")

        sender = threading.Thread(target=send)
        sender.start()
        response = http.client.HTTPResponse(connection)
        response.begin()
        body = response.read()
        sender.join()
        same((response.status, response.headers["transfer-encoding"]), (200, "chunked"))
        same(hashlib.sha256(body).digest(), hashlib.sha256(chunk * 80).digest(), "the body")


@check
def echo_of_5_mb_by_curl(server):
    body = curl(server, "--data-binary", "@-", "--header", "Transfer-Encoding: chunked", "/echo", stdin=MEGABYTES_5)
    holds(body == MEGABYTES_5, len(body))
    body = curl(server, "--upload-file", "-", "/echo", stdin=MEGABYTES_5)
    holds(body == MEGABYTES_5, len(body))


@check
def curl_keeps_its_connection(server):
    paths = [part for path in ["/", "/json", "/echo"] for part in ["--output", os.devnull, "--url", server.url + path]]
    same(curl(server, "--write-out", "%{num_connects} ", *paths), b"1 0 0 ")


@check
def expect_100_continue(server):
    with connect(server) as connection:
        connection.sendall(head("POST", "/echo", "Expect: 100-continue", "Content-Length: 4", "Connection: close"))
        received = until(connection, b"\r\n\r\n")
        same(status(received), "HTTP/1.1 100 Continue")
        connection.sendall(b"body")
        received = rest(connection)
        same(status(received), "HTTP/1.1 200 OK")
        holds(received.endswith(b"\r\n\r\nbody"), received)
    body = curl(server, "--header", "Expect: 100-continue", "--data-binary", "@-", "/echo", stdin=MEGABYTES_5)
    holds(body == MEGABYTES_5, len(body))


@check
def expect_100_continue_for_an_unwanted_body(server):
    with connect(server) as connection:
        connection.sendall(head("POST", "/", "Expect: 100-continue", "Content-Length: 4"))
        same(status(until(connection, b"\r\n\r\n")), "HTTP/1.1 405 Method Not Allowed")


@check
def pipelined_requests_are_answered_in_order(server):
    received = talk(server, head("GET", "/slow?ms=100") + head("POST", "/echo", "Content-Length: 3") + b"abc"
                    + head("HEAD", "/") + head("GET", "/stream?n=3") + head("GET", "/nothing")
                    + head("GET", "/", "Connection: close"))
    same(answers(received), 6, received)
    places = [received.index(mark) for mark in [b"slept 100 ms", b"abc", b"chunk 2", b"404 Not Found", b"\r\n\r\nHello"]]
    same(places, sorted(places), received)


@check
def request_in_single_bytes(server):
    received = talk(server, *(bytes([byte]) for byte in b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    holds(received.endswith(b"\r\n\r\nHello"), received)


@check
def http_1_0_closes(server):
    received = talk(server, b"GET / HTTP/1.0\r\n\r\n")
    holds(received.endswith(b"\r\n\r\nHello"), received)
    received = talk(server, b"GET /stream?n=2 HTTP/1.0\r\n\r\n")
    holds(b"transfer-encoding" not in received.lower(), received)
    holds(received.endswith(b"\r\n\r\nchunk 0\nchunk 1\n"), received)
    same(curl(server, "--http1.0", "/"), b"Hello")


@check
def http_1_0_keeps_alive_if_asked(server):
    received = talk(server, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + b"GET / HTTP/1.0\r\n\r\n")
    same(answers(received), 2, received)


@check
def connection_close_closes(server):
    received = talk(server, head("GET", "/", "Connection: close") + SECOND_REQUEST)
    same(answers(received), 1, received)
    holds(b"connection: close" in received.lower(), received)


@check
def half_closed_client_gets_its_response(server):
    for path, end in [("/", b"Hello"), ("/slow?ms=200", b"slept 200 ms"), ("/stream?n=200", b"0\r\n\r\n")]:
        with connect(server) as connection:
            connection.sendall(head("GET", path))
            connection.shutdown(socket.SHUT_WR)
            received = rest(connection)
            holds(received.endswith(end), f"{path}: {received[-200:]!r}")


@check
def panic_and_exception_are_500_for_their_request_alone(server):
    received = talk(server, head("GET", "/panic") + head("GET", "/raise") + head("GET", "/", "Connection: close"))
    same(received.count(b"HTTP/1.1 500 Internal Server Error"), 2, received)
    holds(received.endswith(b"\r\n\r\nHello"), received)
    holds(b"this handler" not in received and b".rs" not in received, received)
    logged = server.logged()
    holds("this handler panics" in logged and "this handler raises" in logged, logged)


@check
def arguments_of_the_query_that_are_no_numbers_are_400(server):
    for query in ["ms=x", "ms=-1", "ms=%ff", "ms=%zz", "ms=", "ms=99999999999999999999999"]:
        same(request(server, "GET", f"/slow?{query}")[0], 400, query)


# ---- Files


@check
def file_with_type_and_validators(server):
    code, headers, body = request(server, "GET", "/static/page.html")
    same((code, body), (200, b"<p>page</p>"))
    holds(headers["content-type"].startswith("text/html"), headers)
    holds(headers["etag"] and headers["last-modified"] and headers["accept-ranges"] == "bytes", headers)


@check
def file_conditions(server):
    _, headers, _ = request(server, "GET", "/static/page.bin")
    etag, modified = headers["etag"], headers["last-modified"]
    for sent, expected in [
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f'"other", {etag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": modified}, 304),
        ({"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "no date"}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": modified}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412),
    ]:
        code, answered, body = request(server, "GET", "/static/page.bin", headers=sent)
        same(code, expected, sent)
        if code == 304:
            same((answered["etag"], body), (etag, b""), sent)
    received = talk(server, head("GET", "/static/page.bin", f"If-None-Match: {etag}")
                    + head("GET", "/", "Connection: close"))
    holds(answers(received) == 2 and received.endswith(b"Hello"), received)


@check
def file_ranges(server):
    size = len(PAGE)
    for sent, first, last in [("0-4", 0, 4), ("-5", size - 5, size - 1), ("10-", 10, size - 1),
                              (f"{size - 1}-{size * 9}", size - 1, size - 1)]:
        code, headers, body = request(server, "GET", "/static/page.bin", headers={"Range": f"bytes={sent}"})
        same((code, headers["content-range"]), (206, f"bytes {first}-{last}/{size}"), sent)
        holds(body == PAGE[first : last + 1], sent)
    code, headers, _ = request(server, "GET", "/static/page.bin", headers={"Range": f"bytes={size}-"})
    same((code, headers["content-range"]), (416, f"bytes */{size}"))
    for sent in ["bytes=5-1", "lines=1-2", "bytes=x-y"]:
        same(request(server, "GET", "/static/page.bin", headers={"Range": sent})[2], PAGE, sent)
    stale = {"Range": "bytes=0-4", "If-Range": '"other"'}
    same(request(server, "GET", "/static/page.bin", headers=stale)[0], 200, "a stale If-Range")
    same(curl(server, "--range", "100-199", "/static/page.bin"), PAGE[100:200])


@check
def nothing_outside_of_the_directory_is_found(server):
    for path in ["/static/../secret", "/static/%2e%2e/secret", "/static/..%2fsecret", "/static/%2e%2e%2fsecret",
                 "/static/directory/../../secret", "/static//etc/passwd", "/static/%2fetc/passwd", "/static/link",
                 "/static/..\\secret", "/static/..%5csecret", "/static/%00", "/static/page.bin%00.html", "/static/",
                 "/static/directory", "/static/page.bin/", "/static/....//secret"]:
        received = talk(server, head("GET", path, "Connection: close"))
        holds(status(received).split()[1] in ["400", "403", "404"], f"{path}: {received!r}")
        holds(b"secret of the outside" not in received and b"root:" not in received, path)
    code = curl(server, "--output", "-", "--write-out", "%{http_code}", "/static/../secret")[-3:]
    holds(code in [b"400", b"403", b"404"], code)


@check
def percent_encoded_paths(server):
    name = urllib.parse.quote("größe 100%.txt")
    same(request(server, "GET", f"/static/{name}")[2], b"umlaut")
    for path in ["/static/%ff", "/static/%zz", "/static/%", "/static/%c3", "/static/%c3%28"]:
        received = talk(server, head("GET", path, "Connection: close"))
        holds(status(received).split()[1] in ["400", "404"], f"{path}: {received!r}")


# ---- Malformed and hostile


@check
def malformed_heads_are_refused(server):
    for name, bad in [
        ("two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("no Host", b"GET / HTTP/1.1\r\n\r\n"),
        ("obs-fold", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n"),
        ("obs-fold by a tab", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tfolded\r\n\r\n"),
        ("folded first header", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        ("bare CR in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: z\r\n\r\n"),
        ("bare CR as the line's end", b"GET / HTTP/1.1\rHost: a\r\r"),
        ("NUL", b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n"),
        ("space before the colon", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello"),
        ("no colon", b"GET / HTTP/1.1\r\nHost: a\r\nheader\r\n\r\n"),
        ("empty name", b"GET / HTTP/1.1\r\nHost: a\r\n: value\r\n\r\n"),
        ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
        ("HTTP/3", b"GET / HTTP/3\r\nHost: a\r\n\r\n"),
        ("invalid UTF-8 in the path", b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("space in the path", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    ]:
        refused(server, name, bad)


@check
def smuggling_by_lengths_is_refused(server):
    for name, headers in [
        ("two lengths", b"Content-Length: 5\r\nContent-Length: 6"),
        ("list of lengths", b"Content-Length: 5, 6"),
        ("negative", b"Content-Length: -5"),
        ("plus sign", b"Content-Length: +5"),
        ("hexadecimal", b"Content-Length: 0x5"),
        ("inner space", b"Content-Length: 5 5"),
        ("empty", b"Content-Length:"),
        ("beyond 64 bits", b"Content-Length: 18446744073709551621"),
        ("chunked is not last", b"Transfer-Encoding: chunked, gzip"),
        ("unknown coding", b"Transfer-Encoding: xchunked"),
        ("quoted coding", b'Transfer-Encoding: "chunked"'),
        ("identity", b"Transfer-Encoding: identity"),
        ("vertical tab", b"Transfer-Encoding: \x0bchunked"),
    ]:
        refused(server, name, b"POST /echo HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n\r\nhello")
    for name, header in [("gzip below the chunks", b"gzip, chunked"), ("chunked twice", b"chunked, chunked")]:
        refused(server, name, b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + header + b"\r\n\r\n0\r\n\r\n",
                ("501 Not Implemented",))
    refused(server, "chunked in HTTP/1.0", b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ["400 Bad Request"])


@check
def transfer_encoding_with_length_closes(server):
    for headers in [("Content-Length: 5", "Transfer-Encoding: chunked"), ("Transfer-Encoding: chunked", "Content-Length: 5")]:
        received = talk(server, head("POST", "/echo", *headers) + b"0\r\n\r\n" + SECOND_REQUEST)
        same(answers(received), 1, received)
        holds(status(received) in ["HTTP/1.1 200 OK", "HTTP/1.1 400 Bad Request"], received)


@check
def bad_chunks_are_refused(server):
    for body in [b"x\r\nhello\r\n0\r\n\r\n", b"\r\nhello\r\n", b"-1\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
                 b"+5\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloxx0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n",
                 b"5\nhello\r\n0\r\n\r\n", b"10000000000000005\r\nhello\r\n0\r\n\r\n",
                 b"fffffffffffffffff\r\nhello\r\n", b"5\rX\nhello\r\n0\r\n\r\n", b"5;a\nb\r\nhello\r\n0\r\n\r\n"]:
        refused(server, body, head("POST", "/echo", "Transfer-Encoding: chunked") + body)


@check
def bare_lf_ends_a_line_and_never_splits_a_request(server):
    received = talk(server, b"GET / HTTP/1.1\nHost: a\nConnection: close\n\n")
    holds(answers(received) == 1 and status(received) in ["HTTP/1.1 200 OK", "HTTP/1.1 400 Bad Request"], received)


@check
def headers_of_1_mb_are_431(server):
    for name, bad in [("one", b"X: " + b"y" * (1 << 20)), ("name", b"y" * (1 << 20) + b": x"),
                      ("many", b"\r\n".join(b"X-%d: y" % n for n in range(90_000)))]:
        received = talk(server, b"GET / HTTP/1.1\r\nHost: a\r\n" + bad + b"\r\n\r\n")
        same(status(received), "HTTP/1.1 431 Request Header Fields Too Large", name)
    received = talk(server, b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    holds(status(received).split()[1] in ["414", "431"], received)


@check
def slow_head_is_408(_):
    with Server(BINARY, "--header-timeout", 1) as server, connect(server) as connection:
        start = time.monotonic()
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"y" * 200:
            try:
                connection.sendall(bytes([byte]))
            except (BrokenPipeError, ConnectionResetError):
                break
            if select.select([connection], [], [], 0.05)[0]:
                break
        received = rest(connection)
        same(status(received), "HTTP/1.1 408 Request Timeout")
        holds(0.5 < time.monotonic() - start < 4, time.monotonic() - start)
        with connect(server) as silent:
            same(rest(silent), b"", "a connection that sends nothing")
        lives(server)


@check
def slow_body_is_408(_):
    with Server(BINARY, "--body-timeout", 1) as server:
        with connect(server) as connection:
            connection.sendall(head("POST", "/echo", "Content-Length: 10") + b"half")
            received = rest(connection)
            same(status(received), "HTTP/1.1 408 Request Timeout")
            same(answers(received), 1)
        with connect(server) as connection:
            connection.sendall(head("POST", "/echo", "Content-Length: 4", "Connection: close"))
            for byte in [b"b", b"o", b"d", b"y"]:
                time.sleep(0.4)
                connection.sendall(byte)
            holds(rest(connection).endswith(b"\r\n\r\nbody"), "a body that comes slowly but steadily")
        lives(server)


@check
def clients_that_leave_cost_no_descriptor(server):
    lives(server)
    before = server.descriptors()
    for abrupt in [False, True]:
        for sent in [b"", b"GET / HT", head("POST", "/echo", "Content-Length: 1000") + b"part",
                     head("POST", "/echo", "Transfer-Encoding: chunked") + b"ff\r\npart", head("GET", "/slow?ms=300"),
                     head("GET", "/stream?n=1000000"), head("GET", "/json") * 200,
                     head("POST", "/echo", "Expect: 100-continue", "Content-Length: 5")]:
            connection = connect(server)
            connection.sendall(sent)
            time.sleep(0.02)
            if abrupt:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
    lives(server)
    deadline = time.monotonic() + 5
    while server.descriptors() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    same(server.descriptors(), before, "descriptors")


@check
def body_that_ends_too_soon_is_400(server):
    for sent in [head("POST", "/echo", "Content-Length: 10") + b"part",
                 head("POST", "/echo", "Transfer-Encoding: chunked") + b"4\r\npart\r\n"]:
        with connect(server) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            same(status(rest(connection)), "HTTP/1.1 400 Bad Request", sent)


# ---- Tornado's client


@check
def tornado_client(server):
    async def run():
        client = tornado.httpclient.AsyncHTTPClient(force_instance=True)

        async def fetch(path, **options):
            return await client.fetch(server.url + path, raise_error=False, **options)

        same((await fetch("/")).body, b"Hello")
        same((await fetch("/", method="HEAD")).headers["content-length"], "5")
        same(len(json.loads((await fetch("/json")).body)), 251)
        same((await fetch("/echo", method="POST", body=MEGABYTES_5)).body == MEGABYTES_5, True)
        same((await fetch("/panic")).code, 500)
        same((await fetch("/nothing")).code, 404)
        response = await fetch("/echo", method="PUT", body="wanted", expect_100_continue=True)
        same((response.code, response.body), (200, b"wanted"), "expect_100_continue")

        async def produce(write):
            for start in range(0, len(MEGABYTES_5), 100_000):
                await write(MEGABYTES_5[start : start + 100_000])

        same((await fetch("/echo", method="POST", body_producer=produce)).body == MEGABYTES_5, True, "body_producer")
        parts = []
        await fetch("/stream?n=50", streaming_callback=parts.append)
        same(b"".join(parts), b"".join(b"chunk %d\n" % n for n in range(50)), "streaming_callback")
        etag = (await fetch("/static/page.bin")).headers["etag"]
        same((await fetch("/static/page.bin", headers={"If-None-Match": etag})).code, 304)
        start = time.monotonic()
        client_of_many = tornado.httpclient.AsyncHTTPClient(force_instance=True, max_clients=50)
        many = await asyncio.gather(*(client_of_many.fetch(f"{server.url}/slow?ms=500") for _ in range(50)))
        same({response.body for response in many}, {b"slept 500 ms"})
        holds(time.monotonic() - start < 5, "50 slow requests do not wait for each other")

    in_loop(run())


# ---- WebSockets


def web_socket_url(server):
    return server.url.replace("http", "ws") + "/ws"


@check
def websocket_echo_by_websockets(server):
    async def run():
        async with websockets.connect(web_socket_url(server), max_size=None) as socket_:
            for message in ["", "text", "größe ☂", b"", b"\x00\xff", "x" * 70_000, os.urandom(1 << 20)]:
                await socket_.send(message)
                holds(await socket_.recv() == message, message[:50])
            await socket_.send(["fragments ", "of ", "one"])
            same(await socket_.recv(), "fragments of one")
            await socket_.send([b"a", b"", b"b" * 70_000])
            same(await socket_.recv(), b"a" + b"b" * 70_000)
            for n in range(200):
                await socket_.send(str(n))
            same([await socket_.recv() for _ in range(200)], [str(n) for n in range(200)])
            await asyncio.wait_for(await socket_.ping(b"ping"), 5)

    in_loop(run())


@check
def websocket_close_codes(server):
    async def run():
        for code, reason in [(1000, ""), (1001, "leaves"), (3000, "registered"), (4999, "r" * 123)]:
            socket_ = await websockets.connect(web_socket_url(server))
            await socket_.close(code, reason)
            same((socket_.close_code, socket_.protocol.close_rcvd.code), (code, code), code)

    in_loop(run())


@check
def websocket_by_tornado(server):
    async def run():
        connection = await tornado.websocket.websocket_connect(web_socket_url(server),
                                                               compression_options={"compression_level": 6})
        await connection.write_message("text")
        same(await connection.read_message(), "text")
        await connection.write_message(MEGABYTES_5[:100_000], binary=True)
        same(await connection.read_message(), MEGABYTES_5[:100_000])
        connection.close(4000, "enough")
        same(await connection.read_message(), None)
        same(connection.close_code, 4000)

    in_loop(run())


def frame(opcode, payload=b"", final=True, mask=b"\x01\x02\x03\x04", reserved=0):
    first = bytes([(0x80 if final else 0) | reserved | opcode])
    masked = 0x80 if mask else 0
    size = len(payload)
    length = bytes([masked | size]) if size < 126 else bytes([masked | 126]) + struct.pack(">H", size)
    data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)) if mask else payload
    return first + length + mask + data


def upgrade_head(*headers):
    key = base64.b64encode(os.urandom(16)).decode()
    return head("GET", "/ws", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
                "Sec-WebSocket-Version: 13", *headers)


def frames_answered(server, sent):
    with connect(server) as connection:
        connection.sendall(upgrade_head() + sent)
        received = rest(connection)
    same(status(received), "HTTP/1.1 101 Switching Protocols")
    return received.partition(b"\r\n\r\n")[2]


@check
def websocket_ping_between_fragments(server):
    sent = frame(1, b"hal", final=False) + frame(9, b"?") + frame(0, b"ves") + frame(8, struct.pack(">H", 1000))
    same(frames_answered(server, sent), b"\x8a\x01?" + b"\x81\x06halves" + b"\x88\x02\x03\xe8")


@check
def websocket_breaches_of_the_protocol_are_closed_with_a_code(server):
    for name, sent, code in [
        ("no mask", frame(1, b"text", mask=b""), 1002),
        ("reserved bit", frame(1, b"text", reserved=0x40), 1002),
        ("reserved opcode", frame(3, b"text"), 1002),
        ("fragmented ping", frame(9, b"x", final=False), 1002),
        ("long ping", frame(9, b"x" * 126), 1002),
        ("continuation of nothing", frame(0, b"x"), 1002),
        ("text within a text", frame(1, b"x", final=False) + frame(1, b"y"), 1002),
        ("invalid UTF-8", frame(1, b"\xff\xfe"), 1007),
        ("close with one byte", frame(8, b"x"), 1002),
        ("close with a code that nobody may send", frame(8, struct.pack(">H", 1005)), 1002),
    ]:
        answered = frames_answered(server, sent)
        same(answered[:1] + answered[2:4], b"\x88" + struct.pack(">H", code), f"{name}: {answered!r}")
    lives(server)


@check
def websocket_handshakes_that_are_refused(server):
    for name, sent, statuses in [
        ("no upgrade", head("GET", "/ws", "Connection: close"), ["400", "426"]),
        ("version 12", upgrade_head().replace(b"Version: 13", b"Version: 12"), ["400", "426"]),
        ("no key", head("GET", "/ws", "Upgrade: websocket", "Connection: Upgrade, close", "Sec-WebSocket-Version: 13"),
         ["400"]),
        ("page of another site", upgrade_head("Origin: http://other.example"), ["403"]),
        ("POST", head("POST", "/ws", "Content-Length: 0", "Connection: close"), ["405"]),
    ]:
        with connect(server) as connection:
            connection.sendall(sent)
            received = until(connection, b"\r\n\r\n")
            holds(status(received).split()[1] in statuses, f"{name}: {received!r}")


@check
def websocket_clients_that_leave(server):
    before = server.descriptors()
    for _ in range(20):
        connection = connect(server)
        connection.sendall(upgrade_head() + frame(1, b"half", final=False))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    lives(server)
    deadline = time.monotonic() + 5
    while server.descriptors() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    same(server.descriptors(), before, "descriptors")


# ---- HTTPS


@check
def https_by_curl_and_http_client(_):
    certificate, key = (ROOT / "tests/web" / name for name in ["localhost.pem", "localhost.key"])
    with Server(BINARY, "--tls", certificate, key) as server:
        resolve = ["--resolve", f"localhost:{server.address[1]}:127.0.0.1", "--cacert", os.path.relpath(certificate)]
        body = curl(server, *resolve, "--data-binary", "@-", f"https://localhost:{server.address[1]}/echo",
                    stdin=MEGABYTES_5)
        holds(body == MEGABYTES_5, len(body))
        context = ssl.create_default_context(cafile=certificate)
        connection = http.client.HTTPSConnection("localhost", server.address[1], timeout=20, context=context)
        for _ in range(20):
            connection.request("GET", "/json")
            same(len(connection.getresponse().read()), 16 * 1024)
        connection.close()
        # No TLS is spoken: the connection is closed, and others are served.
        with connect(server) as plain:
            plain.sendall(head("GET", "/"))
            holds(b"HTTP" not in rest(plain), "HTTP without TLS is answered")
        same(curl(server, *resolve, f"https://localhost:{server.address[1]}/"), b"Hello")


# ---- The end


@check
def sigterm_finishes_what_runs(_):
    with Server(BINARY) as server, connect(server) as idle, connect(server) as slow, connect(server) as body:
        idle.sendall(head("GET", "/"))
        until(idle, b"Hello")
        slow.sendall(head("GET", "/slow?ms=700"))
        body.sendall(head("POST", "/echo", "Content-Length: 8") + b"half")
        time.sleep(0.2)
        server.terminate()
        same(rest(idle), b"", "the idle connection")
        try:
            connect(server).close()
            raise AssertionError("a new connection is accepted")
        except ConnectionRefusedError:
            pass
        body.sendall(b"half")
        holds(rest(body).endswith(b"\r\n\r\nhalfhalf"), "the request whose body was under way")
        holds(rest(slow).endswith(b"slept 700 ms"), "the slow request")
        same(server.process.wait(10), 0, "the exit status")


# ---- The run


def files(directory):
    root = Path(directory, "root")
    root.joinpath("directory").mkdir(parents=True)
    root.joinpath("page.bin").write_bytes(PAGE)
    root.joinpath("page.html").write_text("<p>page</p>")
    root.joinpath("größe 100%.txt").write_text("umlaut")
    Path(directory, "secret").write_text("secret of the outside")
    root.joinpath("link").symlink_to(Path(directory, "secret"))
    return root


def main():
    wanted = [function for function in CHECKS if all(word in function.__name__ for word in sys.argv[1:])]
    failed = 0
    with tempfile.TemporaryDirectory() as directory, Server(BINARY, "--root", files(directory)) as server:
        for function in wanted:
            try:
                function(server)
                holds(server.process.poll() is None, "the server has ended")
            except Exception as error:
                failed += 1
                print(f"FAILED {function.__name__}: {type(error).__name__}: {error}")
                if not isinstance(error, AssertionError):
                    traceback.print_exc()
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return 1 if failed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
