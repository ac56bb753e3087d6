//! Random operations on one queue or lock, beside a model of it that is too simple to be wrong.

use std::time::Duration;

use proptest::prelude::*;
use squall::locks::{BoundedSemaphore, Guard, ReleasedTooOften};
use squall::queues::{LifoQueue, PriorityQueue, Queue, QueueFull};
use squall::testing::VirtualClock;
use squall::trace::State;
use squall::{sleep, Future, IoLoop};

const MS: Duration = Duration::from_millis(1);

/// An operation on a queue. A handle is chosen by its age, modulo the number of handles.
#[derive(Debug, Clone)]
enum QueueOp {
    Put(u8, Option<u8>),
    PutNowait(u8),
    Get(Option<u8>),
    GetNowait,
    CancelPut(usize),
    CancelGet(usize),
    DropPut(usize),
    DropGet(usize),
    Take(usize),
    Pass(u8),
}

fn queue_op() -> impl Strategy<Value = QueueOp> {
    let limit = || prop::option::weighted(0.3, 1..20_u8);
    prop_oneof![
        4 => (any::<u8>(), limit()).prop_map(|(priority, limit)| QueueOp::Put(priority, limit)),
        1 => any::<u8>().prop_map(QueueOp::PutNowait),
        4 => limit().prop_map(QueueOp::Get),
        1 => Just(QueueOp::GetNowait),
        1 => any::<usize>().prop_map(QueueOp::CancelPut),
        1 => any::<usize>().prop_map(QueueOp::CancelGet),
        1 => any::<usize>().prop_map(QueueOp::DropPut),
        2 => any::<usize>().prop_map(QueueOp::DropGet),
        2 => any::<usize>().prop_map(QueueOp::Take),
        1 => (1..10_u8).prop_map(QueueOp::Pass),
    ]
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Fifo,
    Lifo,
    Priority,
}

/// The priority and the age of an item.
type Item = (u8, usize);

/// A model of a queue by its documentation.
struct Model {
    kind: Kind,
    maxsize: usize,
    /// The next item is at the end.
    items: Vec<Item>,
    /// Every item that was let in, oldest first.
    let_in: Vec<Item>,
    /// The numbers of the handles of pending gets, oldest first, without dropped ones.
    getters: Vec<usize>,
    /// The numbers of the handles of pending puts with their items, including dropped ones.
    putters: Vec<(usize, Item)>,
    unfinished: usize,
    now: u32,
}

/// The expected state of a handle that `get` or `put` has returned.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Handle {
    state: State,
    item: Option<Item>,
    deadline: Option<u32>,
}

impl Handle {
    fn pending(deadline: Option<u32>) -> Self {
        Self { state: State::Pending, item: None, deadline }
    }
}

impl Model {
    /// Stores a new item.
    fn store(&mut self, item: Item) {
        self.let_in.push(item);
        self.place(item);
    }

    /// Puts an item in its place, whether it is new or comes back.
    fn place(&mut self, item: Item) {
        let age = |item: &Item| self.let_in.iter().position(|other| other == item);
        let comes_after = |other: &&Item| match self.kind {
            Kind::Fifo => age(other) > age(&item),
            Kind::Lifo => age(other) < age(&item),
            Kind::Priority => **other > item,
        };
        let place = self.items.iter().take_while(comes_after).count();
        self.items.insert(place, item);
    }

    fn full(&self) -> bool {
        self.maxsize != 0 && self.items.len() >= self.maxsize
    }

    /// Puts a new item in, if there is room.
    fn put(&mut self, item: Item, gets: &mut [Option<Handle>]) -> bool {
        if self.getters.is_empty() && self.full() {
            return false;
        }
        self.unfinished += 1;
        self.store(item);
        self.serve(gets);
        true
    }

    fn serve(&mut self, gets: &mut [Option<Handle>]) {
        while !self.items.is_empty() && !self.getters.is_empty() {
            let getter = self.getters.remove(0);
            let handle = gets[getter].as_mut().unwrap();
            *handle = Handle { state: State::Done, item: self.items.pop(), deadline: None };
        }
    }

    fn get(&mut self, puts: &mut [Option<Handle>]) -> Option<Item> {
        if !self.putters.is_empty() && self.items.len() <= self.maxsize {
            let (putter, item) = self.putters.remove(0);
            self.unfinished += 1;
            self.store(item);
            if let Some(handle) = &mut puts[putter] {
                *handle = Handle { state: State::Done, item: None, deadline: None };
            }
        }
        self.items.pop()
    }

    fn put_back(&mut self, item: Item, gets: &mut [Option<Handle>]) {
        self.place(item);
        self.serve(gets);
    }
}

/// Applies the operations to the queue and to its model, and compares both after each one.
// One arm for each operation: what is done, beside what should come of it.
#[allow(clippy::too_many_lines)]
fn compare(kind: Kind, maxsize: usize, ops: Vec<QueueOp>) {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let _current = io_loop.make_current();
    let queue: Queue<Item> = match kind {
        Kind::Fifo => Queue::new(maxsize),
        Kind::Lifo => (*LifoQueue::new(maxsize)).clone(),
        Kind::Priority => (*PriorityQueue::new(maxsize)).clone(),
    };
    let mut model = Model {
        kind,
        maxsize,
        items: Vec::new(),
        let_in: Vec::new(),
        getters: Vec::new(),
        putters: Vec::new(),
        unfinished: 0,
        now: 0,
    };
    let mut gets = Vec::<Option<Future<Item>>>::new();
    let mut puts = Vec::<Option<Future<()>>>::new();
    let mut model_gets = Vec::<Option<Handle>>::new();
    let mut model_puts = Vec::<Option<Handle>>::new();
    for (age, op) in ops.into_iter().enumerate() {
        match op {
            QueueOp::Put(priority, limit) => {
                let item = (priority, age);
                puts.push(Some(match limit {
                    Some(ms) => queue.put_within(item, u32::from(ms) * MS),
                    None => queue.put(item),
                }));
                let mut handle = Handle::pending(limit.map(|ms| model.now + u32::from(ms)));
                if model.put(item, &mut model_gets) {
                    handle = Handle { state: State::Done, item: None, deadline: None };
                } else {
                    model.putters.push((model_puts.len(), item));
                }
                model_puts.push(Some(handle));
            }
            QueueOp::PutNowait(priority) => {
                let item = (priority, age);
                let expected = if model.put(item, &mut model_gets) { Ok(()) } else { Err(QueueFull(item)) };
                assert_eq!(queue.put_nowait(item), expected);
            }
            QueueOp::Get(limit) => {
                gets.push(Some(match limit {
                    Some(ms) => queue.get_within(u32::from(ms) * MS),
                    None => queue.get(),
                }));
                let item = model.get(&mut model_puts);
                let mut handle = Handle::pending(limit.map(|ms| model.now + u32::from(ms)));
                if item.is_some() {
                    handle = Handle { state: State::Done, item, deadline: None };
                } else {
                    model.getters.push(model_gets.len());
                }
                model_gets.push(Some(handle));
            }
            QueueOp::GetNowait => {
                assert_eq!(queue.get_nowait().ok(), model.get(&mut model_puts));
            }
            QueueOp::CancelGet(n) if !gets.is_empty() => {
                let n = n % gets.len();
                let Some(future) = &gets[n] else { continue };
                let handle = model_gets[n].as_mut().unwrap();
                assert_eq!(future.cancel(), handle.state == State::Pending);
                if handle.state == State::Pending {
                    handle.state = State::Cancelled;
                    model.getters.retain(|getter| *getter != n);
                }
            }
            QueueOp::CancelPut(n) if !puts.is_empty() => {
                let n = n % puts.len();
                let Some(future) = &puts[n] else { continue };
                let handle = model_puts[n].as_mut().unwrap();
                assert_eq!(future.cancel(), handle.state == State::Pending);
                if handle.state == State::Pending {
                    handle.state = State::Cancelled;
                    model.putters.retain(|(putter, _)| *putter != n);
                }
            }
            QueueOp::DropGet(n) if !gets.is_empty() => {
                let n = n % gets.len();
                drop(gets[n].take());
                if let Some(handle) = model_gets[n].take() {
                    model.getters.retain(|getter| *getter != n);
                    if let Some(item) = handle.item {
                        model.put_back(item, &mut model_gets);
                    }
                }
            }
            QueueOp::DropPut(n) if !puts.is_empty() => {
                let n = n % puts.len();
                // An exception that is out of time must not be reported as never retrieved.
                let _ = puts[n].take().and_then(|future| future.exception());
                if let Some(Handle { deadline: Some(deadline), .. }) = model_puts[n].take() {
                    // It stays in line, and goes at its time.
                    model_puts.push(Some(Handle::pending(Some(deadline))));
                    puts.push(None);
                    let new = model_puts.len() - 1;
                    model.putters.iter_mut().filter(|(putter, _)| *putter == n).for_each(|p| p.0 = new);
                }
            }
            QueueOp::Take(n) if !gets.is_empty() => {
                let n = n % gets.len();
                if let Some(future) = gets[n].take_if(|future| future.state() == State::Done) {
                    let handle = model_gets[n].take().unwrap();
                    assert_eq!(Some(future.into_result().unwrap()), handle.item);
                }
            }
            QueueOp::Pass(ms) => {
                io_loop.run_sync(|| sleep(u32::from(ms) * MS)).unwrap();
                model.now += u32::from(ms);
                let late = |handle: &&mut Handle| {
                    handle.state == State::Pending && handle.deadline.is_some_and(|at| at <= model.now)
                };
                for handle in model_gets.iter_mut().chain(&mut model_puts).flatten().filter(late) {
                    *handle = Handle { state: State::Failed, item: None, deadline: None };
                }
                model.getters.retain(|n| model_gets[*n].is_some_and(|h| h.state == State::Pending));
                model.putters.retain(|(n, _)| model_puts[*n].is_none_or(|h| h.state == State::Pending));
            }
            _ => {}
        }
        for (future, handle) in gets.iter().zip(&model_gets) {
            let (Some(future), Some(handle)) = (future, handle) else { continue };
            assert_eq!(future.state(), handle.state);
            assert_eq!(future.with_value(|item| *item), handle.item);
        }
        for (future, handle) in puts.iter().zip(&model_puts) {
            let (Some(future), Some(handle)) = (future, handle) else { continue };
            assert_eq!(future.state(), handle.state);
        }
        assert_eq!(queue.qsize(), model.items.len());
        assert_eq!(queue.full(), model.full());
        assert_eq!(queue.join().done(), model.unfinished == 0);
    }
    while queue.task_done().is_ok() {
        model.unfinished -= 1;
    }
    assert_eq!(model.unfinished, 0);
    let failed =
        gets.iter().flatten().map(Future::exception).chain(puts.iter().flatten().map(Future::exception));
    assert!(failed.flatten().all(|e| e.is::<squall::Error>()));
}

#[derive(Debug, Clone)]
enum LockOp {
    Acquire(Option<u8>),
    AcquireUnguarded(Option<u8>),
    Release,
    Cancel(usize),
    Drop(usize),
    Take(usize),
    Forget(usize),
    Pass(u8),
}

fn lock_op() -> impl Strategy<Value = LockOp> {
    let limit = || prop::option::weighted(0.3, 1..20_u8);
    prop_oneof![
        4 => limit().prop_map(LockOp::Acquire),
        2 => limit().prop_map(LockOp::AcquireUnguarded),
        2 => Just(LockOp::Release),
        1 => any::<usize>().prop_map(LockOp::Cancel),
        3 => any::<usize>().prop_map(LockOp::Drop),
        1 => any::<usize>().prop_map(LockOp::Take),
        1 => any::<usize>().prop_map(LockOp::Forget),
        1 => (1..10_u8).prop_map(LockOp::Pass),
    ]
}

/// A hold on a semaphore.
enum Hold {
    Guarded(Future<Guard>),
    Unguarded(Future<()>),
    Guard(Guard),
    Nothing,
}

/// The expected state of a hold.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Turn {
    Waits { guarded: bool, deadline: Option<u32> },
    Has { guarded: bool },
    Gone,
}

#[allow(clippy::too_many_lines)]
fn compare_semaphore(bound: usize, ops: Vec<LockOp>) {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let _current = io_loop.make_current();
    let semaphore = BoundedSemaphore::new(bound);
    let mut holds = Vec::<Hold>::new();
    let mut turns = Vec::<Turn>::new();
    let (mut value, mut by_hand, mut now) = (bound, 0, 0);
    for op in ops {
        match op {
            LockOp::Acquire(limit) | LockOp::AcquireUnguarded(limit) => {
                let guarded = matches!(op, LockOp::Acquire(_));
                holds.push(match (guarded, limit) {
                    (true, Some(ms)) => Hold::Guarded(semaphore.acquire_within(u32::from(ms) * MS)),
                    (true, None) => Hold::Guarded(semaphore.acquire()),
                    (false, Some(ms)) => {
                        Hold::Unguarded(semaphore.acquire_unguarded_within(u32::from(ms) * MS))
                    }
                    (false, None) => Hold::Unguarded(semaphore.acquire_unguarded()),
                });
                let deadline = limit.map(|ms| now + u32::from(ms));
                turns.push(Turn::Waits { guarded, deadline });
            }
            LockOp::Release => {
                let expected = if by_hand > 0 { Ok(()) } else { Err(ReleasedTooOften) };
                assert_eq!(semaphore.release(), expected);
                if by_hand > 0 {
                    by_hand -= 1;
                    value += 1;
                }
            }
            LockOp::Cancel(n) if !holds.is_empty() => {
                let n = n % holds.len();
                let cancelled = match &holds[n] {
                    Hold::Guarded(future) => future.cancel(),
                    Hold::Unguarded(future) => future.cancel(),
                    _ => continue,
                };
                assert_eq!(cancelled, matches!(turns[n], Turn::Waits { .. }));
                if cancelled {
                    turns[n] = Turn::Gone;
                    holds[n] = Hold::Nothing;
                }
            }
            LockOp::Drop(n) if !holds.is_empty() => {
                let n = n % holds.len();
                match std::mem::replace(&mut holds[n], Hold::Nothing) {
                    Hold::Guarded(future) => drop(future.exception()),
                    Hold::Unguarded(future) => drop(future.exception()),
                    Hold::Guard(guard) => drop(guard),
                    Hold::Nothing => continue,
                }
                turns[n] = match turns[n] {
                    Turn::Has { guarded: true } => {
                        value += 1;
                        Turn::Gone
                    }
                    Turn::Has { guarded: false } | Turn::Waits { .. } | Turn::Gone => Turn::Gone,
                };
            }
            LockOp::Take(n) | LockOp::Forget(n) if !holds.is_empty() => {
                let n = n % holds.len();
                if let (Hold::Guarded(_), Turn::Has { .. }) = (&holds[n], turns[n]) {
                    let Hold::Guarded(future) = std::mem::replace(&mut holds[n], Hold::Nothing) else {
                        continue;
                    };
                    let guard = future.into_result().unwrap();
                    if matches!(op, LockOp::Forget(_)) {
                        guard.forget();
                        by_hand += 1;
                        turns[n] = Turn::Gone;
                    } else {
                        holds[n] = Hold::Guard(guard);
                    }
                }
            }
            LockOp::Pass(ms) => {
                io_loop.run_sync(|| sleep(u32::from(ms) * MS)).unwrap();
                now += u32::from(ms);
                for (turn, hold) in turns.iter_mut().zip(&mut holds) {
                    if matches!(turn, Turn::Waits { deadline: Some(at), .. } if *at <= now) {
                        *turn = Turn::Gone;
                        let exception = match std::mem::replace(hold, Hold::Nothing) {
                            Hold::Guarded(future) => future.exception(),
                            Hold::Unguarded(future) => future.exception(),
                            _ => continue,
                        };
                        assert_eq!(exception.unwrap().downcast_ref(), Some(&squall::Error::Timeout));
                    }
                }
            }
            _ => {}
        }
        // The request that has waited longest is let in while there is room.
        for turn in &mut turns {
            if let (Turn::Waits { guarded, .. }, true) = (*turn, value > 0) {
                value -= 1;
                by_hand += usize::from(!guarded);
                *turn = Turn::Has { guarded };
            }
        }
        for (hold, turn) in holds.iter().zip(&turns) {
            let has = matches!(turn, Turn::Has { .. });
            match hold {
                Hold::Guarded(future) => assert_eq!(future.done(), has),
                Hold::Unguarded(future) => assert_eq!(future.done(), has),
                Hold::Guard(_) => assert!(has),
                Hold::Nothing => {}
            }
        }
        let shown = format!("{semaphore:?}");
        let free = if value == 0 { "[locked".to_owned() } else { format!("[unlocked,value:{value}]") };
        assert!(shown.contains(&free), "{shown} {free}");
    }
}

proptest! {
    #[test]
    fn queue_does_what_its_model_does(maxsize in 0..4_usize, ops in prop::collection::vec(queue_op(), 1..80)) {
        compare(Kind::Fifo, maxsize, ops);
    }

    #[test]
    fn lifo_queue_does_what_its_model_does(maxsize in 0..4_usize, ops in prop::collection::vec(queue_op(), 1..80)) {
        compare(Kind::Lifo, maxsize, ops);
    }

    #[test]
    fn priority_queue_does_what_its_model_does(maxsize in 0..4_usize, ops in prop::collection::vec(queue_op(), 1..80)) {
        compare(Kind::Priority, maxsize, ops);
    }

    #[test]
    fn semaphore_does_what_its_model_does(bound in 1..4_usize, ops in prop::collection::vec(lock_op(), 1..80)) {
        compare_semaphore(bound, ops);
    }
}
