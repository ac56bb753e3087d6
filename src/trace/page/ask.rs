//! [`Ask`]: a question that a page asks.

use crate::trace::{Lang, Part};

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
    pub(super) before: usize,
    pub(super) question: [String; 2],
    pub(super) why: [String; 2],
    pub(super) options: Vec<[String; 2]>,
    pub(super) right: usize,
    pub(super) decides: Option<usize>,
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

/// Converts a text to a sentence, in which text between backticks is code.
pub(super) fn parts(text: &str) -> Vec<Part> {
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
    fn backticks_are_code() {
        let code = |code: &str| Part::Code(code.to_owned());
        assert_eq!(parts("`a` is"), [code("a"), Part::Text(" is".into())]);
        assert_eq!(parts("none"), [Part::Text("none".into())]);
    }
}
