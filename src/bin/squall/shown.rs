//! [`Shown`]: what views need to know of a program beside its trace.

use squall::trace::{Ask, Lang, Page, Trace};

use crate::fold::fold;

/// A program whose trace is shown.
pub(crate) trait Shown {
    /// Returns its name, and what it shows in English and in Chinese.
    fn title(&self) -> (&str, [&str; 2]);

    /// Returns the line below the title of its source.
    fn kind(&self, lang: Lang) -> String;

    /// Returns the program as Tornado code that runs, or why there is none.
    fn tornado(&self) -> Result<String, String>;

    /// Returns the source with numbered lines, folded to `width` columns.
    fn source_lines(&self, width: usize) -> String;

    /// Returns the questions of a lesson, which its trace answers.
    fn questions<R>(&self, trace: &Trace<R>) -> Vec<Ask>;

    /// Returns a trace of it as a page, with the questions of a lesson.
    fn page<'a, R>(&self, trace: &'a Trace<R>, questions: bool) -> Page<'a> {
        let (name, about) = self.title();
        let asks = if questions { self.questions(trace) } else { Vec::new() };
        asks.into_iter().fold(trace.page().title(name, about), Page::ask)
    }

    /// Returns a title and the source with numbered lines, folded to `width` columns.
    fn source(&self, lang: Lang, width: usize) -> String {
        let (name, abouts) = self.title();
        // The name of a program may contain control characters, which a terminal would obey.
        let title = format!("{name}: {}", abouts[lang as usize]).replace(char::is_control, " ");
        let [title, kind] = [title, self.kind(lang)].map(|text| fold(&text, width, 0).join("\n"));
        format!("\x1b[1m{title}\x1b[0m\n\x1b[2m{kind}\x1b[0m\n\n{}", self.source_lines(width))
    }
}

/// Returns lines with their numbers, folded to `width` columns.
pub(crate) fn listing<'a>(lines: impl Iterator<Item = (usize, &'a str)>, width: usize) -> String {
    let mut listing = String::new();
    for (number, line) in lines {
        let number = format!("{number:4}");
        let indent = line.len() - line.trim_start().len() + 4;
        for (nth, part) in fold(line, width.saturating_sub(number.len() + 2), indent).iter().enumerate() {
            let number = if nth == 0 { number.clone() } else { " ".repeat(number.len()) };
            listing.extend(["\x1b[2m", &number, "\x1b[0m  ", part, "\n"]);
        }
    }
    listing
}
