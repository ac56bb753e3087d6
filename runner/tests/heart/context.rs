//! The context: visible to called coroutines, never to the caller, and kept while suspended.

use std::sync::Arc;

use squall_runner::ready::{call_soon, callback};
use squall_runner::{
    convert_yielded, coroutine, marker, moment, Context, Exception, Future, Result, Yieldable,
};

use crate::{drain, turn, Lines};

/// The only variable in the contexts of these tests.
struct User;

impl User {
    fn get() -> Option<&'static str> {
        Context::current().0?[0].1.downcast_ref().copied()
    }

    fn set(user: &'static str) {
        Context::replace_current(Context(Some(Arc::new(vec![(0, Arc::new(user))]))));
    }
}

#[test]
fn value_is_seen_by_called_coroutines_and_does_not_leak_back() {
    User::set("ann");
    let outer = coroutine(|co| async move {
        assert_eq!(User::get(), Some("ann"));
        User::set("ben");
        let inner = coroutine(|_co| async move {
            assert_eq!(User::get(), Some("ben"));
            User::set("cid");
            Ok(User::get())
        });
        assert_eq!(User::get(), Some("ben"));
        co.yield_(inner).await
    });
    assert_eq!(outer.result().unwrap(), Some("cid"));
    assert_eq!(User::get(), Some("ann"));
}

#[test]
fn value_survives_suspension_and_is_of_one_call() {
    User::set("ann");
    let spawn = |user: &'static str| {
        coroutine(move |co| async move {
            User::set(user);
            co.yield_(moment()).await?;
            co.yield_(Future::ready(())).await?;
            assert_eq!(User::get(), Some(user));
            co.yield_(moment()).await?;
            Ok(User::get())
        })
    };
    let (a, b) = (spawn("ben"), spawn("cid"));
    assert_eq!(User::get(), Some("ann"));
    User::set("dan");
    while turn() > 0 {
        assert_eq!(User::get(), Some("dan"));
    }
    assert_eq!((a.result().unwrap(), b.result().unwrap()), (Some("ben"), Some("cid")));
}

#[test]
fn value_is_that_of_the_call_and_not_of_the_resumption() {
    let waited = Future::new();
    let promise = waited.promise();
    User::set("caller");
    let future = coroutine(|co| async move {
        co.yield_(waited).await?;
        Ok(User::get())
    });
    User::set("resolver");
    promise.set_result(());
    drain();
    assert_eq!(future.result().unwrap(), Some("caller"));
}

#[test]
fn value_is_seen_by_natives_that_a_coroutine_yields_also_with_its_first_yield() {
    let future = coroutine(|co| async move {
        User::set("ben");
        let first = co.yield_(async { Ok::<_, Exception>(User::get()) }).await?;
        User::set("cid");
        let second = co.yield_(async { Ok::<_, Exception>(User::get()) }).await?;
        Ok((first, second))
    });
    drain();
    assert_eq!(future.result().unwrap(), (Some("ben"), Some("cid")));
    assert_eq!(User::get(), None);
}

/// Takes the value while it is converted.
struct Asks;

impl Yieldable<marker::Custom> for Asks {
    type Output = Option<&'static str>;

    fn convert_yielded(self) -> Result<Future<Self::Output>> {
        Ok(Future::ready(User::get()))
    }
}

#[test]
fn value_is_seen_by_conversions_of_what_is_yielded() {
    let future = coroutine(|co| async move {
        User::set("ben");
        let first = co.yield_(Asks).await?;
        User::set("cid");
        Ok((first, co.yield_(Asks).await?))
    });
    assert_eq!(future.result().unwrap(), (Some("ben"), Some("cid")));
}

#[test]
fn value_of_a_native_is_its_own_and_survives_suspension() {
    User::set("ann");
    let native = convert_yielded(async {
        assert_eq!(User::get(), Some("ann"));
        User::set("ben");
        moment().await?;
        assert_eq!(User::get(), Some("ben"));
        Ok::<_, Exception>(())
    });
    User::set("cid");
    while turn() > 0 {
        assert_eq!(User::get(), Some("cid"));
    }
    native.unwrap().result().unwrap();
}

#[test]
fn callbacks_run_in_the_context_in_which_they_were_given() {
    let lines = Lines::default();
    let (first, second) = (lines.clone(), lines.clone());
    let waited = Future::<()>::new();
    let promise = waited.promise();
    User::set("ann");
    waited.add_done_callback(move |_| {
        first.add(User::get().unwrap());
        User::set("leak");
    });
    User::set("ben");
    call_soon(callback(move || {
        second.add(User::get().unwrap());
        User::set("leak");
    }));
    User::set("cid");
    promise.set_result(());
    drain();
    assert_eq!(lines.take(), ["ben", "ann"]);
    assert_eq!(User::get(), Some("cid"));
}

#[test]
fn value_does_not_leak_out_of_a_body_that_panics() {
    User::set("ann");
    let (_, futures) = crate::panics_in(|| {
        let at_once = coroutine(|_co| async move {
            User::set("leak");
            panic!("expected");
            #[allow(unreachable_code)]
            Ok(())
        });
        let later = coroutine(|co| async move {
            co.yield_(moment()).await?;
            User::set("leak");
            panic!("expected");
            #[allow(unreachable_code)]
            Ok(())
        });
        drain();
        (at_once, later)
    });
    assert!(futures.0.exception().is_some() && futures.1.exception().is_some());
    assert_eq!(User::get(), Some("ann"));
}

#[test]
fn coroutine_that_ends_while_its_loop_is_given_up_leaves_no_value() {
    let future = coroutine(|co| async move {
        User::set("leak");
        co.yield_(moment()).await?;
        squall_runner::ready::ReadyQueue::current().abandon();
        Ok(User::get())
    });
    drain();
    assert_eq!(future.result().unwrap(), Some("leak"));
    assert_eq!(User::get(), None);
}

#[test]
fn thread_that_ends_drops_the_context_that_it_has_set() {
    let user = Arc::new("ann");
    let set = user.clone();
    let thread = std::thread::spawn(move || {
        drop(Context::replace_current(Context(Some(Arc::new(vec![(0, set)])))));
        assert_eq!(User::get(), Some("ann"));
    });
    thread.join().unwrap();
    assert_eq!(Arc::strong_count(&user), 1);
}
