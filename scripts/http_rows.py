#!/usr/bin/env python3
"""Compares squall's web server, client and sockets with hyper on tokio's current-thread runtime, and with Tornado.

    scripts/http_rows.py                       every row, as a table
    scripts/http_rows.py instructions calls    some of them: instructions, calls, idle, wrk, tornado, fetches, echo
    scripts/http_rows.py --rounds 3 wrk        fewer rounds

The servers and clients are `benches/http`; all servers answer with the same headers. Ratios are squall / peer. What is
counted (instructions, system calls, bytes) is nearly the same in every run. What is timed is measured in alternating
runs: the median, and the ratio of the medians with the smallest and largest ratio of a pair.

- instructions: of user space, for each request of one keep-alive connection, by valgrind's cachegrind
- calls: system calls for each request at 1 and 64 connections, by strace
- idle: bytes of memory of a keep-alive connection that waits, of 10,000, before and after requests on all of them at once
- wrk: requests per second and CPU time for each request, at 1 and 64 connections; `squall` is an `Application` with a
  coroutine as its handler, `squall-bare` a service of hyper on squall's sockets, as the peer is one on tokio's
- tornado: the same beside Tornado
- fetches: 10,000 fetches, 100 at a time: the instructions of one, time and CPU time
- echo: TCP echo by 1 and 1,000 connections, by `cargo bench --bench peers`

Needs valgrind, strace, wrk and the Python package tornado, each for its rows.
"""

import argparse
import functools
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATHS = {"http-hello": "/hello", "http-json-16k": "/json"}
# How many requests are enough for a steady count. The difference of two runs leaves out what a run begins and ends with.
FEW, MANY = 500, 2500
CONNECTIONS = (1, 64)
SECONDS = 2
IDLE = 10_000
BURSTS = 4
FETCHES = 10_000
# hyper-util's client has no limits and looks at no status. The second does for each fetch what squall's does by default.
FETCHERS = {
    "fetch-hyper": "hyper-util on tokio",
    "fetch-hyper-limited": "hyper-util on tokio, with limits",
}

TORNADO = """
import asyncio, tornado.web, tornado.httpserver, tornado.netutil
class Hello(tornado.web.RequestHandler):
    async def get(self):
        self.write(b"Hello, world!")
class Json(tornado.web.RequestHandler):
    async def get(self):
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.write(TEXT)
    def compute_etag(self):
        return None
TEXT = ("[" + "1," * 8191)[:16382] + "0]"
async def main():
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    settings = {"log_function": lambda handler: None}
    server = tornado.httpserver.HTTPServer(tornado.web.Application([("/hello", Hello), ("/json", Json)], **settings))
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Server:
    """A server as a process of its own. A context manager that ends it."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def cpu(self):
        """The processor time that it has used, in microseconds."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 10_000

    def memory(self):
        """The bytes of its memory that are not shared with a file."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) * 1024


def build():
    """Builds the servers and returns the path of their program."""
    command = ["cargo", "build", "--release", "--package", "squall-http-bench", "--message-format", "json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in output.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "http":
            return message["executable"]
    sys.exit("cargo did not name the program of the servers")


def need(program):
    if not shutil.which(program):
        sys.exit(f"{program} is not installed")


def ask(port, path, count):
    """Sends `count` requests, one after the other, on one connection, and returns that connection."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = client.makefile("rb")
    for _ in range(count):
        client.sendall(request)
        status = stream.readline()
        if b" 200 " not in status:
            sys.exit(f"{path}: {status!r}")
        length = 0
        while (line := stream.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        stream.read(length)
    return client


def row(name, unit, ours, peer, against, spread=None):
    ratio = f"{ours / peer:.3f}" + (f" ({min(spread):.2f} to {max(spread):.2f})" if spread else "")
    digits = 0 if ours >= 1000 else 1
    print(f"| {name} | {unit} | {ours:,.{digits}f} | {peer:,.{digits}f} | {against} | {ratio} |", flush=True)


def alternating(name, units, rounds, contestants, against, peer):
    """Measures the contestants and the peer in turn, and prints a row for each of the numbers that they return.

    Each round begins with another one. `contestants` are functions by the names that the rows get after `name`.
    """
    everyone = [*contestants.values(), peer]
    results = []
    for index in range(rounds):
        first = index % len(everyone)
        order = [*range(first, len(everyone)), *range(first)]
        measured = {which: everyone[which]() for which in order}
        results.append([measured[which] for which in range(len(everyone))])
    for which, suffix in enumerate(contestants):
        for index, unit in enumerate(units):
            ours, peers = ([result[who][index] for result in results] for who in (which, -1))
            ratios = [one / other for one, other in zip(ours, peers)]
            row(name + suffix, unit, statistics.median(ours), statistics.median(peers), against, ratios)


def instructions_of(program, who, path):
    """Returns the instructions of one request."""
    counts = []
    for count in (FEW, MANY):
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", program, who]
        server = Server(command)
        ask(server.port, path, count)
        server.process.send_signal(signal.SIGTERM)
        _, report = server.process.communicate()
        counts.append(int(re.search(r"I\s+refs:\s+([\d,]+)", report)[1].replace(",", "")))
    return (counts[1] - counts[0]) / (MANY - FEW)


def instructions(program, _):
    need("valgrind")
    for name, path in PATHS.items():
        counts = {who: instructions_of(program, who, path)
                  for who in ("squall", "squall-native", "squall-bare", "hyper", "hyper-timeout")}
        for ours in ("squall", "squall-native", "squall-bare"):
            row(f"{name}, {ours}", "instructions", counts[ours], counts["hyper"], "hyper on tokio")
        row(f"{name}, squall", "instructions", counts["squall"], counts["hyper-timeout"],
            "hyper on tokio, with its limit for the head")
        row(f"{name}, squall", "instructions", counts["squall"], counts["squall-bare"], "hyper on squall's sockets")
        row(f"{name}, squall-native", "instructions", counts["squall-native"], counts["squall"], "yield-style")


def run_wrk(port, path, connections, seconds):
    """Returns the number of requests and their rate."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"http://127.0.0.1:{port}{path}"]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(re.search(r"(\d+) requests in", report)[1]), float(re.search(r"Requests/sec:\s+([\d.]+)", report)[1])


def calls_of(program, who, connections):
    """Returns the system calls of one request."""
    with tempfile.NamedTemporaryFile("r") as report:
        server = Server(["strace", "-c", "-f", "-o", report.name, program, who])
        requests, _ = run_wrk(server.port, "/hello", connections, SECONDS)
        # strace ends, and writes its report, when the program has ended.
        strace = server.process.pid
        for traced in pathlib.Path(f"/proc/{strace}/task/{strace}/children").read_text().split():
            os.kill(int(traced), signal.SIGTERM)
        server.process.communicate()
        total = [line for line in report.read().splitlines() if line.endswith("total")][-1]
        return int(total.split()[3]) / requests


def calls(program, _):
    need("strace")
    need("wrk")
    for connections in CONNECTIONS:
        ours, peer = (calls_of(program, who, connections) for who in ("squall", "hyper"))
        row(f"http-hello, {connections}", "system calls", ours, peer, "hyper on tokio")


def idle_of(program, who):
    """Returns the bytes of a connection that was answered once and waits, and those after requests on all at once."""
    with Server(["sh", "-c", f'ulimit -n {IDLE + 200}; exec "$@"', "sh", program, who]) as server:
        clients = [ask(server.port, "/hello", 1) for _ in range(100)]
        before = server.memory()
        clients += [ask(server.port, "/hello", 1) for _ in range(IDLE - 100)]
        time.sleep(1)
        once = server.memory() - before
        for _ in range(BURSTS):
            for client in clients:
                client.sendall(f"GET /hello HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
            for client in clients:
                client.recv(1000)
        time.sleep(1)
        after = server.memory() - before
        for client in clients:
            client.close()
        return once / (IDLE - 100), after / (IDLE - 100)


def idle(program, _):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + 200, hard))
    measured = zip(*(idle_of(program, who) for who in ("squall", "hyper")))
    for (ours, peer), after in zip(measured, ("", f", after {BURSTS} requests on all at once")):
        row(f"idle connections, {IDLE:,}{after}", "bytes each", ours, peer, "hyper on tokio")


def throughput(command, path, connections):
    """Returns the requests per second of one run of wrk, and the CPU time of each request in microseconds."""
    with Server(command) as server:
        ask(server.port, path, 1000)
        before = server.cpu()
        requests, rate = run_wrk(server.port, path, connections, SECONDS)
        return rate, (server.cpu() - before) / requests


def wrk_beside(program, ours, against, peer, rounds):
    need("wrk")
    for name, path in PATHS.items():
        for connections in CONNECTIONS:
            contestants = {f", {connections}, {who}": functools.partial(throughput, [program, who], path, connections)
                           for who in ours}
            alternating(name, ("requests/s", "CPU, us"), rounds, contestants, against,
                        functools.partial(throughput, peer, path, connections))


def wrk(program, rounds):
    wrk_beside(program, ("squall", "squall-bare"), "hyper on tokio", [program, "hyper"], rounds)
    native, yielding = (functools.partial(throughput, [program, who], "/hello", 64) for who in ("squall-native", "squall"))
    alternating("http-hello", ("requests/s", "CPU, us"), rounds, {", 64, squall-native": native}, "yield-style", yielding)


def tornado(program, rounds):
    wrk_beside(program, ("squall",), "Tornado", [sys.executable, "-c", TORNADO], rounds)


def fetch_instructions(program, who, url):
    """Returns the instructions of one fetch."""
    few, many = (counted([program, who, url, str(count)]) for count in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def counted(command):
    """Runs a program to its end and returns its instructions."""
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    report = subprocess.run(valgrind + command, check=True, capture_output=True, text=True).stderr
    return int(re.search(r"I\s+refs:\s+([\d,]+)", report)[1].replace(",", ""))


def fetches(program, rounds):
    need("valgrind")
    def fetch(who, url):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        report = subprocess.run([program, who, url, str(FETCHES)], check=True, stdout=subprocess.PIPE, text=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return int(report.split()[0]) / 1e6, cpu * 1e3

    with Server([program, "hyper"]) as server:
        url = f"http://127.0.0.1:{server.port}/hello"
        ours = fetch_instructions(program, "fetch-squall", url)
        for who, against in FETCHERS.items():
            row("a fetch, of 100 at a time", "instructions", ours, fetch_instructions(program, who, url), against)
        for who, against in FETCHERS.items():
            alternating(f"{FETCHES:,} fetches, 100 at a time", ("ms", "CPU, ms"), rounds,
                        {"": functools.partial(fetch, "fetch-squall", url)}, against, functools.partial(fetch, who, url))


def echo(*_):
    command = ["cargo", "bench", "--bench", "peers", "--", "tcp-echo"]
    report = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    print("\n" + report.stdout)


ROWS = (instructions, calls, idle, wrk, tornado, fetches, echo)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [function.__name__ for function in ROWS]
    parser.add_argument("rows", nargs="*", help=f"which rows: {', '.join(names)}; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="of what is timed")
    arguments = parser.parse_args()
    for name in arguments.rows:
        if name not in names:
            parser.error(f"no row {name}: there are {', '.join(names)}")
    program = build()
    print("| row | unit | squall | peer | which peer | ratio |\n|---|---|---|---|---|---|")
    for function in ROWS:
        if function.__name__ in arguments.rows or not arguments.rows:
            function(program, arguments.rounds)


if __name__ == "__main__":
    main()
