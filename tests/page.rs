//! The page of a trace holds all that happened, in both languages, and nothing in it can break out.

use std::time::Duration;

use serde_json::{Map, Value};
use squall::locks::Lock;
use squall::queues::Queue;
use squall::testing::VirtualClock;
use squall::trace::{steps, Ask, Lang, Trace};
use squall::{moment, sleep, Future, IoLoop, Result};

#[squall::coroutine]
fn worker(lock: Lock, queue: Queue<&'static str>) -> Result<()> {
    let guard = yield_!(lock.acquire())?;
    yield_!(sleep(Duration::from_millis(10)))?;
    yield_!(queue.put("</script><!-- \u{2028}"))?;
    drop(guard);
    squall::trace::note("worked");
    yield_!(moment())?;
    Ok(())
}

#[squall::coroutine]
fn fails() -> Result<()> {
    Err("x".parse::<i32>().unwrap_err())?;
    Ok(())
}

async fn native() -> Result<i32> {
    sleep(Duration::from_millis(5)).await?;
    Ok(7)
}

#[squall::coroutine]
fn everything() -> Result<&'static str> {
    let (lock, queue) = (Lock::new(), Queue::new(2));
    drop(fails());
    yield_!(vec![worker(lock.clone(), queue.clone()), worker(lock, queue.clone())])?;
    yield_!(squall::native(native()))??;
    let item = yield_!(queue.get())?;
    Ok(item)
}

fn trace() -> Trace<Result<&'static str>> {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let current = io_loop.make_current();
    let trace = squall::trace::record(|| IoLoop::current().run_sync(everything));
    drop(current);
    trace
}

/// The data of a page.
fn data(html: &str) -> Value {
    let (_, data) = html.split_once("id=\"trace\">").unwrap();
    serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
}

/// Applies a JSON merge patch (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Map::new().into();
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[test]
fn each_step_has_its_sentences_its_lines_and_its_state() {
    let trace = trace();
    let data = data(&trace.to_html());
    let all = data["steps"].as_array().unwrap();
    assert_eq!(all.len(), steps(trace.entries()).len());
    assert_eq!(data["patches"].as_array().unwrap().len(), all.len());
    for (nth, step) in all.iter().enumerate() {
        for lang in ["en", "zh"] {
            let said = &data["sentences"][usize::try_from(step["say"].as_u64().unwrap()).unwrap()][lang];
            assert!(!said[0].as_array().unwrap().is_empty(), "step {nth} says nothing: {step}");
        }
        for code in ["rust", "python"] {
            let marks = &data["marks"][usize::try_from(step["mark"].as_u64().unwrap()).unwrap()][code];
            let lines = [&marks["lit"], &marks["inside"]].map(|lines| lines.as_array().unwrap().len());
            assert!(lines.iter().sum::<usize>() > 0, "step {nth} has no line of the Runner: {step}");
        }
    }
}

#[test]
fn patches_lead_to_the_state_at_the_end() {
    let data = data(&trace().to_html());
    let mut state = data["state"].clone();
    for patch in data["patches"].as_array().unwrap() {
        merge(&mut state, patch);
    }
    assert_eq!(state["printed"], 3, "two lines and one report");
    assert_eq!(data["printed"].as_array().unwrap().len(), 3);
    assert_eq!(state["timers"], Value::Object(Map::new()));
    assert_eq!(state["ready"], Value::Object(Map::new()));
    assert_eq!(state["stack"], Value::Array(Vec::new()));
    let lock = state["locks"].as_object().unwrap().values().next().unwrap();
    assert_eq!((&lock["permits"], &lock["holders"]), (&1.into(), &Value::Array(Vec::new())));
    assert_eq!(state["queues"].as_object().unwrap().values().next().unwrap()["size"], 1);
    assert!(state["turn"].as_u64().unwrap() > 3);
}

#[test]
fn the_program_is_in_the_page_and_lines_point_into_it() {
    let data = data(&trace().to_html());
    let source = &data["sources"][0];
    assert_eq!((&source["name"], &source["language"]), (&"page.rs".into(), &"rust".into()));
    let lines: Vec<&str> = source["text"].as_str().unwrap().lines().collect();
    let of = |kind: &str| {
        let step = data["steps"]
            .as_array()
            .unwrap()
            .iter()
            .find(|step| step["kind"] == kind && step["at"].is_array());
        lines[usize::try_from(step.unwrap()["at"][1].as_u64().unwrap()).unwrap() - 1]
    };
    assert!(of("yield").contains("yield_!"));
    assert!(of("note").contains("note(\"worked\")"));
}

#[test]
fn values_cannot_end_the_script_that_holds_them() {
    let html = trace().to_html();
    let (_, rest) = html.split_once("id=\"trace\">").unwrap();
    let data = rest.split_once("</script>").unwrap().0;
    assert!(!data.contains(['<', '>', '\u{2028}']));
    assert_eq!(html.matches("</script>").count(), 2);
}

#[test]
fn title_language_and_questions_are_in_the_page() {
    let trace = trace();
    let ask = Ask::new(3, ["`a` or b?", "`a` 还是 b？"], ["b.", "b。"])
        .option(["a", "a"])
        .right(["b", "b"])
        .decided_by(2);
    let page = trace.page().title("everything", ["All of it.", "全部。"]).lang(Lang::Zh).ask(ask);
    let data = data(&page.to_string());
    assert_eq!(
        (&data["name"], &data["about"]["zh"], &data["language"]),
        (&"everything".into(), &"全部。".into(), &"zh".into())
    );
    let ask = &data["asks"][0];
    assert_eq!((&ask["before"], &ask["right"], &ask["decides"]), (&3.into(), &1.into(), &2.into()));
    assert_eq!(ask["question"]["en"][0]["code"], "a");
}

#[test]
fn a_page_of_the_last_steps_begins_with_the_state_before_them() {
    let trace = trace();
    let whole = data(&trace.to_html());
    let steps = whole["steps"].as_array().unwrap();
    for most in [1, 7, steps.len() - 1, steps.len(), 1_000] {
        let left_out = steps.len().saturating_sub(most);
        let ask = |before| Ask::new(before, ["?", "?"], ["", ""]).right(["", ""]).decided_by(before);
        let page = trace.page().last(most).ask(ask(0)).ask(ask(steps.len() - 1));
        let page = data(&page.to_string());
        let mut state = whole["state"].clone();
        whole["patches"].as_array().unwrap()[..left_out].iter().for_each(|patch| merge(&mut state, patch));
        assert_eq!(page["state"], state, "the last {most}");
        assert_eq!(page["steps"].as_array().unwrap().len(), steps.len() - left_out);
        assert_eq!(page["patches"].as_array().unwrap()[..], whole["patches"].as_array().unwrap()[left_out..]);
        let asks = page["asks"].as_array().unwrap();
        assert_eq!(asks.last().unwrap()["before"], steps.len() - 1 - left_out);
        assert_eq!(asks.len(), 1 + usize::from(left_out == 0));
    }
}

#[test]
fn each_future_that_a_sentence_mentions_has_a_name() {
    let data = data(&squall::trace::record(with_a_callback).to_html());
    let mentioned = numbers(&data["sentences"], "future");
    assert!(!mentioned.is_empty());
    for future in mentioned {
        assert!(data["futures"][&future]["label"].is_string(), "{future}");
    }
}

/// A callback waits for a Future that no coroutine yields.
fn with_a_callback() {
    let (io_loop, future) = (IoLoop::with_clock(VirtualClock::new()), Future::<()>::new());
    io_loop.add_future(future.clone(), |_| ());
    let promise = future.promise();
    io_loop.add_callback(move || promise.set_result(()));
    io_loop.run_sync(|| sleep(Duration::from_millis(1))).unwrap();
}

/// All values of that key, at any depth.
fn numbers(value: &Value, key: &str) -> Vec<String> {
    match value {
        Value::Object(map) => {
            let own = map.get(key).map(ToString::to_string);
            own.into_iter().chain(map.values().flat_map(|value| numbers(value, key))).collect()
        }
        Value::Array(all) => all.iter().flat_map(|value| numbers(value, key)).collect(),
        _ => Vec::new(),
    }
}
