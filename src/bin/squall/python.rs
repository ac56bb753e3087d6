//! Programs in Python: `python -m squall` runs them, where a Python has the package.

use std::path::Path;
use std::process::{self, Command, ExitCode, Stdio};
use std::{env, fs, io};

use crate::input::Input;

/// The names under which a Python is looked for.
const PYTHONS: [&str; 2] = ["python3", "python"];

/// Returns whether the name is that of a Python file.
pub(crate) fn is_python(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("py"))
}

/// Runs `python -m squall COMMAND OPTIONS PROGRAM`, and returns its exit code.
pub(crate) fn run(command: &str, options: Vec<String>, program: &str) -> Result<ExitCode, String> {
    if let Err(error) = fs::File::open(program) {
        return Err(format!("cannot read {program}: {error}"));
    }
    let Some(python) = PYTHONS.into_iter().find(|python| has_squall(python)) else {
        return Err(missing(program));
    };
    let mut python = Command::new(python);
    let ran = python.args(["-m", "squall", command]).args(options).arg(program).status();
    let code = ran.map_err(|error| format!("{program}: {error}"))?.code();
    Ok(code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Records a program, and returns its trace as JSON Lines; if there is none, the exit code.
pub(crate) fn record(mut options: Vec<String>, program: &str) -> Result<Result<Input, ExitCode>, String> {
    let failed = |error: io::Error| format!("the trace of {program} cannot be kept: {error}");
    let folder = env::temp_dir().join(format!("squall-step-{}", process::id()));
    fs::create_dir(&folder).map_err(failed)?;
    let file = folder.join("trace.jsonl");
    options.extend(["--format=jsonl".to_owned(), format!("--output={}", file.display())]);
    let code = run("trace", options, program);
    let text = fs::read_to_string(&file);
    fs::remove_dir_all(&folder).map_err(failed)?;
    Ok(match (text, code?) {
        (Ok(text), _) => Ok(Input { name: program.to_owned(), text: Ok(text) }),
        (Err(_), code) => Err(code),
    })
}

/// Returns whether there is a Python of that name that has the package.
fn has_squall(python: &str) -> bool {
    let quiet = |command: &mut Command| -> io::Result<bool> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.status()?.success())
    };
    quiet(Command::new(python).args(["-c", "import squall._squall"])).unwrap_or(false)
}

fn missing(program: &str) -> String {
    format!(
        "{program} is a program in Python, which squall's Python package runs; no `python3` on the PATH has it.\n\
         `pip install ./python` in squall's repository installs it; then this and `python -m squall trace {program}` work"
    )
}
