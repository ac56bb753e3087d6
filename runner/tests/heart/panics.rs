//! Panics in foreign code: trapped or logged, and everything goes on.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use squall_runner::ready::{call_soon, callback, ReadyQueue};
use squall_runner::trace::{Event, Observer};
use squall_runner::{
    convert_yielded, coroutine, marker, moment, Error, Exception, Future, Resolvable, Result, Shared,
    Yieldable,
};

use crate::{drain, panics_in, Observing, OnDrop, Reports};

fn panics(exception: Option<Exception>) -> String {
    match exception.as_ref().and_then(|e| e.downcast_ref()) {
        Some(Error::Panic(text)) => text.clone(),
        _ => panic!("{exception:?} instead of a panic"),
    }
}

/// Returns another coroutine, to check that it goes on.
fn bystander() -> Future<i32> {
    coroutine(|co| async move {
        co.yield_(moment()).await?;
        Ok(5)
    })
}

#[test]
fn panic_with_a_value_that_panics_as_it_is_dropped_is_trapped() {
    struct Hostile;
    impl Drop for Hostile {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new(Self));
        }
    }
    let other = bystander();
    let hostile = coroutine(|_co| async move {
        if std::hint::black_box(true) {
            std::panic::resume_unwind(Box::new(Hostile));
        }
        Ok(())
    });
    assert_eq!(panics(hostile.exception()), "a value that is not a string");
    drain();
    assert_eq!(other.result().unwrap(), 5);
}

#[test]
fn panic_in_a_body_is_trapped_in_its_future() {
    let other = bystander();
    let (hooks, (at_once, later, payload)) = panics_in(|| {
        let at_once = coroutine(|_co| async move {
            assert!(std::hint::black_box(false), "expected {}", 1);
            Ok(())
        });
        let later = coroutine(|co| async move {
            co.yield_(moment()).await?;
            assert!(std::hint::black_box(false), "expected");
            Ok(())
        });
        let payload = coroutine(|_co| async move {
            if std::hint::black_box(true) {
                std::panic::resume_unwind(Box::new(5));
            }
            Ok(())
        });
        drain();
        (at_once, later, payload)
    });
    assert_eq!(hooks, 2);
    assert_eq!(panics(at_once.exception()), "expected 1");
    assert_eq!(panics(later.exception()), "expected");
    assert_eq!(panics(payload.exception()), "a value that is not a string");
    assert_eq!(other.result().unwrap(), 5);
}

#[test]
fn panic_in_a_plain_body_and_in_a_native_is_trapped() {
    static PLAIN: squall_runner::Coroutine = squall_runner::Coroutine::new("plain", file!(), line!());
    let (_, (plain, native)) = panics_in(|| {
        let plain = squall_runner::runner::call_plain(&PLAIN, || {
            assert!(std::hint::black_box(false), "expected");
            Ok(())
        });
        let native = convert_yielded(async {
            assert!(std::hint::black_box(false), "expected");
            Ok::<_, Exception>(())
        });
        drain();
        (plain, native.unwrap())
    });
    assert_eq!(panics(plain.exception()), "expected");
    assert_eq!(panics(native.exception()), "expected");
}

#[test]
fn panic_in_the_function_that_makes_the_body_is_trapped() {
    let (_, future) = panics_in(|| {
        coroutine(|_co| {
            assert!(std::hint::black_box(false), "expected");
            async move { Ok(()) }
        })
    });
    assert_eq!(panics(future.exception()), "expected");
}

#[test]
fn panic_in_a_done_callback_is_reported() {
    let reports = Reports::new();
    let ran = Rc::new(Cell::new(false));
    let runs = ran.clone();
    let done = Future::ready(5);
    done.add_done_callback(|_| panic!("expected"));
    done.add_done_callback(move |_| runs.set(true));
    panics_in(drain);
    assert!(ran.get());
    assert_eq!(reports.take(), ["DoneCallback: panicked: expected"]);
}

#[test]
fn panic_while_a_body_is_dropped_at_its_end_is_reported() {
    let reports = Reports::new();
    let (_, (at_once, later)) = panics_in(|| {
        let at_once = coroutine(|co| {
            let dropped = OnDrop(|| panic!("expected"));
            async move {
                let _held = &dropped;
                co.yield_(Future::ready(5)).await?;
                std::mem::forget(co);
                Ok(5)
            }
        });
        let later = coroutine(|co| async move {
            let dropped = OnDrop(|| panic!("expected"));
            co.yield_(moment()).await?;
            drop(dropped);
            Ok(5)
        });
        drain();
        (at_once, later)
    });
    // A body's own locals go as it returns: that is the body's panic.
    assert_eq!(panics(at_once.exception()), "expected");
    assert_eq!(panics(later.exception()), "expected");
    assert_eq!(reports.take(), Vec::<String>::new());
}

#[test]
fn panic_in_the_drop_of_a_generator_that_has_ended_is_reported() {
    struct Ends(#[allow(dead_code)] OnDrop<fn()>);
    impl squall_runner::Generator for Ends {
        type Return = i32;
        fn resume(&mut self, resume: squall_runner::Resume) -> squall_runner::GeneratorState<i32> {
            use squall_runner::{GeneratorState, Resume, Yielded};
            match resume {
                Resume::Next => GeneratorState::Yielded(Yielded::new(moment())),
                _ => GeneratorState::Returned(5),
            }
        }
    }
    static ENDS: squall_runner::Coroutine = squall_runner::Coroutine::new("ends", file!(), line!());
    let reports = Reports::new();
    let future = squall_runner::Runner::start(&ENDS, Ends(OnDrop(|| panic!("expected"))));
    panics_in(drain);
    assert_eq!(future.result().unwrap(), 5);
    assert_eq!(reports.take(), ["Callback: panicked: expected"]);
}

#[test]
fn panic_while_a_body_that_is_given_up_is_dropped_is_reported_and_the_others_are_dropped_too() {
    let reports = Reports::new();
    let dropped = Rc::new(Cell::new(0));
    let spawn = |panics: bool| {
        let dropped = dropped.clone();
        drop(coroutine(move |co| async move {
            let _at_the_end = OnDrop(move || {
                dropped.set(dropped.get() + 1);
                assert!(!panics, "expected");
            });
            co.yield_(Future::<()>::new()).await
        }));
    };
    spawn(false);
    spawn(true);
    spawn(true);
    spawn(false);
    let guard = OnDrop(|| panic!("expected, on the queue"));
    call_soon(callback(move || drop(guard)));
    let native = OnDrop(|| panic!("expected, native"));
    drop(convert_yielded(async move {
        let _native = native;
        Future::<()>::new().await
    }));
    panics_in(|| ReadyQueue::current().abandon());
    assert_eq!(dropped.get(), 4);
    let mut reports = reports.take();
    reports.sort();
    assert_eq!(
        reports,
        [
            "Callback: panicked: expected",
            "Callback: panicked: expected",
            "Callback: panicked: expected, native",
            "Callback: panicked: expected, on the queue"
        ]
    );
}

#[test]
fn panic_in_a_drop_while_a_panic_unwinds_the_body_of_another_is_trapped_once() {
    let (_, future) = panics_in(|| {
        coroutine(|co| async move {
            // Its own locals are dropped while the panic passes; what they drop in turn is suspended.
            let suspended = coroutine(|co| async move { co.yield_(Future::<()>::new()).await });
            let _held = suspended;
            co.yield_(Future::ready(())).await?;
            assert!(std::hint::black_box(false), "expected");
            Ok(())
        })
    });
    assert_eq!(panics(future.exception()), "expected");
    ReadyQueue::current().abandon();
}

#[test]
fn panic_in_the_drop_of_a_body_is_reported_though_its_only_holder_unwinds() {
    // The coroutine is given up by code that panics at that moment.
    let reports = Reports::new();
    let (_, future) = panics_in(|| {
        let inner = Rc::new(Cell::new(None));
        let keep = inner.clone();
        let promise = Future::<()>::new();
        let held = promise.promise();
        drop(coroutine(|co| async move {
            let _kept = keep;
            let _dropped = OnDrop(|| assert!(std::thread::panicking(), "it is dropped during a panic"));
            co.yield_(promise).await
        }));
        inner.set(Some(held));
        coroutine(|_co| async move {
            let _given_up = OnDrop(|| ReadyQueue::current().abandon());
            assert!(std::hint::black_box(false), "expected");
            Ok(())
        })
    });
    assert_eq!(panics(future.exception()), "expected");
    assert_eq!(reports.take(), Vec::<String>::new());
}

#[test]
fn panic_while_a_result_is_copied_is_raised_at_the_yield() {
    struct Fragile;
    impl Clone for Fragile {
        fn clone(&self) -> Self {
            panic!("expected");
        }
    }
    let result = Future::ready(Fragile);
    let other = result.clone();
    let (_, future) = panics_in(|| coroutine(|co| async move { co.yield_(other).await.map(drop) }));
    assert_eq!(panics(future.exception()), "expected");
    assert!(result.into_result().is_ok(), "the value is still there");
}

#[test]
fn panic_while_an_unwanted_result_is_dropped_is_reported() {
    let reports = Reports::new();
    let waited = Future::<()>::new();
    let promise = waited.promise();
    let future = coroutine(|co| async move {
        co.yield_(waited).await?;
        Ok(OnDrop(|| panic!("expected")))
    });
    future.cancel();
    promise.set_result(());
    let other = bystander();
    panics_in(drain);
    assert_eq!(other.result().unwrap(), 5);
    assert_eq!(reports.take(), ["Callback: panicked: expected"]);
}

#[test]
fn panic_in_a_foreign_waker_is_reported_and_the_others_are_woken() {
    struct Bad;
    impl Wake for Bad {
        fn wake(self: Arc<Self>) {
            panic!("expected");
        }
    }
    let reports = Reports::new();
    let waited = Future::<i32>::new();
    let promise = waited.promise();
    let waker = Waker::from(Arc::new(Bad));
    let mut polled = waited.clone();
    let poll = std::pin::Pin::new(&mut polled);
    assert!(std::future::Future::poll(poll, &mut Context::from_waker(&waker)).is_pending());
    let waiting = coroutine(|co| async move { co.yield_(waited).await });
    panics_in(|| promise.set_result(5));
    drain();
    assert_eq!(waiting.result().unwrap(), 5);
    assert_eq!(reports.take(), ["Callback: panicked: expected"]);
}

/// Panics when it is converted.
struct Explosive;

impl Yieldable<marker::Custom> for Explosive {
    type Output = ();

    fn convert_yielded(self) -> Result<Future<()>> {
        panic!("expected");
    }
}

#[test]
fn panic_in_a_conversion_is_raised_at_the_yield() {
    let (_, future) = panics_in(|| {
        coroutine(|co| async move {
            let first = co.yield_(Explosive).await;
            co.yield_(moment()).await?;
            let second = co.yield_(Explosive).await;
            Ok((panics(first.err()), panics(second.err())))
        })
    });
    panics_in(drain);
    assert_eq!(future.result().unwrap(), ("expected".to_owned(), "expected".to_owned()));
}

#[test]
fn panic_in_the_debug_of_a_value_that_is_shown_changes_nothing() {
    struct Prints;
    impl Observer for Prints {
        fn event(&self, event: &Event<'_>) {
            if let Event::Return { value, .. } = event {
                drop(format!("{value:?}"));
            }
        }
    }
    fn show(_: &dyn std::any::Any, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("expected");
    }
    static SHOWN: squall_runner::Coroutine =
        squall_runner::Coroutine::new("shown", file!(), line!()).showing(Some(show));
    let observing = Observing::by(Rc::new(Prints));
    let (hooks, future) = panics_in(|| {
        squall_runner::runner::call(&SHOWN, |co| async move { co.yield_(Future::ready(5)).await })
    });
    drop(observing);
    assert_eq!((hooks, future.result().unwrap()), (1, 5));
}

#[test]
fn panic_in_the_drop_of_what_is_waited_for_is_reported() {
    struct Timer(Shared<()>, #[allow(dead_code)] OnDrop<fn()>);
    impl Resolvable for Timer {
        type Output = ();
        fn shared(&self) -> &Shared<()> {
            &self.0
        }
    }
    let reports = Reports::new();
    let never = Rc::new(Timer(Shared::new(), OnDrop(|| panic!("expected"))));
    let never = Future::from_core(never);
    drop(coroutine(|co| async move { co.yield_(never).await }));
    panics_in(|| ReadyQueue::current().abandon());
    assert_eq!(reports.take(), ["Callback: panicked: expected"]);
}

#[test]
fn panic_keeps_its_line_although_values_that_it_drops_panic_too() {
    struct Hostile(&'static str);
    impl Drop for Hostile {
        fn drop(&mut self) {
            panic!("{}", self.0);
        }
    }
    let line = line!() + 6;
    let failed = coroutine(|_co| async {
        // The program's own panics that it catches itself do not matter.
        drop(std::panic::catch_unwind(|| panic!("first")));
        let _held = (Future::ready(Hostile("second")), Future::ready(Hostile("first")));
        // Dropping the two panics while this one unwinds.
        assert!(!std::hint::black_box(true), "first");
        Ok(())
    });
    let exception = failed.exception().unwrap();
    assert_eq!(
        (exception.raised_at().file(), exception.raised_at().line()),
        (file!(), line),
        "{exception:?}"
    );
}
