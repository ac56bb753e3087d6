//! The shared state of a random program's coroutines, their actions, and the invariants at the end.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use squall::locks::{Condition, Event, Lock, Semaphore};
use squall::queues::Queue;
use squall::{convert_yielded, coroutine, moment, sleep, with_timeout, Co, Error, Future, Result};

pub(crate) const MS: Duration = Duration::from_millis(1);
const MAXSIZE: usize = 2;
const PERMITS: usize = 2;

pub(crate) type Limit = Option<u8>;

/// The next action of a coroutine. Times are in milliseconds; 0 is a turn of the loop.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Sleep(u8),
    Lock { limit: Limit, hold: u8 },
    Enter { limit: Limit, hold: u8 },
    Put { limit: Limit },
    Get { limit: Limit },
    GiveUpGet { after: u8 },
    Wait { limit: Limit },
    Notify(u8),
    WaitEvent { limit: Limit },
    SetEvent,
    ClearEvent,
}

/// A coroutine, and what is done with its Future.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    pub(crate) native: bool,
    pub(crate) actions: Vec<Action>,
    pub(crate) fate: Fate,
}

#[derive(Debug, Clone)]
pub(crate) enum Fate {
    Kept,
    Dropped,
    CancelledAt(u8),
}

/// Counts itself while it lives.
struct Counted(Rc<Cell<isize>>);

impl Counted {
    fn new(count: &Rc<Cell<isize>>) -> Self {
        count.set(count.get() + 1);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

struct Item {
    number: usize,
    _counted: Counted,
}

/// The objects that the coroutines share, and counts of what happened to them.
pub(crate) struct World {
    lock: Lock,
    semaphore: Semaphore,
    queue: Queue<Item>,
    condition: Condition,
    event: Event,
    /// How many coroutines hold the lock.
    in_lock: Cell<usize>,
    in_semaphore: Cell<usize>,
    /// How many coroutines have asked for the lock, and which was let in last.
    asked: Cell<usize>,
    let_in: Cell<usize>,
    items: Cell<usize>,
    accepted: RefCell<HashSet<usize>>,
    got: RefCell<HashSet<usize>>,
    alive: Alive,
}

/// How many bodies and items are alive.
#[derive(Clone, Default)]
pub(crate) struct Alive {
    pub(crate) bodies: Rc<Cell<isize>>,
    pub(crate) items: Rc<Cell<isize>>,
}

impl World {
    pub(crate) fn new(alive: &Alive) -> Rc<Self> {
        Rc::new(Self {
            lock: Lock::new(),
            semaphore: Semaphore::new(PERMITS),
            queue: Queue::new(MAXSIZE),
            condition: Condition::new(),
            event: Event::new(),
            in_lock: Cell::default(),
            in_semaphore: Cell::default(),
            asked: Cell::default(),
            let_in: Cell::default(),
            items: Cell::default(),
            accepted: RefCell::default(),
            got: RefCell::default(),
            alive: alive.clone(),
        })
    }

    fn item(&self) -> Item {
        let number = self.items.get();
        self.items.set(number + 1);
        Item { number, _counted: Counted::new(&self.alive.items) }
    }

    /// Resolves everything that is waited for, so that the world can end.
    #[allow(dead_code)]
    pub(crate) fn help(&self) {
        self.event.set();
        self.condition.notify_all();
        if let Ok(item) = self.queue.get_nowait() {
            assert!(self.got.borrow_mut().insert(item.number), "got twice");
        }
        let item = self.item();
        let number = item.number;
        if self.queue.put_nowait(item).is_ok() {
            self.accepted.borrow_mut().insert(number);
        }
    }

    /// Checks the invariants that hold when nothing is left that could wake the loop.
    pub(crate) fn check(&self) {
        // No lost wake-up: no coroutine waits for something that is available.
        let queue = format!("{:?}", self.queue);
        assert!(self.queue.empty() || !queue.contains("getters"), "{queue}");
        assert!(self.queue.qsize() >= MAXSIZE || !queue.contains("putters"), "{queue}");
        assert_eq!((self.in_lock.get(), self.in_semaphore.get()), (0, 0));
        assert!(self.lock.acquire().done(), "{:?}", self.lock);
        assert_eq!(format!("{:?}", self.semaphore), format!("<Semaphore [unlocked,value:{PERMITS}]>"));

        // No lost item, and none twice.
        let mut left = HashSet::new();
        while let Ok(item) = self.queue.get_nowait() {
            assert!(left.insert(item.number), "in the queue twice");
        }
        let (accepted, got) = (self.accepted.take(), self.got.take());
        assert!(got.is_disjoint(&left), "got, and in the queue as well");
        let lost: Vec<_> = accepted.difference(&got).filter(|number| !left.contains(number)).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
    }
}

/// The way in which a body waits.
enum Way {
    Yield(Co),
    Await,
}

impl Way {
    async fn wait<T: 'static>(&self, future: Future<T>) -> Result<T> {
        match self {
            Self::Yield(co) => co.yield_(future).await,
            Self::Await => future.await,
        }
    }

    async fn pause(&self, ms: u8) -> Result<()> {
        match self {
            Self::Yield(co) if ms == 0 => co.yield_(moment()).await,
            Self::Await if ms == 0 => moment().await,
            way => way.wait(sleep(u32::from(ms) * MS)).await,
        }
    }
}

/// Returns the result, or `None` if the time limit was reached.
fn in_time<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(e) if e.downcast_ref() == Some(&Error::Timeout) => Ok(None),
        result => result.map(Some),
    }
}

async fn act(way: &Way, world: &World, action: Action) -> Result<()> {
    let time = |ms: u8| u32::from(ms) * MS;
    match action {
        Action::Sleep(ms) => way.pause(ms).await?,
        Action::Lock { limit, hold } => {
            world.asked.set(world.asked.get() + 1);
            let ticket = world.asked.get();
            let acquire =
                limit.map_or_else(|| world.lock.acquire(), |ms| world.lock.acquire_within(time(ms)));
            let Some(_guard) = in_time(way.wait(acquire).await)? else { return Ok(()) };
            assert!(world.let_in.replace(ticket) < ticket, "let in before an earlier request");
            let _in = Inside::new(&world.in_lock, 1);
            way.pause(hold).await?;
        }
        Action::Enter { limit, hold } => {
            let acquire = limit
                .map_or_else(|| world.semaphore.acquire(), |ms| world.semaphore.acquire_within(time(ms)));
            let Some(_guard) = in_time(way.wait(acquire).await)? else { return Ok(()) };
            let _in = Inside::new(&world.in_semaphore, PERMITS);
            way.pause(hold).await?;
        }
        Action::Put { limit } => {
            let item = world.item();
            let number = item.number;
            let put = match limit {
                Some(ms) => world.queue.put_within(item, time(ms)),
                None => world.queue.put(item),
            };
            if in_time(way.wait(put).await)?.is_some() {
                world.accepted.borrow_mut().insert(number);
            }
        }
        Action::Get { limit } => {
            let get = limit.map_or_else(|| world.queue.get(), |ms| world.queue.get_within(time(ms)));
            if let Some(item) = in_time(way.wait(get).await)? {
                assert!(world.got.borrow_mut().insert(item.number), "got twice");
            }
        }
        Action::GiveUpGet { after } => {
            let get = with_timeout(time(after), world.queue.get());
            if let Some(item) = in_time(way.wait(get).await)? {
                assert!(world.got.borrow_mut().insert(item.number), "got twice");
            }
        }
        Action::Wait { limit } => {
            let condition = &world.condition;
            way.wait(limit.map_or_else(|| condition.wait(), |ms| condition.wait_within(time(ms)))).await?;
        }
        Action::Notify(n) => world.condition.notify(n.into()),
        Action::WaitEvent { limit } => {
            let event = &world.event;
            in_time(way.wait(limit.map_or_else(|| event.wait(), |ms| event.wait_within(time(ms)))).await)?;
        }
        Action::SetEvent => world.event.set(),
        Action::ClearEvent => world.event.clear(),
    }
    Ok(())
}

/// Counts the coroutines inside, and fails if there are too many.
struct Inside<'a>(&'a Cell<usize>);

impl<'a> Inside<'a> {
    fn new(count: &'a Cell<usize>, most: usize) -> Self {
        count.set(count.get() + 1);
        assert!(count.get() <= most, "too many are in");
        Self(count)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

async fn body(way: Way, world: Rc<World>, actions: Vec<Action>) -> Result<()> {
    let _counted = Counted::new(&world.alive.bodies);
    for action in actions {
        act(&way, &world, action).await?;
    }
    Ok(())
}

pub(crate) fn start(world: &Rc<World>, worker: Worker) -> Future<()> {
    let (world, actions) = (world.clone(), worker.actions);
    if worker.native {
        // A result that `with_timeout` has taken out of a `get` goes with the Future if that is cancelled just
        // then: in a native coroutine this is done by a `get` with a limit.
        let instead = |action| match action {
            Action::GiveUpGet { after } => Action::Get { limit: Some(after) },
            action => action,
        };
        let actions = actions.into_iter().map(instead).collect();
        convert_yielded(body(Way::Await, world, actions)).unwrap()
    } else {
        coroutine(move |co| body(Way::Yield(co), world, actions))
    }
}
