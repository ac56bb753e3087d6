#!/usr/bin/env python3
"""Counts the instructions of the hottest rows with callgrind, and compares them with those recorded.

    scripts/instructions.py                  compares this checkout with benches/instructions.json
    scripts/instructions.py --record         records them
    scripts/instructions.py --without-events the same rows with the event calls removed: tracing's cost

An instruction count is nearly the same in every run, on a busy machine too: so a change that makes a row slower
by more than the tolerance is seen. A row runs with n things and with 3n; the difference is what 2n things take,
without whatever a run begins and ends with. Needs valgrind. Another compiler counts otherwise: record anew then.
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
TOLERANCE = 0.05
# The five hottest rows, and how many things are enough for a steady count.
ROWS = {"call": 2000, "done": 5000, "moment-1000": 20000, "waiting": 5000, "chain": 5000}


def build(root, target):
    """Builds the bench and gives the path of its program."""
    command = ["cargo", "bench", "--package", "squall-benches", "--bench", "peers", "--no-run",
               "--message-format", "json", "--target-dir", str(target)]
    output = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in output.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "peers":
            return message["executable"]
    sys.exit("cargo did not name the bench's program")


def instructions(program, row, n):
    with tempfile.TemporaryDirectory() as scratch:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={scratch}/out",
                   program, "--alone", row, "squall", str(n)]
        errors = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True).stderr
    return int(re.search(r"Collected : (\d+)", errors).group(1))


def per_thing(program):
    return {row: (instructions(program, row, 3 * n) - instructions(program, row, n)) / (2 * n)
            for row, n in ROWS.items()}


def without_events(scratch):
    """A copy of the checkout in which nobody can observe, so that the compiler removes every event call."""
    copy = pathlib.Path(scratch) / "squall"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("target", ".git"))
    trace = copy / "runner" / "src" / "trace.rs"
    text = trace.read_text()
    changed = re.sub(r"(pub fn observed\(\) -> bool \{\n\s*)OBSERVED\.get\(\)", r"\1false", text)
    assert changed != text, "trace::observed is not what this script knows"
    trace.write_text(changed)
    return copy


def table(counts, others, columns):
    """Prints both and gives the worst ratio."""
    print(f"{'row':<14} {columns[0]:>12} {columns[1]:>12} {'ratio':>7}")
    for row, count in counts.items():
        print(f"{row:<14} {count:>12.1f} {others[row]:>12.1f} {count / others[row]:>7.3f}")
    return max(count / others[row] for row, count in counts.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="record the counts of this checkout")
    parser.add_argument("--without-events", action="store_true", help="compare with the event calls removed")
    arguments = parser.parse_args()
    counts = per_thing(build(ROOT, ROOT / "target"))
    if arguments.without_events:
        with tempfile.TemporaryDirectory() as scratch:
            bare = per_thing(build(without_events(scratch), ROOT / "target" / "without-events"))
        table(counts, bare, ("instructions", "no events"))
    elif arguments.record:
        compiler = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
        record = {"compiler": compiler.strip(), "instructions": {row: round(n, 1) for row, n in counts.items()}}
        RECORD.write_text(json.dumps(record, indent=2) + "\n")
        print(RECORD.read_text(), end="")
    else:
        recorded = json.loads(RECORD.read_text())
        worst = table(counts, recorded["instructions"], ("instructions", "recorded"))
        if worst > 1 + TOLERANCE:
            sys.exit(f"a row takes more than {TOLERANCE:.0%} more instructions than recorded ({recorded['compiler']})")


if __name__ == "__main__":
    main()
