//! `squall course`, and the languages of the command.

use std::io::Write;
use std::path::Path;
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

/// Returns what the command prints. It must exit with 0 and print no errors.
fn stdout(arguments: &[&str]) -> String {
    printed(squall(arguments).output().unwrap())
}

fn printed(output: Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap()
}

/// Goes through the course with these lines as what is typed, and returns what it prints.
fn course(state: &Path, arguments: &[&str], typed: &str) -> String {
    let mut command = squall(&["course", "--state", state.to_str().unwrap()]);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The command may end before it has read everything.
    drop(child.stdin.take().unwrap().write_all(typed.as_bytes()));
    printed(child.wait_with_output().unwrap())
}

#[test]
fn the_course_asks_before_the_step_that_answers_and_goes_on_where_it_was_left() {
    let folder = std::env::temp_dir().join(format!("squall-course-{}", std::process::id()));
    let state = folder.join("course");
    // A wrong answer, and one that is none.
    let first = course(&state, &["--lesson", "bad_call"], "\n2\n\nx\n9\n2\n");
    assert_snapshot!("course_bad_call", first);
    assert_eq!(std::fs::read_to_string(&state).unwrap(), "squall course\nat bad_call 2\n");
    assert!(course(&state, &["--list"], "").contains(
        "  7  bad_call           Called like a plain function, a coroutine raises nothing.  (you are here)\n"
    ));

    // What was answered is not asked again. The lesson ends, and the next one begins.
    let second = course(&state, &[], "\n2\n\n\nq\n");
    assert_eq!(second.matches("Question: ").count(), 1, "{second}");
    assert!(
        second.contains("That was bad_call.") && second.contains("Lesson 8 of 28: good_call"),
        "{second}"
    );
    assert_eq!(std::fs::read_to_string(&state).unwrap(), "squall course\ndone bad_call\nat good_call 0\n");

    // The end of the input is like `q`.
    let third = course(&state, &["--lang", "zh"], "");
    assert!(third.contains("第 8 课，共 28 课：good_call") && third.ends_with("从这里继续。\n"), "{third}");
    assert!(course(&state, &["--reset"], "").contains("forgotten"));
    assert!(!state.exists());
    assert!(course(&state, &[], "").contains("Lesson 1 of 28: raw_generator"));
    std::fs::remove_dir_all(folder).unwrap();

    let error = squall(&["course", "--lesson", "bad_cal"]).output().unwrap();
    assert_eq!(error.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&error.stderr).contains("Did you mean `bad_call`?"), "{error:?}");
}

#[test]
fn the_state_of_the_course_is_in_the_folder_that_xdg_names() {
    let folder = std::env::temp_dir().join(format!("squall-xdg-{}", std::process::id()));
    let output = squall(&["course", "--lesson", "hops"]).env("XDG_STATE_HOME", &folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(std::fs::read_to_string(folder.join("squall/course")).unwrap().contains("at hops 0"));
    std::fs::remove_dir_all(folder).unwrap();
    // Where nothing can be kept, that is said, and the lesson is given.
    let output = squall(&["course", "--state", "/dev/null/no/course"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be kept"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("Lesson 1 of 28"), "{output:?}");
}

#[test]
fn chinese_is_shown_where_it_is_asked_for_or_is_the_language_of_the_locale() {
    let by_locale = |name: &str, value: &str, arguments: &[&str]| {
        let output = squall(arguments).env(name, value).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for arguments in [
        &["lessons"] as &[_],
        &["--help"],
        &["course", "--help"],
        &["trace", "bad_call"],
        &["lessons", "hops"],
    ] {
        let asked = stdout(&[arguments, &["--lang", "zh"]].concat());
        assert!(asked.contains('，') || asked.contains('：'), "{asked}");
        assert_eq!(by_locale("LANG", "zh_CN.UTF-8", arguments), asked);
        assert_eq!(by_locale("LC_ALL", "zh_TW", arguments), asked);
        assert_eq!(
            by_locale("LANG", "zh_CN.UTF-8", &[arguments, &["--lang=en"]].concat()),
            stdout(arguments)
        );
    }
}
