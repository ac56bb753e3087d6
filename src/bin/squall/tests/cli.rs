//! The command as users type it: what it prints, where, and its exit code.

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;

/// Returns the command, without environment variables that change its output.
fn squall(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
    command.args(arguments).stdin(Stdio::null());
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(variable);
    }
    command
}

fn output(arguments: &[&str]) -> Output {
    squall(arguments).output().unwrap()
}

/// Returns what the command prints to standard output. It must exit with 0 and print no errors.
fn stdout(arguments: &[&str]) -> String {
    let output = output(arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns what the command prints to standard error. It must exit with `code` and print nothing else.
fn stderr(arguments: &[&str], code: i32) -> String {
    let output = output(arguments);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    String::from_utf8(output.stderr).unwrap()
}

fn lesson_names() -> Vec<String> {
    let list = stdout(&["lessons"]);
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn lessons_are_listed_under_the_sections_of_the_guide() {
    assert_snapshot!(stdout(&["lessons"]));
}

#[test]
fn each_lesson_prints_what_it_always_prints() {
    let names = lesson_names();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let output = output(&["run", &name]);
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert_snapshot!(format!("run_{name}"), format!("{out}-- standard error\n{err}"));
    }
}

#[test]
fn each_lesson_has_the_trace_that_it_always_has() {
    for name in lesson_names() {
        assert_snapshot!(format!("trace_{name}"), stdout(&["trace", &name]));
    }
}

#[test]
fn a_trace_is_as_wide_as_it_may_be() {
    for width in ["40", "80", "120"] {
        for name in lesson_names() {
            let text = stdout(&["trace", &name, "--no-source", "--width", width]);
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width.parse().unwrap(), "{name}:\n{text}");
        }
    }
    assert_snapshot!(
        "trace_interleaving_80",
        stdout(&["trace", "interleaving", "--no-source", "--width", "80"])
    );
}

/// Returns the width of the widest line, in columns.
fn widest(text: &str) -> usize {
    text.lines().map(unicode_width::UnicodeWidthStr::width).max().unwrap_or(0)
}

#[test]
fn nothing_is_wider_than_columns_say() {
    let long = format!("[\"log\", {}]", ["\"协程 and a word\""; 12].join(", "));
    let long = program(&format!("[\"log\", \"{}\"], {long}", "x".repeat(300)));
    for columns in [40, 61, 80, 140] {
        let set = |command: &mut Command| {
            let output = command.env("COLUMNS", columns.to_string()).output().unwrap();
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat()
        };
        let mut texts = vec![set(&mut squall(&["lessons"])), set(&mut squall(&["trace", "interleving"]))];
        if columns > 60 {
            // With fewer columns, the options are wider than their descriptions.
            let help = [&["--help"] as &[_], &["trace", "--help"], &["run", "--help"]];
            texts.extend(help.map(|arguments| set(&mut squall(arguments))));
        }
        for name in lesson_names() {
            texts.push(set(&mut squall(&["trace", &name])));
            texts.push(set(&mut squall(&["lessons", &name])));
        }
        texts.push(
            String::from_utf8(
                with(&long, squall(&["trace", "-"]).env("COLUMNS", columns.to_string())).stdout,
            )
            .unwrap(),
        );
        for text in texts {
            assert!(widest(&text) <= columns, "{columns}: {} in\n{text}", widest(&text));
        }
    }
    // The option overrides the environment, and nonsense is ignored.
    let trace = |columns| {
        let output =
            squall(&["trace", "interleaving", "--width", "80"]).env("COLUMNS", columns).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(trace("200").contains("┄") && widest(&trace("200")) <= 80);
    assert_eq!(trace("many"), trace("0"));
    // More columns than a line could have are as many as there may be.
    let wide = squall(&["trace", "interleaving"]).env("COLUMNS", usize::MAX.to_string()).output().unwrap();
    assert!(wide.status.success() && widest(&String::from_utf8(wide.stdout).unwrap()) <= 1_000);
}

/// Runs on a terminal that is 72 columns wide, made by `script` of util-linux. Does nothing where that is not
/// installed.
#[test]
#[cfg(target_os = "linux")]
fn on_a_terminal_a_trace_is_as_wide_as_that() {
    for pager in ["", " | cat"] {
        let trace = concat!(env!("CARGO_BIN_EXE_squall"), " trace interleaving --color never");
        let command = format!("stty rows 24 columns 72; {trace}{pager}");
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &command, "/dev/null"]).stdin(Stdio::null());
        if let Ok(output) = script.env("TERM", "xterm").env_remove("COLUMNS").output() {
            let text = String::from_utf8(output.stdout).unwrap().replace('\r', "");
            assert_eq!(widest(&text), 72, "{text}");
        }
    }
}

#[test]
fn a_file_that_is_not_json_is_an_error_that_says_what_is_accepted() {
    let folder = std::env::temp_dir().join(format!("squall-not-json-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let files: [(&str, &[u8]); 5] = [
        ("empty", b""),
        ("blank.txt", b" \n"),
        ("program.rs", b"fn main() {}"),
        ("program.json", b"{'name': 1}"),
        ("program.bin", &[0xff, 0xfe, 0, 1]),
    ];
    for (name, content) in files {
        let file = folder.join(name);
        std::fs::write(&file, content).unwrap();
        for action in ["run", "trace"] {
            let error = stderr(&[action, file.to_str().unwrap()], 2);
            assert!(error.starts_with(&format!("error: {}: ", file.display())), "{error}");
            assert!(
                error.contains(
                    "squall takes the name of a lesson (`squall lessons` lists them), a program in Python (FILE.py), \
                     a recorded trace (FILE.jsonl), or a program in JSON"
                ),
                "{error}"
            );
        }
    }
    let folder_itself = stderr(&["run", folder.to_str().unwrap()], 2);
    assert!(folder_itself.contains("or a program in JSON"), "{folder_itself}");
    std::fs::remove_dir_all(&folder).unwrap();
    for missing in ["no_such_file.json", "no/such/file"] {
        assert!(stderr(&["run", missing], 2).contains("or a program in JSON"));
    }
}

#[test]
fn a_program_in_python_needs_a_python_with_the_package() {
    let program = std::env::temp_dir().join(format!("squall-python-{}.PY", std::process::id()));
    std::fs::write(&program, "print(5)").unwrap();
    for action in ["run", "trace"] {
        let output = squall(&[action, program.to_str().unwrap()]).env("PATH", "").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("`pip install ./python` in squall's repository installs it"), "{error}");
    }
    std::fs::remove_file(&program).unwrap();
    assert!(stderr(&["run", "no_such_file.py"], 2).contains("cannot read no_such_file.py"));
}

#[test]
fn no_source_leaves_only_the_trace() {
    let whole = stdout(&["trace", "good_call"]);
    let trace = stdout(&["trace", "good_call", "--no-source"]);
    assert!(whole.ends_with(&trace) && whole.contains("#[squall::coroutine]"));
    assert!(!trace.contains("#[squall::coroutine]"));
}

#[test]
fn the_source_of_a_lesson_is_shown_with_the_numbers_of_its_lines() {
    let [lesson, trace] = ["lessons", "trace"].map(|action| stdout(&[action, "interleaving"]));
    let file = include_str!("../lessons/interleaving/program.rs");
    for (number, line) in (1..).zip(file.lines()).skip(3) {
        for shown in [&lesson, &trace] {
            assert!(shown.contains(&format!("{number:4}  {line}\n")), "{shown}");
        }
    }
    assert!(lesson.contains(include_str!("../lessons/interleaving/tornado.py")), "{lesson}");
}

#[test]
fn help_shows_examples() {
    let help = stdout(&["--help"]);
    assert!(help.contains("\nExamples:\n") && help.contains("squall trace interleaving"), "{help}");
    assert!(stdout(&["trace", "--help"]).contains("--no-source"));
    assert!(stdout(&["--version"]).starts_with("squall "));
}

#[test]
fn an_unknown_lesson_is_an_error_that_names_the_one_meant() {
    for action in ["run", "trace", "lessons"] {
        assert_eq!(
            stderr(&[action, "interleving"], 2),
            "error: there is no lesson `interleving`. Did you mean `interleaving`? `squall lessons` lists them all.\n"
        );
    }
    assert_eq!(
        stderr(&["trace", "xyzzy"], 2),
        "error: there is no lesson `xyzzy`. `squall lessons` lists them all.\n"
    );
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_is_right() {
    assert!(stderr(&[], 2).contains("Usage: squall"));
    assert!(stderr(&["trase", "native"], 2).contains("'trace'"));
    assert!(stderr(&["trace"], 2).contains("<LESSON|FILE>"));
    assert!(stderr(&["trace", "native", "--width", "7"], 2).contains("40"));
}

/// Runs a program from standard input.
fn with_program(arguments: &[&str], program: &str) -> Output {
    with(program, &mut squall(arguments))
}

/// Runs the command with a program on its standard input.
fn with(program: &str, command: &mut Command) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The command may end before it has read everything.
    drop(child.stdin.take().unwrap().write_all(program.as_bytes()));
    child.wait_with_output().unwrap()
}

/// Returns a program with these statements in its coroutine `main`, which `run_sync` runs.
fn program(statements: &str) -> String {
    format!(
        r#"{{"name": "演示", "about": "一个小程序", "top": [["run_sync", "main", [], null]], "defs":
        {{"main": {{"kind": "decorated", "params": [], "body": [{statements}]}}}}}}"#
    )
}

#[test]
fn a_program_is_run_from_standard_input_or_a_file() {
    let text = program(r#"["log", "你好"], ["yield", null, ["sleep", 20]], ["log", "at", ["now"]]"#);
    let output = with_program(&["run", "-"], &text);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "你好\nat 20\n");

    let file = std::env::temp_dir().join(format!("squall-cli-test-{}.json", std::process::id()));
    std::fs::write(&file, &text).unwrap();
    let from_file = squall(&["run"]).arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(from_file, output);
}

#[test]
fn a_program_is_traced_below_its_source() {
    let output = with_program(
        &["trace", "-"],
        &program(
            r#"["let", "x", ["get", ["list", "第一", "第二"], 1]], ["log", "$x"],
            ["yield", "y", ["sleep", 20]], ["return", ["list", "$x", "$y"]]"#,
        ),
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_snapshot!(String::from_utf8(output.stdout).unwrap());
}

#[test]
fn the_name_of_a_program_does_not_reach_the_terminal_as_a_command() {
    let named = program(r#"["log", "a"]"#).replace("演示", r"n\u001b[2J");
    let output = with_program(&["trace", "-", "--color", "always"], &named);
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("\u{1b}[1mn [2J: "));
}

#[test]
fn a_program_that_raises_exits_with_1() {
    let text = program(r#"["raise", ["exc", "ValueError", "no"]]"#);
    let output = with_program(&["run", "-"], &text);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "raised ValueError: no\n");
    let traced = with_program(&["trace", "-", "--no-source"], &text);
    assert_eq!(traced.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&traced.stdout).contains("\noutcome      raised ValueError: no\n"));
}

#[test]
fn what_goes_wrong_in_a_program_is_said_once_and_without_lines_of_the_interpreter() {
    let failed = r#"["let", "f", ["new", "Future"]], ["expr", [".", "$f", "set_exception", ["exc", "KeyError", "k"]]]"#;
    let endless = r#"["while", true, [["yield", null, ["moment"]]]]"#;
    for (statements, said) in [
        (failed, "ERROR exception was never retrieved: KeyError: k\n"),
        (r#"["yield", null, ["new", "Future"]]"#, "hangs: nothing that is left can wake the loop\n"),
        (endless, "more than 1500 records: does the program ever end?\n"),
    ] {
        let output = with_program(&["run", "-"], &program(statements));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), said);
    }
}

#[test]
fn a_program_that_never_ends_is_stopped_and_its_trace_shown() {
    let endless = [
        program(r#"["while", true, [["yield", null, ["sleep", 1]]]]"#),
        r#"{"name": "tick", "about": "", "top": [["expr", ["call", "tick"]], ["start"]], "defs":
        {"tick": {"kind": "plain", "params": [], "body": [["expr", ["call_later", 1, "tick"]]]}}}"#
            .to_owned(),
    ];
    for text in endless {
        let output = with_program(&["trace", "-", "--no-source"], &text);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("         loop"), "{output:?}");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("does the program ever end?"), "{errors}");
    }
}

#[test]
fn a_trace_says_why_its_program_was_stopped() {
    let endless = program(r#"["while", true, [["yield", null, ["sleep", 1]]]]"#);
    let trace = String::from_utf8(with_program(&["trace", "-"], &endless).stdout).unwrap();
    let (_, outcome) = trace.split_once("\noutcome      ").unwrap();
    let mut lines = outcome.lines().map(str::trim);
    assert_eq!(lines.next(), Some("raised GivenUp: more than 1500 records: does the program ever end?"));
    // And where it was then, in its source.
    assert!(trace.contains("\n   3      while True:\n"), "{trace}");
    assert_eq!(lines.next(), Some("演示:3:5 in main"));
}

#[test]
fn a_trace_of_a_program_names_its_own_lines_only() {
    let hangs = program(r#"["yield", null, ["moment"]], ["yield", null, ["new", "Future"]]"#);
    let trace = String::from_utf8(with_program(&["trace", "-"], &hangs).stdout).unwrap();
    assert!(trace.contains("   4      yield Future()\n"), "{trace}");
    assert!(
        trace.ends_with(
            "\noutcome      raised Deadlock: nothing that is left can wake the loop\
         \nwaiting      main: yield future 2, wait for it :4\n"
        ),
        "{trace}"
    );
}

#[test]
fn a_program_may_begin_with_the_mark_of_an_editor() {
    let marked = format!("\u{feff}{}", program(r#"["log", "a"]"#));
    assert_eq!(with_program(&["run", "-"], &marked).stdout, b"a\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    let said = stderr(&["run", "/dev/zero"], 2);
    assert!(said.starts_with("error: cannot read /dev/zero: it is larger than 64 MiB\n"), "{said}");
}

#[test]
fn a_malformed_program_exits_with_2_and_names_the_node() {
    let wrong_node = with_program(&["run", "-"], &program(r#"["log", ["plus", 1, 2]]"#));
    assert_eq!(wrong_node.status.code(), Some(2));
    assert_eq!(wrong_node.stdout, b"");
    let errors = String::from_utf8_lossy(&wrong_node.stderr);
    assert!(errors.starts_with("error: standard input: defs.main.body[0][1][0]: "), "{errors}");
    for text in ["", "{", "[]", "{}", "\u{feff}", &program("").replace("main", "")] {
        let output = with_program(&["trace", "-"], text);
        assert_eq!(output.status.code(), Some(2), "{text}: {output:?}");
        assert_eq!(output.stdout, b"");
        assert!(output.stderr.starts_with(b"error: standard input: "), "{output:?}");
    }
    assert!(with_program(&["run", "-"], "\u{1}").stderr.starts_with(b"error: standard input: "));
}

#[test]
fn a_file_that_cannot_be_read_exits_with_2() {
    assert!(stderr(&["run", "no_such_file.json"], 2).starts_with("error: cannot read no_such_file.json: "));
    assert!(stderr(&["run", "."], 2).starts_with("error: cannot read .: "));
}

#[test]
fn only_lessons_take_real_time() {
    assert_eq!(stdout(&["run", "good_call", "--real-time"]), stdout(&["run", "good_call"]));
    let output = with_program(&["run", "-", "--real-time"], &program(""));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn there_are_colours_only_where_they_are_wanted() {
    let colored = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout.contains(&0x1b)
    };
    for arguments in [&["trace", "bad_call"] as &[_], &["lessons"]] {
        assert!(!colored(&mut squall(arguments)), "not into a pipe");
        assert!(colored(squall(arguments).env("CLICOLOR_FORCE", "1")));
        assert!(!colored(squall(arguments).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
        assert!(colored(squall(arguments).args(["--color", "always"])));
        assert!(!colored(squall(arguments).args(["--color", "never"]).env("CLICOLOR_FORCE", "1")));
    }
}

/// Runs on a terminal, made by `script` of util-linux. Does nothing where that is not installed.
#[test]
#[cfg(target_os = "linux")]
fn on_a_terminal_there_are_colours_unless_no_color_is_set() {
    let on_a_terminal = |no_color: Option<&str>| {
        let mut script = Command::new("script");
        let command = concat!(env!("CARGO_BIN_EXE_squall"), " trace bad_call");
        script.args(["--quiet", "--return", "--command", command, "/dev/null"]).stdin(Stdio::null());
        script.env("TERM", "xterm").env_remove("NO_COLOR").envs(no_color.map(|value| ("NO_COLOR", value)));
        script.env_remove("CLICOLOR").env_remove("CLICOLOR_FORCE");
        script.output().ok().map(|output| {
            assert!(output.status.success(), "{output:?}");
            output.stdout.contains(&0x1b)
        })
    };
    if let Some(colored) = on_a_terminal(None) {
        assert!(colored);
        assert_eq!(on_a_terminal(Some("1")), Some(false));
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    for arguments in [&["trace", "interleaving"] as &[_], &["run", "looping"], &["lessons"]] {
        let mut child = squall(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The pipe is closed before anything was read from it.
        drop(child.stdout.take());
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(errors, "", "{arguments:?}");
        assert!(child.wait().unwrap().code().is_some(), "{arguments:?}");
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let output = squall(&["lessons"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot write: "), "{output:?}");
}

#[test]
fn a_native_coroutine_that_was_never_awaited_is_told() {
    let text = |top: &str| {
        format!(
            r#"{{"name": "lost", "about": "", "defs": {{
            "divide": {{"kind": "native", "params": ["x"], "body": [["return", "$x"]]}},
            "forgets": {{"kind": "plain", "params": [], "body": [["expr", ["call", "divide", 1]], ["log", "on"]]}},
            "keeps": {{"kind": "decorated", "params": [], "body": [["let", "d", ["call", "divide", 1]], ["yield", null, ["moment"]]]}},
            "awaits": {{"kind": "decorated", "params": [], "body": [["yield", null, ["call", "divide", 1]], ["yield", null, ["list", ["call", "divide", 2]]]]}}}},
            "top": [{top}]}}"#
        )
    };
    let warning = "RuntimeWarning: coroutine 'divide' was never awaited";
    for (top, warnings) in [
        (r#"["run_sync", "forgets", [], null]"#, 1),
        (r#"["run_sync", "keeps", [], null]"#, 1),
        (r#"["let", "d", ["call", "divide", 1]], ["run_sync", "awaits", [], null]"#, 1),
        (r#"["run_sync", "awaits", [], null]"#, 0),
        (r#"["run_sync", "divide", [1], null]"#, 0),
        (r#"["let", "d", ["call", "divide", 1]], ["run_sync", "forgets", [], null]"#, 2),
    ] {
        let run = with_program(&["run", "-"], &text(top));
        assert_eq!(run.status.code(), Some(0));
        let errors = String::from_utf8(run.stderr).unwrap();
        assert_eq!(errors, format!("{warning}\n").repeat(warnings), "{top}");
        let trace = String::from_utf8(with_program(&["trace", "-"], &text(top)).stdout).unwrap();
        let trace = trace.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(trace.matches(&format!("logged: {warning}")).count(), warnings, "{trace}");
        assert_eq!(trace.matches(&format!("unawaited {warning}, at 0 ms")).count(), warnings, "{trace}");
    }
}

#[test]
fn the_numbers_of_turns_never_skip() {
    for name in lesson_names() {
        let trace = stdout(&["trace", &name, "--no-source"]);
        let mut next = 1;
        for (_, rest) in trace.match_indices(" turn").map(|(at, _)| trace[at..].split_at(5)) {
            let numbers = rest.trim_start_matches('s').split_whitespace();
            let mut numbers = numbers.map(|word| word.trim_end_matches(':').parse::<usize>());
            let Some(Ok(first)) = numbers.next() else { continue };
            assert_eq!(first, next, "{name}:\n{trace}");
            next = numbers.nth(1).and_then(Result::ok).unwrap_or(first) + 1;
        }
        assert!(next > 1 || name == "raw_generator", "{name}");
    }
}

#[test]
fn values_of_programs_are_printed_like_in_python() {
    let text = program(r#"["log", null, true, ["list", null, "a"]], ["raise", ["exc", "ValueError", null]]"#);
    let output = with_program(&["run", "-"], &text);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "None True [None, 'a']\n");
    let trace = String::from_utf8(with_program(&["trace", "-"], &text).stdout).unwrap();
    assert!(trace.contains("raised ValueError: None") && !trace.contains("null"), "{trace}");
}
