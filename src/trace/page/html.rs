//! The HTML file of a page.

use std::fmt::{self, Write as _};

use super::data::Data;
use super::Page;

/// The page without a trace, built from the sources in `page/`.
const SHELL: &str = include_str!("page.html");

/// The text that is replaced by the trace.
const HOLE: &str = "@trace@";

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = SHELL.split_once(HOLE).expect("the page has a place for the trace");
        f.write_str(before)?;
        f.write_str(&inert(&Data::of(self).json()))?;
        f.write_str(after)
    }
}

/// Escapes JSON, so that nothing in it can end the HTML element that holds it, or a line of a script.
fn inert(json: &str) -> String {
    let mut inert = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(inert, "\\u{:04x}", u32::from(c)).expect("a String takes any text");
            }
            c => inert.push(c),
        }
    }
    inert
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_page_cannot_end_its_element() {
        let hostile = "</script><script>alert(1)</script><!-- <script> & \u{2028}\u{2029} ]]>";
        let json = inert(&serde_json::to_string(hostile).unwrap());
        assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }

    #[test]
    fn the_shell_has_one_place_for_the_trace() {
        assert_eq!(SHELL.matches(HOLE).count(), 1);
        // Nothing is fetched from anywhere.
        for word in ["src=", "href=", "url(h", "@import", "fetch(", "XMLHttpRequest"] {
            assert!(!SHELL.contains(word), "{word}");
        }
    }
}
