"""The tools on Python programs: what they print, and how they end."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

PROGRAMS = {
    "deadlock": """
        from tornado import gen, ioloop, locks
        a, b = locks.Lock(), locks.Lock()

        @gen.coroutine
        def take(first, second):
            with (yield first.acquire()):
                yield gen.sleep(0.1)
                with (yield second.acquire()):
                    pass

        async def both():
            await gen.multi([take(a, b), take(b, a)])

        ioloop.IOLoop.current().run_sync(both)
        """,
    "race": """
        import asyncio
        log = []

        async def say(n):
            await asyncio.sleep(0.01)
            log.append(n)

        async def main():
            await asyncio.gather(say(1), say(2))
            assert log == [1, 2], log
            print("in order")

        asyncio.run(main())
        """,
    "lost": """
        from tornado import gen, ioloop

        @gen.coroutine
        def fails():
            yield gen.sleep(0.1)
            raise ValueError("lost")

        @gen.coroutine
        def main():
            fails()
            yield gen.sleep(1)

        ioloop.IOLoop.current().run_sync(main)
        """,
    "task": """
        import asyncio

        async def child(n):
            await asyncio.sleep(0.01)
            return n

        async def main():
            assert asyncio.current_task() is not None
            async with asyncio.timeout(1):
                print(await asyncio.wait_for(asyncio.create_task(child(5)), 1))

        asyncio.run(main())
        """,
    "exits": "import sys\nprint(sys.argv[1:])\nsys.exit(3)",
    "blocks": """
        import time
        from tornado import gen, ioloop

        @gen.coroutine
        def blocks():
            yield gen.sleep(1)
            time.sleep(0.2)
            yield gen.sleep(1)

        ioloop.IOLoop.current().run_sync(blocks)
        """,
    "clock": """
        import time
        from tornado import ioloop

        io_loop, begun = ioloop.IOLoop.current(), time.time()

        def tick(n):
            print(n, "ticks after", round(time.time() - begun, 3), "s")
            if n == 3:
                until = time.time() + 0.01
                while time.time() < until:
                    pass
                return io_loop.stop()
            io_loop.add_timeout(time.time() + 100, tick, n + 1)

        io_loop.add_timeout(time.time() + 100, tick, 1)
        io_loop.start()
        """,
    "child": """
        import asyncio

        async def main():
            child = await asyncio.create_subprocess_exec("/bin/echo", "hello", stdout=asyncio.subprocess.PIPE)
            print((await child.communicate())[0], child.returncode, await asyncio.to_thread(lambda: 5))

        asyncio.run(main())
        """,
    "workers": """
        import asyncio

        async def worker(queue):
            while True:
                await asyncio.sleep(await queue.get())
                queue.task_done()

        async def main():
            queue = asyncio.Queue()
            for n in range(3):
                queue.put_nowait(n)
            workers = [asyncio.create_task(worker(queue), name=f"worker {n}") for n in range(2)]
            await queue.join()
            for task in workers:
                task.cancel("enough")
            ended = await asyncio.gather(*workers, return_exceptions=True)
            print([type(end).__name__ for end in ended], [task.get_name() for task in workers])

        asyncio.run(main())
        """,
    "holder": """
        from tornado import gen, ioloop, locks

        lock = locks.Lock()

        @gen.coroutine
        def takes():
            yield lock.acquire()

        @gen.coroutine
        def main():
            yield takes()
            yield takes()

        ioloop.IOLoop.current().run_sync(main)
        """,
    "deep": """
        import sys
        from tornado import gen, ioloop

        sys.setrecursionlimit(100_000)

        @gen.coroutine
        def down(n):
            yield gen.moment if n == 0 else down(n - 1)

        # CPython 3.12 and 3.13 have limits of their own for calls through C.
        depth = {(3, 12): 400, (3, 13): 3000}.get(sys.version_info[:2], 5000)
        ioloop.IOLoop.current().run_sync(lambda: down(depth))
        print("up again")
        """,
    "raises": """
        from tornado import gen, ioloop

        @gen.coroutine
        def main():
            yield gen.moment
            raise ValueError("of the program")

        ioloop.IOLoop.current().run_sync(main)
        """,
    "server": """
        import socket, time
        with socket.create_server(("127.0.0.1", 0)) as server:
            print(server.getsockname()[1], flush=True)
            connection = server.accept()[0]
            time.sleep(0.3)
            connection.sendall(b"late")
        """,
    "outside": """
        import socket, subprocess, sys
        from tornado import gen, ioloop, iostream

        @gen.coroutine
        def main():
            stream = iostream.IOStream(socket.socket())
            yield stream.connect(("127.0.0.1", int(server.stdout.readline())))
            late = ioloop.IOLoop.current().time() + 60
            print((yield gen.with_timeout(late, stream.read_bytes(4))))

        with subprocess.Popen([sys.executable, "server.py"], stdout=subprocess.PIPE, text=True) as server:
            ioloop.IOLoop.current().run_sync(main)
        """,
    "variables": """
        from tornado import gen, ioloop

        @gen.coroutine
        def add(a, b=2, *, key):
            total = a + b
            yield gen.moment
            total += 1
            yield gen.moment
            return total

        async def main(n):
            doubled = n * 2
            await add(doubled, key="k")

        ioloop.IOLoop.current().run_sync(lambda: main(1))
        """,
    "bad_repr": """
        from tornado import gen, ioloop

        class Bad:
            def __repr__(self):
                raise RuntimeError("no repr")

        @gen.coroutine
        def returns(value):
            yield gen.moment
            return value

        @gen.coroutine
        def main():
            yield returns(Bad())
            yield returns("x" * 100_000)

        ioloop.IOLoop.current().run_sync(main)
        """,
    "package/part": """
        import os, sys
        from . import name
        os.chdir("/")
        print(__name__, __package__, sys.argv[1:], os.path.isfile(__file__), name)
        """,
    "package/__init__": 'name = "a package"\n',
    "package/__main__": """
        import os, sys
        os.chdir("/")
        print(__name__, sys.argv, os.path.isfile(__file__))
        """,
    "wrong": """
        def f(:
        """,
    "turns": """
        import asyncio
        lines = []

        async def turns():
            lines.append(input())
            await asyncio.sleep(0)
            lines.append(input())

        async def main():
            await asyncio.gather(turns(), turns())
            assert lines == ["1", "2", "3", "4"], lines
            print("déjà")

        asyncio.run(main())
        """,
    "endless": """
        import asyncio

        async def turns():
            for _ in range(1200):
                await asyncio.sleep(0)

        async def main():
            await asyncio.gather(turns(), turns())

        asyncio.run(main())
        """,
    "handler": """
        from tornado import gen, httpclient, httpserver, ioloop, netutil, web

        class Visit(web.RequestHandler):
            visits = 0

            async def get(self):
                visits = Visit.visits
                await gen.sleep(0.01)
                Visit.visits = visits + 1

        async def main():
            server = httpserver.HTTPServer(web.Application([("/", Visit)]))
            (socket,) = netutil.bind_sockets(0, "127.0.0.1")
            server.add_sockets([socket])
            client = httpclient.AsyncHTTPClient()
            url = "http://127.0.0.1:%d/" % socket.getsockname()[1]
            await gen.multi([client.fetch(url), client.fetch(url)])
            server.stop()
            client.close()
            assert Visit.visits == 2

        ioloop.IOLoop.current().run_sync(main)
        """,
}

RUNS = {
    "deadlock": "trace --no-source deadlock.py",
    "race": "explore race.py",
    "race, as it is": "run race.py",
    "not an order": "replay v1:nothing race.py",
    "lost": "explore lost.py",
    "lost, allowed": "explore --allow unretrieved lost.py",
    "task": "trace --no-source task.py",
    "exits": "run exits.py a --b",
    "exits, explored": "explore exits.py",
    "blocks": "trace blocks.py",
    "outside": "trace --no-source outside.py",
    "variables": "trace --format jsonl variables.py",
    "bad_repr": "trace --no-source --width 100 bad_repr.py",
    "cut": f"trace --no-source --width 200 --until 140s {EXAMPLES}/minute_loop.py",
    "page": f"trace --format html -o page.html {EXAMPLES}/outer.py",
    "lines": f"trace --format jsonl {EXAMPLES}/visit.py",
    "missing": "trace missing.py",
    "clock": "trace --no-source --width 200 clock.py",
    "clock, explored": "explore clock.py",
    "child": "trace --no-source --width 200 child.py",
    "workers": "trace --no-source --width 200 workers.py",
    "holder": "trace --no-source holder.py",
    "holder, explored": "explore holder.py",
    "deep": "run deep.py",
    "raises": "run raises.py",
    "raises, traced": "trace raises.py",
    "step": f"step {EXAMPLES}/good_call.py",
    "module": "run -m package.part a --b",
    "module, explored": "explore -m package.part",
    "package": "run package a",
    "package as a module": "run -m package",
    "no module": "run -m package.nothing",
    "wrong": "explore wrong.py",
    "turns": "trace --no-source turns.py",
    "turns, explored": "explore turns.py",
    "endless": "explore endless.py",
    "handler": "explore handler.py",
}


class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        for name, text in PROGRAMS.items():
            path = Path(cls.folder.name, f"{name}.py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
        with ThreadPoolExecutor(2) as pool:
            runs = {name: pool.submit(cls.squall, command) for name, command in RUNS.items()}
        cls.runs = {name: run.result() for name, run in runs.items()}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def squall(cls, command):
        # Without the command `squall`, `step` writes a page.
        environment = os.environ | {"PATH": "", "TMPDIR": cls.folder.name}
        command = [sys.executable, "-m", "squall", *command.split()]
        return subprocess.run(
            command, cwd=cls.folder.name, env=environment, input="1\n2\n3\n4\n", capture_output=True, text=True, timeout=60
        )

    def ended(self, name, code):
        run = self.runs[name]
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run

    def test_deadlock_names_each_coroutine_with_its_line(self):
        run = self.ended("deadlock", 1)
        self.assertIn("Deadlock: nothing that is left can wake the loop", run.stderr)
        for line in "both waits at deadlock.py:12", "take waits at deadlock.py:8":
            self.assertIn(line, run.stderr)

    def test_race_of_asyncio_is_found_and_replayed(self):
        self.assertEqual(self.ended("race, as it is", 0).stdout, "in order\n")
        found = self.ended("race", 1).stdout
        self.assertIn("AssertionError: [2, 1]", found)
        order = next(line for line in found.splitlines() if "squall replay" in line).split()[4]
        again = self.squall(f"replay {order} race.py")
        self.assertEqual(again.returncode, 1)
        self.assertIn("AssertionError: [2, 1]", again.stderr)

    def test_tasks_of_asyncio_are_shown_and_know_themselves(self):
        if sys.version_info < (3, 11):
            self.skipTest("asyncio.timeout came with Python 3.11")
        out = self.ended("task", 0).stdout
        self.assertIn("call child", out)
        self.assertIn('print "5"', out)

    def test_order_that_cannot_be_followed_is_an_error_that_says_why(self):
        run = self.ended("not an order", 1)
        self.assertIn("no coroutine of that name was called", run.stderr)

    def test_exception_that_nobody_retrieved_fails_unless_it_is_allowed(self):
        self.assertIn("exception was never retrieved: ValueError: lost", self.ended("lost", 1).stdout)
        self.assertIn("no failure in", self.ended("lost, allowed", 0).stdout)

    def test_program_has_its_arguments_and_its_exit_code(self):
        self.assertEqual(self.ended("exits", 3).stdout, "['a', '--b']\n")
        self.assertIn("the program exits with 3", self.ended("exits, explored", 1).stdout)

    def test_coroutine_that_blocks_is_reported_with_its_lines(self):
        run = self.ended("blocks", 0)
        self.assertRegex(run.stderr, r"blocks held the loop for \d+ms: resumed at blocks.py:6")

    def test_clock_waits_for_a_socket_of_another_process(self):
        self.assertIn("print \"b'late'\"", self.ended("outside", 0).stdout)

    def test_values_are_bounded_and_a_repr_that_raises_is_harmless(self):
        out = self.ended("bad_repr", 0).stdout
        self.assertIn("<Bad ", out)
        self.assertLess(len(out), 8_000)

    def test_program_without_an_end_is_cut_on_virtual_time(self):
        out = self.ended("cut", 0).stdout
        self.assertIn("round begins at 130 s", out)
        self.assertIn("cut ", out)

    def test_page_and_entries_carry_the_program_and_show_only_its_coroutines(self):
        self.ended("page", 0)
        page = Path(self.folder.name, "page.html").read_text(encoding="utf-8")
        self.assertIn("coroutine_visit", page)
        header, *entries = map(json.loads, self.ended("lines", 0).stdout.splitlines())
        files = [Path(source["file"]).name for source in header["sources"]]
        self.assertEqual(files, ["visit.py", "local_site.py"])
        names = {entry["name"] for entry in entries if entry["event"] == "call"}
        self.assertEqual(names, {"coroutine_visit", "native_visit", "get"})

    def test_variables_of_suspended_coroutines_and_arguments_of_calls_are_told(self):
        _, *entries = map(json.loads, self.ended("variables", 0).stdout.splitlines())
        arguments = {entry["name"]: dict(entry["arguments"]) for entry in entries if entry["event"] == "call"}
        self.assertEqual(arguments, {"main": {"n": "1"}, "add": {"a": "2", "key": "'k'"}})
        told = [dict(entry["variables"]) for entry in entries if entry["event"] == "variables"]
        self.assertIn({"n": "1", "doubled": "2"}, told)
        totals = [variables["total"] for variables in told if "total" in variables]
        self.assertEqual(totals, ["4", "5"])

    def test_time_of_the_module_is_that_of_the_loop(self):
        out = self.ended("clock", 0).stdout
        for n in 1, 2, 3:
            self.assertIn(f'print "{n} ticks after {n * 100}.0 s"', out)
        self.ended("clock, explored", 0)

    def test_clock_waits_for_a_child_process_and_for_threads(self):
        self.assertRegex(self.ended("child", 0).stdout, r"print \"b'hello\\n' 0 5\"")

    def test_tasks_are_named_cancelled_and_gathered(self):
        out = self.ended("workers", 0).stdout
        self.assertIn("go on", out)
        self.assertIn("['CancelledError', 'CancelledError'] ['worker 0', 'worker 1']", " ".join(out.split()))

    def test_lock_names_the_line_of_its_holder_and_no_line_of_rust(self):
        self.assertIn("held by takes since holder.py:7", self.ended("holder", 1).stderr)
        out = self.ended("holder, explored", 1).stdout
        self.assertNotIn(".rs:", out)
        self.assertIn(os.path.join("squall", "holder.txt"), out)

    def test_calls_nest_as_deeply_as_python_allows(self):
        self.assertEqual(self.ended("deep", 0).stdout, "up again\n")

    def test_uncaught_exception_is_a_traceback_and_exit_code_1(self):
        for name in "raises", "raises, traced":
            err = self.ended(name, 1).stderr
            self.assertTrue(err.startswith("Traceback (most recent call last):\n  File \"raises.py\", line 8"), err)
            self.assertTrue(err.endswith('line 6, in main\n    raise ValueError("of the program")\nValueError: of the program\n'), err)

    def test_ctrl_c_ends_the_run_with_what_waits_and_exit_code_130(self):
        command = [sys.executable, "-m", "squall", "run", "interrupted.py"]
        Path(self.folder.name, "interrupted.py").write_text(
            "from tornado import ioloop, locks\n\n"
            "async def main():\n"
            "    ioloop.IOLoop.current().add_callback(print, 'waits', flush=True)\n"
            "    await locks.Event().wait()\n\n"
            "ioloop.IOLoop.current().run_sync(main)\n"
        )
        # A child ignores the signal if its parent does, as in the background of a shell.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        with subprocess.Popen(
            command, cwd=self.folder.name, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as child:
            child.stdout.readline()
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130)
        self.assertIn("KeyboardInterrupt", err)
        self.assertIn("main at interrupted.py:5", err)

    def test_ctrl_c_ends_an_exploration(self):
        Path(self.folder.name, "busy.py").write_text("import os\nos.write(3, b'busy')\nwhile True:\n    pass\n")
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        command = f"{sys.executable} -m squall explore busy.py 3>&{writer}"
        with subprocess.Popen(
            ["sh", "-c", f"exec {command}"], cwd=self.folder.name, pass_fds=[writer],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as child:
            os.close(writer)
            os.read(reader, 4)
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130, err)
        self.assertIn('File "busy.py", line', err)

    def test_module_and_package_run_as_python_runs_them(self):
        shown = "__main__ package ['a', '--b'] True a package\n"
        self.assertEqual(self.ended("module", 0).stdout, shown)
        self.assertIn("no failure in 1 order", self.ended("module, explored", 0).stdout)
        self.assertEqual(self.ended("package", 0).stdout, "__main__ ['package', 'a'] True\n")
        main = os.path.join(os.path.realpath(self.folder.name), "package", "__main__.py")
        self.assertEqual(self.ended("package as a module", 0).stdout, f"__main__ [{main!r}] True\n")
        self.assertIn("there is no module package.nothing", self.ended("no module", 2).stderr)

    def test_program_that_cannot_be_compiled_has_no_order(self):
        run = self.ended("wrong", 1)
        self.assertEqual(run.stdout, "")
        self.assertTrue(run.stderr.endswith("SyntaxError: invalid syntax\n"), run.stderr)

    def test_each_order_reads_standard_input_from_its_beginning(self):
        self.assertIn("no failure in 6 orders", self.ended("turns, explored", 0).stdout)

    def test_await_of_one_turn_is_told_as_one(self):
        out = self.ended("turns", 0).stdout
        self.assertIn("await moment, wait", " ".join(out.split()))
        self.assertNotIn("std Future", out)

    def test_lines_are_replaced_where_a_terminal_has_none(self):
        environment = os.environ | {"PYTHONIOENCODING": "ascii"}
        command = [sys.executable, "-m", "squall", "trace", "turns.py"]
        run = subprocess.run(
            command, cwd=self.folder.name, env=environment, input=b"1\n2\n3\n4\n", capture_output=True, timeout=60
        )
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn(b'print "d?j?"', run.stdout)

    def test_limit_is_told_in_terms_of_the_command(self):
        out = self.ended("endless", 1).stdout
        self.assertIn("one order has more than 1000 choices, so not every order was tried", out)
        self.assertIn("--preemptions 2 ", out)
        self.assertNotIn("Explore", out)

    def test_handler_that_a_library_runs_is_a_coroutine_of_the_program(self):
        out = self.ended("handler", 1).stdout
        self.assertRegex(out, r"loop +main +Visit +Visit#2")
        self.assertIn("sleep over, Visit#2", out)
        self.assertIn("handler.txt", out)

    def test_program_that_is_missing_is_an_error(self):
        self.assertIn("cannot read missing.py", self.ended("missing", 2).stderr)

    def test_step_writes_a_page(self):
        out = self.ended("step", 0).stdout
        self.assertTrue(out.startswith("This is not a terminal."), out)
        self.assertIn("Open this page", out)
        self.assertTrue(Path(self.folder.name, "good_call.html").exists(), out)

    def test_step_on_a_terminal_is_the_command_squall_with_the_recorded_trace(self):
        seen = Path(self.folder.name, "seen.json")
        code, out = self.on_a_terminal(f"""
            import json, sys
            if sys.argv[1] == "--version":
                print("squall 0.1.0")
            else:
                trace = open(sys.argv[-1], encoding="utf-8").read()
                open({str(seen)!r}, "w", encoding="utf-8").write(json.dumps([sys.argv[1:-1], trace]))
            """)
        self.assertEqual(code, 0, out)
        options, trace = json.loads(seen.read_text(encoding="utf-8"))
        self.assertEqual(options, ["step", "--lang=zh"])
        header = json.loads(trace.splitlines()[0])
        self.assertEqual(header["squall_trace"], 3)
        self.assertTrue(header["sources"][0]["file"].endswith("good_call.py"))
        self.assertNotIn("page", out)

    def test_step_on_a_terminal_writes_a_page_if_the_command_is_another_one(self):
        code, out = self.on_a_terminal("print('squalls and storms')")
        self.assertEqual(code, 0, out)
        self.assertIn("which is not on the PATH", out)
        self.assertIn("good_call.html", out)

    def on_a_terminal(self, command):
        """Runs `step` on a terminal of its own, with that program as the command `squall` on the PATH."""
        folder = tempfile.mkdtemp(dir=self.folder.name)
        squall = Path(folder, "squall")
        squall.write_text(f"#!{sys.executable}\n{textwrap.dedent(command)}", encoding="utf-8")
        squall.chmod(0o755)
        env = {**os.environ, "PATH": folder, "TMPDIR": self.folder.name}
        arguments = [sys.executable, "-m", "squall", "step", "--lang=zh", f"{EXAMPLES}/good_call.py"]
        master, terminal = os.openpty()
        with subprocess.Popen(arguments, stdin=terminal, stdout=terminal, stderr=terminal, env=env) as process:
            os.close(terminal)
            out = b""
            # Linux tells the end of a terminal by an error.
            with contextlib.suppress(OSError):
                while part := os.read(master, 4096):
                    out += part
        os.close(master)
        return process.returncode, out.decode("utf-8", "replace")


if __name__ == "__main__":
    unittest.main()
