#!/usr/bin/env python3
"""Puts the example web server under load: a gibibyte each way, 10,000 idle connections, no descriptors left, `wrk`.

    cargo build --release --all-features --example server
    scripts/http_heavy.py               all of it
    scripts/http_heavy.py gibibyte wrk  parts of it
    SERVER=path scripts/http_heavy.py   another binary

Prints what it measured, as in docs/web-measured.md, and exits with 1 if bytes or connections were lost.
"""

import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time
import zlib

import example_server
from example_server import ROOT, Server

BINARY = os.environ.get("SERVER") or ROOT / "target/release/examples/server"
MIB = 1 << 20
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def connect(server, request=b""):
    connection = socket.create_connection(server.address, timeout=120)
    connection.sendall(request)
    return connection


def expect_hello(connection):
    received = b""
    while not received.endswith(b"\r\n\r\nHello"):
        chunk = connection.recv(4096)
        if not chunk:
            raise AssertionError(f"closed after {received!r}")
        received += chunk


def gibibyte():
    """Sends 1 GiB to /echo and reads it back at the same time."""
    example_server.need_program("curl")
    block = os.urandom(MIB)
    with Server(BINARY) as server:
        with connect(server, REQUEST) as first:
            expect_hello(first)
        before = server.rss()
        start = time.monotonic()
        curl = subprocess.Popen(["curl", "--silent", "--upload-file", "-", f"{server.url}/echo"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def send():
            for _ in range(1024):
                curl.stdin.write(block)
            curl.stdin.close()

        sender = threading.Thread(target=send)
        sender.start()
        total = checksum = 0
        while data := curl.stdout.read(MIB):
            total, checksum = total + len(data), zlib.crc32(data, checksum)
        sender.join()
        curl.wait()
        seconds = time.monotonic() - start
        expected = 0
        for _ in range(1024):
            expected = zlib.crc32(block, expected)
        assert (total, checksum) == (1024 * MIB, expected), "bytes were lost"
        print(f"1 GiB sent to /echo and back at once: {seconds:.1f} s; the server's memory was {before / MIB:.1f} MiB "
              f"before and {server.rss('VmHWM') / MIB:.1f} MiB at most (/echo holds up to 16 MiB)")


def idle():
    """Opens 10,000 connections, each of which is answered once and then waits."""
    count = 10_000
    limit = count + 200
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard) if hard != resource.RLIM_INFINITY else hard))
    # Opening all of them may take longer than the server keeps one by default.
    with Server(BINARY, "--idle-timeout", 600, descriptors=limit) as server:
        with connect(server, REQUEST) as first:
            expect_hello(first)
        before, start = server.rss(), time.monotonic()
        connections = []
        for _ in range(count):
            connections.append(connect(server, REQUEST))
            expect_hello(connections[-1])
        seconds = time.monotonic() - start
        each = (server.rss() - before) / count
        for connection in connections:
            connection.sendall(REQUEST)
        for connection in connections:
            expect_hello(connection)
        again = (server.rss() - before) / count
        for connection in connections:
            connection.close()
        print(f"{count} idle keep-alive connections, opened and answered in {seconds:.1f} s: {each:.0f} bytes of memory "
              f"each; {again:.0f} after each was answered once more, all at once")


def descriptors():
    """Opens more connections than the server has descriptors. The rest is answered when the first ones have left.

    Fewer than 64 and the 128 that the system keeps for the listener: beyond that, it drops what comes.
    """
    with Server(BINARY, descriptors=64) as server:
        connections = [connect(server, REQUEST) for _ in range(150)]
        expect_hello(connections[0])
        time.sleep(1)
        cpu = server.cpu()
        time.sleep(2)
        cpu = server.cpu() - cpu
        held = server.descriptors()
        start = time.monotonic()
        connections[0].close()
        for connection in connections[1:]:
            expect_hello(connection)
            connection.close()
        seconds = time.monotonic() - start
        lines = [line for line in server.logged().splitlines() if line]
        print(f"150 connections to a server that may have 64 descriptors: {held} descriptors open, {cpu:.2f} s of "
              f"processor time in 2 s of waiting; each was answered, the last {seconds:.1f} s after the first had left; "
              f"{len(lines)} line(s) in the log, the first: {lines[0] if lines else ''}")


def wrk():
    """Requests per second by `wrk`, and the processor time of the server for each."""
    example_server.need_program("wrk")
    for path in ["/", "/json"]:
        for connections in [1, 64]:
            with Server(BINARY) as server:
                # wrk counts an answer that takes more than two seconds as an error, which it is not on a busy machine.
                command = ["wrk", "-t1", f"-c{connections}", "-d5s", "--timeout", "60s", server.url + path]
                done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                requests = int(re.search(r"(\d+) requests in", done)[1])
                rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1])
                lost = re.search(r"(Socket errors.*|Non-2xx.*)", done)
                assert lost is None, lost
                print(f"wrk, {path}, {connections} connection(s): {rate:.0f} requests per second, "
                      f"{server.cpu() / requests * 1e6:.1f} us of the server's processor time each")


def main():
    parts = [gibibyte, idle, descriptors, wrk]
    failed = 0
    for part in parts:
        if part.__name__ in sys.argv[1:] or len(sys.argv) == 1:
            try:
                part()
            except (AssertionError, OSError, ValueError, subprocess.CalledProcessError) as error:
                failed += 1
                print(f"FAILED {part.__name__}: {type(error).__name__}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
