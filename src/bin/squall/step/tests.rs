//! The stepper on screens of memory, driven by keys.

use std::time::Duration;

use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use squall::testing::VirtualClock;
use squall::trace::{Ask, Lang};
use squall::{sleep, Co, IoLoop};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::draw::draw;
use super::fact::Mark;
use super::{App, Play, Theme};
use crate::lessons::LESSONS;
use crate::shown::Shown;
use crate::subject::Subject;

/// Calls `f` with the stepper of a lesson.
fn with(lesson: &str, f: impl FnOnce(&mut App<'_>)) {
    let subject = Subject::find(lesson, false).unwrap();
    let trace = subject.record(&squall::trace::Recorder::new(), false);
    let (name, about) = subject.title();
    let play = Play::new(&trace, name, about);
    f(&mut App::new(&play, Lang::En, Theme::Dark));
}

fn screen(app: &App<'_>, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(app, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let row = |y| {
        // A wide character takes the cell after it, too.
        let mut row = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(symbol.width().max(1)).unwrap();
        }
        row.trim_end().to_owned() + "\n"
    };
    (0..height).map(row).collect()
}

/// A screen without the numbers of the Runner's lines, which change with each sentence above them.
fn golden(app: &App<'_>, width: u16, height: u16) -> String {
    let shown = screen(app, width, height);
    let title = "╎╌ Runner ";
    let Some(above) = shown.lines().position(|row| row.contains(title)) else { return shown };
    let row = shown.lines().nth(above).unwrap_or_default();
    let from = row.find(title).map_or(0, |at| row[..at].chars().count()) + 1;
    let mut is_pane = true;
    let mask = |(nth, row): (usize, &str)| {
        let is_below = nth > above;
        is_pane &= !is_below || row.chars().nth(from).is_some_and(|c| c != '╌');
        let hide = |(at, c): (usize, char)| {
            let is_number = is_below && is_pane && (from + 1..from + 4).contains(&at);
            if is_number && c.is_ascii_digit() {
                '.'
            } else {
                c
            }
        };
        row.chars().enumerate().map(hide).collect::<String>() + "\n"
    };
    shown.lines().enumerate().map(mask).collect()
}

fn press(app: &mut App<'_>, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            key => KeyCode::Char(key),
        };
        app.key(KeyEvent::new(code, KeyModifiers::NONE));
    }
}

#[test]
fn interleaving_on_80_by_24() {
    with("interleaving", |app| {
        press(app, "/into flush\n");
        insta::assert_snapshot!("interleaving_80x24", golden(app, 80, 24));
        press(app, "t");
        insta::assert_snapshot!("timeline_80x24", golden(app, 80, 24));
        press(app, "?");
        insta::assert_snapshot!("help_80x24", golden(app, 80, 24));
    });
}

#[test]
fn interleaving_on_140_by_40() {
    with("interleaving", |app| {
        press(app, "/into flush\n");
        insta::assert_snapshot!("interleaving_140x40", golden(app, 140, 40));
        press(app, "rl");
        insta::assert_snapshot!("chinese_140x40", screen(app, 140, 40));
    });
}

#[test]
fn each_key_goes_where_it_says() {
    with("interleaving", |app| {
        let last = app.play.last();
        press(app, "S");
        assert_eq!(app.k, 0);
        press(app, "sss");
        assert_eq!(app.k, 3);
        press(app, "S");
        assert_eq!(app.k, 2);
        press(app, "Gs");
        assert_eq!(app.k, last);
        press(app, "g");
        assert_eq!(app.k, 0);
        let turn = |app: &App<'_>| app.play.steps[app.k].turn;
        press(app, "NNN");
        assert_eq!(turn(app), 3);
        assert_eq!(app.play.steps[app.k - 1].turn, 2);
        press(app, "s");
        press(app, "B");
        assert_eq!((turn(app), app.play.steps[app.k - 1].turn), (3, 2));
        press(app, "B");
        assert_eq!((turn(app), app.play.steps[app.k - 1].turn), (2, 1));
        press(app, "q");
        assert!(app.done);
    });
}

#[test]
fn n_and_b_go_from_resume_to_resume() {
    with("interleaving", |app| {
        press(app, "n");
        let first = app.k;
        let mark = |app: &App<'_>| app.play.steps[app.k].mark;
        assert_eq!((mark(app), app.play.actor(app.k).as_deref()), (Mark::Resume, Some("get")));
        press(app, "n");
        assert_eq!((mark(app), app.play.actor(app.k).as_deref()), (Mark::Resume, Some("fetch_next")));
        press(app, "b");
        assert_eq!(app.k, first);
        press(app, "Gn");
        assert_eq!(app.k, app.play.last());
    });
}

#[test]
fn a_search_goes_on_both_ways() {
    with("interleaving", |app| {
        press(app, "/into flush\n");
        let first = app.k;
        press(app, "]");
        let second = app.k;
        assert!(second > first);
        press(app, "[");
        assert_eq!(app.k, first);
        // Before the first one is the last one.
        press(app, "[");
        assert!(app.k >= second);
    });
}

#[test]
fn a_question_is_asked_before_its_step_and_a_wrong_answer_is_shown_what_decides_it() {
    with("interleaving", |app| {
        let ask = || {
            Ask::new(9, ["What is `printed`?", "打印什么？"], ["Since `x`.", "因为 `x`。"])
                .option(["`one`", "`一`"])
                .right(["`two`", "`二`"])
                .decided_by(4)
        };
        let play = app.play;
        let new = || App::new(play, Lang::En, Theme::Dark).ask(vec![ask()]);
        let mut asked = new();
        press(&mut asked, "sssssssssss");
        assert_eq!(asked.k, 8);
        let shown = screen(&asked, 80, 24);
        assert!(shown.contains("What is printed?") && shown.contains("2 two"), "{shown}");
        // What has no such number is no answer.
        press(&mut asked, "5");
        assert!(!screen(&asked, 80, 24).contains("Since x."));
        press(&mut asked, "1");
        let shown = screen(&asked, 80, 24);
        assert!(shown.contains("Not quite. Since x.") && asked.k == 8, "{shown}");
        press(&mut asked, "\n");
        assert_eq!(asked.k, 4);
        // It is not asked again.
        press(&mut asked, "ssssssss");
        assert_eq!(asked.k, 12);

        let mut right = new();
        press(&mut right, "u29\n");
        assert_eq!(right.k, 8);
        press(&mut right, "2");
        assert!(screen(&right, 80, 24).contains("Right. Since x."));
        press(&mut right, "s");
        assert_eq!(right.k, 9);

        let mut skipped = new();
        press(&mut skipped, "N");
        skipped.to(8);
        press(&mut skipped, "s");
        skipped.key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
        assert_eq!(skipped.k, 9);
        press(&mut skipped, "Sss");
        assert_eq!(skipped.k, 10);
    });
}

#[test]
fn a_long_trace_is_stepped_without_walking_through_it() {
    const ROUNDS: u64 = 2_000;
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let body = |co: Co| async move {
        for n in 0..ROUNDS {
            co.yield_(sleep(Duration::from_millis(1))).await?;
            squall::trace::note(&format!("round {n}"));
        }
        Ok(())
    };
    let trace = squall::trace::record(|| io_loop.run_sync(|| squall::coroutine(body)));
    let play = Play::new(&trace, "long", ["", ""]);
    let app = &mut App::new(&play, Lang::En, Theme::Dark);
    press(app, "/round 1234\n");
    let shown = screen(app, 80, 24);
    assert!(shown.contains("round 1234") && !shown.contains("round 1235"), "{shown}");
    press(app, "Gu7\n[");
    assert_eq!(app.play.steps[app.k].time, Duration::from_millis(1235));
    press(app, "Gb");
    assert!(app.k > app.play.last() - 20 && screen(app, 140, 40).contains("round 1998"), "{}", app.k);
}

#[test]
fn breakpoints_stop_at_lines_and_at_coroutines() {
    with("interleaving", |app| {
        press(app, "c");
        assert!(app.message.is_some() && app.k == 0);
        press(app, "u29\n");
        assert_eq!(app.play.steps[app.k].at, Some((0, 29)));
        let first = app.k;
        // A breakpoint there is reached again when the loop of `get` comes round.
        press(app, " c");
        assert!(app.k > first && app.play.steps[app.k].at == Some((0, 29)));
        press(app, " uflush\n");
        assert!(app.play.actor(app.k).is_some_and(|name| name.starts_with("flush")));
        press(app, "Cgc");
        assert_eq!(app.play.actor(app.k).as_deref(), Some("flush"));
        press(app, "C");
        assert!(app.coroutines.is_empty());
    });
}

#[test]
fn until_takes_times_and_turns_and_says_what_it_does_not_find() {
    with("interleaving", |app| {
        press(app, "u160ms\n");
        assert_eq!(app.play.steps[app.k].time.as_millis(), 160);
        press(app, "gut4\n");
        assert_eq!(app.play.steps[app.k].turn, 4);
        let before = app.k;
        press(app, "unobody\n");
        assert_eq!(app.k, before);
        assert!(screen(app, 80, 24).contains("not found: nobody"));
    });
}

#[test]
fn enter_follows_a_future_to_the_step_that_settles_it() {
    with("interleaving", |app| {
        press(app, "uget\n");
        let get = app.now.after.futures.iter().find(|(_, future)| future.call.is_some()).map(|(id, _)| *id);
        press(app, "\t\t\t");
        assert_eq!(app.pane, super::screen::Pane::Futures);
        app.chosen = super::app::futures_of(&app.now.after).iter().position(|id| Some(*id) == get).unwrap();
        press(app, "\n");
        assert_eq!(Some(app.k), app.play.settles(get.unwrap()));
        assert!(app.play.steps[app.k].futures.contains(&get.unwrap()));
    });
}

#[test]
fn a_pane_becomes_as_large_as_the_screen() {
    with("interleaving", |app| {
        press(app, "\tz");
        let shown = screen(app, 80, 24);
        assert!(shown.contains("Runner") && !shown.contains("Futures"), "{shown}");
        press(app, "z");
        assert!(screen(app, 80, 24).contains("Futures"));
    });
}

#[test]
fn each_lesson_is_drawn_at_every_size_without_signs_of_ambiguous_width() {
    for lesson in LESSONS.iter().filter(|lesson| !lesson.name.starts_with("minute_loop")) {
        with(lesson.name, |app| {
            for k in (0..=app.play.last().min(80)).step_by(12) {
                app.to(k);
                app.timeline = k % 8 == 0;
                let shown = screen(app, 80, 24) + &screen(app, 140, 40) + &screen(app, 36, 9);
                // Sentences have typographic marks, which are cut with the rest of a line; signs must line up.
                let ambiguous: String = shown
                    .lines()
                    .filter(|line| line.contains('╌') || line.contains('╎'))
                    .flat_map(str::chars)
                    .filter(|c| c.width() != c.width_cjk())
                    .collect();
                assert_eq!(ambiguous, "", "{} {k}\n{shown}", lesson.name);
                // The line at which the step happens is in view.
                if let Some((_, line)) = app.play.steps[k].at {
                    assert!(shown.contains(&format!("▸{line:3} ")), "{} {k}\n{shown}", lesson.name);
                }
            }
        });
    }
}

/// A program in JSON that has variables of every scope.
const VISITS: &str = r#"{"name": "visits", "about": "counts visits",
    "defs": {
        "fee": {"kind": "plain", "params": ["n"], "body": [["log", "a fee"], ["return", ["*", "$n", 2]]]},
        "visit": {"kind": "decorated", "params": ["who"], "body": [
            ["let", "n", 1], ["yield", null, ["sleep", 10]], ["let", "n", ["call", "fee", "$n"]],
            ["let", "total", ["+", "$total", "$n"]], ["yield", null, ["sleep", 10]]]},
        "main": {"kind": "decorated", "params": [], "body": [
            ["let", "both", ["list", ["call", "visit", "ann"], ["call", "visit", "bob"]]], ["yield", null, "$both"]]}},
    "top": [["let", "total", 0], ["run_sync", "main", [], null]]}"#;

#[test]
fn variables_of_each_suspended_coroutine_are_shown() {
    let subject = Subject::Program(squall::program::parse(VISITS).unwrap());
    let trace = subject.record(&squall::trace::Recorder::new(), false);
    let (name, about) = subject.title();
    let play = Play::new(&trace, name, about);
    for lang in [Lang::En, Lang::Zh] {
        let app = &mut App::new(&play, lang, Theme::Dark);
        press(app, "/fee\n");
        let shown = screen(app, 80, 24);
        let word = ["Variables", "变量"][usize::from(lang == Lang::Zh)];
        assert!(shown.contains(word) && shown.contains("▸ fee  n = 1"), "{shown}");
        press(app, "ut4\n\t\t\t\tz");
        assert_eq!(app.pane, super::screen::Pane::Variables);
        let shown = screen(app, 80, 24);
        for variables in ["visit  who = 'ann'  n = 2", "visit#2  who = 'bob'", "main  both = "] {
            assert!(shown.contains(variables), "{variables}\n{shown}");
        }
        assert!(
            shown.contains(["of the program  total = ", "程序的  total = "][usize::from(lang == Lang::Zh)]),
            "{shown}"
        );
    }
}

#[test]
fn a_sentence_that_has_no_room_beside_the_name_is_shown_whole_at_the_first_step() {
    with("interleaving", |app| {
        let sentence = "Keep a Future instead of yielding it at once, and work meanwhile.";
        assert!(screen(app, 140, 40).lines().next().unwrap().contains(sentence));
        let shown = screen(app, 80, 24);
        assert!(shown.lines().nth(1).unwrap().contains(sentence), "{shown}");
        press(app, "s");
        assert!(!screen(app, 80, 24).contains("Keep"));
        for k in 0..app.play.steps.len() {
            app.to(k);
            let shown = screen(app, 80, 24);
            assert!(!shown.lines().next().unwrap().contains('⋯'), "{shown}");
        }
    });
}

#[test]
fn a_line_that_is_not_told_is_not_marked() {
    with("interleaving", |app| {
        press(app, "/flush returns\n");
        assert_eq!(app.play.steps[app.k].mark, Mark::Return);
        let shown = screen(app, 80, 24);
        let program = shown.lines().filter(|line| line.starts_with(" ▸"));
        assert_eq!(program.count(), 0, "{shown}");
    });
}

#[test]
fn a_trace_without_source_says_so() {
    let trace = squall::trace::record(|| squall::trace::note("hello"));
    let play = Play::new(&trace, "hello", ["", ""]);
    let shown = screen(&App::new(&play, Lang::En, Theme::Dark), 140, 40);
    assert!(shown.contains("The trace does not contain the source text."), "{shown}");
}
