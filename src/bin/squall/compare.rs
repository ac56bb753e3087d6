//! `squall compare`: a program on the simplified Runner that documents show, beside the real one, up to the step where they
//! part. Both are executed, on the same ready queue.

mod parting;
mod programs;
mod side;
#[cfg(test)]
mod tests;
mod text;
mod words;

use squall::trace::{self, Entry, Lang};
use squall::Exception;

use crate::cut::Cut;
use crate::shown::Shown;
use crate::subject::Subject;
use crate::{fold, output};
use programs::{Compared, PROGRAMS};
use side::Side;
use text::{text, Look};
use words::{word, Text};

/// How a comparison is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) lang: Lang,
    pub(crate) width: usize,
    /// `true` if the program is shown.
    pub(crate) source: bool,
    /// `true` if all steps are shown that both have in common.
    pub(crate) all: bool,
}

/// Compares the two Runners on a program of that name, a lesson, or a program in a file.
pub(crate) fn compare(name: &str, cut: &Cut, view: View) -> Result<String, String> {
    let (subject, about) = match Compared::find(name) {
        Some(compared) => (Subject::Program(compared.program()), compared.about()),
        None => {
            let subject = Subject::find(name, false)?;
            let about = subject.title().1.map(str::to_owned);
            (subject, about)
        }
    };
    let [simplified, real] = traces(&subject, cut);
    let (name, _) = subject.title();
    let about = &about[usize::from(view.lang == Lang::Zh)];
    let title = fold::fold(&format!("{name}: {about}"), view.width, 0).join("\n");
    let source = if view.source { subject.source_lines(view.width) + "\n" } else { String::new() };
    let look = Look { width: view.width, lang: view.lang, all: view.all };
    let compared = text(&Side::new(&simplified), &Side::new(&real), look);
    Ok(format!("\x1b[1m{title}\x1b[0m\n\n{source}{compared}"))
}

/// Runs the program on the simplified Runner and on the real one.
fn traces(subject: &Subject, cut: &Cut) -> [Vec<Entry>; 2] {
    let simplified = cut.recorder().record(|| {
        let run = || trace::simplified(|| drop(subject.run(false)));
        // What leaves the first run of a coroutine leaves its call, and may leave the program.
        Exception::trap(run, drop);
    });
    let real = subject.record(&cut.recorder(), false);
    [simplified.entries().to_vec(), real.entries().to_vec()]
}

/// Returns the list of programs that show where they part.
pub(crate) fn list(lang: Lang) -> String {
    let line = |compared: &Compared| {
        let about = &compared.about()[usize::from(lang == Lang::Zh)];
        format!("  {:15}  {about}", compared.name)
    };
    let lines = PROGRAMS.iter().flat_map(|compared| fold::fold(&line(compared), output::width(), 19));
    let lines: String = lines.map(|line| line + "\n").collect();
    format!("\x1b[1m{}\x1b[0m\n{lines}", word(Text::List, lang))
}
