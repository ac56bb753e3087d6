"""`python -m squall`: runs a program on squall, and shows what its coroutines do."""

import argparse
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from squall import _squall
from squall._installing import install
from squall._program import Program, ProgramNotFound, exit_code, libraries, traceback_of

EXAMPLES = """\
examples:
  python -m squall run visit.py                    run it; its `import tornado.gen` means squall's
  python -m squall trace visit.py                  show what each coroutine did, in columns
  python -m squall trace --until 5s clock.py       ... of a program that never ends
  python -m squall trace --format html -o visit.html visit.py
                                                   ... as a page for a browser
  python -m squall step visit.py                   step through it, forwards and backwards
  python -m squall explore transfer.py             run it in every order of its coroutines
  python -m squall replay v1:transfer#2 transfer.py
                                                   run it in the order that failed

Options come before the program; what comes after it is the program's own. With the option -m, the program is the name of
a module: python -m squall run -m pytest tests

exit codes:
  0  success; explore: no order fails
  1  the program raised an exception; explore: an order fails
  2  the program cannot be read, or an option is wrong
or the program's own"""


def parser():
    parser = argparse.ArgumentParser(
        "python -m squall",
        description="Runs a Python program on squall, and shows what its coroutines do.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, help, epilog, *added):
        made = commands.add_parser(
            name,
            help=help,
            description=help[:1].upper() + help[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for add in added:
            add(made)
        made.add_argument(
            "-m", action="store_true", dest="is_module", help="PROGRAM.py is the name of a module, as for python -m"
        )
        made.add_argument("program", metavar="PROGRAM.py", help="the program")
        made.add_argument("args", nargs=argparse.REMAINDER, metavar="...", help="its arguments")
        return made

    command("run", "run a program", "example:\n  python -m squall run visit.py")
    command(
        "trace",
        "run a program, and show what each coroutine did",
        "On virtual time a sleep takes none, and the loop's clock jumps. It does not jump while a thread of an executor\n"
        "is at work, or while a socket is watched whose other end is outside of the program.\n\n"
        "examples:\n  python -m squall trace visit.py\n"
        "  python -m squall trace --until 3m minute_loop.py\n"
        "  python -m squall trace --format mermaid -o visit.mmd visit.py",
        _recording,
        _showing,
    )
    command(
        "step",
        "run a program, then step through what happened, forwards and backwards",
        "The command `squall` shows it in the terminal, if it is beside this Python or on the PATH; without that, a page\n"
        "for a browser is written.\n\n"
        "example:\n  python -m squall step visit.py",
        _recording,
        _speaking,
    )
    command(
        "explore",
        "run a program in each order in which its coroutines may run",
        "An order fails if the program ends by an exception or with an exit code other than 0, if its coroutines wait\n"
        "for each other for ever, or if an exception was raised that nobody retrieved.\n\n"
        "examples:\n  python -m squall explore transfer.py\n"
        "  python -m squall explore --preemptions 2 crawler.py\n"
        "  python -m squall explore --random 1 --orders 500 crawler.py",
        _bounds,
    )
    command(
        "replay",
        "run a program in the order that `explore` has found to fail",
        "example:\n  python -m squall replay v1:transfer#2 transfer.py",
        lambda made: made.add_argument("schedule", metavar="ORDER", help="the order, as `explore` names it"),
    )
    return parser


def _recording(made):
    made.add_argument("--real-time", action="store_true", help="run on the real clock instead of one that jumps")
    made.add_argument("--until", type=seconds, metavar="TIME", help="stop the program at this time: 5s, 300ms, 2m")
    made.add_argument("--turns", type=int, metavar="N", help="stop the program after that many turns of the loop")
    made.add_argument("--all", action="store_true", help="also show the coroutines of libraries, such as Tornado's own")


def _showing(made):
    made.add_argument(
        "--format",
        choices=["text", "jsonl", "mermaid", "chrome", "html"],
        default="text",
        help="columns; JSON Lines; a sequence diagram; a trace for ui.perfetto.dev; a page to step through",
    )
    made.add_argument("-o", "--output", metavar="FILE", help="write it to a file")
    made.add_argument("--width", type=int, metavar="COLUMNS", help="how wide the columns are [the terminal, else 100]")
    made.add_argument("--no-source", action="store_true", help="leave the source out")
    _speaking(made)


def _speaking(made):
    made.add_argument("--lang", choices=["en", "zh"], help="the language of the stepper or page [that of the locale]")


def _bounds(made):
    made.add_argument("--preemptions", type=int, metavar="N", help="only orders with at most N preemptions")
    made.add_argument("--orders", type=int, metavar="N", help="at most N orders")
    made.add_argument("--steps", type=int, metavar="N", help="vary only the first N choices of an order")
    made.add_argument("--random", type=int, metavar="SEED", dest="seed", help="random orders instead of all")
    made.add_argument("--allow", choices=["unretrieved"], default="", help="what does not count as a failure")


def seconds(text):
    """Converts a time with its unit into seconds."""
    for unit, factor in ("ms", 0.001), ("s", 1.0), ("m", 60.0):
        number = text.removesuffix(unit)
        if number != text:
            try:
                return float(number) * factor
            except ValueError:
                break
    raise argparse.ArgumentTypeError("a time is a number with ms, s or m, as in 300ms")


def main():
    asked = parser().parse_args()
    install()
    try:
        program = Program(asked.program, asked.args, asked.is_module)
    except ProgramNotFound as error:
        print(f"squall: {error}", file=sys.stderr)
        return 2
    except SyntaxError as error:
        traceback.print_exception(error.with_traceback(None))
        return 1
    if asked.command not in ("run", "replay") and isinstance(sys.stdout, io.TextIOWrapper):
        # The columns have lines that not every terminal can show. What the program prints is not written here.
        sys.stdout.reconfigure(errors="replace")
    tools = {"run": run, "trace": trace, "step": step, "explore": explore, "replay": replay}
    try:
        return tools[asked.command](asked, program)
    except KeyboardInterrupt as exception:
        _print_uncaught(exception)
        return 130


def run(_asked, program):
    _squall._set_libraries(libraries())
    return ended(program.run)


def ended(run):
    """Runs a program, and returns the exit code with which Python would end."""
    try:
        run()
    except SystemExit:
        raise
    except KeyboardInterrupt as exception:
        _print_uncaught(exception)
        _print_waiting()
        return 130
    except BaseException as exception:
        _print_uncaught(exception)
        return 1
    return 0


def _print_uncaught(exception):
    sys.stdout.flush()
    exception.__traceback__ = traceback_of(exception)
    sys.excepthook(type(exception), exception, exception.__traceback__)


def _print_waiting():
    """Prints which coroutines wait, after a program was interrupted."""
    from squall.ioloop import IOLoop

    io_loop = IOLoop.current(instance=False)
    waiting = io_loop.dump() if io_loop is not None and not io_loop._is_closed() else ""
    if waiting:
        print(waiting, file=sys.stderr)


def _record(asked, program):
    from squall import _tools

    trace, raised = _tools.record(
        program, real_time=asked.real_time, until=asked.until, turns=asked.turns, all_code=asked.all
    )
    if trace.is_cut() and isinstance(raised, Exception):
        raised = None
    return trace.with_sources(program.sources()), raised


def trace(asked, program):
    recorded, raised = _record(asked, program)
    is_terminal = sys.stdout.isatty() and asked.output is None
    width = asked.width or shutil.get_terminal_size((100, 24)).columns
    match asked.format:
        case "text":
            listing = "" if asked.no_source else _listing(program) + "\n"
            text = listing + recorded.text(width, is_terminal)
        case "html":
            text = recorded.html(os.path.basename(program.path), program.about(), _language(asked.lang))
        case other:
            text = getattr(recorded, other)()
    if asked.output is None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
    else:
        Path(asked.output).write_text(text, encoding="utf-8")
    return _end_as(raised)


def _end_as(raised):
    """Prints what Python prints of an exception that ends a program, and returns the exit code."""
    if raised is None:
        return 0
    code, text = exit_code(raised)
    sys.stdout.flush()
    sys.stderr.write(text)
    return code


def _listing(program):
    lines = program.source.decode("utf-8", "replace").splitlines()
    return "".join(f"{number:4}  {line}".rstrip() + "\n" for number, line in enumerate(lines, 1))


def _language(asked):
    if asked:
        return asked
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if locale.startswith("zh") else "en"


def step(asked, program):
    from squall import _terminal

    recorded, raised = _record(asked, program)
    try:
        _terminal.step(recorded, [f"--lang={asked.lang}"] if asked.lang else [])
        return _end_as(raised)
    except _terminal.NoStepper as reason:
        print(reason)
    page = Path(tempfile.gettempdir(), Path(program.path).stem + ".html")
    page.write_text(
        recorded.html(os.path.basename(program.path), program.about(), _language(asked.lang)), encoding="utf-8"
    )
    print(f"Open this page in a browser to step through what happened, forwards and backwards:\n  {page.as_uri()}")
    return _end_as(raised)


def explore(asked, program):
    from squall import _tools

    found = _tools.explore(
        program,
        preemptions=asked.preemptions,
        orders=asked.orders,
        steps=asked.steps,
        seed=asked.seed,
        allow=asked.allow,
    )
    if found.problem is None:
        print(f"{program.path}: no failure in {found.summary}")
        return 0
    if not found.schedule:
        print(f"{program.path}: {found.problem}, so not every order was tried; none of those that were tried fails")
        print(LIMITS)
        return 1
    print(found.problem.rstrip())
    print(f"\n{_order(found)}; to repeat it:")
    order = found.schedule if re.fullmatch(r"[\w:,#]*", found.schedule) else shlex.quote(found.schedule)
    print("  python -m squall replay " + " ".join([order, shlex.join([*program.command, *program.args])]))
    print(found.report)
    return 1


LIMITS = """\
say what is enough, and the program passes with that:
  --preemptions 2     every order with at most 2 preemptions
  --orders 100000     a higher limit
  --random 1          1000 orders at random, from that seed"""


def _order(found):
    preemptions = {0: "the usual order", 1: "an order with one preemption"}
    order = preemptions.get(found.preemptions, f"an order with {found.preemptions} preemptions")
    orders = "1 order" if found.orders == 1 else f"{found.orders} orders"
    return f"That is in {order}, after {orders}"


def replay(asked, program):
    from squall import _tools

    try:
        problem = _tools.replay(program, asked.schedule)
    except ValueError as error:
        print(f"squall: {error}", file=sys.stderr)
        return 2
    if problem is None:
        return 0
    sys.stdout.flush()
    sys.stderr.write(problem.rstrip() + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
