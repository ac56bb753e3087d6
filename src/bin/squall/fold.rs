//! Lines that fit the width of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The smallest width to which lines are folded. Below it, most words would be broken.
const NARROWEST: usize = 20;

/// Folds a line into lines of at most `width` columns, at spaces or between Chinese characters where possible. Each line after the first is indented
/// by `indent` columns.
pub(crate) fn fold(line: &str, width: usize, indent: usize) -> Vec<String> {
    let width = width.max(NARROWEST);
    let indent = indent.min(width / 2);
    let mut lines = Vec::new();
    let mut rest = line.to_owned();
    while rest.width() > width {
        let fits = fitting(&rest, width);
        let begun = rest.len() - rest.trim_start().len();
        let places = (begun + 1..=fits).rev();
        let place = places.filter(|at| rest.is_char_boundary(*at)).find(|at| may_break(&rest, *at));
        let next = rest.split_off(place.unwrap_or(fits));
        lines.push(rest.trim_end().to_owned());
        rest = format!("{}{}", " ".repeat(indent), next.trim_start());
    }
    lines.push(rest);
    lines
}

/// Returns whether a line may end there: before a space, or beside a wide character, unless that leaves a mark alone.
fn may_break(text: &str, at: usize) -> bool {
    let (Some(before), Some(after)) = (text[..at].chars().next_back(), text[at..].chars().next()) else {
        return false;
    };
    let is_wide = |c: char| c.width() == Some(2);
    after == ' '
        || (is_wide(before) || is_wide(after)) && !OPENING.contains(before) && !CLOSING.contains(after)
}

/// Marks that stand with what comes after them ...
const OPENING: &str = "（「《“‘";

/// ... and with what comes before them.
const CLOSING: &str = "，。、；：？！）」》”’…";

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
        assert_eq!(fold("等 Future 完成才继续，再继续", 20, 0), ["等 Future 完成才继", "续，再继续"]);
        assert_eq!(fold("协程 yield 之后就继续运行", 20, 0), ["协程 yield 之后就继", "续运行"]);
        assert_eq!(fold("协程协程协程协程协程，继续", 20, 0), ["协程协程协程协程协", "程，继续"]);
    }
}
