//! What is run: a lesson or a program.

use squall::trace::{Text, Trace};

use crate::lessons::Lesson;

/// What the command is asked to run.
#[derive(Debug)]
pub(crate) enum Subject {
    Lesson(&'static Lesson),
}

impl Subject {
    /// What an argument names.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        lesson(name).map(Self::Lesson)
    }

    pub(crate) fn run(&self) -> squall::Result<()> {
        match self {
            Self::Lesson(lesson) => (lesson.main)(),
        }
    }

    /// What it is, and its source with numbered lines.
    pub(crate) fn source(&self) -> String {
        match self {
            Self::Lesson(lesson) => {
                let title = format!("{}: {}", lesson.name, lesson.about());
                let guide = format!("Tornado's guide: {}", lesson.guide());
                let heading = format!("\x1b[1m{title}\x1b[0m\n\x1b[2m{guide}\x1b[0m\n\n");
                let number = |(number, line)| format!("\x1b[2m{number:4}\x1b[0m  {line}\n");
                heading + &lesson.source().map(number).collect::<String>()
            }
        }
    }

    pub(crate) fn text<'a, R>(&self, trace: &'a Trace<R>) -> Text<'a> {
        match self {
            Self::Lesson(_) => trace.text(),
        }
    }
}

/// The lesson of that name.
pub(crate) fn lesson(name: &str) -> Result<&'static Lesson, String> {
    Lesson::find(name).ok_or_else(|| {
        let meant = Lesson::nearest(name).map(|near| format!(" Did you mean `{}`?", near.name));
        format!("there is no lesson `{name}`.{} `squall lessons` lists them all.", meant.unwrap_or_default())
    })
}
