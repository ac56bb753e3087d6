"""The command: `python -m squall run|trace program.py [args]`."""

import argparse
import runpy
import sys

import squall
from squall import _squall, ioloop


def _program(path, args):
    """Returns a function that runs a program as Python would."""
    sys.argv = [path, *args]

    def run():
        runpy.run_path(path, run_name="__main__")

    return run


def run(asked):
    """Runs a program whose `tornado` is squall."""
    squall.install()
    _program(asked.program, asked.args)()


def trace(asked):
    """Runs a program, and shows what its coroutines did, step by step."""
    squall.install()
    if not asked.real_time:
        ioloop.virtual_time()
    recorded = _squall.record(_program(asked.program, asked.args), until=asked.until, turns=asked.turns)
    if asked.format == "html":
        with open(asked.program, encoding="utf-8") as file:
            text = recorded.html([(asked.program, file.read())])
    else:
        text = getattr(recorded, asked.format)()
    if asked.output is None:
        print(text)
    else:
        with open(asked.output, "w", encoding="utf-8") as file:
            file.write(text)
    recorded.result()


def main():
    parser = argparse.ArgumentParser(prog="python -m squall", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for command in (run, trace):
        sub = commands.add_parser(command.__name__, help=command.__doc__)
        sub.set_defaults(command=command)
        if command is trace:
            sub.add_argument("--format", choices=("text", "jsonl", "mermaid", "chrome", "html"), default="text")
            sub.add_argument("-o", dest="output", metavar="FILE")
            sub.add_argument("--until", type=float, metavar="SECONDS")
            sub.add_argument("--turns", type=int)
            sub.add_argument("--real-time", action="store_true")
        sub.add_argument("program")
        sub.add_argument("args", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    asked.command(asked)


if __name__ == "__main__":
    main()
