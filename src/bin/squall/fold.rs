//! Lines that fit the width of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The smallest width to which lines are folded. Below it, most words would be broken.
const NARROWEST: usize = 20;

/// Folds a line into lines of at most `width` columns, at spaces where possible. Each line after the first is indented
/// by `indent` columns.
pub(crate) fn fold(line: &str, width: usize, indent: usize) -> Vec<String> {
    let width = width.max(NARROWEST);
    let indent = indent.min(width / 2);
    let mut lines = Vec::new();
    let mut rest = line.to_owned();
    while rest.width() > width {
        let fits = fitting(&rest, width);
        let begun = rest.len() - rest.trim_start().len();
        let space = match rest[fits..].starts_with(' ') {
            true => Some(fits),
            false => rest[..fits].rfind(' ').filter(|space| *space > begun),
        };
        let next = rest.split_off(space.unwrap_or(fits));
        lines.push(rest.trim_end().to_owned());
        rest = format!("{}{}", " ".repeat(indent), next.trim_start());
    }
    lines.push(rest);
    lines
}

/// Returns how many bytes of the text fit; at least one character.
fn fitting(text: &str, width: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width && at > 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_anywhere_where_there_are_none() {
        assert_eq!(fold("short", 20, 4), ["short"]);
        assert_eq!(
            fold("    result = yield fetch(url)", 20, 8),
            ["    result = yield", "        fetch(url)"]
        );
        assert_eq!(fold("a_name_that_is_too_long_to_fit", 20, 2), ["a_name_that_is_too_l", "  ong_to_fit"]);
        assert_eq!(fold("协程协程协程协程协程协程", 20, 0), ["协程协程协程协程协程", "协程"]);
        assert_eq!(fold("", 20, 0), [""]);
    }
}
