//! Interleaving: the next fetch starts before the work on the last chunk begins.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use squall::{sleep, IoLoop, Result};

/// A source of chunks, each of which takes a while.
struct Source {
    chunks: RefCell<VecDeque<&'static str>>,
}

impl Source {
    #[squall::coroutine]
    fn fetch_next_chunk(self: Rc<Self>) -> Result<Option<&'static str>> {
        yield_!(sleep(Duration::from_millis(30)))?;
        Ok(self.chunks.borrow_mut().pop_front())
    }
}

#[squall::coroutine]
fn write(chunk: &'static str) -> Result<()> {
    yield_!(sleep(Duration::from_millis(20)))?;
    println!("wrote {chunk}");
    Ok(())
}

#[squall::coroutine]
fn copy(source: Rc<Source>) -> Result<()> {
    let mut chunk_future = source.clone().fetch_next_chunk();
    while let Some(chunk) = yield_!(chunk_future)? {
        chunk_future = source.clone().fetch_next_chunk();
        yield_!(write(chunk))?;
    }
    Ok(())
}

fn main() -> Result<()> {
    let source = Rc::new(Source { chunks: RefCell::new(["one", "two", "three"].into()) });
    IoLoop::current().run_sync(|| copy(source))
}
