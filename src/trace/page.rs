//! [`Page`]: a trace as one HTML file, to be stepped both ways in a browser, without a network.

mod ask;
mod data;
mod html;
mod sources;
mod view;

pub use self::ask::Ask;
use self::sources::Files;
use super::{Entry, Lang, SourceText};

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

/// Returns the texts that a trace carries, and those of the lines that it names, as far as they are found.
pub(super) fn sources_of(entries: &[Entry], carried: &[SourceText]) -> Vec<SourceText> {
    Files::of(entries, carried).into_sources()
}
