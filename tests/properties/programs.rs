//! Random programs of coroutines that share a lock, a semaphore, a queue, a condition and an event.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use proptest::prelude::*;
use squall::locks::{Condition, Event, Lock, Semaphore};
use squall::queues::Queue;
use squall::testing::VirtualClock;
use squall::{convert_yielded, coroutine, moment, sleep, with_timeout, Co, Error, Future, IoLoop, Result};

const MS: Duration = Duration::from_millis(1);
const MAXSIZE: usize = 2;
const PERMITS: usize = 2;

type Limit = Option<u8>;

/// What a coroutine does next. Times are in milliseconds; 0 is a turn of the loop.
#[derive(Debug, Clone)]
enum Action {
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

fn action() -> impl Strategy<Value = Action> {
    let limit = || prop::option::weighted(0.3, 1..10_u8);
    prop_oneof![
        (0..5_u8).prop_map(Action::Sleep),
        (limit(), 0..5_u8).prop_map(|(limit, hold)| Action::Lock { limit, hold }),
        (limit(), 0..5_u8).prop_map(|(limit, hold)| Action::Enter { limit, hold }),
        limit().prop_map(|limit| Action::Put { limit }),
        limit().prop_map(|limit| Action::Get { limit }),
        (1..5_u8).prop_map(|after| Action::GiveUpGet { after }),
        limit().prop_map(|limit| Action::Wait { limit }),
        (1..4_u8).prop_map(Action::Notify),
        limit().prop_map(|limit| Action::WaitEvent { limit }),
        Just(Action::SetEvent),
        Just(Action::ClearEvent),
    ]
}

/// One coroutine, and what becomes of its Future.
#[derive(Debug, Clone)]
struct Worker {
    native: bool,
    actions: Vec<Action>,
    fate: Fate,
}

#[derive(Debug, Clone)]
enum Fate {
    Kept,
    Dropped,
    CancelledAt(u8),
}

fn worker() -> impl Strategy<Value = Worker> {
    let fate = prop_oneof![Just(Fate::Kept), Just(Fate::Dropped), (0..20_u8).prop_map(Fate::CancelledAt)];
    let actions = prop::collection::vec(action(), 1..8);
    (any::<bool>(), actions, fate).prop_map(|(native, actions, fate)| Worker { native, actions, fate })
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

/// What the coroutines share, and what is seen of it.
struct World {
    lock: Lock,
    semaphore: Semaphore,
    queue: Queue<Item>,
    condition: Condition,
    event: Event,
    /// How many are in.
    in_lock: Cell<usize>,
    in_semaphore: Cell<usize>,
    /// How many have asked for the lock, and who was let in last.
    asked: Cell<usize>,
    let_in: Cell<usize>,
    items: Cell<usize>,
    accepted: RefCell<HashSet<usize>>,
    got: RefCell<HashSet<usize>>,
    bodies: Rc<Cell<isize>>,
    things: Rc<Cell<isize>>,
}

/// How a body waits.
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

/// The result, unless the time was over.
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
            assert!(world.let_in.replace(ticket) < ticket, "let in before one who asked before");
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
            let number = world.items.get();
            world.items.set(number + 1);
            let item = Item { number, _counted: Counted::new(&world.things) };
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

/// Counts who is in, and fails if they are too many.
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
    let _counted = Counted::new(&world.bodies);
    for action in actions {
        act(&way, &world, action).await?;
    }
    Ok(())
}

fn start(world: &Rc<World>, worker: Worker) -> Future<()> {
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

fn check(workers: Vec<Worker>) {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let current = io_loop.make_current();
    let (bodies, things) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let world = Rc::new(World {
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
        bodies: bodies.clone(),
        things: things.clone(),
    });
    let mut kept = Vec::new();
    for worker in workers {
        let fate = worker.fate.clone();
        let future = start(&world, worker);
        match fate {
            Fate::Kept => kept.push(future),
            Fate::Dropped => drop(future),
            Fate::CancelledAt(ms) => drop(io_loop.call_later(u32::from(ms) * MS, move || {
                future.cancel();
            })),
        }
    }
    // Until nothing is left that could wake the loop.
    io_loop.start();
    for future in &kept {
        assert!(future.exception().is_none(), "{:?}", future.exception());
    }

    // No lost wake-up: nobody waits for what is there.
    let queue = format!("{:?}", world.queue);
    assert!(world.queue.empty() || !queue.contains("getters"), "{queue}");
    assert!(world.queue.qsize() >= MAXSIZE || !queue.contains("putters"), "{queue}");
    assert_eq!((world.in_lock.get(), world.in_semaphore.get()), (0, 0));
    assert!(world.lock.acquire().done(), "{:?}", world.lock);
    assert_eq!(format!("{:?}", world.semaphore), format!("<Semaphore [unlocked,value:{PERMITS}]>"));

    // No lost item, and none twice.
    let mut left = HashSet::new();
    while let Ok(item) = world.queue.get_nowait() {
        assert!(left.insert(item.number), "in the queue twice");
    }
    let (accepted, got) = (world.accepted.take(), world.got.take());
    assert!(got.is_disjoint(&left), "got, and in the queue as well");
    let lost: Vec<_> =
        accepted.iter().filter(|number| !got.contains(number) && !left.contains(number)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");

    // Everything is freed with the loop.
    drop((kept, world, current, io_loop));
    assert_eq!((bodies.get(), things.get()), (0, 0), "bodies and items that are left");
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nobody_is_forgotten(workers in prop::collection::vec(worker(), 1..12)) {
        check(workers);
    }
}
