//! The text view: the text for each event, its width, and its alignment.

use std::time::Duration;

use insta::assert_snapshot;
use squall::testing::VirtualClock;
use squall::trace::{self, Entry, Recorded, Recorder, Trace};
use squall::{
    moment, multi, sleep, task, with_timeout, Error, Exception, Future, IoLoop, Result, Return, Yieldable,
};
use unicode_width::UnicodeWidthStr;

const MS: Duration = Duration::from_millis(1);

/// Records a run of a new loop on a virtual clock, to the end of the loop's life.
fn record<M, Y: Yieldable<M>>(f: impl FnOnce() -> Y) -> Trace<Result<Y::Output>> {
    trace::record(|| IoLoop::with_clock(VirtualClock::new()).run_sync(f))
}

fn text<R>(trace: &Trace<R>, width: usize) -> String {
    let text = trace.text().width(width).without_lines().to_string();
    assert!(text.lines().all(|line| line.width() <= width), "wider than {width}:\n{text}");
    text
}

#[squall::coroutine]
fn fetch(ms: u64) -> Result<u64> {
    yield_!(sleep(Duration::from_millis(ms)))?;
    Ok(ms)
}

#[squall::coroutine]
fn fail(message: &'static str) -> Result<u64> {
    yield_!(sleep(MS))?;
    Err(Exception::msg(message))
}

#[squall::coroutine]
fn fetch_all(count: u64) -> Result<u64> {
    let all = yield_!((0..count).map(|n| fetch(n % 3)).collect::<Vec<_>>())?;
    Ok(all.iter().sum())
}

#[test]
fn one_coroutine_has_a_column_beside_the_loop() {
    assert_snapshot!(text(&record(|| fetch(5)), 80));
}

#[test]
fn three_calls_have_columns_of_their_own_at_120() {
    assert_snapshot!(text(&record(|| fetch_all(2)), 120));
}

#[test]
fn three_calls_have_columns_of_their_own_at_80() {
    assert_snapshot!(text(&record(|| fetch_all(2)), 80));
}

#[test]
fn twenty_calls_are_lanes_at_120() {
    assert_snapshot!(text(&record(|| fetch_all(19)), 120));
}

#[test]
fn twenty_calls_are_lanes_at_80() {
    assert_snapshot!(text(&record(|| fetch_all(19)), 80));
}

#[test]
fn lanes_for_which_there_is_no_space_are_left_out() {
    let text = text(&record(|| fetch_all(200)), 60);
    assert!(text.contains("fetch#200: return 1"));
}

#[test]
fn calls_that_are_not_alive_at_the_same_time_share_a_column() {
    #[squall::coroutine]
    fn one_by_one() -> Result<()> {
        for n in 1..8 {
            yield_!(fetch(n))?;
        }
        Ok(())
    }
    assert_snapshot!(text(&record(one_by_one), 80));
}

/// Returns the positions of the lifelines of columns and lanes.
fn lifelines(line: &str) -> Vec<usize> {
    let is_lifeline = |c: &char| "│┊├┬┴".contains(*c);
    line.char_indices().filter(|(_, c)| is_lifeline(c)).map(|(at, _)| line[..at].width()).collect()
}

#[test]
fn wide_text_stays_aligned() {
    #[squall::coroutine]
    fn 读取(网址: &'static str) -> Result<String> {
        yield_!(sleep(10 * MS))?;
        trace::note(&format!("{网址}已经到了，这是一行很长的文字"));
        Ok(format!("{网址}的内容"))
    }
    #[squall::coroutine]
    fn 访问() -> Result<()> {
        let 内容 = yield_!([读取("甲"), 读取("乙丙丁")])?;
        Err(Exception::msg(format!("不知道怎么处理{内容:?}")))
    }
    let trace = record(访问);
    for width in [60, 80, 120] {
        let text = text(&trace, width);
        let table: Vec<_> = text.lines().take_while(|line| !line.is_empty()).collect();
        let columns: std::collections::BTreeSet<_> = table.iter().flat_map(|line| lifelines(line)).collect();
        // The loop, one caller and two calls: four places, whatever stands between them.
        assert_eq!(columns.len(), 4, "{columns:?}\n{text}");
    }
    assert_snapshot!(text(&trace, 100));
}

#[test]
fn a_yield_that_need_not_wait_says_why() {
    #[squall::coroutine]
    fn all_kinds() -> Result<i32> {
        yield_!(Future::ready(1))?;
        yield_!([Future::ready(1), Future::ready(2)])?;
        yield_!(())?;
        yield_!(moment())?;
        if let Err(e) = yield_!(Future::<()>::failed(Error::Timeout)) {
            trace::note(&e.to_string());
        }
        Err(Return(3))?
    }
    assert_snapshot!(text(&record(all_kinds), 100));
}

#[test]
fn what_is_waited_for_is_named() {
    async fn native() -> Result<u64> {
        fetch(1).await
    }
    #[squall::coroutine]
    fn wait_for_each() -> Result<()> {
        let future = Future::<i32>::new();
        let promise = future.promise();
        IoLoop::current().call_later(MS, move || promise.set_result(5));
        yield_!(future)?;
        yield_!(task(|callback| {
            IoLoop::current().call_later(MS, move || callback(6));
        }))?;
        if yield_!(with_timeout(MS, fetch(2))).is_err() {
            yield_!(with_timeout(5 * MS, fetch(2)))?;
        }
        yield_!(native())?;
        yield_!(multi((fetch(1), sleep(2 * MS))))?;
        yield_!([vec![fetch(1)], vec![fetch(2), fetch(3)]])?;
        Ok(())
    }
    assert_snapshot!(text(&record(wait_for_each), 120));
}

#[test]
fn what_goes_wrong_unseen_is_told_at_its_time_and_at_the_end() {
    #[squall::coroutine]
    fn careless() -> Result<()> {
        drop(fail("forgotten"));
        IoLoop::current().spawn_callback(|| fail("spawned"));
        let both = yield_!([fail("first"), fail("second")]);
        drop(fetch(500));
        both?;
        Ok(())
    }
    assert_snapshot!(text(&record(careless), 100));
}

#[test]
fn a_loop_that_cannot_go_on_leaves_its_waiters() {
    #[squall::coroutine]
    fn stuck() -> Result<()> {
        let never = Future::<()>::new();
        let _promise = never.promise();
        yield_!(never)
    }
    // The places of the Deadlock's message are this file's own.
    let trace = record(stuck);
    let text = text(&trace, 100);
    assert!(text.contains("\nwaiting      stuck: yield future 2, wait for it\n"), "{text}");
    assert!(text.contains("\noutcome      raised Deadlock: nothing that is left can wake"), "{text}");
}

#[test]
fn a_cancelled_native_coroutine_is_over_and_a_generator_goes_on() {
    async fn native() -> Result<()> {
        sleep(10 * MS).await
    }
    #[squall::coroutine]
    fn cancel_both() -> Result<()> {
        let generator = fetch(2);
        let native = squall::convert_yielded(native())?;
        yield_!(sleep(MS))?;
        generator.cancel();
        native.cancel();
        yield_!(sleep(5 * MS))?;
        Ok(())
    }
    assert_snapshot!(text(&record(cancel_both), 100));
}

#[test]
fn lines_of_the_program_are_told_unless_they_are_not_wanted() {
    let trace = record(|| fetch(5));
    let with = trace.to_text();
    assert!(with.contains("yield sleep until 5 ms :"), "{with}");
    assert!(!trace.text().without_lines().to_string().contains(" :"));
    assert_eq!(with, trace.to_string());
}

#[test]
fn colours_are_there_only_if_they_are_asked_for() {
    let trace = record(|| fail("oh"));
    let plain = trace.text().to_string();
    let colored = trace.text().colors(true).to_string();
    assert!(!plain.contains('\x1b'));
    assert!(colored.contains("\x1b[31mraise Exception: oh\x1b[0m"));
    let mut stripped = colored;
    while let Some(at) = stripped.find('\x1b') {
        let end = at + stripped[at..].find('m').unwrap();
        stripped.replace_range(at..=end, "");
    }
    assert_eq!(stripped, plain);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let trace = record(|| {
        trace::note("red \x1b[31m\nnext line");
        fail("\x1b[2J\x07")
    });
    assert!(!trace.to_text().contains(['\x1b', '\x07']));
    assert!(trace.to_text().contains("red \u{fffd}[31m next line"));
}

/// The entries, without the line that runs the loop.
fn unplaced<R>(trace: &Trace<R>) -> Vec<Entry> {
    let mut entries = trace.entries().to_vec();
    for entry in &mut entries {
        if let Recorded::Run { place, .. } | Recorded::Call { place, .. } = &mut entry.event {
            *place = None;
        }
    }
    entries
}

#[test]
fn what_comes_after_the_limit_is_not_printed() {
    thread_local!(static PRINTED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) });
    #[derive(Debug)]
    struct Printed;
    impl std::fmt::Display for Printed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            PRINTED.set(PRINTED.get() + 1);
            f.write_str("printed")
        }
    }
    impl std::error::Error for Printed {}
    let printed_within = |limit| {
        PRINTED.set(0);
        let fail = || squall::coroutine(|_co| async { Err::<(), _>(Exception::new(Printed)) });
        let fail_and_look = |_| fail().exception().map(drop).unwrap_or_default();
        Recorder::new().limit(limit).record(|| (0..100).for_each(fail_and_look));
        PRINTED.get()
    };
    assert!(printed_within(1_000) >= 100);
    assert_eq!(printed_within(0), 0);
}

#[test]
fn what_comes_after_the_limit_is_counted() {
    let whole = record(|| fetch_all(3));
    let cut = Recorder::new()
        .limit(4)
        .record(|| IoLoop::with_clock(VirtualClock::new()).run_sync(|| fetch_all(3)).unwrap());
    assert_eq!(unplaced(&cut), unplaced(&whole)[..4]);
    assert_eq!(cut.dropped(), whole.entries().len() - 4);
    assert_eq!(cut.result, 3);
    let note = format!("left out     {} events came after those that are shown\n", cut.dropped());
    assert!(cut.to_text().ends_with(&note), "{cut}");
}

#[test]
fn times_begin_at_the_first_entry_and_numbers_at_one() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    io_loop.run_sync(|| fetch(700)).unwrap();
    let later = trace::record(|| io_loop.run_sync(|| fetch(5)).unwrap());
    let first = record(|| fetch(5));
    // The first one has the end of its loop, too.
    assert_eq!(unplaced(&later), unplaced(&first)[..later.entries().len()]);
    assert_eq!(later.entries().last().map(|entry| entry.time), Some(5 * MS));
}

#[test]
fn a_recording_within_another_takes_the_events_for_itself() {
    let outer = trace::record(|| {
        drop(fetch(1));
        let inner = trace::record(|| drop(fetch(2)));
        assert_eq!(inner.entries().len(), outer_calls(&inner) * 6);
        drop(fetch(3));
    });
    assert_eq!(outer_calls(&outer), 2);
}

fn outer_calls<R>(trace: &Trace<R>) -> usize {
    trace.entries().iter().filter(|entry| matches!(entry.event, Recorded::Call { .. })).count()
}

#[test]
fn without_a_loop_calls_are_told_all_the_same() {
    #[squall::coroutine]
    fn divide(x: i32, y: i32) -> Result<i32> {
        if y == 0 {
            return Err(Exception::msg("division by zero"));
        }
        Ok(x / y)
    }
    let virtual_loop = IoLoop::with_clock(VirtualClock::new());
    let _current = virtual_loop.make_current();
    let trace = trace::record(|| {
        drop(divide(1, 0));
        divide(4, 2).into_result().unwrap()
    });
    assert_eq!(trace.result, 2);
    assert_snapshot!(text(&trace, 80));
}

/// The text of a trace, as wide as it wants to be, and the number of the line of this file with `marker` in it.
fn wide<R>(trace: &Trace<R>) -> (String, impl Fn(&str) -> usize) {
    let line_of = |marker: &str| {
        let has_marker = |line: &str| line.contains("// ") && line.ends_with(marker);
        include_str!("trace.rs").lines().position(has_marker).unwrap_or_else(|| panic!("no {marker}")) + 1
    };
    (trace.text().width(400).to_string().replace('\u{a0}', " "), line_of)
}

async fn nap(ms: u64) -> Result<u64> {
    sleep(Duration::from_millis(ms)).await?; // sleeps
    Ok(ms)
}

#[test]
fn natives_have_a_column_however_they_are_started_and_are_called_by_what_starts_them() {
    #[squall::coroutine]
    fn starts_all() -> Result<()> {
        yield_!(nap(1))?;
        yield_!([nap(1), nap(2), nap(3)])?;
        yield_!((nap(1), sleep(MS), nap(2)))?;
        let converted = squall::convert_yielded(nap(1))?;
        IoLoop::current().spawn_callback(|| nap(2));
        yield_!(converted)?;
        yield_!(sleep(9 * MS))?;
        Ok(())
    }
    let trace = record(starts_all);
    let (text, line_of) = wide(&trace);
    let called = |by: &str, call: &str| {
        let has = |line: &&str| line.contains(&format!("├ call {call} ─"));
        let line = text.lines().find(has).unwrap_or_else(|| panic!("{call} is not called:\n{text}"));
        let from_loop = line.find("├ call").is_some_and(|at| line[..at].trim().is_empty());
        assert_eq!(from_loop, by == "loop", "{line}\n{text}");
    };
    for call in ["nap", "nap#2", "nap#3", "nap#4", "nap#5", "nap#6", "nap#7"] {
        called("starts_all", call);
    }
    called("loop", "nap#8");
    let awaits = format!("await sleep until 1 ms :{}", line_of("// sleeps"));
    assert!(text.contains(&awaits), "{awaits}\n{text}");
    assert_eq!(text.matches(&format!(" :{}", line_of("// sleeps"))).count(), 8, "{text}");
    // The loop runs what it is given itself.
    let (text, _) = wide(&record(|| nap(5)));
    assert!(text.contains("├ call nap ─"), "{text}");
}

#[test]
fn awaits_of_a_native_have_the_line_of_the_await_also_within_another_native() {
    async fn outer() -> Result<u64> {
        let inline = nap(1).await?;
        let started = squall::convert_yielded(nap(2))?;
        let started = started.await?; // awaits a Task
        moment().await?; // awaits a turn
        let boxed: std::pin::Pin<Box<dyn std::future::Future<Output = Result<()>>>> = Box::pin(sleep(MS));
        boxed.await?;
        Ok(inline + started)
    }
    let trace = record(outer);
    let (text, line_of) = wide(&trace);
    for (what, marker) in [
        ("await sleep until 1 ms", "// sleeps"),
        ("await nap, wait for it", "// awaits a Task"),
        ("await moment, wait one turn", "// awaits a turn"),
    ] {
        assert!(text.contains(&format!("{what} :{}", line_of(marker))), "{what}\n{text}");
    }
    // What is polled behind a pointer does not know the await.
    assert!(text.contains("await sleep until 4 ms"), "{text}");
    assert!(!text.contains("future.rs"), "{text}");
}

#[test]
fn what_a_coroutine_raises_has_its_line() {
    async fn parses() -> Result<i32> {
        sleep(MS).await?;
        let n = "x".parse()?; // parses
        Ok(n)
    }
    async fn foreign() -> Result<(), std::num::ParseIntError> {
        drop(sleep(MS).await); // the last await
        "x".parse::<i32>().map(drop)
    }
    async fn panics() -> Result<()> {
        sleep(MS).await?;
        panic!("oh no") // panics
    }
    #[squall::coroutine]
    fn passes_on() -> Result<()> {
        drop(yield_!(parses()));
        drop(yield_!(foreign()));
        yield_!(panics()) // passes on
    }
    let trace = record(passes_on);
    let (text, line_of) = wide(&trace);
    let raised: Vec<_> = text.lines().filter(|line| line.contains("┴ raise ")).collect();
    for (line, marker) in raised.iter().zip(["// parses", "// the last await", "// panics", "// passes on"]) {
        assert!(line.trim_end().ends_with(&format!(" :{}", line_of(marker))), "{marker}: {line}\n{text}");
    }
    assert_eq!(raised.len(), 4, "{text}");
}

#[test]
fn turns_in_which_nothing_is_seen_are_counted_in_a_row() {
    let trace = record(|| {
        IoLoop::current().add_callback(|| IoLoop::current().add_callback(|| ()));
        squall::coroutine(|co| async move {
            let callback = || IoLoop::current().add_callback(|| IoLoop::current().add_callback(|| ()));
            callback();
            co.yield_(sleep(MS)).await
        })
    });
    let text = text(&trace, 100);
    let mut seen = 0;
    for line in text.lines() {
        if let Some((_, rest)) = line.split_once("┄ turn ") {
            let turn: usize = rest.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(turn, seen + 1, "{text}");
            seen = turn;
        } else if let Some((turns, _)) = line.split_once(": nothing seen") {
            seen = turns.rsplit(' ').next().unwrap().parse().unwrap();
        }
    }
    assert!(text.contains(": nothing seen"), "{text}");
}

#[test]
fn wait_for_a_std_future_is_called_that() {
    async fn polls() -> Result<()> {
        let mut woken = false;
        let turn = std::future::poll_fn(|cx| match std::mem::replace(&mut woken, true) {
            true => std::task::Poll::Ready(()),
            false => {
                cx.waker().wake_by_ref();
                std::task::Poll::Pending
            }
        });
        turn.await;
        Ok(())
    }
    let (text, _) = wide(&record(polls));
    assert!(text.contains("await a std Future, wait to be woken"), "{text}");
}

#[test]
fn internal_work_is_left_out_but_for_the_end_of_what_the_program_waits_for() {
    #[squall::coroutine]
    fn wait(gate: Future<u64>) -> Result<u64> {
        yield_!(gate)
    }
    async fn work(gate: squall::Promise<u64>) -> Result<()> {
        sleep(MS).await?;
        let native = squall::convert_yielded(async { sleep(MS).await })?;
        native.await?;
        gate.set_result(trace::program(|| fetch(0)).await?);
        Ok(())
    }
    let trace = record(|| {
        let gate = Future::new();
        drop(trace::internal(|| squall::convert_yielded(work(gate.promise()))));
        wait(gate)
    });
    let entries = || trace.entries().iter().map(|entry| &entry.event);
    let calls = entries().filter_map(|event| match event {
        Recorded::Call { name, .. } => Some(&**name),
        _ => None,
    });
    assert_eq!(calls.collect::<Vec<_>>(), ["wait", "fetch"]);
    let resolved = entries().filter(|event| matches!(event, Recorded::Resolve { .. })).count();
    assert_eq!(resolved, 4, "that of the gate, of the sleep in `fetch`, and of both calls:\n{trace}");
    let text = text(&trace, 100);
    assert!(text.contains("future 2 done, wait ready"), "{text}");
}

#[test]
fn what_is_reported_in_internal_work_is_told() {
    let trace = record(|| trace::internal(|| drop(Future::<()>::failed(Exception::msg("lost")))));
    let reports = trace.entries().iter().filter(|entry| matches!(entry.event, Recorded::Report { .. }));
    assert_eq!(reports.count(), 1, "{trace}");
}
