//! [`Page`]: a trace as one HTML file, to be stepped both ways in a browser, without a network.

mod data;
mod sources;
mod view;

use std::fmt::{self, Write as _};

use self::data::Data;
use self::sources::Files;
use super::{Entry, Lang, Part, SourceText};

/// The page without a trace, built from the sources in `page/`.
const SHELL: &str = include_str!("page/page.html");

/// The text that is replaced by the trace.
const HOLE: &str = "@trace@";

/// A trace as a page for a browser: one file that needs nothing else. It shows the program, the lines of the Runner,
/// and the state of the loop side by side, at each step in both directions. Print it with `{}`.
///
/// ```
/// use squall::trace::Lang;
///
/// let trace = squall::trace::record(|| squall::coroutine(|_co| async { Ok(5) }));
/// let page = trace.page().title("five", ["Returns five.", "返回五。"]).lang(Lang::Zh).to_string();
/// assert!(page.starts_with("<!doctype html>") && page.contains("返回五。"));
/// ```
#[derive(Debug, Clone)]
#[must_use = "print it, or make a String of it"]
pub struct Page<'a> {
    entries: &'a [Entry],
    dropped: usize,
    sources: &'a [SourceText],
    name: Option<String>,
    about: Option<[String; 2]>,
    lang: Option<Lang>,
    asks: Vec<Ask>,
    /// How many steps are shown at most: the last ones.
    most: usize,
}

/// A question that the page asks before a step: the step is shown once it is answered.
///
/// Each text is given in English and in Chinese. Text between backticks is shown as code.
///
/// ```
/// use squall::trace::Ask;
///
/// let trace = squall::trace::record(|| squall::coroutine(|_co| async { Ok(5) }));
/// let ask = Ask::new(2, ["What is returned?", "返回什么？"], ["`5` is.", "返回 `5`。"])
///     .option(["`4`", "`4`"])
///     .right(["`5`", "`5`"])
///     .decided_by(1);
/// assert!(trace.page().ask(ask).to_string().contains("What is returned?"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    before: usize,
    question: [String; 2],
    why: [String; 2],
    options: Vec<[String; 2]>,
    right: usize,
    decides: Option<usize>,
}

impl Ask {
    /// Creates a question that is asked before step number `before`, counted from 0. `why` is shown after the answer.
    pub fn new(before: usize, question: [impl Into<String>; 2], why: [impl Into<String>; 2]) -> Self {
        let [question, why] = [question.map(Into::into), why.map(Into::into)];
        Self { before, question, why, options: Vec::new(), right: 0, decides: None }
    }

    /// Adds a wrong answer.
    #[must_use]
    pub fn option(mut self, text: [impl Into<String>; 2]) -> Self {
        self.options.push(text.map(Into::into));
        self
    }

    /// Adds the right answer.
    #[must_use]
    pub fn right(mut self, text: [impl Into<String>; 2]) -> Self {
        self.right = self.options.len();
        self.option(text)
    }

    /// Sets the step, counted from 0, that the page offers to show after a wrong answer.
    #[must_use]
    pub fn decided_by(mut self, step: usize) -> Self {
        self.decides = Some(step);
        self
    }

    /// Returns the step before which it is asked, counted from 0.
    pub fn before(&self) -> usize {
        self.before
    }

    /// Returns the question in a language.
    pub fn question(&self, lang: Lang) -> &str {
        &self.question[lang as usize]
    }

    /// Returns what is told after the answer.
    pub fn why(&self, lang: Lang) -> &str {
        &self.why[lang as usize]
    }

    /// Returns the answers to choose from, in order.
    pub fn options(&self, lang: Lang) -> impl ExactSizeIterator<Item = &str> {
        self.options.iter().map(move |option| &*option[lang as usize])
    }

    /// Returns the place of the right answer among [`options`](Self::options), counted from 0.
    ///
    /// ```
    /// use squall::trace::{Ask, Lang};
    ///
    /// let ask = Ask::new(2, ["What?", "什么？"], ["", ""]).option(["4", "4"]).right(["5", "5"]);
    /// assert_eq!(ask.options(Lang::En).nth(ask.answer()), Some("5"));
    /// ```
    pub fn answer(&self) -> usize {
        self.right
    }

    /// Returns the step that decides it, counted from 0.
    pub fn decides(&self) -> Option<usize> {
        self.decides
    }
}

impl<'a> Page<'a> {
    pub(crate) fn new(entries: &'a [Entry], dropped: usize, sources: &'a [SourceText]) -> Self {
        let (asks, most) = (Vec::new(), usize::MAX);
        Self { entries, dropped, sources, name: None, about: None, lang: None, asks, most }
    }

    /// Sets the name of the program, and a sentence on what it shows, in English and in Chinese.
    pub fn title(self, name: impl Into<String>, about: [impl Into<String>; 2]) -> Self {
        Self { name: Some(name.into()), about: Some(about.map(Into::into)), ..self }
    }

    /// Sets the language in which the page opens, instead of that of the browser. Both are in every page.
    pub fn lang(self, lang: Lang) -> Self {
        Self { lang: Some(lang), ..self }
    }

    /// Shows only the last `steps` steps, for a trace that is so long that its page would open slowly. The page begins
    /// with everything as it stood before them, and with the lines that were printed last. Questions before them are left
    /// out.
    ///
    /// ```
    /// let trace = squall::trace::record(|| (0..100).for_each(|n| squall::trace::note(&format!("line {n}."))));
    /// assert!(trace.page().last(10).to_string().len() < trace.to_html().len());
    /// ```
    pub fn last(self, steps: usize) -> Self {
        Self { most: steps, ..self }
    }

    /// Adds a question.
    pub fn ask(mut self, ask: Ask) -> Self {
        self.asks.push(ask);
        self
    }
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = SHELL.split_once(HOLE).expect("the page has a place for the trace");
        f.write_str(before)?;
        f.write_str(&inert(&Data::of(self).json()))?;
        f.write_str(after)
    }
}

/// Returns the texts that a trace carries, and those of the lines that it names, as far as they are found.
pub(super) fn sources_of(entries: &[Entry], carried: &[SourceText]) -> Vec<SourceText> {
    Files::of(entries, carried).into_sources()
}

/// Escapes JSON, so that nothing in it can end the HTML element that holds it, or a line of a script.
fn inert(json: &str) -> String {
    let mut inert = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(inert, "\\u{:04x}", u32::from(c)).expect("a String takes any text");
            }
            c => inert.push(c),
        }
    }
    inert
}

/// Converts a text to a sentence, in which text between backticks is code.
fn parts(text: &str) -> Vec<Part> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    let part = |(nth, part): (usize, &str)| match nth % 2 {
        0 => Part::Text(part.to_owned().into()),
        _ => Part::Code(part.to_owned()),
    };
    parts.map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_page_cannot_end_its_element() {
        let hostile = "</script><script>alert(1)</script><!-- <script> & \u{2028}\u{2029} ]]>";
        let json = inert(&serde_json::to_string(hostile).unwrap());
        assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }

    #[test]
    fn the_shell_has_one_place_for_the_trace() {
        assert_eq!(SHELL.matches(HOLE).count(), 1);
        // Nothing is fetched from anywhere.
        for word in ["src=", "href=", "url(h", "@import", "fetch(", "XMLHttpRequest"] {
            assert!(!SHELL.contains(word), "{word}");
        }
    }

    #[test]
    fn backticks_are_code() {
        let code = |code: &str| Part::Code(code.to_owned());
        assert_eq!(parts("`a` is"), [code("a"), Part::Text(" is".into())]);
        assert_eq!(parts("none"), [Part::Text("none".into())]);
    }
}
