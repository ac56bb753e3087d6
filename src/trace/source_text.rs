//! [`SourceText`]: a text of the program from which a trace was recorded.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The source text of the program, or a part of it, that a trace was recorded from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceText {
    /// The language of the text.
    pub language: Language,
    /// The name of the program or function.
    pub name: Cow<'static, str>,
    /// The file, as the places of the entries name it.
    pub file: Cow<'static, str>,
    /// The number of the first line of `text`, from 1.
    pub first_line: usize,
    /// The text.
    pub text: Cow<'static, str>,
}

/// The language of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Language {
    /// Rust.
    Rust,
    /// Python.
    Python,
    /// A program in JSON, whose text is shown as Python.
    Json,
}
