//! Deliveries are choices: every order, and back in time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use squall::net::{TcpListener, TcpStream};
use squall::testing::{self, replay, Explore, TestLoop};
use squall::{moment, multi, Exception, IoLoop, Result};

use crate::{milliseconds, pair};

#[squall::coroutine]
fn listens(seen: Rc<RefCell<Vec<String>>>) -> Result<()> {
    let listener = TcpListener::bind("server:80")?;
    for _ in 0..2 {
        let (stream, _) = yield_!(listener.accept())?;
        let bytes = yield_!(stream.read_to_end(100))?;
        seen.borrow_mut().push(String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(())
}

#[squall::coroutine]
fn says(text: &'static str) -> Result<()> {
    let stream = yield_!(TcpStream::connect("server:80"))?;
    for byte in text.bytes() {
        yield_!(stream.write_all(vec![byte]))?;
        yield_!(moment())?;
    }
    yield_!(stream.shutdown())
}

fn two_clients(t: &mut TestLoop, seen: &Rc<RefCell<Vec<String>>>) {
    let net = testing::net();
    let server = seen.clone();
    drop(net.host("server", || t.spawn(|| listens(server))));
    drop(net.host("one", || t.spawn(|| says("ab"))));
    drop(net.host("other", || t.spawn(|| says("cd"))));
}

#[test]
fn deliveries_on_different_connections_come_in_every_order_and_those_of_one_in_theirs() {
    let orders = Rc::new(RefCell::new(BTreeSet::new()));
    let noted = orders.clone();
    let explored = Explore::new().preemptions(1).run(move |t| {
        let seen = Rc::default();
        two_clients(t, &seen);
        t.run_until_idle();
        noted.borrow_mut().insert(seen.take());
    });
    assert!(explored.orders() > 10, "{explored}");
    let orders: Vec<_> = orders.borrow().iter().map(|seen| seen.join(",")).collect();
    assert_eq!(
        orders,
        ["ab,cd", "cd,ab"],
        "both clients may come first; no byte comes before an earlier one"
    );
}

#[test]
fn what_fails_in_one_order_only_is_found_and_replayed() {
    fn world(t: &mut TestLoop) {
        let seen = Rc::default();
        two_clients(t, &seen);
        t.run_until_idle();
        assert_eq!(seen.take(), ["ab", "cd"]);
    }

    let failure = Explore::new().check(world).unwrap_err();
    let schedule = failure.schedule().to_owned();
    let replayed = std::panic::catch_unwind(|| replay(&schedule, world)).unwrap_err();
    let message = replayed.downcast_ref::<String>().unwrap();
    assert!(message.contains(r#"["cd", "ab"]"#), "{schedule}: {message}");
}

#[squall::coroutine]
fn notes(stream: TcpStream, seen: Rc<RefCell<String>>) -> Result<()> {
    let bytes = yield_!(stream.read(1))?;
    seen.borrow_mut().push(char::from(bytes[0]));
    Ok(())
}

#[test]
fn schedule_names_deliveries_by_hosts_and_connection() {
    let failure = Explore::new()
        .check(|t| {
            let (net, seen) = (testing::net(), Rc::new(RefCell::new(String::new())));
            let noted = seen.clone();
            drop(t.spawn(|| async move {
                let (one, at_one) = pair(net.clone()).await?;
                let (other, at_other) = pair(net).await?;
                let noting = multi([notes(at_one, noted.clone()), notes(at_other, noted)]);
                one.write_all("a").await?;
                other.write_all("b").await?;
                noting.await?;
                drop((one, other));
                Ok::<_, Exception>(())
            }));
            t.run_until_idle();
            assert_eq!(*seen.borrow(), "ab");
        })
        .unwrap_err();
    assert!(failure.schedule().ends_with("client->server#2"), "{}", failure.schedule());
    assert_eq!(failure.preemptions(), 1);
}

#[squall::coroutine]
fn asks(question: &'static str) -> Result<String> {
    let stream = yield_!(TcpStream::connect("server:80"))?;
    yield_!(stream.write_all(question))?;
    yield_!(stream.shutdown())?;
    let answer = yield_!(stream.read_to_end(100))?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[squall::coroutine]
fn answers() -> Result<()> {
    let listener = TcpListener::bind("server:80")?;
    let (stream, _) = yield_!(listener.accept())?;
    let question = yield_!(stream.read_to_end(100))?;
    yield_!(stream.write_all(question))
}

#[test]
fn world_with_a_network_goes_back_in_time() {
    let mut r = TestLoop::rewindable(|t| {
        let net = testing::net();
        net.link("client", "server").latency(milliseconds(10)).bandwidth(1_000);
        drop(net.host("server", || t.spawn(answers)));
        drop(net.host("client", || t.spawn(|| asks("hello"))));
    });
    let beginning = r.checkpoint();
    r.run_until_idle();
    let end = (r.now(), r.trace().to_string());
    // Two round trips, and five bytes each way.
    assert_eq!(end.0, milliseconds(20 + 20 + 10));
    assert!(end.1.contains("hello"), "{}", end.1);
    for _ in 0..3 {
        assert!(r.step_back());
    }
    let mut fork = r.fork();
    r.run_until_idle();
    fork.run_until_idle();
    assert_eq!((r.now(), r.trace().to_string()), end);
    assert_eq!((fork.now(), fork.trace().to_string()), end);
    r.restore(&beginning);
    assert_eq!(r.now(), milliseconds(0));
    r.run_until_idle();
    assert_eq!((r.now(), r.trace().to_string()), end);
}

#[test]
fn clock_stands_still_while_deliveries_are_due_later() {
    let mut t = TestLoop::new();
    let net = testing::net();
    net.link("client", "server").latency(milliseconds(10));
    drop(net.host("server", || t.spawn(answers)));
    let asked = net.host("client", || t.spawn(|| asks("hello")));
    t.run_current();
    assert_eq!((t.now(), asked.done()), (milliseconds(0), false));
    t.advance(milliseconds(19));
    assert_eq!(t.waiting().iter().map(|wait| wait.runner().name()).next(), Some("answers"));
    t.advance(milliseconds(21));
    assert_eq!(asked.result().unwrap(), "hello");
    t.assert_idle();
}

#[test]
fn many_reads_of_one_stream_go_on_in_the_next_turn() {
    let mut t = TestLoop::new();
    let net = testing::net();
    let reading = t.spawn(|| async move {
        let (client, server) = pair(net).await?;
        client.write_all(vec![0; 1000]).await?;
        drop(client);
        let mut count = 0;
        while !server.read(1).await?.is_empty() {
            count += 1;
        }
        Ok::<_, Exception>(count)
    });
    t.run_until_idle();
    assert_eq!(reading.result().unwrap(), 1000);
    assert_eq!(IoLoop::current().time(), milliseconds(0));
}

#[squall::coroutine]
fn page(stream: TcpStream, viewers: Rc<Cell<i32>>) -> Result<()> {
    viewers.set(viewers.get() + 1);
    for part in ["one\n", "two\n", "three\n", "four\n"] {
        yield_!(stream.write_all(part))?;
        yield_!(moment())?;
    }
    viewers.set(viewers.get() - 1);
    Ok(())
}

#[squall::coroutine]
fn serves_a_page(viewers: Rc<Cell<i32>>) -> Result<()> {
    let listener = TcpListener::bind("server:80")?;
    let (stream, _) = yield_!(listener.accept())?;
    drop(yield_!(page(stream, viewers)));
    Ok(())
}

#[squall::coroutine]
fn reads_a_line_and_leaves() -> Result<()> {
    let stream = yield_!(TcpStream::connect("server:80"))?;
    yield_!(stream.read_until("\n", 100))?;
    Ok(())
}

#[test]
fn client_that_leaves_between_two_flushes_is_found_in_an_unusual_order() {
    fn one_visitor(t: &mut TestLoop) {
        let (net, viewers) = (testing::net(), Rc::new(Cell::new(0)));
        let counted = viewers.clone();
        drop(net.host("server", || t.spawn(|| serves_a_page(counted))));
        drop(net.host("client", || t.spawn(reads_a_line_and_leaves)));
        t.run_until_idle();
        assert_eq!(viewers.get(), 0, "one that has left is still counted");
    }

    let usual = Explore::new().preemptions(0).check(one_visitor);
    assert!(usual.is_ok(), "{usual:?}");
    let failure = Explore::new().check(one_visitor).unwrap_err();
    assert!(failure.problem().contains("still counted"), "{failure}");
    assert!(failure.schedule().contains("client->server#1"), "{}", failure.schedule());
}
