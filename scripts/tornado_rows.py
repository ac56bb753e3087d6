#!/usr/bin/env python3
"""The rows of `cargo bench --bench peers` that Tornado and asyncio have too, for scale.

    pip install tornado==6.5.2
    scripts/tornado_rows.py            nanoseconds per thing: the median of 5 rounds, in turn
    scripts/tornado_rows.py 1          fewer rounds

The same work in the same sizes as in benches/peers/rows: see there for what each row does.
"""

import asyncio
import statistics
import sys

from python_rows import ASYNCIO, TORNADO, size


async def on_a_loop(run, n):
    return await run(n)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"| {'row':<16} | {'things':>8} | {'tornado':>9} | {'asyncio':>9} |")
    print("|---|---:|---:|---:|")
    for row in TORNADO:
        n = size(row)
        times = [[asyncio.run(on_a_loop(rows[row], n)) / n for rows in (TORNADO, ASYNCIO)] for _ in range(rounds)]
        tornado, native = (statistics.median(column) for column in zip(*times))
        print(f"| {row:<16} | {n:>8} | {tornado:>9.0f} | {native:>9.0f} |", flush=True)


if __name__ == "__main__":
    main()
