//! Texts as wide as a terminal shows them: padded, cut and wrapped.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Returns how many columns of a terminal the text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Returns the text, padded with spaces to a width.
pub(crate) fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// Returns the text on one line and without control characters, which could move the cursor or reverse the direction of
/// the text around them.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' | '\r' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Returns the text, cut with an ellipsis if it is wider than `to`.
pub(crate) fn cut(text: &str, to: usize) -> String {
    if width(text) <= to {
        return text.to_owned();
    }
    let end = fitting(text, to.saturating_sub(1));
    format!("{}…", &text[..end])
}

/// Wraps the text into lines of at most `to` columns, at spaces where possible, else after `_` or anywhere. If there
/// are more than `lines` lines, the last one ends with an ellipsis. A no-break space never breaks a line, and becomes a
/// common space.
pub(crate) fn wrap(text: &str, to: usize, lines: usize) -> Vec<String> {
    let mut wrapped = Vec::new();
    let mut rest = text.trim();
    while wrapped.len() + 1 < lines && width(rest) > to {
        let fits = fitting(rest, to);
        let line = &rest[..fits];
        let end = if rest[fits..].starts_with(' ') {
            fits
        } else if let Some(space) = line.rfind(' ') {
            space
        } else {
            line.rfind('_').map(|underscore| underscore + 1).filter(|end| *end * 2 > fits).unwrap_or(fits)
        };
        let end = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
        wrapped.push(breakable(rest[..end].trim_end()));
        rest = rest[end..].trim_start();
    }
    if !rest.is_empty() || wrapped.is_empty() {
        wrapped.push(breakable(&cut(rest, to)));
    }
    wrapped
}

/// Replaces no-break spaces with common ones.
pub(crate) fn breakable(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

/// Returns how many bytes of the text fit into `to` columns. Characters without width stay with the one before them.
fn fitting(text: &str, to: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > to {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_text_takes_two_columns_each() {
        assert_eq!(pad("协程", 6), "协程  ");
        assert_eq!(cut("协程协程", 5), "协程…");
        assert_eq!(cut("协程协程", 4), "协…");
        assert_eq!(cut("协程", 4), "协程");
        assert_eq!(wrap("协程协程", 5, 3), ["协程", "协程"]);
    }

    #[test]
    fn lines_break_at_spaces_then_after_underscores_then_anywhere() {
        assert_eq!(
            wrap("yield fetch, wait for its result", 12, 4),
            ["yield fetch,", "wait for its", "result"]
        );
        assert_eq!(wrap("fetch_next_chunk", 12, 2), ["fetch_next_", "chunk"]);
        assert_eq!(wrap("with_timeout(fetch)", 12, 2), ["with_timeout", "(fetch)"]);
        assert_eq!(wrap("abcdefgh", 3, 9), ["abc", "def", "gh"]);
        assert_eq!(wrap("abcdefgh", 3, 2), ["abc", "de…"]);
        assert_eq!(wrap("e\u{301}a", 1, 2), ["e\u{301}", "a"]);
        assert_eq!(wrap("字", 1, 3), ["字"]);
        assert_eq!(wrap("until 100\u{a0}ms", 9, 2), ["until", "100 ms"]);
        assert_eq!(wrap("", 3, 2), [""]);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(plain("a\x1b[31mb\nc"), "a\u{fffd}[31mb c");
        assert_eq!(plain("a\u{202e}b"), "a\u{fffd}b");
    }
}
