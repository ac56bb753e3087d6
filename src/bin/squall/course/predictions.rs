//! The predictions of a lesson: its questions, with the answers that its trace knows.

use squall::trace::{Ask, Entry, Lang};

use super::question::{Both, Facts, Question};
use crate::lessons::{Lesson, Prediction};

/// Returns the questions of a lesson, in the order in which they are asked. Those that the trace cannot answer, since it was
/// cut before, are left out.
pub(crate) fn predictions(lesson: &Lesson, entries: &[Entry]) -> Vec<Ask> {
    let facts = Facts::of(entries);
    let [english, chinese] = Lang::ALL.map(|lang| lesson.text(lang).predictions);
    let asks = english.iter().zip(&chinese).filter_map(|(en, zh)| ask(&facts, en, zh));
    let mut asks: Vec<_> = asks.collect();
    asks.sort_by_key(Ask::before);
    asks
}

fn ask(facts: &Facts<'_>, english: &Prediction, chinese: &Prediction) -> Option<Ask> {
    let answer = Question::parse(english.key)?.answer(facts)?;
    let typed = english.wrong.iter().zip(&chinese.wrong).map(|(en, zh)| [en.clone(), zh.clone()]);
    let typed: Vec<Both> = typed.filter(|text| *text != answer.right).collect();
    let wrong = if typed.is_empty() { answer.wrong } else { typed };
    let mut options: Vec<_> = wrong.into_iter().map(|text| (text, false)).collect();
    options.push((answer.right, true));
    // Their order does not tell which one is right.
    options.sort_by(|([one, _], _), ([other, _], _)| {
        number(one).total_cmp(&number(other)).then_with(|| one.cmp(other))
    });
    let question = [&*english.question, &*chinese.question];
    let ask = Ask::new(answer.before, question, [&*english.why, &*chinese.why]).decided_by(answer.decides);
    Some(
        options
            .into_iter()
            .fold(ask, |ask, (text, right)| if right { ask.right(text) } else { ask.option(text) }),
    )
}

/// Returns the number with which a text begins, or infinity.
fn number(text: &str) -> f64 {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    text[..end].parse().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use squall::trace::Recorder;

    use super::super::question::TEXTS;
    use super::*;
    use crate::lessons::LESSONS;
    use crate::subject::Subject;

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    /// Returns what is said in a text, without what stands between backticks.
    fn said(text: &str) -> String {
        text.split('`').step_by(2).collect()
    }

    #[test]
    fn each_text_of_a_lesson_has_chinese() {
        for lesson in LESSONS {
            let [en, zh] = Lang::ALL.map(|lang| lesson.text(lang));
            for chinese in [lesson.about(Lang::Zh), lesson.section(Lang::Zh)] {
                assert!(is_chinese(chinese), "{}: {chinese}", lesson.name);
            }
            assert!(!en.paragraphs.is_empty(), "{} says nothing", lesson.name);
            assert_eq!(en.paragraphs.len(), zh.paragraphs.len(), "{}", lesson.name);
            assert_eq!(en.predictions.len(), zh.predictions.len(), "{}", lesson.name);
            for (en, zh) in en.paragraphs.iter().zip(&zh.paragraphs) {
                assert!(!is_chinese(&said(en)) && is_chinese(zh), "{}: {zh}", lesson.name);
                assert!(!said(zh).contains([',', ';', '?', '!']), "{}: {zh}", lesson.name);
            }
            for (en, zh) in en.predictions.iter().zip(&zh.predictions) {
                assert_eq!(en.key, zh.key, "{}", lesson.name);
                assert_eq!(en.wrong.len(), zh.wrong.len(), "{}: {}", lesson.name, en.key);
                for (en, zh) in [(&en.question, &zh.question), (&en.why, &zh.why)] {
                    assert!(!is_chinese(&said(en)) && is_chinese(zh), "{}: {zh}", lesson.name);
                    assert!(!said(zh).contains([',', ';', '?', '!']), "{}: {zh}", lesson.name);
                }
                for (en, zh) in en.wrong.iter().zip(&zh.wrong) {
                    let is_time = en.starts_with(|c: char| c.is_ascii_digit());
                    let words = said(en).chars().any(char::is_alphabetic) && !is_time;
                    assert!(!words || is_chinese(zh), "{}: {zh}", lesson.name);
                }
            }
        }
        for [_, zh] in TEXTS {
            assert!(is_chinese(zh), "{zh}");
        }
    }

    #[test]
    fn the_trace_of_each_lesson_answers_all_its_questions_and_there_are_other_answers() {
        for lesson in LESSONS {
            let trace = Subject::Lesson(lesson).record(&Recorder::new(), false);
            let asks = predictions(lesson, trace.entries());
            assert!(!asks.is_empty(), "{} asks nothing", lesson.name);
            assert_eq!(asks.len(), lesson.text(Lang::En).predictions.len(), "{}: {asks:?}", lesson.name);
            for ask in asks {
                for lang in Lang::ALL {
                    let options: BTreeSet<_> = ask.options(lang).collect();
                    assert!(
                        options.len() >= 2 && options.len() == ask.options(lang).len(),
                        "{}: {ask:?}",
                        lesson.name
                    );
                }
            }
        }
    }

    #[test]
    fn an_answer_is_that_of_the_trace_and_not_typed_in() {
        let of = |name: &str| {
            let lesson = Lesson::find(name).unwrap();
            let trace = Subject::Lesson(lesson).record(&Recorder::new(), false);
            let right = |ask: &Ask| ask.options(Lang::En).nth(ask.answer()).unwrap().to_owned();
            predictions(lesson, trace.entries()).iter().map(right).collect::<Vec<_>>()
        };
        assert!(of("minute_loop").contains(&"65 s".to_owned()), "{:?}", of("minute_loop"));
        assert!(of("minute_loop2").contains(&"60 s".to_owned()), "{:?}", of("minute_loop2"));
        assert!(of("bad_call").contains(&"`nothing was raised`".to_owned()), "{:?}", of("bad_call"));
    }

    #[test]
    fn a_question_that_a_cut_trace_cannot_answer_is_left_out() {
        let lesson = Lesson::find("minute_loop").unwrap();
        let trace = Subject::Lesson(lesson).record(&Recorder::new().turns(1), false);
        assert!(predictions(lesson, trace.entries()).len() < lesson.text(Lang::En).predictions.len());
    }
}
