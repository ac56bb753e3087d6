"""Each example prints the same under squall and under the real Tornado."""
import re
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"

# Arguments: seconds that take 30 ms.
ARGUMENTS = {"minute_loop": ["0.03"], "minute_loop2": ["0.03"]}

# A program as `python` runs it, with what Tornado had until version 5.
TORNADO = """
import os.path, runpy, sys
from tornado import gen
from tornado.concurrent import Future

def task(func, *args, **kwargs):
    future = Future()
    func(*args, callback=future.set_result, **kwargs)
    return future

gen.Task = task
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""

SYSTEMS = {"squall": ["-m", "squall", "run"], "tornado": ["-c", TORNADO]}


def printed(program, system):
    """Runs `program`, and returns what it printed, its exit code, and the outer lines of its tracebacks."""
    command = [sys.executable, *SYSTEMS[system], str(program), *ARGUMENTS.get(program.stem, [])]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    # A round begins a little later than it is due, never earlier.
    out = re.sub(r"\d+(?= s$)", lambda number: str(int(number[0]) // 5 * 5), run.stdout, flags=re.M)
    # The lines of the implementation differ.
    errors = [line for line in run.stderr.splitlines() if re.match(r"\w+Error|\w+ exception was", line)]
    return {"stdout": out, "errors": errors, "code": run.returncode}, run.stderr


class Examples(unittest.TestCase):
    def test_each_example_prints_the_same_under_both(self):
        programs = sorted(path for path in EXAMPLES.glob("*.py") if path.stem != "local_site")
        self.assertGreater(len(programs), 16)
        with ThreadPoolExecutor(2) as pool:
            runs = {
                (program, system): pool.submit(printed, program, system)
                for program in programs
                for system in SYSTEMS
            }
        for program in programs:
            with self.subTest(program.name):
                tornado, _ = runs[program, "tornado"].result()
                squall, stderr = runs[program, "squall"].result()
                if squall != tornado:
                    # These run on the real clock, which a busy machine disturbs. A fault shows again.
                    tornado, _ = printed(program, "tornado")
                    squall, stderr = printed(program, "squall")
                self.assertTrue(tornado["stdout"])
                self.assertEqual(squall, tornado, stderr)


if __name__ == "__main__":
    unittest.main()
