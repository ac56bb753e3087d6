//! [`Part`]: a part of a sentence; and texts that parts are filled into.

use std::borrow::Cow;

use squall_runner::trace::{CallId, FutureId};

use crate::trace::Lang;

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Words.
    Text(Cow<'static, str>),
    /// A call of a coroutine.
    Call(CallId),
    /// A Future.
    Future(FutureId),
    /// A value, a name, or a piece of code.
    Code(String),
}

/// A sentence, or a piece of one.
pub(super) type Parts = Vec<Part>;

/// Parts to fill in, by their names in the sentence.
pub(super) type Filled<'a> = &'a [(&'static str, Parts)];

/// Returns the text of that name.
pub(super) fn text(table: &'static [(&str, [&'static str; 2])], name: &str, lang: Lang) -> &'static str {
    let found = table.iter().find(|(other, _)| *other == name);
    found.unwrap_or_else(|| panic!("no text `{name}`")).1[lang as usize]
}

/// Replaces each name in braces by the parts of that name.
pub(super) fn fill(template: &'static str, filled: Filled<'_>) -> Parts {
    let mut parts = Parts::new();
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        if !before.is_empty() {
            parts.push(Part::Text(before.into()));
        }
        let found = filled.iter().find(|(other, _)| *other == name);
        parts.extend(
            found.unwrap_or_else(|| panic!("nothing for {{{name}}} in `{template}`")).1.iter().cloned(),
        );
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.into()));
    }
    parts
}
