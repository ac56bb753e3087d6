//! Each program runs to its end and prints what its Python original prints.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a program, and returns what it wrote to standard output and standard error.
fn run(program: &str) -> (String, String) {
    let output = Command::new(program).env_remove("RUST_LOG").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{}\n{out}{err}", output.status);
    (out, err)
}

#[test]
fn visit() {
    let (out, err) = run(env!("CARGO_BIN_EXE_visit"));
    assert_eq!(out, "start call coroutine_visit\nHello, world\nend call coroutine_visit\n12 bytes\n");
    assert_eq!(err, "");
}

#[test]
fn get_user() {
    let (out, err) = run(env!("CARGO_BIN_EXE_get_user"));
    let users = "[\n  {\n    \"id\": 1,\n    \"name\": \"Ann\"\n  },\n  {\n    \"id\": 2,\n    \"name\": \"Ben\"\n  }\n]";
    assert_eq!(out, format!("200 {users}\n200 {{\n  \"error\": \"Service Unavailable\"\n}}\n"));
    assert_eq!(err, "[ERROR get_user] code 503, message Service Unavailable\n");
}

#[test]
fn sync_loop_call() {
    let (out, err) = run(env!("CARGO_BIN_EXE_sync_loop_call"));
    assert_eq!(out, "visit 1\nvisit 2\nvisit 4\nthe server says: visit 5\n");
    let lines: Vec<_> = err.lines().filter(|line| line.contains("sync_loop_call")).collect();
    let (start, end) = ("[INFO  sync_loop_call] worker starts", "[INFO  sync_loop_call] worker has ended");
    let failure = lines[5];
    assert!(failure.starts_with("[ERROR sync_loop_call] worker: ") && failure.contains("500"), "{failure}");
    assert_eq!(lines, [start, end, start, end, start, failure, end, start, end]);
}

#[test]
fn parallel_fetch() {
    let (out, err) = run(env!("CARGO_BIN_EXE_parallel_fetch"));
    assert_eq!(out, "page a, page b\npage c, page d, page e\n/f: page f\n/g: page g\n/h: page h\n");
    assert_eq!(err, "");
}

#[test]
fn interleaving() {
    let (out, err) = run(env!("CARGO_BIN_EXE_interleaving"));
    assert_eq!(out, "decorated: 3 .. 2 .. 1 .. \nnative: 3 .. 2 .. 1 .. \n");
    assert_eq!(err, "");
}

#[test]
fn cursor() {
    let (out, err) = run(env!("CARGO_BIN_EXE_cursor"));
    let read = "100000 documents, 51488895 bytes";
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some(&*format!("by yield: {read}")));
    assert_eq!(lines.next(), Some(&*format!("natively: {read}")));
    if cfg!(target_os = "linux") {
        assert_eq!(lines.next(), Some("the memory has grown by less than 8 MiB"));
    }
    assert_eq!((lines.next(), err.as_str()), (None, ""));
}

#[test]
fn chat() {
    let (out, err) = run(env!("CARGO_BIN_EXE_chat"));
    let lines = [
        "ann sees: ann has come",
        "ann sees: ben has come",
        "ben sees: ben has come",
        "ben sees: ann: hello, ben",
        "ann sees: ann: hello, ben",
        "ann sees: ben: hello, ann",
        "ben sees: ben: hello, ann",
        "ann sees: ben has left",
    ];
    assert_eq!(out.lines().collect::<Vec<_>>(), lines);
    assert_eq!(err, "");
}

#[test]
fn crawler() {
    let (out, err) = run(env!("CARGO_BIN_EXE_crawler"));
    let lines = [
        "crawling 1000 pages",
        "250 pages",
        "500 pages",
        "750 pages",
        "1000 pages",
        "1000 of 1000 pages visited, 10 of them broken",
    ];
    assert_eq!(out.lines().collect::<Vec<_>>(), lines);
    assert_eq!(err, "");
}

#[test]
fn crawler_that_is_interrupted_leaves_a_summary() {
    let mut crawler = Command::new(env!("CARGO_BIN_EXE_crawler"))
        .args(["--pause", "60000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(crawler.stdout.take().unwrap());
    let mut first = String::new();
    // It handles the signal before it prints this.
    out.read_line(&mut first).unwrap();
    assert_eq!(first, "crawling 1000 pages\n");
    let killed = Command::new("kill").args(["-INT", &crawler.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "stopped\n0 of 1 pages visited, 0 of them broken\n");
    assert!(crawler.wait().unwrap().success());
}

/// The lines of a text, without the spaces before and after them.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn page_of_the_programs_shows_what_they_are() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("../../docs/tornado-programs.md")).unwrap();
    let mut shown = Vec::new();
    for section in page.split("\n## ").skip(1) {
        let (_, command) = section.split_once("--bin ").unwrap();
        let (name, _) = command.split_once('`').unwrap();
        let program = std::fs::read_to_string(root.join(format!("src/bin/{name}.rs"))).unwrap();
        let program = program.replace("\n//! ", "\n").replace("\n//!\n", "\n");
        let program = lines(&program);
        for block in section.split("\n```").skip(1).step_by(2) {
            let (_, code) = block.split_once('\n').unwrap();
            // A block may leave out what stands between two items.
            for item in code.split("\n\n") {
                let item = lines(item);
                assert!(program.windows(item.len()).any(|part| part == item), "{name}: {item:#?}");
            }
        }
        shown.push(format!("{name}.rs"));
    }
    let programs = std::fs::read_dir(root.join("src/bin")).unwrap().map(|file| file.unwrap().file_name());
    let programs = programs
        .map(|name| name.into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "rs"));
    let mut programs: Vec<_> = programs.collect();
    programs.sort_unstable();
    shown.sort_unstable();
    assert_eq!(shown, programs);
}
