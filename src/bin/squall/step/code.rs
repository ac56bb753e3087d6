//! Lines of text that fit into so many columns.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::look::CUT;

/// Returns as much of a text as fits, and a sign where something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| {
        let fits = c.width().unwrap_or(0) <= left;
        left = left.saturating_sub(c.width().unwrap_or(0));
        fits
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.extend((width > 0).then_some(CUT));
    short
}

/// Returns as much of a line as fits.
pub(super) fn fit(line: Line<'static>, width: usize) -> Line<'static> {
    if line.width() <= width {
        return line;
    }
    let mut left = width;
    let mut spans = Vec::new();
    for span in line.spans {
        if left == 0 {
            break;
        }
        // One column is kept for the sign.
        let wide = span.width();
        let text =
            if wide < left { span.content.into_owned() } else { cut(&format!("{} ", span.content), left) };
        left = left.saturating_sub(wide);
        spans.push(Span::styled(text, span.style));
    }
    Line { spans, style: line.style, alignment: line.alignment }
}

/// Returns a line of two parts: the second is at the right, and is whole if there is room for a part of the first.
pub(super) fn beside(left: Line<'static>, right: Line<'static>, width: usize) -> Line<'static> {
    const LEAST: usize = 12;
    if right.spans.is_empty() {
        return fit(left, width);
    }
    let right = fit(right, width.saturating_sub(LEAST.min(width)));
    let style = left.style;
    let mut line = fit(left, width.saturating_sub(right.width() + 1));
    let gap = width.saturating_sub(line.width() + right.width());
    line.spans.push(Span::raw(" ".repeat(gap)));
    line.spans.extend(right.spans);
    line.style(style)
}

/// Returns a text in a style.
pub(super) fn span(text: impl Into<String>, style: Style) -> Span<'static> {
    Span::styled(text.into(), style)
}

/// Returns the first of the lines that are shown, of so many, so that the line with the focus is among them.
pub(super) fn first(lines: usize, height: usize, focus: Option<usize>, scrolled: isize) -> usize {
    let last = lines.saturating_sub(height);
    let middle = focus.map_or(0, |focus| focus.saturating_sub(height / 2));
    middle.min(last).saturating_add_signed(scrolled).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_their_width() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 5), "abcd⋯");
        assert_eq!(cut("中文字", 5), "中文⋯");
        assert_eq!(cut("中文字", 4), "中⋯");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn lines_fit_whatever_they_are_made_of() {
        let line = || Line::from(vec![Span::raw("one "), Span::raw("中文 "), Span::raw("three")]);
        for width in 0..20 {
            assert!(fit(line(), width).width() <= width, "{width}");
            assert!(beside(line(), Line::raw("right"), width).width() <= width, "{width}");
        }
        assert_eq!(fit(line(), 14).to_string(), "one 中文 three");
        assert_eq!(fit(line(), 13).to_string(), "one 中文 thr⋯");
        assert_eq!(beside(Line::raw("left"), Line::raw("right"), 20).to_string(), "left           right");
    }

    #[test]
    fn the_line_with_the_focus_is_shown() {
        for focus in 0..50 {
            let first = first(50, 10, Some(focus), 0);
            assert!((first..first + 10).contains(&focus) && first <= 40, "{focus}");
        }
        assert_eq!(first(50, 10, Some(25), -30), 0);
        assert_eq!(first(5, 10, Some(2), 3), 0);
    }
}
