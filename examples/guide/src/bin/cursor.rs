//! A loop over a database cursor with a `yield` in its condition, and the same loop in a native coroutine.
//!
//! ```python
//! import motor
//! from tornado import gen
//!
//! db = motor.motor_tornado.MotorClient().test
//!
//! @gen.coroutine
//! def loop_example():
//!     cursor = db.collection.find()
//!     while (yield cursor.fetch_next):
//!         doc = cursor.next_object()
//!
//! async def native_loop_example():
//!     async for doc in db.collection.find():
//!         ...
//! ```
//!
//! The database is SQLite, whose calls block. They run on a `ThreadPoolExecutor`, 500 rows at a time, so that the event
//! loop goes on meanwhile and 100,000 rows take no more memory than 500. `cargo run --package squall-guide --bin
//! cursor` reads all of them twice.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::vec;

use rusqlite::Connection;
use squall::{Future, IoLoop, Result, ThreadPoolExecutor};

const ROWS: i64 = 100_000;

/// The number of rows that are read at once.
const BATCH: usize = 500;

/// The number of bytes by which reading all rows may raise the peak of the memory.
const ROOM: usize = 8 * 1024 * 1024;

/// A row of the table.
struct Document {
    id: i64,
    text: String,
}

/// A table, and the threads that may read it.
#[derive(Clone)]
struct Collection {
    database: Arc<Mutex<Connection>>,
    pool: ThreadPoolExecutor,
}

impl Collection {
    /// Creates a table with that many rows, in a temporary file that SQLite removes at the end.
    fn with_rows(rows: i64) -> rusqlite::Result<Connection> {
        let mut database = Connection::open("")?;
        database.execute("CREATE TABLE documents (id INTEGER PRIMARY KEY, text TEXT NOT NULL)", ())?;
        let transaction = database.transaction()?;
        let mut insert = transaction.prepare("INSERT INTO documents (text) VALUES (?)")?;
        for id in 1..=rows {
            insert.execute([format!("document {id} {}", "x".repeat(500))])?;
        }
        drop(insert);
        transaction.commit()?;
        Ok(database)
    }

    fn find(&self) -> Cursor {
        let place = Place { last: 0, batch: Vec::new().into_iter() };
        Cursor(Rc::new(Inner { collection: self.clone(), place: RefCell::new(place) }))
    }

    /// Reads the rows after row `last`, on a thread of the pool.
    fn read_after(&self, last: i64) -> Future<Vec<Document>> {
        let database = self.database.clone();
        self.pool.submit_result(move || {
            let database = database.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let query = "SELECT id, text FROM documents WHERE id > ? ORDER BY id LIMIT ?";
            let mut query = database.prepare_cached(query)?;
            let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
            let rows =
                query.query_map([last, limit], |row| Ok(Document { id: row.get(0)?, text: row.get(1)? }))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })
    }
}

/// A cursor, which goes through a table row by row.
struct Cursor(Rc<Inner>);

struct Inner {
    collection: Collection,
    place: RefCell<Place>,
}

/// The position of a cursor.
struct Place {
    /// The last row that was read.
    last: i64,
    /// The rows that were read and not taken yet.
    batch: vec::IntoIter<Document>,
}

impl Cursor {
    /// Returns a Future that is `true` if there is one more document.
    fn fetch_next(&self) -> Future<bool> {
        match self.0.place.borrow().batch.len() {
            0 => self.0.clone().fetch(),
            _ => Future::ready(true),
        }
    }

    /// Takes the document that `fetch_next` has found.
    fn next_object(&self) -> Option<Document> {
        self.0.place.borrow_mut().batch.next()
    }
}

impl Inner {
    #[squall::coroutine]
    fn fetch(self: Rc<Self>) -> Result<bool> {
        let last = self.place.borrow().last;
        let batch = yield_!(self.collection.read_after(last))?;
        let Some(last) = batch.last().map(|document| document.id) else { return Ok(false) };
        self.place.replace(Place { last, batch: batch.into_iter() });
        Ok(true)
    }
}

/// The number and the size of the documents that were read.
#[derive(Debug, Default, PartialEq)]
struct Total {
    documents: usize,
    bytes: usize,
}

impl Total {
    fn add(&mut self, document: &Document) {
        self.documents += 1;
        self.bytes += document.text.len();
    }
}

#[squall::coroutine]
fn loop_example(collection: Collection) -> Result<Total> {
    let (cursor, mut total) = (collection.find(), Total::default());
    while yield_!(cursor.fetch_next())? {
        let document = cursor.next_object();
        document.iter().for_each(|document| total.add(document));
    }
    Ok(total)
}

async fn native_loop_example(collection: Collection) -> Result<Total> {
    let (cursor, mut total) = (collection.find(), Total::default());
    while cursor.fetch_next().await? {
        let document = cursor.next_object();
        document.iter().for_each(|document| total.add(document));
    }
    Ok(total)
}

/// Returns the peak of the process's memory in bytes, if the system reports it.
fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? * 1024)
}

#[squall::coroutine]
fn program(rows: i64) -> Result<()> {
    let pool = ThreadPoolExecutor::new(1);
    let database = yield_!(pool.submit_result(move || Collection::with_rows(rows)))?;
    let collection = Collection { database: Arc::new(Mutex::new(database)), pool };

    let before = peak_memory();
    let total = yield_!(loop_example(collection.clone()))?;
    println!("by yield: {} documents, {} bytes", total.documents, total.bytes);
    let total = yield_!(native_loop_example(collection))?;
    println!("natively: {} documents, {} bytes", total.documents, total.bytes);

    if let (Some(before), Some(after)) = (before, peak_memory()) {
        let grown = after.saturating_sub(before);
        assert!(grown < ROOM, "the memory has grown by {grown} bytes");
        println!("the memory has grown by less than {} MiB", ROOM / 1024 / 1024);
    }
    Ok(())
}

fn main() -> Result<()> {
    IoLoop::current().run_sync(|| program(ROWS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_loops_read_every_row_also_of_the_last_batch_which_is_not_full() {
        let rows = 2 * i64::try_from(BATCH).unwrap() + 1;
        let database = Collection::with_rows(rows).unwrap();
        let collection =
            Collection { database: Arc::new(Mutex::new(database)), pool: ThreadPoolExecutor::new(1) };
        let run = |total: Result<Total>| total.unwrap().documents;
        let io_loop = IoLoop::current();
        assert_eq!(run(io_loop.run_sync(|| loop_example(collection.clone()))), 2 * BATCH + 1);
        assert_eq!(run(io_loop.run_sync(|| native_loop_example(collection.clone()))), 2 * BATCH + 1);
        let empty = Collection::with_rows(0).unwrap();
        *collection.database.lock().unwrap() = empty;
        assert_eq!(run(io_loop.run_sync(|| loop_example(collection))), 0);
    }
}
