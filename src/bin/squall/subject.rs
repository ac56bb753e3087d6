//! The subject of a command: the lesson or program that it runs.

use std::io;
use std::rc::Rc;

use squall::program::{self, Outcome, Program};
use squall::trace::{self, Ask, Event, Lang, Language, Observer, Problem, Recorder, SourceText, Trace};

use crate::course::predictions;
use crate::input::{is_trace, Input};
use crate::lessons::Lesson;
use crate::shown::{listing, Shown};
use crate::{dialect, output, stage};

/// A lesson or a program that the command is asked to run.
#[derive(Debug)]
pub(crate) enum Subject {
    Lesson(&'static Lesson),
    Program(Program),
}

/// The reason why a run failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The program raised an exception, which a trace shows at its end.
    Raised(String),
    /// The interpreter gave up the program.
    GivenUp(String),
}

impl Subject {
    /// Finds the lesson, file or standard input (`-`) that an argument names, to run it.
    pub(crate) fn find(argument: &str, real_time: bool) -> Result<Self, String> {
        match Input::read(argument) {
            None => lesson(argument).map(Self::Lesson),
            Some(Input { name, text: Ok(text) }) if is_trace(argument, &text) => Err(format!(
                "{name} is a recorded trace, which is not run again; `squall trace {argument}` and `squall step \
                 {argument}` show it"
            )),
            Some(input) => Self::read(input, real_time),
        }
    }

    /// Reads and checks a program. Only a lesson can run in real time.
    pub(crate) fn read(Input { name, text }: Input, real_time: bool) -> Result<Self, String> {
        if real_time {
            return Err(
                "a program in JSON has a clock of its own; only a lesson takes --real-time".to_owned()
            );
        }
        let text = text.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => format!("{name}: the file is not text\n{ACCEPTED}"),
            _ => format!("cannot read {name}: {error}\n{ACCEPTED}"),
        })?;
        program::parse(&text).map(Self::Program).map_err(|error| match error.is_json() {
            true => format!("{name}: {error}"),
            false => format!("{name}: {error}\n{ACCEPTED}"),
        })
    }

    /// Runs the lesson or program. Unless a trace is recorded, prints its output and its log messages.
    pub(crate) fn run(&self, real_time: bool) -> Result<(), Failure> {
        match self {
            Self::Lesson(lesson) => {
                if !trace::observed() {
                    stage::log_to_stderr();
                }
                stage::perform(real_time, lesson.main)
                    .map_err(|exception| Failure::Raised(format!("{exception:?}")))
            }
            Self::Program(program) => {
                let printing = (!trace::observed()).then(|| trace::observe(Rc::new(Printer)));
                let report = program.run();
                drop(printing);
                ended(&report.map_err(|error| Failure::GivenUp(error.to_string()))?.outcomes)
            }
        }
    }

    /// Returns its source, for the views that show it.
    pub(crate) fn text_of_source(&self) -> SourceText {
        match self {
            Self::Lesson(lesson) => SourceText {
                language: Language::Rust,
                name: lesson.name.into(),
                file: lesson.path().into(),
                first_line: 1,
                text: lesson.program().into(),
            },
            Self::Program(program) => SourceText {
                language: Language::Json,
                name: program.name().to_owned().into(),
                file: program.file().into(),
                first_line: 1,
                text: program.source().into(),
            },
        }
    }

    /// Runs it, and records what happens.
    pub(crate) fn record(&self, recorder: &Recorder, real_time: bool) -> Trace<Result<(), Failure>> {
        recorder.record(|| self.run(real_time)).with_source(self.text_of_source())
    }

    /// Adds to the trace of a program in JSON what its short words stand for: the program as Tornado code that runs.
    pub(crate) fn explained<R>(&self, trace: Trace<R>, lang: Lang) -> Trace<R> {
        let Self::Program(program) = self else { return trace };
        trace.with_source(SourceText {
            language: Language::Python,
            name: format!("{}.py", program.name()).into(),
            file: format!("{}.py", program.file()).into(),
            first_line: 1,
            text: dialect::with_note(&program.tornado(), &program.source(), lang).into(),
        })
    }
}

impl Shown for Subject {
    fn title(&self) -> (&str, [&str; 2]) {
        match self {
            Self::Lesson(lesson) => (lesson.name, Lang::ALL.map(|lang| lesson.about(lang))),
            Self::Program(program) => (program.name(), [program.about(); 2]),
        }
    }

    fn tornado(&self) -> Result<String, String> {
        Ok(match self {
            Self::Lesson(lesson) => lesson.original.to_owned(),
            Self::Program(program) => program.tornado(),
        })
    }

    fn kind(&self, lang: Lang) -> String {
        match self {
            Self::Lesson(lesson) => lesson.section(lang).to_owned(),
            Self::Program(program) => dialect::note(&program.source(), lang),
        }
    }

    fn source_lines(&self, width: usize) -> String {
        match self {
            Self::Lesson(lesson) => listing(lesson.source(), width),
            Self::Program(program) => listing((1..).zip(program.source().lines()), width),
        }
    }

    fn questions<R>(&self, trace: &Trace<R>) -> Vec<Ask> {
        match self {
            Self::Lesson(lesson) => predictions(lesson, trace.entries()),
            Self::Program(_) => Vec::new(),
        }
    }
}

/// Returns the lesson of that name, or an error that suggests one.
pub(crate) fn lesson(name: &str) -> Result<&'static Lesson, String> {
    Lesson::find(name).ok_or_else(|| {
        let meant = Lesson::nearest(name).map(|near| format!(" Did you mean `{}`?", near.name));
        format!("there is no lesson `{name}`.{} `squall lessons` lists them all.", meant.unwrap_or_default())
    })
}

/// The last part of the error for an argument that is neither a lesson nor a program.
const ACCEPTED: &str =
    "squall takes the name of a lesson (`squall lessons` lists them), a program in Python (FILE.py), a recorded trace \
     (FILE.jsonl), or a program in JSON: docs/programs.md describes its format";

/// Returns an error if a run of the program raised an exception.
fn ended(outcomes: &[Outcome]) -> Result<(), Failure> {
    let failed = |outcome: &&Outcome| matches!(outcome, Outcome::Exception { .. } | Outcome::Hang);
    let failed: Vec<_> = outcomes.iter().filter(failed).map(ToString::to_string).collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::Raised(failed.join("\n")))
    }
}

/// Prints the program's output as it comes, and log messages without the traceback lines that belong to the
/// interpreter.
struct Printer;

impl Observer for Printer {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Note { text, .. } => output::line(text),
            Event::Report { problem: Problem::NeverAwaited, exception, .. } => {
                output::error_line(&format!("{}: {exception}", exception.name()));
            }
            Event::Report { problem, exception, .. } => {
                let message = exception.to_string();
                let colon = if message.is_empty() { "" } else { ": " };
                output::error_line(&format!(
                    "ERROR {}: {}{colon}{message}",
                    problem.text(),
                    exception.name()
                ));
            }
            _ => {}
        }
    }
}
