"""What docs/python.md shows is what its programs do."""
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "docs" / "python.md"


def blocks(text, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def printed(command, folder):
    """Runs a command of the page, and returns what it prints, without what differs from machine to machine."""
    arguments = [sys.executable if word == "python" else word for word in command.split()]
    run = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=60)
    text = run.stdout if run.returncode == 0 or run.stdout else run.stderr
    package = re.compile(r'File "[^"]*/squall/(\w+\.py)", line \d+')
    lines = [package.sub(r'File ".../squall/\1"', line).rstrip() for line in text.splitlines()]
    return [line for line in lines if not line.startswith("the whole trace:")], run


class Page(unittest.TestCase):
    def test_each_command_prints_what_the_page_shows(self):
        text = PAGE.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            for program in blocks(text, "python"):
                name = re.match(r"# (\w+\.py)\n", program)[1]
                Path(folder, name).write_text(program, encoding="utf-8")
            commands = blocks(text, "console")
            self.assertGreater(len(commands), 4)
            for block in commands:
                command, *shown = block.splitlines()
                lines, run = printed(command.removeprefix("$ "), folder)
                with self.subTest(command):
                    self.assertEqual("\n".join(lines), "\n".join(line.rstrip() for line in shown), run.stderr)
                    if not shown:
                        self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    unittest.main()
