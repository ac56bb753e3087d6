//! [`Text`]: what is said and asked of a lesson, read from its file.
//!
//! In Chinese the first two lines are the title and the section; in English these are the first lines of the program. Then come
//! paragraphs, and after them the predictions:
//!
//! ```text
//! ? print 1
//! `divide(1, 0)` has raised. What is printed next?
//! - an answer that is wrong, if those that the trace suggests are not good enough
//! > What is said after the answer.
//! ```
//!
//! The line with the `?` says what is asked of the trace, which knows the right answer.

/// The texts and the question of a lesson, in one language.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) paragraphs: Vec<String>,
    pub(crate) predictions: Vec<Prediction>,
}

/// A question that is asked before a step.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Prediction {
    /// The question about the trace.
    pub(crate) key: &'static str,
    pub(crate) question: String,
    /// Answers that are wrong.
    pub(crate) wrong: Vec<String>,
    /// The text that follows the answer.
    pub(crate) why: String,
}

impl Text {
    /// Reads a file.
    pub(super) fn parse(text: &'static str) -> Self {
        let (said, asked) = text.split_once("\n? ").unwrap_or((text, ""));
        let paragraphs = said.split("\n\n").map(str::trim);
        let paragraphs = paragraphs.filter(|paragraph| !paragraph.is_empty()).map(joined).collect();
        let asked = asked.split("\n? ").filter(|asked| !asked.trim().is_empty());
        Self { paragraphs, predictions: asked.map(Prediction::parse).collect() }
    }
}

impl Prediction {
    fn parse(text: &'static str) -> Self {
        let mut lines = text.lines();
        let mut prediction = Self { key: lines.next().unwrap_or_default().trim(), ..Self::default() };
        let (mut question, mut why) = (Vec::new(), Vec::new());
        for line in lines {
            match (line.strip_prefix("- "), line.strip_prefix("> ")) {
                (Some(wrong), _) => prediction.wrong.push(wrong.to_owned()),
                (_, Some(line)) => why.push(line),
                _ => question.push(line),
            }
        }
        prediction.question = joined(&question.join("\n"));
        prediction.why = joined(&why.join("\n"));
        prediction
    }
}

/// Joins the lines of a paragraph: by a space, but for one within Chinese.
fn joined(paragraph: &str) -> String {
    let mut text = String::new();
    for line in paragraph.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [before, after] = [text.chars().next_back(), line.chars().next()].map(|c| c.unwrap_or('。'));
        let is_within = is_chinese(before) && is_chinese(after) || is_mark(before) || is_mark(after);
        if !is_within {
            text.push(' ');
        }
        text.push_str(line);
    }
    text
}

fn is_chinese(c: char) -> bool {
    c >= '\u{2e80}'
}

/// Returns whether a character is a punctuation mark as wide as a Chinese character.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff65}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_paragraphs_and_predictions() {
        let text = Text::parse("One\nline.\n\n第二\n段 yield\n之后，\nFuture。\n\n? print 1\nWhat is\nprinted?\n- a\n- b\n> Since it\n> is.\n\n? time 2\nWhen?\n> Then.\n");
        assert_eq!(text.paragraphs, ["One line.", "第二段 yield 之后，Future。"]);
        let [one, two] = &text.predictions[..] else { panic!("{text:?}") };
        assert_eq!((one.key, &*one.question, &*one.why), ("print 1", "What is printed?", "Since it is."));
        assert_eq!(one.wrong, ["a", "b"]);
        assert_eq!((two.key, &*two.question, &*two.why), ("time 2", "When?", "Then."));
    }
}
