//! [`cut`]: what something prints, in bounded memory.

use std::fmt::{self, Write};

/// Texts are cut after so many characters, so that the memory of a trace is bounded by the number of entries.
const TEXT: usize = 400;

/// Returns what something prints, cut after [`TEXT`] characters.
pub(crate) fn cut(shown: impl fmt::Display) -> String {
    let mut text = Cut { text: String::new(), room: Some(TEXT) };
    // It fails where the text is cut.
    let _ = write!(text, "{shown}");
    text.text
}

/// Takes so many characters, then an ellipsis, then nothing more.
struct Cut {
    text: String,
    /// `None` once it was cut.
    room: Option<usize>,
}

impl Write for Cut {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for c in s.chars() {
            self.room = match self.room.ok_or(fmt::Error)?.checked_sub(1) {
                Some(room) => {
                    self.text.push(c);
                    Some(room)
                }
                None => {
                    self.text.push('…');
                    None
                }
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use squall_runner::trace::Shown;

    use super::*;
    use crate::trace::Printed;

    #[test]
    fn a_long_text_is_cut_without_being_made_in_full() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("字")?;
                }
            }
        }
        assert_eq!(cut(Endless).chars().count(), TEXT + 1);
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn a_text_that_panics_is_kept_as_far_as_it_came() {
        let panics = Shown::new(
            &(),
            Some(|_, f| {
                f.write_str("Panics(")?;
                std::panic::resume_unwind(Box::new("expected"))
            }),
        );
        assert_eq!(cut(Printed(panics)), "Panics(<panicked: expected>");
    }
}
