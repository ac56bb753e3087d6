//! Comparisons of the programs that are made for them, and of the lessons.

use squall::trace::Lang;
use unicode_width::UnicodeWidthStr;

use super::parting::{Parting, Why};
use super::programs::{Compared, PROGRAMS};
use super::side::Side;
use super::{compare, traces, View};
use crate::cut::Cut;
use crate::lessons::LESSONS;
use crate::output::without_colors;
use crate::subject::Subject;

const WHOLE: Cut = Cut { until: None, turns: None };

fn shown(name: &str, lang: Lang, width: usize) -> String {
    let view = View { lang, width, source: true, all: false };
    without_colors(&compare(name, &WHOLE, view).unwrap())
}

fn parting(name: &str) -> Option<Parting> {
    let subject = match Compared::find(name) {
        Some(compared) => Subject::Program(compared.program()),
        None => Subject::find(name, false).unwrap(),
    };
    let [simplified, real] = traces(&subject, &WHOLE);
    let [simplified, real] = [&simplified, &real].map(|entries| Side::new(entries));
    Parting::find((simplified.entries(), &simplified.steps), (real.entries(), &real.steps))
}

#[test]
fn each_program_parts_for_its_reason() {
    for (name, why, in_the_loop) in [
        ("exception", Why::Raised, true),
        ("failed", Why::Failed, true),
        ("done", Why::Done, false),
        ("moment", Why::Returned, true),
        ("list", Why::List, false),
        ("not_yieldable", Why::NotYieldable, false),
        ("gen_return", Why::RaisedReturn, true),
    ] {
        let parting = parting(name).unwrap();
        assert_eq!((parting.why, parting.in_the_loop), (why, in_the_loop), "{name}");
    }
}

#[test]
fn each_program_is_compared_as_always() {
    for compared in PROGRAMS {
        insta::assert_snapshot!(format!("compare_{}", compared.name), shown(compared.name, Lang::En, 100));
    }
    insta::assert_snapshot!("compare_exception_zh", shown("exception", Lang::Zh, 80));
}

#[test]
fn each_lesson_has_a_reason_of_its_own_or_no_difference() {
    for lesson in LESSONS {
        let why = parting(lesson.name).map(|parting| parting.why);
        assert_ne!(why, Some(Why::Other), "{}", lesson.name);
    }
    assert_eq!(parting("leaving_client").map(|parting| parting.why), Some(Why::Unseen));
}

#[test]
fn a_comparison_is_as_wide_as_it_may_be() {
    let lessons = LESSONS.iter().map(|lesson| lesson.name);
    for name in PROGRAMS.iter().map(|compared| compared.name).chain(lessons) {
        for (width, lang) in [(40, Lang::En), (80, Lang::Zh), (120, Lang::En)] {
            let shown = shown(name, lang, width);
            let widest = shown.lines().map(UnicodeWidthStr::width).max().unwrap();
            assert!(widest <= width, "{name}:\n{shown}");
        }
    }
}

#[test]
fn where_no_generator_is_driven_both_do_the_same() {
    let shown = shown("bad_call", Lang::En, 100);
    assert!(shown.contains("neither Runner has anything to do"), "{shown}");
}
