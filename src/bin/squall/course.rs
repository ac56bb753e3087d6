//! `squall course`: the lessons in order, each with its text, the Tornado original beside the Rust, and what happens, step by
//! step, with predictions. It remembers where the reader is.

mod predictions;
mod progress;
mod question;
mod room;
mod show;
mod words;

use std::io;
use std::path::PathBuf;

use squall::trace::{Lang, Recorder};

use crate::lessons::{Lesson, LESSONS};
use crate::output::{self, Color};
use crate::subject::{self, Subject};

pub(crate) use predictions::predictions;

use progress::Progress;
use room::{Reply, Room};
use show::Showing;
use words::{filled, word};

/// The arguments of `squall course`.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) lang: Lang,
    pub(crate) color: Color,
    /// The lesson to begin with, instead of that where the reader is.
    pub(crate) lesson: Option<String>,
    /// The file that keeps where the reader is, instead of the user's.
    pub(crate) file: Option<PathBuf>,
}

/// Returns a lesson as a text: what it shows, the original, the program.
pub(crate) fn lesson(lesson: &Lesson, lang: Lang, width: usize) -> String {
    show::text(lesson, lang, width) + &show::programs(lesson, lang, width)
}

/// How a lesson ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Done,
    Skipped,
    Back,
    Left,
}

impl Course {
    fn file(&self) -> Option<PathBuf> {
        self.file.clone().or_else(progress::file)
    }

    fn progress(&self) -> Progress {
        self.file().as_deref().map(Progress::read).unwrap_or_default()
    }

    /// Forgets what was done.
    pub(crate) fn reset(&self) -> Result<(), String> {
        if let Some(file) = self.file() {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(format!("cannot remove {}: {error}", file.display()));
                }
                _ => {}
            }
        }
        output::line(word("reset", self.lang));
        Ok(())
    }

    /// Lists the lessons with what is done.
    pub(crate) fn list(&self) {
        let progress = self.progress();
        let here = progress.at.as_ref().map(|(lesson, _)| &**lesson);
        let line = |(n, lesson): (usize, &Lesson)| {
            let mark = match (progress.done.contains(lesson.name), here == Some(lesson.name)) {
                (_, true) => format!("  ({})", word("here", self.lang)),
                (true, _) => format!("  ({})", word("is_done", self.lang)),
                (false, false) => String::new(),
            };
            format!("{n:3}  {:18} {}{mark}", lesson.name, lesson.about(self.lang))
        };
        let lines =
            (1..).zip(LESSONS).flat_map(|lesson| crate::fold::fold(&line(lesson), output::width(), 24));
        output::write(self.color, &lines.map(|line| line + "\n").collect::<String>());
    }

    /// Goes through the lessons, from where the reader is.
    pub(crate) fn run(&self) -> Result<(), String> {
        let mut kept = Kept { progress: self.progress(), file: self.file() };
        let Some(mut nth) = self.first(&kept.progress)? else {
            output::line(word("all_done", self.lang));
            return Ok(());
        };
        let mut room = Room::new(self.lang, self.color);
        loop {
            let lesson = &LESSONS[nth];
            let answered = match &kept.progress.at {
                Some((at, answered)) if at == lesson.name => *answered,
                _ => 0,
            };
            kept.at(lesson, answered);
            match teach(lesson, nth, answered, &mut room, &mut kept) {
                End::Left => {
                    room.say(&format!("{}\n", word("left", self.lang)));
                    return Ok(());
                }
                End::Back => nth = nth.saturating_sub(1),
                End::Done | End::Skipped if nth + 1 == LESSONS.len() => {
                    room.say(&format!("{}\n", word("finished", self.lang)));
                    return Ok(());
                }
                End::Done | End::Skipped => nth += 1,
            }
            // A lesson that is begun anew asks all of its questions.
            kept.progress.at = None;
        }
    }

    /// Returns the lesson to begin with: the one that is asked for, or where the reader is, or the first that is not
    /// done.
    fn first(&self, progress: &Progress) -> Result<Option<usize>, String> {
        let place = |name: &str| LESSONS.iter().position(|lesson| lesson.name == name);
        if let Some(name) = &self.lesson {
            return Ok(place(subject::lesson(name)?.name));
        }
        let at = progress.at.as_ref().and_then(|(lesson, _)| place(lesson));
        Ok(at.or_else(|| LESSONS.iter().position(|lesson| !progress.done.contains(lesson.name))))
    }
}

/// The progress, and the file that keeps it.
struct Kept {
    progress: Progress,
    /// `None` once it could not be written.
    file: Option<PathBuf>,
}

impl Kept {
    fn at(&mut self, lesson: &Lesson, answered: usize) {
        self.progress.at = Some((lesson.name.to_owned(), answered));
        self.write();
    }

    fn write(&mut self) {
        if let Some(Err(error)) = self.file.as_deref().map(|file| self.progress.write(file)) {
            output::error_line(&format!("what is done cannot be kept: {error}"));
            self.file = None;
        }
    }
}

/// Goes through one lesson. The first questions may be answered already.
fn teach(lesson: &'static Lesson, nth: usize, answered: usize, room: &mut Room, kept: &mut Kept) -> End {
    let lang = room.lang;
    room.say(&show::heading(lesson, nth, lang, room.width));
    room.say(&show::programs(lesson, lang, room.width));
    if let Some(end) = end(room.go_on()) {
        return end;
    }
    let trace = Subject::Lesson(lesson).record(&Recorder::new(), false);
    let mut showing = Showing::new(lesson, trace.entries(), lang, room.width);
    room.say(&showing.title());
    for (n, ask) in predictions(lesson, trace.entries()).iter().enumerate() {
        room.say(&showing.steps(ask.before()));
        if n < answered {
            continue;
        }
        room.say(&showing.question(ask));
        let given = match room.answer(ask.options(lang).len()) {
            Reply::Answer(given) => given,
            reply => return end(reply).unwrap_or(End::Left),
        };
        room.say(&showing.verdict(ask, given));
        kept.at(lesson, n + 1);
        if let Some(end) = end(room.go_on()) {
            return end;
        }
    }
    room.say(&showing.rest());
    kept.progress.done.insert(lesson.name.to_owned());
    kept.progress.at = LESSONS.get(nth + 1).map(|next| (next.name.to_owned(), 0));
    kept.write();
    room.say(&format!(
        "\n{} {}\n",
        filled("done", lang, &[("name", lesson.name)]),
        filled("more", lang, &[("name", lesson.name)])
    ));
    end(room.go_on()).unwrap_or(End::Done)
}

/// Returns how the lesson ends by a reply, if it does.
fn end(reply: Reply) -> Option<End> {
    match reply {
        Reply::On | Reply::Answer(_) => None,
        Reply::Skip => Some(End::Skipped),
        Reply::Back => Some(End::Back),
        Reply::Leave => Some(End::Left),
    }
}
