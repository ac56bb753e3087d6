//! A client leaves between two flushes: only some orders show it.
//! Tornado's guide: Interleaving.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall::net::{TcpListener, TcpStream};
use squall::testing::{self, Explore, TestLoop};
use squall::{moment, sleep, IoLoop, Result};

/// How many clients look at the page.
type Viewers = Rc<Cell<i32>>;

/// Sends a page in parts.
#[squall::coroutine]
fn page(to: TcpStream, viewers: Viewers, pause: Duration) -> Result<()> {
    viewers.set(viewers.get() + 1);
    for part in ["one\n", "two\n", "three\n", "four\n"] {
        // A flush: it raises if the client has left.
        yield_!(to.write_all(part))?;
        match pause.is_zero() {
            true => yield_!(moment())?,
            false => yield_!(sleep(pause))?,
        }
    }
    // After an exception this is never done.
    viewers.set(viewers.get() - 1);
    Ok(())
}

#[squall::coroutine]
fn serve(viewers: Viewers, pause: Duration) -> Result<()> {
    let listener = TcpListener::bind("server:80")?;
    let (stream, _) = yield_!(listener.accept())?;
    if yield_!(page(stream, viewers, pause)).is_err() {
        println!("the client has left");
    }
    Ok(())
}

#[squall::coroutine]
fn visit() -> Result<()> {
    let stream = yield_!(TcpStream::connect("server:80"))?;
    yield_!(stream.read_until("\n", 100))?;
    Ok(())
}

/// One visitor, on a network in memory, in every order.
fn every_order(t: &mut TestLoop) {
    let (net, viewers) = (testing::net(), Rc::new(Cell::new(0)));
    let counted = viewers.clone();
    let served = || serve(counted, Duration::ZERO);
    drop(net.host("server", || t.spawn(served)));
    drop(net.host("client", || t.spawn(visit)));
    t.run_until_idle();
    assert_eq!(viewers.get(), 0, "a client that has left is counted");
}

pub(crate) fn main() -> Result<()> {
    // The first order that fails.
    if let Err(failure) = Explore::new().check(every_order) {
        println!("order {}: {}", failure.tried(), failure.schedule());
    }
    // If each part takes a while, every order shows it.
    let (net, viewers) = (testing::net(), Rc::new(Cell::new(0)));
    let (counted, pause) = (viewers.clone(), Duration::from_millis(100));
    let served = net.host("server", || serve(counted, pause));
    let visited = net.host("client", visit);
    IoLoop::current().run_sync(|| [served, visited])?;
    println!("viewers: {}", viewers.get());
    Ok(())
}
