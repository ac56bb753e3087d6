//! Texts as wide as a terminal shows them: padded, cut and wrapped.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns of a terminal the text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text with spaces after it, up to a width.
pub(crate) fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// The text in one line without control characters, which would move the cursor or turn what is around them from
/// right to left.
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

/// The text, with an ellipsis at its end if it is wider than `to`.
pub(crate) fn cut(text: &str, to: usize) -> String {
    if width(text) <= to {
        return text.to_owned();
    }
    let end = fitting(text, to.saturating_sub(1));
    format!("{}…", &text[..end])
}

/// The text in lines that are at most `to` wide, broken at spaces where that is possible, after `_` or anywhere where not;
/// at most so many lines, the last of them with an ellipsis if that was not all. No-break spaces are kept together
/// with what is around them, and come out as common ones.
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

/// With common spaces for those at which no line is broken.
pub(crate) fn breakable(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

/// How many bytes of the text fit into `to` columns. What has no width stays with what is before it.
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
