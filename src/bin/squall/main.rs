//! The command `squall`: runs coroutine programs, and shows what the Runner did.

mod fold;
mod lessons;
mod output;
mod site;
mod stage;
mod subject;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use lessons::{Lesson, LESSONS};
use output::Color;
use subject::{Failure, Subject};

const EXAMPLES: &str = "\
Examples:
  squall lessons                     list the lessons
  squall trace interleaving          show a lesson: its source and its trace
  squall trace minute_loop | less    show a trace page by page
  squall run program.json            run a program written in JSON
  squall trace - < program.json      trace a program from standard input

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
    /// Run a program and show what each coroutine did, in columns
    Trace {
        #[command(flatten)]
        program: Program,
        /// How wide the trace may be [default: COLUMNS, else the terminal, else 100]
        #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..))]
        width: Option<u16>,
        /// Leave the source out
        #[arg(long)]
        no_source: bool,
    },
    /// List the built-in lessons, or show the source of one
    Lessons {
        /// The lesson to show
        lesson: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Program {
    /// A lesson, a program in JSON, or `-` for one on standard input
    #[arg(value_name = "LESSON|FILE.json")]
    program: String,
    /// Run on the real clock instead of one that jumps when nothing is ready. Ctrl-C ends the run; `trace` then shows
    /// what happened until then
    #[arg(long)]
    real_time: bool,
}

fn main() -> ExitCode {
    let Command { color, action } = Command::parse();
    // Failures of a program are shown in its trace, or printed by `stage` or `subject`.
    squall::report_to_stderr(false);
    let done = match action {
        Action::Run { program } => run(&program),
        Action::Trace { program, width, no_source } => trace(&program, width, !no_source, color),
        Action::Lessons { lesson: None } => {
            output::write(color, &list());
            Ok(ExitCode::SUCCESS)
        }
        Action::Lessons { lesson: Some(name) } => subject::lesson(&name).map(|lesson| {
            output::write(color, &Subject::Lesson(lesson).source(output::width()));
            ExitCode::SUCCESS
        }),
    };
    done.unwrap_or_else(|message| {
        output::error(&message);
        ExitCode::from(2)
    })
}

fn run(program: &Program) -> Result<ExitCode, String> {
    let subject = Subject::find(&program.program, program.real_time)?;
    Ok(match subject.run(program.real_time) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Raised(why) | Failure::GivenUp(why)) => {
            output::error_line(&why);
            ExitCode::from(1)
        }
    })
}

fn trace(program: &Program, width: Option<u16>, source: bool, color: Color) -> Result<ExitCode, String> {
    let subject = Subject::find(&program.program, program.real_time)?;
    let trace = squall::trace::record(|| subject.run(program.real_time));
    let width = width.map_or_else(output::width, usize::from);
    if source {
        output::write(color, &format!("{}\n", subject.source(width)));
    }
    output::write(color, &trace.text().width(width).colors(true));
    Ok(match trace.result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Raised(_)) => ExitCode::from(1),
        Err(Failure::GivenUp(why)) => {
            output::error_line(&why);
            ExitCode::from(1)
        }
    })
}

/// Returns the list of lessons under the sections of Tornado's guide.
fn list() -> String {
    let sections = LESSONS.chunk_by(|a, b| a.guide() == b.guide()).map(|lessons| {
        let line = |lesson: &Lesson| format!("  {:15}  {}", lesson.name, lesson.about());
        let lines = lessons.iter().flat_map(|lesson| fold::fold(&line(lesson), output::width(), 19));
        let lines: String = lines.map(|line| line + "\n").collect();
        let guide = fold::fold(lessons[0].guide(), output::width(), 0).join("\n");
        format!("\x1b[1m{guide}\x1b[0m\n{lines}")
    });
    sections.collect::<Vec<_>>().join("\n")
}
