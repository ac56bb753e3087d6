#!/usr/bin/env python3
"""Compares squall's web server with hyper on tokio's current-thread runtime: instructions, requests per second, CPU time.

    scripts/http_rows.py                 both rows: http-hello (13 bytes) and http-json-16k
    scripts/http_rows.py http-hello      this row only
    scripts/http_rows.py --instructions  without wrk

Both servers are `benches/http`, and answer with the same headers. Instructions are those of user space for each request
of one keep-alive connection, counted by valgrind's cachegrind: they are nearly the same in every run. Requests per
second are wrk's, at 1 and 64 connections, in alternating runs: the median, and the ratio of the medians with the
smallest and largest ratio of a pair. Needs valgrind, and wrk for all but the instructions.
"""

import argparse
import json
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROWS = {"http-hello": "/hello", "http-json-16k": "/json"}
SERVERS = ("squall", "hyper")
# How many requests are enough for a steady count. The difference of two runs leaves out what a run begins and ends with.
FEW, MANY = 500, 2500
CONNECTIONS = (1, 64)
PAIRS = 5
SECONDS = 2


def build():
    """Builds the servers and returns the path of their program."""
    command = ["cargo", "build", "--release", "--package", "squall-http-bench", "--message-format", "json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in output.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "http":
            return message["executable"]
    sys.exit("cargo did not name the program of the servers")


def start(command):
    """Starts a server. Returns its process and its port."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return server, int(server.stdout.readline())


def ask(port, path, count):
    """Sends `count` requests, one after the other, on one connection."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port)) as client:
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


def instructions(program, who, path):
    """Returns the instructions of one request."""
    counts = []
    for count in (FEW, MANY):
        server, port = start(["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
                              program, who])
        ask(port, path, count)
        server.send_signal(signal.SIGTERM)
        _, report = server.communicate()
        counts.append(int(re.search(r"I\s+refs:\s+([\d,]+)", report)[1].replace(",", "")))
    return (counts[1] - counts[0]) / (MANY - FEW)


def cpu_time(pid):
    """Returns the CPU time that a process has used, in ticks."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def throughput(program, who, path, connections):
    """Returns the requests per second of one run of wrk, and the CPU time of each request in microseconds."""
    server, port = start([program, who])
    ask(port, path, 1000)
    before = cpu_time(server.pid)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", f"http://127.0.0.1:{port}{path}"]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    ticks = cpu_time(server.pid) - before
    server.kill()
    server.communicate()
    requests = int(re.search(r"(\d+) requests in", report)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", report)[1])
    return rate, ticks * 10_000 / requests


def compare(program, row, path, with_wrk):
    """Prints the lines of one row."""
    ours, peer = (instructions(program, who, path) for who in SERVERS)
    print(f"| {row} | instructions | {ours:,.0f} | {peer:,.0f} | {ours / peer:.3f} |", flush=True)
    for connections in CONNECTIONS if with_wrk else ():
        pairs = [[throughput(program, who, path, connections) for who in SERVERS] for _ in range(PAIRS)]
        for unit, index in (("requests/s", 0), ("CPU, us", 1)):
            ours, peer = (statistics.median(pair[which][index] for pair in pairs) for which in (0, 1))
            ratios = [pair[0][index] / pair[1][index] for pair in pairs]
            print(f"| {row}, {connections} | {unit} | {ours:,.1f} | {peer:,.1f} | {ours / peer:.3f} "
                  f"({min(ratios):.2f} to {max(ratios):.2f}) |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="which rows; all by default")
    parser.add_argument("--instructions", action="store_true", help="count instructions only")
    arguments = parser.parse_args()
    for row in arguments.rows:
        if row not in ROWS:
            parser.error(f"no row {row}: there are {', '.join(ROWS)}")
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed")
    with_wrk = not arguments.instructions and shutil.which("wrk") is not None
    program = build()
    print("| row | unit | squall | hyper | ratio |\n|---|---|---|---|---|")
    for row in arguments.rows or ROWS:
        compare(program, row, ROWS[row], with_wrk)


if __name__ == "__main__":
    main()
