//! Context variables: seen by what is called, never by the caller, and kept while suspended.

use squall_runner::ready::call_soon_fn;
use squall_runner::{
    convert_yielded, coroutine, marker, moment, ContextVar, Exception, Future, Result, Yieldable,
};

use crate::{drain, turn, Lines};

static USER: ContextVar<&str> = ContextVar::new();
static DEPTH: ContextVar<u32> = ContextVar::new();

#[test]
fn value_is_seen_by_called_coroutines_and_does_not_leak_back() {
    USER.set("ann");
    let outer = coroutine(|co| async move {
        assert_eq!(USER.get(), Some("ann"));
        USER.set("ben");
        let inner = coroutine(|_co| async move {
            assert_eq!(USER.get(), Some("ben"));
            USER.set("cid");
            Ok(USER.get())
        });
        assert_eq!(USER.get(), Some("ben"));
        co.yield_(inner).await
    });
    assert_eq!(outer.result().unwrap(), Some("cid"));
    assert_eq!(USER.get(), Some("ann"));
}

#[test]
fn value_survives_suspension_and_is_of_one_call() {
    USER.set("ann");
    let spawn = |user: &'static str| {
        coroutine(move |co| async move {
            USER.set(user);
            co.yield_(moment()).await?;
            co.yield_(Future::ready(())).await?;
            assert_eq!(USER.get(), Some(user));
            co.yield_(moment()).await?;
            Ok(USER.get())
        })
    };
    let (a, b) = (spawn("ben"), spawn("cid"));
    assert_eq!(USER.get(), Some("ann"));
    USER.set("dan");
    while turn() > 0 {
        assert_eq!(USER.get(), Some("dan"));
    }
    assert_eq!((a.result().unwrap(), b.result().unwrap()), (Some("ben"), Some("cid")));
}

#[test]
fn value_is_that_of_the_call_and_not_of_the_resumption() {
    let waited = Future::new();
    let promise = waited.promise();
    USER.set("caller");
    let future = coroutine(|co| async move {
        co.yield_(waited).await?;
        Ok(USER.get())
    });
    USER.set("resolver");
    promise.set_result(());
    drain();
    assert_eq!(future.result().unwrap(), Some("caller"));
}

#[test]
fn value_is_seen_by_natives_that_a_coroutine_yields_also_with_its_first_yield() {
    let future = coroutine(|co| async move {
        USER.set("ben");
        let first = co.yield_(async { Ok::<_, Exception>(USER.get()) }).await?;
        USER.set("cid");
        let second = co.yield_(async { Ok::<_, Exception>(USER.get()) }).await?;
        Ok((first, second))
    });
    drain();
    assert_eq!(future.result().unwrap(), (Some("ben"), Some("cid")));
    assert_eq!(USER.get(), None);
}

/// Takes the value while it is converted.
struct Asks;

impl Yieldable<marker::Custom> for Asks {
    type Output = Option<&'static str>;

    fn convert_yielded(self) -> Result<Future<Self::Output>> {
        Ok(Future::ready(USER.get()))
    }
}

#[test]
fn value_is_seen_by_conversions_of_what_is_yielded() {
    let future = coroutine(|co| async move {
        USER.set("ben");
        let first = co.yield_(Asks).await?;
        USER.set("cid");
        Ok((first, co.yield_(Asks).await?))
    });
    assert_eq!(future.result().unwrap(), (Some("ben"), Some("cid")));
}

#[test]
fn value_of_a_native_is_its_own_and_survives_suspension() {
    USER.set("ann");
    let native = convert_yielded(async {
        assert_eq!(USER.get(), Some("ann"));
        USER.set("ben");
        moment().await?;
        assert_eq!(USER.get(), Some("ben"));
        Ok::<_, Exception>(())
    });
    USER.set("cid");
    while turn() > 0 {
        assert_eq!(USER.get(), Some("cid"));
    }
    native.unwrap().result().unwrap();
}

#[test]
fn callbacks_run_in_the_context_in_which_they_were_given() {
    let lines = Lines::default();
    let (first, second) = (lines.clone(), lines.clone());
    let waited = Future::<()>::new();
    let promise = waited.promise();
    USER.set("ann");
    waited.add_done_callback(move |_| {
        first.add(USER.get().unwrap());
        USER.set("leak");
    });
    USER.set("ben");
    call_soon_fn(move || {
        second.add(USER.get().unwrap());
        USER.set("leak");
    });
    USER.set("cid");
    promise.set_result(());
    drain();
    assert_eq!(lines.take(), ["ben", "ann"]);
    assert_eq!(USER.get(), Some("cid"));
}

#[test]
fn value_does_not_leak_out_of_a_body_that_panics() {
    USER.set("ann");
    let (_, futures) = crate::panics_in(|| {
        let at_once = coroutine(|_co| async move {
            USER.set("leak");
            panic!("expected");
            #[allow(unreachable_code)]
            Ok(())
        });
        let later = coroutine(|co| async move {
            co.yield_(moment()).await?;
            USER.set("leak");
            panic!("expected");
            #[allow(unreachable_code)]
            Ok(())
        });
        drain();
        (at_once, later)
    });
    assert!(futures.0.exception().is_some() && futures.1.exception().is_some());
    assert_eq!(USER.get(), Some("ann"));
}

#[test]
fn reset_puts_back_what_was_there_before_the_set() {
    let first = USER.set("ann");
    let second = USER.set("ben");
    USER.reset(second);
    assert_eq!(USER.get(), Some("ann"));
    USER.reset(first);
    assert_eq!(USER.get(), None);
}

#[test]
fn variables_are_apart() {
    USER.set("ann");
    DEPTH.set(5);
    assert_eq!((USER.get(), DEPTH.get()), (Some("ann"), Some(5)));
    DEPTH.set(6);
    assert_eq!((USER.get(), DEPTH.get()), (Some("ann"), Some(6)));
}

#[test]
fn value_may_set_variables_while_it_is_copied_and_dropped() {
    struct Busy;
    impl Clone for Busy {
        fn clone(&self) -> Self {
            DEPTH.set(1);
            Self
        }
    }
    impl Drop for Busy {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get().unwrap_or(0) + 1);
        }
    }
    static BUSY: ContextVar<Busy> = ContextVar::new();
    BUSY.set(Busy);
    drop(BUSY.get());
    assert_eq!(DEPTH.get(), Some(2));
    BUSY.set(Busy);
    assert!(DEPTH.get().is_some_and(|depth| depth > 2));
}

#[test]
fn coroutine_that_ends_while_its_loop_is_given_up_leaves_no_value() {
    let future = coroutine(|co| async move {
        USER.set("leak");
        co.yield_(moment()).await?;
        squall_runner::ready::Ready::current().abandon();
        Ok(USER.get())
    });
    drain();
    assert_eq!(future.result().unwrap(), Some("leak"));
    assert_eq!(USER.get(), None);
}
