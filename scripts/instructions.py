#!/usr/bin/env python3
"""Counts instructions and simulated cache misses of the rows of `peers`, and compares them with those recorded.

    scripts/instructions.py                  compares this checkout with benches/instructions.json
    scripts/instructions.py lock waiting     compares these rows only
    scripts/instructions.py --record         records all rows, the peers' figures too, and prints them as a table
    scripts/instructions.py --without-events counts the hottest rows with the event calls removed: tracing's cost

Valgrind's cachegrind counts them, so they are nearly the same in every run, on a busy machine too. The caches are those
of an AMD EPYC (Zen 3): 32 KiB of L1 and 512 KiB of L2, eight ways, lines of 64 bytes. Cachegrind calls the last cache
that it simulates LL; here that is the L2. A row runs with n things and with 3n; the difference is what 2n things take,
without what a run begins and ends with. Rows with several threads, and the halves of `waiting`, are left out.

A row fails that takes 5 % more instructions than recorded, or a tenth more misses and at least 0.3 of one. Another
compiler counts otherwise: record anew with it. Needs valgrind.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORD = ROOT / "benches" / "instructions.json"
CACHES = {"D1": "32768,8,64", "LL": "524288,8,64"}
COUNTS = ("instructions", "L1 misses", "L2 misses")
TOLERANCE = 0.05
MISS_TOLERANCE, MISS_SLACK = 0.1, 0.3
# How many things are enough for a steady count; where all of them live at once, more than the caches hold.
ROWS = {
    "call": 2000, "call-generator": 2000, "done": 5000, "moment-1": 5000, "moment-1000": 20000, "waiting": 25000,
    "chain": 10000, "multi": 10000, "queue-ping-pong": 5000, "queue-consumers": 5000, "lock": 20000,
    "timers-fired": 25000, "timers-cancelled": 25000,
}
HOTTEST = ("call", "done", "moment-1000", "waiting", "chain")
PEERS = {row: ("tokio", "async-executor", "LocalPool") for row in ROWS} | {
    "done": ("limit",), "timers-fired": ("tokio", "async-executor"), "timers-cancelled": ("tokio", "async-executor"),
}


def build(root, target):
    """Builds the bench and returns the path of its program."""
    command = ["cargo", "bench", "--package", "squall-benches", "--bench", "peers", "--no-run",
               "--message-format", "json", "--target-dir", str(target)]
    output = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in output.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "peers":
            return message["executable"]
    sys.exit("cargo did not name the bench's program")


def run(program, row, who, n):
    """Returns the COUNTS of one run."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=yes", "--cachegrind-out-file=/dev/null",
               *(f"--{cache}={size}" for cache, size in CACHES.items()), program, "--alone", row, who, str(n)]
    # The environment lies on the stack, and so shifts what shares a cache line.
    report = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True, env={"PATH": "/usr/bin:/bin"}).stderr
    return [int(re.search(rf"{line}:\s+([\d,]+)", report).group(1).replace(",", ""))
            for line in ("I\\s+refs", "D1\\s+misses", "LLd\\s+misses")]


def per_thing(program, row, who="squall"):
    n = ROWS[row]
    small, large = run(program, row, who, n), run(program, row, who, 3 * n)
    # `or 0.0`: a little less than nothing is nothing.
    return {count: round((b - a) / (2 * n), 2) or 0.0 for count, a, b in zip(COUNTS, small, large)}


def without_events(scratch):
    """Copies the checkout and disables observers in the copy, so that the compiler removes every event call."""
    copy = pathlib.Path(scratch) / "squall"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("target", ".git", "node_modules"))
    for source in sorted((copy / "runner" / "src").rglob("*.rs")):
        text = source.read_text()
        changed = text.replace("OBSERVED.get()", "Observed::No")
        if changed != text:
            source.write_text(changed)
            return copy
    sys.exit("no OBSERVED.get() is left, which is what this script replaces")


def cost_of_events(program):
    with tempfile.TemporaryDirectory() as scratch:
        # cargo puts the copy's program in the place of the other one, since only their directories differ.
        program = shutil.copy(program, scratch)
        bare = build(without_events(scratch), ROOT / "target")
        print(f"{'row':<16} {'instructions':>13} {'no events':>10} {'ratio':>6}")
        for row in HOTTEST:
            count, other = (per_thing(each, row)["instructions"] for each in (program, bare))
            print(f"{row:<16} {count:>13.1f} {other:>10.1f} {count / other:>6.3f}", flush=True)


def record(program):
    compiler = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = {}
    for row in ROWS:
        print(row, file=sys.stderr)
        rows[row] = {who: per_thing(program, row, who) for who in ("squall", *PEERS[row])}
    RECORD.write_text(json.dumps({"compiler": compiler.strip(), "caches": CACHES, "rows": rows}, indent=2) + "\n")
    columns = ("squall", "tokio", "async-executor", "LocalPool", "limit")
    print("| row |", " | ".join(columns), "|")
    print("|---|" + "---:|" * len(columns))
    for row, counts in rows.items():
        cells = [" / ".join((f"{each['instructions']:.0f}", f"{each['L1 misses']:.1f}", f"{each['L2 misses']:.1f}"))
                 if (each := counts.get(who)) else "" for who in columns]
        print(f"| {row} |", " | ".join(cells), "|")


def is_worse(count, now, before):
    if count == "instructions":
        return now > before * (1 + TOLERANCE)
    return now > before * (1 + MISS_TOLERANCE) and now > before + MISS_SLACK


def compare(program, rows):
    """Prints the rows beside the recorded ones; returns those that got worse."""
    recorded, worse = json.loads(RECORD.read_text()), []
    print(f"{'row':<16}" + "".join(f"{count:>13} {'recorded':>9}" for count in COUNTS))
    for row in rows:
        counts, before = per_thing(program, row), recorded["rows"][row]["squall"]
        print(f"{row:<16}" + "".join(f"{counts[c]:>13.1f} {before[c]:>9.1f}" for c in COUNTS), flush=True)
        worse += [f"{row}: {c}" for c in COUNTS if is_worse(c, counts[c], before[c])]
    return worse


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="one of " + ", ".join(ROWS))
    parser.add_argument("--record", action="store_true", help="record this checkout and the peers")
    parser.add_argument("--without-events", action="store_true", help="compare with the event calls removed")
    arguments = parser.parse_args()
    if unknown := set(arguments.rows) - set(ROWS):
        parser.error(f"unknown rows: {', '.join(sorted(unknown))}")
    program = build(ROOT, ROOT / "target")
    if arguments.without_events:
        cost_of_events(program)
    elif arguments.record:
        record(program)
    elif worse := compare(program, arguments.rows or ROWS):
        sys.exit(f"more than recorded: {'; '.join(worse)}")


if __name__ == "__main__":
    main()
