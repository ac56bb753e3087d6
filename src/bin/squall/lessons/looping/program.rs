//! Loop over items that arrive one by one: yield in the condition.
//! Tornado's guide: Looping.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall::{sleep, IoLoop, Result};

/// Stands for a database cursor, like Motor's.
struct Cursor {
    at: Cell<usize>,
}

const DOCUMENTS: [&str; 2] = ["first document", "second document"];

impl Cursor {
    /// Fetches the next document, and returns whether there is one.
    #[squall::coroutine]
    fn fetch_next(self: Rc<Self>) -> Result<bool> {
        yield_!(sleep(Duration::from_millis(100)))?;
        Ok(self.at.get() < DOCUMENTS.len())
    }

    fn next_object(&self) -> &'static str {
        DOCUMENTS[self.at.replace(self.at.get() + 1)]
    }
}

#[squall::coroutine]
fn loop_example() -> Result<()> {
    let cursor = Rc::new(Cursor { at: Cell::new(0) });
    while yield_!(cursor.clone().fetch_next())? {
        println!("{}", cursor.next_object());
    }
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(loop_example)
}
