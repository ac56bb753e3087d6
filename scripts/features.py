#!/usr/bin/env python3
"""Counts the packages that each feature brings, by `cargo tree`, for the table of features in src/lib.rs.

    scripts/features.py           writes the numbers into that table
    scripts/features.py --check   exits with 1 if they are not what the table says

Counted are the packages that are compiled for a program that has squall with this feature alone, squall's own included;
what only a build or the tests need is not, nor what only another system needs than the one that this runs on.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "src/lib.rs"
ROW = re.compile(r"^//! \| (?P<name>none|`(?P<feature>[a-z-]+)`) \| (?P<what>.*) \| (?P<default>yes|no|) \| (?P<packages>\d*) \|$",
                 re.MULTILINE)


def packages(feature):
    """Returns how many packages squall needs with a feature."""
    command = ["cargo", "tree", "--package", "squall", "--edges", "normal", "--prefix", "none", "--format", "{p}",
               "--no-default-features", "--features", feature]
    tree = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return len({line.split(" (")[0] for line in tree.splitlines() if line})


def main():
    text = TABLE.read_text()
    rows = list(ROW.finditer(text))
    declared = set(re.findall(r"^([a-z-]+) = ", (ROOT / "Cargo.toml").read_text().partition("[features]")[2]
                              .partition("\n[")[0], re.MULTILINE))
    missing = declared - {row["feature"] for row in rows} - {"default", "http"}
    if missing:
        sys.exit(f"{TABLE} says nothing of {', '.join(sorted(missing))}")

    def counted(row):
        return f"//! | {row['name']} | {row['what']} | {row['default']} | {packages(row['feature'] or '')} |"

    right = ROW.sub(counted, text)
    if right == text:
        return
    if "--check" in sys.argv[1:]:
        sys.exit(f"the numbers of packages in {TABLE} are not right any more: run scripts/features.py")
    TABLE.write_text(right)


if __name__ == "__main__":
    main()
