//! Valid names of variables and defs: Python identifiers without another meaning in the language.

use unicode_ident::{is_xid_continue, is_xid_start};

use super::{Path, Result};
use crate::program::syntax::{Action, Class, Function, Type};

pub(super) fn check_name(name: &str, at: Path<'_>) -> Result<()> {
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|c| c == '_' || is_xid_start(c));
    if !starts || !chars.all(is_xid_continue) {
        return Err(at.error(format!("expected a name, which is a Python identifier, found {name:?}")));
    }
    if KEYWORDS.contains(&name) {
        return Err(at.error(format!("expected a name, found {name}, which is a word of Python")));
    }
    if is_reserved(name) {
        return Err(at.error(format!("expected a name, found {name}, which the language uses")));
    }
    Ok(())
}

fn is_reserved(name: &str) -> bool {
    Action::named(name).is_some()
        || Function::named(name).is_some()
        || Class::named(name).is_some()
        || Type::named(name).is_some()
        || ["moment", "bogus", "run_sync", "start", "coroutine", "quiet"].contains(&name)
}

const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];
