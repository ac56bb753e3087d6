//! Traces from files: `squall trace FILE.jsonl` and `squall step FILE.jsonl`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("squall-recorded-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.0.join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn squall(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
    command.args(arguments).stdin(Stdio::null());
    for variable in ["COLUMNS", "LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(variable);
    }
    command.output().unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = squall(arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = squall(arguments);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn each_view_of_a_recorded_trace_is_that_of_its_program() {
    let folder = Folder::new("views");
    for program in ["interleaving", "bad_call", "deadlock"] {
        let file = folder.write("trace.jsonl", &stdout(&["trace", program, "--format", "jsonl"]));
        for format in ["text", "jsonl", "mermaid", "chrome", "html"] {
            let [live, recorded] = [program, &file].map(|name| squall(&["trace", name, "--format", format]));
            assert!(live.stdout == recorded.stdout, "{program} {format}:\n{recorded:?}");
            assert_eq!(recorded.status.code(), Some(0));
        }
        // Without a terminal the stepper prints the trace, too.
        assert_eq!(stdout(&["step", &file]), stdout(&["trace", &file]));
    }
}

#[test]
fn a_trace_in_python_is_shown_with_its_text() {
    let folder = Folder::new("python");
    let lines = [
        r#"{"squall_trace":3,"dropped":0,"sources":[{"language":"python","name":"visit.py","file":"visit.py","first_line":1,"text":"\"\"\"Counts visits.\"\"\"\nprint('hello')\n"}]}"#,
        r#"{"time":0,"event":"note","text":"hello","place":{"file":"visit.py","line":2,"column":1}}"#,
    ];
    let file = folder.write("visit.jsonl", &lines.join("\n"));
    let text = stdout(&["trace", &file]);
    assert!(text.starts_with("visit.py: Counts visits.\n"), "{text}");
    assert!(text.contains("   2  print('hello')\n") && text.contains("print \"hello\""), "{text}");
    let page = stdout(&["trace", &file, "--format", "html"]);
    assert!(page.contains("Counts visits."));
}

#[test]
fn what_is_no_trace_is_refused_with_the_line() {
    let folder = Folder::new("refused");
    let whole = stdout(&["trace", "bad_call", "--format", "jsonl"]);
    let lines: Vec<_> = whole.lines().collect();
    let files = [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("not a trace\n", "its first line has no `squall_trace`"),
        (&whole.replacen("\"squall_trace\":3", "\"squall_trace\":7", 1), "a trace of version 7"),
        (&whole[..whole.len() - 10], &format!("line {} is not an entry of a trace: EOF", lines.len())),
        (&lines[..3].join("\n"), "line 4 is missing"),
        (&whole.replacen("\"time\":0", "\"time\":-1", 1), "line 2 is not an entry"),
        (&whole.replacen("\"event\":\"run\"", "\"event\":\"walk\"", 1), "unknown variant `walk`"),
    ];
    for (text, problem) in files {
        let file = folder.write("trace.jsonl", text);
        for action in ["trace", "step"] {
            let error = refused(&[action, &file]);
            // Without a terminal, `step` says so first.
            let error = error.lines().filter(|line| !line.contains("needs a terminal")).collect::<String>();
            assert!(error.starts_with(&format!("error: {file}: ")) && error.contains(problem), "{error}");
        }
    }
    assert!(refused(&["trace", "no_such.jsonl"]).contains("cannot read no_such.jsonl"));
}

#[test]
fn a_recorded_trace_is_not_run_again() {
    let folder = Folder::new("run");
    // It is recognised by what is in it, too.
    let file = folder.write("trace.txt", &stdout(&["trace", "bad_call", "--format", "jsonl"]));
    for arguments in [&["run", &file] as &[_], &["compare", &file]] {
        assert!(refused(arguments).contains("is a recorded trace, which is not run again"));
    }
    for option in [&["--until", "5s"] as &[_], &["--turns", "3"], &["--real-time"]] {
        let error = refused(&[&["trace", &file], option].concat());
        assert!(error.contains("are for programs that are run"), "{error}");
    }
    assert!(stdout(&["trace", &file]).contains("divide"));
}
