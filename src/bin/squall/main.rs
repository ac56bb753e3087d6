//! The command `squall`: runs coroutine programs, and shows what the Runner did.

mod compare;
mod course;
mod cut;
mod dialect;
mod fold;
mod help;
mod input;
mod lessons;
mod output;
mod python;
mod recording;
mod refused;
mod shown;
mod site;
mod stage;
mod step;
mod subject;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use squall::trace::{Lang, Trace};

use course::Course;
use cut::Cut;
use input::Input;
use lessons::{Lesson, LESSONS};
use output::Color;
use recording::Recording;
use shown::Shown;
use step::{App, Play, Theme};
use subject::{Failure, Subject};

const EXAMPLES: &str = "\
Examples:
  squall course                      learn: the lessons in order, with predictions
  squall lessons                     list the lessons
  squall trace interleaving          show a lesson: its source and its trace
  squall trace minute_loop | less    show a trace page by page
  squall trace bad_call --format mermaid -o bad_call.mmd
                                     write it as a sequence diagram
  squall trace clock.json --until 5s trace a program that never ends
  squall step minute_loop            step through a lesson, forwards and backwards
  squall trace program.py --format jsonl -o program.jsonl
  squall step program.jsonl          record a trace, and step through it later
  squall compare done                show where the Runner of documents and the real one part
  squall run program.json            run a program written in JSON
  squall trace - < program.json      trace a program from standard input
  squall trace program.py            trace a program in Python, by squall's Python package

Exit codes:
  0  success
  1  the program raised an exception, or was stopped
  2  the program does not exist or is malformed, or the output cannot be written";

/// Runs coroutine programs, and shows what the Runner did.
#[derive(Debug, Parser)]
#[command(name = "squall", version, after_help = EXAMPLES, term_width = output::width())]
struct Command {
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    color: Color,
    /// The language of the texts [default: that of the locale]
    #[arg(long, value_enum, global = true)]
    lang: Option<Language>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run a program and print what it prints
    Run {
        #[command(flatten)]
        program: Program,
    },
    /// Run a program and show what each coroutine did, in columns, or show a recorded trace
    Trace {
        #[command(flatten)]
        program: Program,
        /// How wide the trace may be [default: COLUMNS, else the terminal, else 100]
        #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..))]
        width: Option<u16>,
        /// Leave the source out
        #[arg(long)]
        no_source: bool,
        #[command(flatten)]
        cut: Cut,
        /// The format of the output
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Write the output to a file
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Leave the questions of a lesson out of its page
        #[arg(long)]
        no_questions: bool,
    },
    /// Run a program and step through what happened, forwards and backwards, or through a recorded trace
    Step {
        #[command(flatten)]
        program: Program,
        #[command(flatten)]
        cut: Cut,
        /// The colours [default: light if the terminal says that it is, else dark; none with `NO_COLOR`]
        #[arg(long, value_enum)]
        theme: Option<Theme>,
        /// Leave out the questions of a lesson, which are asked before the steps that answer them
        #[arg(long)]
        no_questions: bool,
    },
    /// Run a program on the simplified Runner that documents show, and beside it on the real one, up to where they part
    Compare {
        /// One of the programs that are listed without it, a lesson, a program in JSON, or `-`
        #[arg(value_name = "PROGRAM|LESSON|FILE.json")]
        program: Option<String>,
        /// Show all steps that both have in common
        #[arg(long)]
        all: bool,
        /// Leave the source out
        #[arg(long)]
        no_source: bool,
        /// How wide the text may be [default: COLUMNS, else the terminal, else 100]
        #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..))]
        width: Option<u16>,
        #[command(flatten)]
        cut: Cut,
    },
    /// List the built-in lessons, or show one: its text, the Tornado original and the source
    Lessons {
        /// The lesson to show
        lesson: Option<String>,
    },
    /// Learn: go through the lessons in order, and predict what happens next. It remembers where you are
    Course {
        /// Begin with this lesson
        #[arg(long, value_name = "NAME")]
        lesson: Option<String>,
        /// List the lessons, with those that are done
        #[arg(long, conflicts_with_all = ["lesson", "reset"])]
        list: bool,
        /// Forget what is done
        #[arg(long, conflicts_with = "lesson")]
        reset: bool,
        /// Keep what is done in this file [default: squall/course in `XDG_STATE_HOME` or ~/.local/state]
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
    },
}

/// A way to show a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns, below the source
    Text,
    /// JSON Lines, which docs/trace.md describes
    Jsonl,
    /// A sequence diagram of Mermaid
    Mermaid,
    /// A trace for ui.perfetto.dev
    Chrome,
    /// A page for a browser, to be stepped both ways
    Html,
    /// No trace, but the program as Tornado code that runs
    Tornado,
}

/// A language, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    En,
    Zh,
}

impl Language {
    /// Returns the language that is asked for, else that of the locale.
    fn of(asked: Option<Self>) -> Lang {
        match asked {
            Some(Self::En) => Lang::En,
            Some(Self::Zh) => Lang::Zh,
            None => {
                let set =
                    ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(|name| env::var(name).ok());
                Lang::of_locale(&set.into_iter().find(|value| !value.is_empty()).unwrap_or_default())
            }
        }
    }

    /// Returns the language of the help, which is shown before the arguments are read.
    fn of_arguments(arguments: impl Iterator<Item = String>) -> Lang {
        let arguments: Vec<_> = arguments.collect();
        let named = arguments.iter().filter_map(|argument| argument.strip_prefix("--lang="));
        let next = arguments.windows(2).filter(|pair| pair[0] == "--lang").map(|pair| &*pair[1]);
        let asked = named.chain(next).find_map(|name| Self::from_str(name, true).ok());
        Self::of(asked)
    }
}

#[derive(Debug, clap::Args)]
struct Program {
    /// A lesson, a program in JSON or Python, a recorded trace (FILE.jsonl), or `-` for standard input: a program in
    /// JSON, or a trace
    #[arg(value_name = "LESSON|FILE")]
    program: String,
    /// Run on the real clock instead of one that jumps when nothing is ready. Ctrl-C ends the run; `trace` then shows
    /// what happened until then
    #[arg(long)]
    real_time: bool,
}

fn main() -> ExitCode {
    let arguments = env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let asked = Language::of_arguments(arguments);
    let matches = help::in_language(Command::command(), asked).try_get_matches();
    let Command { color, lang, action } =
        matches.and_then(|matches| Command::from_arg_matches(&matches)).unwrap_or_else(|error| match asked {
            Lang::Zh => error.apply::<refused::Chinese>().exit(),
            _ => error.exit(),
        });
    let lang = Language::of(lang);
    // Failures of a program are shown in its trace, or printed by `stage` or `subject`.
    squall::report_to_stderr(false);
    let done = match action {
        Action::Run { program } => run(&program),
        Action::Trace { program, width, no_source, cut, format, output, no_questions } => {
            let questions = !no_questions;
            let view = View { width, source: !no_source, color, format, output, lang, questions };
            trace(&program, &cut, &view)
        }
        Action::Step { program, cut, theme, no_questions } => {
            let theme = theme.unwrap_or_else(Theme::of_environment);
            step(&program, &cut, &Stepping { theme, questions: !no_questions, color, lang })
        }
        Action::Compare { program: None, .. } => {
            output::write(color, &compare::list(lang));
            Ok(ExitCode::SUCCESS)
        }
        Action::Compare { program: Some(program), all, no_source, width, cut } => {
            let width = width.map_or_else(output::width, usize::from);
            let view = compare::View { lang, width, source: !no_source, all };
            compare::compare(&program, &cut, view).map(|text| {
                output::write(color, &text);
                ExitCode::SUCCESS
            })
        }
        Action::Lessons { lesson: None } => {
            output::write(color, &list(lang));
            Ok(ExitCode::SUCCESS)
        }
        Action::Lessons { lesson: Some(name) } => subject::lesson(&name).map(|lesson| {
            output::write(color, &course::lesson(lesson, lang, output::width()));
            ExitCode::SUCCESS
        }),
        Action::Course { lesson, list, reset, state } => {
            let course = Course { lang, color, lesson, file: state };
            let done = match (list, reset) {
                (true, _) => {
                    course.list();
                    Ok(())
                }
                (_, true) => course.reset(),
                _ => course.run(),
            };
            done.map(|()| ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|message| {
        output::error(&message);
        ExitCode::from(2)
    })
}

fn run(program: &Program) -> Result<ExitCode, String> {
    if python::is_python(&program.program) {
        return python::run("run", Vec::new(), &program.program);
    }
    let subject = Subject::find(&program.program, program.real_time)?;
    Ok(match subject.run(program.real_time) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Raised(why) | Failure::GivenUp(why)) => {
            output::error_line(&why);
            ExitCode::from(1)
        }
    })
}

/// How a trace is shown.
struct View {
    width: Option<u16>,
    source: bool,
    color: Color,
    format: Format,
    output: Option<PathBuf>,
    lang: Lang,
    questions: bool,
}

impl View {
    fn of<R>(&self, shown: &impl Shown, trace: &Trace<R>) -> Result<String, String> {
        let width = self.width.map_or_else(output::width, usize::from);
        Ok(match self.format {
            Format::Text => {
                let source =
                    if self.source { format!("{}\n", shown.source(self.lang, width)) } else { String::new() };
                format!("{source}{}", trace.text().width(width).lang(self.lang).colors(true))
            }
            Format::Jsonl => trace.to_jsonl(),
            Format::Mermaid => trace.to_mermaid_in(self.lang),
            Format::Chrome => trace.to_chrome(),
            Format::Tornado => shown.tornado()?,
            Format::Html => shown.page(trace, self.questions).lang(self.lang).to_string(),
        })
    }

    /// Returns the options, as `python -m squall` takes them.
    fn for_python(&self) -> Vec<String> {
        let format = self.format.to_possible_value().map(|format| format!("--format={}", format.get_name()));
        let lang = if self.lang == Lang::Zh { "--lang=zh" } else { "--lang=en" };
        let width = self.width.map(|width| format!("--width={width}"));
        let no_source = (!self.source).then(|| "--no-source".to_owned());
        let output = self.output.as_ref().map(|file| format!("--output={}", file.display()));
        [format, Some(lang.to_owned()), width, no_source, output].into_iter().flatten().collect()
    }

    /// Writes the trace where it is wanted.
    fn write<R>(&self, shown: &impl Shown, trace: &Trace<R>) -> Result<(), String> {
        let text = self.of(shown, trace)?;
        match &self.output {
            None => output::write(self.color, &text),
            Some(file) => std::fs::write(file, output::without_colors(&text))
                .map_err(|error| format!("cannot write {}: {error}", file.display()))?,
        }
        Ok(())
    }
}

fn trace(program: &Program, cut: &Cut, view: &View) -> Result<ExitCode, String> {
    if python::is_python(&program.program) {
        let options = [for_python(program, cut), view.for_python()].concat();
        return python::run("trace", options, &program.program);
    }
    let subject = match find(program, cut)? {
        Found::Subject(subject) => subject,
        Found::Recording(recording) => {
            view.write(&recording, &recording.trace)?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let mut trace = subject.record(&cut.recorder(), program.real_time);
    if view.format == Format::Html {
        trace = subject.explained(trace, view.lang);
    }
    view.write(&subject, &trace)?;
    Ok(outcome(trace))
}

/// Returns the exit code of the command after a trace was shown.
fn outcome(trace: Trace<Result<(), Failure>>) -> ExitCode {
    let is_cut = trace.is_cut();
    match trace.result {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if is_cut => ExitCode::SUCCESS,
        Err(Failure::Raised(_)) => ExitCode::from(1),
        Err(Failure::GivenUp(why)) => {
            output::error_line(&why);
            ExitCode::from(1)
        }
    }
}

/// The thing that an argument names: something to run, or a trace that was recorded before.
enum Found {
    Subject(Subject),
    Recording(Recording),
}

fn find(Program { program, real_time }: &Program, cut: &Cut) -> Result<Found, String> {
    match Input::read(program) {
        None => subject::lesson(program).map(|lesson| Found::Subject(Subject::Lesson(lesson))),
        Some(input) if input.text.as_ref().is_ok_and(|text| input::is_trace(program, text)) => {
            if *real_time || cut.until.is_some() || cut.turns.is_some() {
                let options = "--real-time, --until and --turns are for programs that are run";
                return Err(format!("{} is a recorded trace: {options}", input.name));
            }
            Recording::read(input).map(Found::Recording)
        }
        Some(input) => Subject::read(input, *real_time).map(Found::Subject),
    }
}

/// How the stepper is set when it opens.
struct Stepping {
    theme: Theme,
    questions: bool,
    color: Color,
    lang: Lang,
}

/// Steps through a trace. Without a terminal the trace is printed.
fn step(program: &Program, cut: &Cut, stepping: &Stepping) -> Result<ExitCode, String> {
    let is_interactive = step::is_interactive(program.program == "-");
    if !is_interactive {
        output::error_line("squall step needs a terminal; this is what `squall trace` prints:");
        let Stepping { questions, color, lang, .. } = *stepping;
        let format = Format::Text;
        let view = View { width: None, source: true, color, format, output: None, lang, questions };
        return trace(program, cut, &view);
    }
    if python::is_python(&program.program) {
        return match python::record(for_python(program, cut), &program.program)? {
            Ok(input) => {
                let recording = Recording::read(input)?;
                stepping.through(&recording, &recording.trace)
            }
            Err(code) => Ok(code),
        };
    }
    match find(program, cut)? {
        Found::Recording(recording) => stepping.through(&recording, &recording.trace),
        Found::Subject(subject) => {
            let trace = subject.record(&cut.recorder(), program.real_time);
            stepping.through(&subject, &subject.explained(trace, stepping.lang))
        }
    }
}

impl Stepping {
    fn through<R>(&self, shown: &impl Shown, trace: &Trace<R>) -> Result<ExitCode, String> {
        let (name, about) = shown.title();
        let play = Play::new(trace, name, about);
        if play.is_empty() {
            return Err(format!("{name}: nothing happened that could be stepped through"));
        }
        let asks = if self.questions { shown.questions(trace) } else { Vec::new() };
        step::run(&mut App::new(&play, self.lang, self.theme).ask(asks))
            .map_err(|error| format!("the terminal failed: {error}"))?;
        // How the program ended was seen on the way.
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns the options of a recording, as `python -m squall` takes them.
fn for_python(program: &Program, cut: &Cut) -> Vec<String> {
    let real_time = program.real_time.then(|| "--real-time".to_owned());
    let until = cut.until.map(|until| format!("--until={}s", until.as_secs_f64()));
    let turns = cut.turns.map(|turns| format!("--turns={turns}"));
    [real_time, until, turns].into_iter().flatten().collect()
}

/// Returns the list of lessons under the sections of Tornado's guide.
fn list(lang: Lang) -> String {
    let sections = LESSONS.chunk_by(|a, b| a.section(lang) == b.section(lang)).map(|lessons| {
        let line = |lesson: &Lesson| format!("  {:17}  {}", lesson.name, lesson.about(lang));
        let lines = lessons.iter().flat_map(|lesson| fold::fold(&line(lesson), output::width(), 21));
        let lines: String = lines.map(|line| line + "\n").collect();
        let section = fold::fold(lessons[0].section(lang), output::width(), 0).join("\n");
        format!("\x1b[1m{section}\x1b[0m\n{lines}")
    });
    sections.collect::<Vec<_>>().join("\n")
}
