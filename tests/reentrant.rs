//! Foreign code that calls squall again from within squall: an `Ord`, a `Hash`, a `Clone`.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;

use squall::queues::PriorityQueue;
use squall::testing::VirtualClock;
use squall::{sleep, IoLoop, Result};

/// The hook that a comparison of items calls first.
type Hook = Rc<RefCell<Box<dyn Fn()>>>;

/// An item of a queue, by its number. Each comparison calls the hook.
struct Item(i32, Hook);

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.1.borrow()();
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Item {}

fn nothing() -> Hook {
    Rc::new(RefCell::new(Box::new(|| ())))
}

/// Returns a queue of these numbers, and the hook of its items.
fn queue_of(numbers: &[i32]) -> (PriorityQueue<Item>, Hook) {
    let (queue, hook) = (PriorityQueue::new(0), nothing());
    for &n in numbers {
        queue.put_nowait(Item(n, hook.clone())).unwrap();
    }
    (queue, hook)
}

fn set(hook: &Hook, f: impl Fn() + 'static) {
    let before = hook.replace(Box::new(f));
    drop(before);
}

/// Returns everything that can be taken, in order.
fn all(queue: &PriorityQueue<Item>) -> Vec<i32> {
    std::iter::from_fn(|| queue.get_nowait().ok()).map(|item| item.0).collect()
}

#[test]
fn comparison_sees_all_items_of_its_queue() {
    let (queue, hook) = queue_of(&[5, 3, 8]);
    let (seen, looked) = (Rc::new(RefCell::new(Vec::new())), queue.clone());
    let note = seen.clone();
    set(&hook, move || {
        note.borrow_mut().push((looked.qsize(), looked.empty(), looked.full()));
        let _ = format!("{looked:?}");
    });
    queue.put_nowait(Item(1, hook.clone())).unwrap();
    assert_eq!(all(&queue), [1, 3, 5, 8]);
    let seen = seen.take();
    assert!(seen.len() >= 4, "{seen:?}");
    assert_eq!(seen[0], (4, false, false));
    assert!(seen.iter().all(|(size, empty, _)| *size > 0 && !empty), "{seen:?}");
}

#[test]
fn item_that_is_put_during_a_comparison_comes_in_its_order() {
    let (queue, hook) = queue_of(&[5, 3, 8]);
    let (next, put, quiet) = (Cell::new(4), queue.clone(), nothing());
    set(&hook, move || {
        put.put_nowait(Item(next.get(), quiet.clone())).unwrap();
        next.set(next.get() - 2);
    });
    queue.put_nowait(Item(1, hook.clone())).unwrap();
    set(&hook, || ());
    assert_eq!(all(&queue), [1, 2, 3, 4, 5, 8]);
}

#[test]
fn get_during_a_comparison_takes_nothing_and_is_served_after_it() {
    let (queue, hook) = queue_of(&[5, 3, 8]);
    let (waiting, inner) = (Rc::new(RefCell::new(Vec::new())), queue.clone());
    let gets = waiting.clone();
    set(&hook, move || {
        assert!(inner.get_nowait().is_err());
        if gets.borrow().is_empty() {
            gets.borrow_mut().push(inner.get());
        }
    });
    queue.put_nowait(Item(1, hook.clone())).unwrap();
    set(&hook, || ());
    let got = waiting.take().pop().unwrap();
    assert_eq!(got.into_result().unwrap().0, 1);
    assert_eq!(all(&queue), [3, 5, 8]);
}

#[test]
fn get_that_is_dropped_during_a_comparison_returns_its_item() {
    let (queue, hook) = queue_of(&[5, 3, 8, 9, 7]);
    let held = Rc::new(Cell::new(Some(queue.get())));
    set(&hook, move || drop(held.take()));
    assert_eq!(queue.get_nowait().unwrap().0, 5);
    assert_eq!(all(&queue), [3, 7, 8, 9]);
}

#[test]
fn comparison_that_panics_loses_no_item_wherever_it_panics() {
    for at in 0..12 {
        let (queue, hook) = queue_of(&[5, 3, 8, 1, 9, 2]);
        let count = Cell::new(0);
        set(&hook, move || {
            count.set(count.get() + 1);
            if count.get() == at + 1 {
                std::panic::resume_unwind(Box::new("its Ord"));
            }
        });
        let (mut got, mut panics) = (Vec::new(), 0);
        let put = catch_unwind(AssertUnwindSafe(|| queue.put_nowait(Item(4, hook.clone())).unwrap()));
        panics += i32::from(put.is_err());
        while !queue.empty() {
            match catch_unwind(AssertUnwindSafe(|| queue.get_nowait())) {
                Ok(item) => got.push(item.unwrap().0),
                Err(_) => panics += 1,
            }
        }
        assert_eq!((got, panics), (vec![1, 2, 3, 4, 5, 8, 9], 1), "at comparison {at}");
    }
}

#[test]
fn items_that_go_back_or_are_handed_on_survive_a_comparison_that_panics() {
    let (queue, hook) = queue_of(&[5, 3, 8]);
    let got = queue.get();
    set(&hook, || std::panic::resume_unwind(Box::new("its Ord")));
    // It goes back, which compares. Only the log reports the panic.
    drop(got);
    assert_eq!(queue.qsize(), 3);
    set(&hook, || ());
    assert_eq!(all(&queue), [3, 5, 8]);

    // One waits for an item that goes back while nothing can be compared: it gets one.
    let (queue, hook) = queue_of(&[5]);
    let (first, second) = (queue.get(), queue.get());
    queue.put_nowait(Item(7, hook.clone())).unwrap();
    let third = queue.get();
    set(&hook, || std::panic::resume_unwind(Box::new("its Ord")));
    drop((first, second));
    set(&hook, || ());
    let third = third.into_result().unwrap().0;
    let mut left = all(&queue);
    left.push(third);
    left.sort_unstable();
    assert_eq!(left, [5, 7]);
}

#[test]
fn coroutine_that_puts_is_told_that_the_comparison_panicked() {
    let (queue, hook) = queue_of(&[5, 3]);
    set(&hook, || std::panic::resume_unwind(Box::new("its Ord")));
    let (put, item) = (queue.clone(), Item(4, hook.clone()));
    let raised = IoLoop::with_clock(VirtualClock::new()).run_sync(|| async move {
        sleep(std::time::Duration::from_secs(1)).await?;
        put.put(item).await
    });
    assert!(raised.unwrap_err().to_string().contains("its Ord"));
    set(&hook, || ());
    assert_eq!(all(&queue), [3, 4, 5]);
}

#[test]
fn keys_of_a_yielded_map_may_use_the_loop_as_they_are_compared() -> Result<()> {
    use std::collections::{BTreeMap, HashMap};

    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let (hook, calls) = (nothing(), Rc::new(Cell::new(0)));
    let count = calls.clone();
    set(&hook, move || {
        let count = count.clone();
        IoLoop::current().add_callback(move || count.set(count.get() + 1));
        drop(squall::coroutine(|_| async { Ok(()) }));
    });
    #[allow(clippy::mutable_key_type)] // What is in the cell does not take part in the order.
    let results = io_loop.run_sync(|| {
        let children = [3, 1, 2].map(|n| {
            (
                Item(n, hook.clone()),
                squall::coroutine(move |co| async move {
                    co.yield_(squall::moment()).await?;
                    Ok(n)
                }),
            )
        });
        BTreeMap::from(children)
    })?;
    assert_eq!(results.into_values().collect::<Vec<_>>(), [1, 2, 3]);
    io_loop.run_sync(|| ())?;
    assert!(calls.get() >= 3);

    #[derive(PartialEq, Eq)]
    struct Hashed(i32);
    impl std::hash::Hash for Hashed {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            drop(sleep(std::time::Duration::ZERO));
            self.0.hash(state);
        }
    }
    let results = io_loop
        .run_sync(|| HashMap::from([1, 2].map(|n| (Hashed(n), sleep(std::time::Duration::from_secs(1))))))?;
    assert_eq!(results.len(), 2);
    Ok(())
}
