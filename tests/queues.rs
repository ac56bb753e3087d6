//! Queues: the order of items, which coroutine waits; with counterparts of Tornado's own tests.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Duration;

use squall::queues::{LifoQueue, PriorityQueue, Queue, QueueEmpty, QueueFull, TooManyTasksDone};
use squall::testing::VirtualClock;
use squall::{coroutine, moment, sleep, with_timeout, Error, Exception, Future, IoLoop, Result};

const MS: Duration = Duration::from_millis(1);

/// Runs a coroutine on a loop of its own, on a virtual clock.
fn run<T: 'static>(body: impl FnOnce() -> Future<T>) -> T {
    IoLoop::with_clock(VirtualClock::new()).run_sync(body).unwrap()
}

fn is_timeout(result: Result<impl Debug>) -> bool {
    result.unwrap_err().downcast_ref() == Some(&Error::Timeout)
}

/// Puts an item without waiting for the Future.
fn put<T>(queue: &Queue<T>, item: T) {
    drop(queue.put(item));
}

mod basics {
    use super::*;

    // Tornado: queues_test.QueueBasicTest.test_repr_and_str
    #[test]
    fn debug_shows_waiters_and_unfinished_items() {
        let q = Queue::new(1);
        let getter = q.get();
        assert_eq!(format!("{q:?}"), "<Queue maxsize=1 getters[1]>");
        put(&q, ());
        put(&q, ());
        put(&q, ());
        assert_eq!(format!("{q:?}"), "<Queue maxsize=1 queue[1] putters[1] tasks=2>");
        getter.into_result().unwrap();
        assert_eq!(format!("{:?}", PriorityQueue::<u8>::new(0)), "<PriorityQueue maxsize=0>");
        assert_eq!(format!("{:?}", LifoQueue::<u8>::new(0)), "<LifoQueue maxsize=0>");
    }

    // Tornado: queues_test.QueueBasicTest.test_order
    #[test]
    fn oldest_item_comes_first() {
        let q = Queue::new(0);
        for item in [1, 3, 2] {
            q.put_nowait(item).unwrap();
        }
        let items: [_; 3] = std::array::from_fn(|_| q.get_nowait().unwrap());
        assert_eq!(items, [1, 3, 2]);
    }

    // Tornado: queues_test.QueueBasicTest.test_maxsize
    #[test]
    fn full_queue_has_putters_wait_until_there_is_room() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(2);
                assert!(q.empty() && !q.full());
                assert_eq!(q.maxsize(), 2);
                assert!(q.put(0).done() && q.put(1).done());
                assert!(!q.empty() && q.full());
                let put2 = q.put(2);
                assert!(!put2.done());
                assert_eq!(co.yield_(q.get()).await?, 0);
                assert!(put2.done());
                assert!(!q.empty() && q.full());
                assert_eq!(q.qsize(), 2);
                Ok(())
            })
        });
    }

    // Tornado: queues_test.QueuePutTest.test_float_maxsize
    #[test]
    fn queue_that_was_full_holds_its_limit_again_and_again() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(2);
                q.put_nowait(0)?;
                q.put_nowait(1)?;
                assert_eq!(q.put_nowait(2), Err(QueueFull(2)));
                assert_eq!(q.get_nowait()?, 0);
                assert!(!q.empty() && !q.full());
                co.yield_(q.put(2)).await?;
                let put = q.put(3);
                assert!(!put.done());
                assert_eq!(co.yield_(q.get()).await?, 1);
                co.yield_(put).await?;
                assert!(q.full());
                Ok(())
            })
        });
    }

    #[test]
    fn errors_say_what_is_wrong_and_hand_the_item_back() {
        struct NotClone(u8);
        let q = Queue::new(1);
        assert_eq!(q.get_nowait().map(|NotClone(n)| n), Err(QueueEmpty));
        q.put_nowait(NotClone(1)).unwrap();
        let full = q.put_nowait(NotClone(2)).unwrap_err();
        assert_eq!(full.to_string(), "the queue is full");
        assert_eq!(full.0 .0, 2);
        assert_eq!(q.get_nowait().unwrap().0, 1);
    }
}

mod get {
    use super::*;

    // Tornado: queues_test.QueueGetTest.test_blocking_get
    #[test]
    fn get_of_what_is_there_is_done_at_once() {
        let q = Queue::new(0);
        q.put_nowait(0).unwrap();
        assert_eq!(run(|| q.get()), 0);
    }

    // Tornado: queues_test.QueueGetTest.test_nonblocking_get
    #[test]
    fn get_nowait_takes_what_is_there() {
        let q = Queue::new(0);
        q.put_nowait(0).unwrap();
        assert_eq!(q.get_nowait(), Ok(0));
    }

    // Tornado: queues_test.QueueGetTest.test_nonblocking_get_exception
    #[test]
    fn get_nowait_of_nothing_is_an_error() {
        assert_eq!(Queue::<i32>::new(0).get_nowait(), Err(QueueEmpty));
    }

    // Tornado: queues_test.QueueGetTest.test_get_with_putters
    #[test]
    fn get_lets_the_first_putter_in() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(1);
                q.put_nowait(0)?;
                let put = q.put(1);
                assert_eq!(co.yield_(q.get()).await?, 0);
                co.yield_(put).await
            })
        });
    }

    // Tornado: queues_test.QueueGetTest.test_blocking_get_wait
    #[test]
    fn get_waits_for_an_item() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(0);
                put(&q, 0);
                for item in [1, 2] {
                    let q = q.clone();
                    IoLoop::current().call_later(item * 10 * MS, move || q.put_nowait(item).unwrap());
                }
                assert_eq!(co.yield_(q.get_within(Duration::from_secs(1))).await?, 0);
                assert_eq!(co.yield_(q.get_within(Duration::from_secs(1))).await?, 1);
                Ok(())
            })
        });
    }

    // Tornado: queues_test.QueueGetTest.test_get_timeout
    #[test]
    fn getter_that_runs_out_of_time_is_passed_over() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(0);
                let (limited, unlimited) = (q.get_within(10 * MS), q.get());
                assert!(is_timeout(co.yield_(limited).await));
                q.put_nowait(0)?;
                assert_eq!(co.yield_(unlimited).await?, 0);
                Ok(())
            })
        });
    }

    // Tornado: queues_test.QueueGetTest.test_get_timeout_preempted
    #[test]
    fn getter_that_is_served_in_time_has_its_item_also_later() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(0);
                let get = q.get_within(10 * MS);
                put(&q, 0);
                co.yield_(sleep(20 * MS)).await?;
                assert_eq!(co.yield_(get).await?, 0);
                Ok(())
            })
        });
    }

    // Tornado: queues_test.QueueGetTest.test_get_clears_timed_out_putters
    #[test]
    fn get_clears_the_putters_that_ran_out_of_time() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(1);
                let mut putters: Vec<_> = (0..10).map(|item| q.put_within(item, 10 * MS)).collect();
                assert!(putters.remove(0).done());
                let put10 = q.put(10);
                assert_eq!(format!("{q:?}"), "<Queue maxsize=1 queue[1] putters[10] tasks=1>");
                co.yield_(sleep(20 * MS)).await?;
                assert!(!put10.done());
                put(&q, 11);
                assert_eq!(co.yield_(q.get()).await?, 0);
                assert_eq!(format!("{q:?}"), "<Queue maxsize=1 queue[1] putters[1] tasks=2>");
                assert!(put10.done());
                assert!(putters.into_iter().all(|putter| is_timeout(putter.into_result())));
                Ok(())
            })
        });
    }

    // Tornado: queues_test.QueueGetTest.test_get_clears_timed_out_getters
    #[test]
    fn get_clears_the_getters_that_ran_out_of_time() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::<i32>::new(0);
                let getters: Vec<_> = (0..10).map(|_| q.get_within(10 * MS)).collect();
                let get = q.get();
                assert_eq!(format!("{q:?}"), "<Queue maxsize=0 getters[11]>");
                co.yield_(sleep(20 * MS)).await?;
                assert!(!get.done());
                let _one_more = q.get();
                assert_eq!(format!("{q:?}"), "<Queue maxsize=0 getters[2]>");
                assert!(getters.into_iter().all(|getter| is_timeout(getter.into_result())));
                Ok(())
            })
        });
    }

    // Tornado: queues_test.QueueGetTest.test_async_for
    #[test]
    fn native_coroutine_loops_over_the_items() {
        let q = Queue::new(0);
        (0..5).for_each(|item| put(&q, item));
        let results = IoLoop::with_clock(VirtualClock::new())
            .run_sync(|| async move {
                let mut results = Vec::new();
                loop {
                    let item = q.get().await?;
                    results.push(item);
                    if item == 4 {
                        return Ok::<_, Exception>(results);
                    }
                }
            })
            .unwrap();
        assert_eq!(results, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn getters_that_run_out_of_time_do_not_pile_up_behind_one_that_waits() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::<i32>::new(0);
                let _first = q.get();
                for _ in 0..1000 {
                    q.get().cancel();
                }
                let text = format!("{q:?}");
                let getters: usize = text["<Queue maxsize=0 getters[".len()..text.len() - 2].parse()?;
                assert!(getters <= 102, "{getters}");
                co.yield_(moment()).await
            })
        });
    }
}

mod put {
    use super::*;

    // Tornado: queues_test.QueuePutTest.test_blocking_put
    #[test]
    fn put_where_there_is_room_is_done_at_once() {
        let q = Queue::new(0);
        assert!(q.put(0).done());
        assert_eq!(q.get_nowait(), Ok(0));
    }

    // Tornado: queues_test.QueuePutTest.test_nonblocking_put_exception
    #[test]
    fn put_nowait_where_there_is_no_room_is_an_error() {
        let q = Queue::new(1);
        put(&q, 0);
        assert_eq!(q.put_nowait(1), Err(QueueFull(1)));
    }

    // Tornado: queues_test.QueuePutTest.test_put_with_getters
    #[test]
    fn items_go_to_the_getters_in_the_order_in_which_they_came() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(0);
                let (get0, get1) = (q.get(), q.get());
                co.yield_(q.put(0)).await?;
                assert_eq!(co.yield_(get0).await?, 0);
                co.yield_(q.put(1)).await?;
                assert_eq!(co.yield_(get1).await?, 1);
                Ok(())
            })
        });
    }

    // Tornado: queues_test.QueuePutTest.test_nonblocking_put_with_getters
    #[test]
    fn put_nowait_resumes_nothing_before_the_next_turn() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(0);
                let seen = Rc::new(Cell::new(None));
                for _ in 0..2 {
                    let (q, seen) = (q.clone(), seen.clone());
                    let _getter = coroutine(move |co| async move {
                        seen.set(Some(co.yield_(q.get()).await?));
                        Ok(())
                    });
                }
                for item in [0, 1] {
                    q.put_nowait(item)?;
                    assert_eq!(seen.get(), None);
                    co.yield_(moment()).await?;
                    assert_eq!(seen.take(), Some(item));
                }
                Ok(())
            })
        });
    }

    // Tornado: queues_test.QueuePutTest.test_blocking_put_wait
    #[test]
    fn put_waits_for_room() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(1);
                q.put_nowait(0)?;
                for n in [1, 2] {
                    let q = q.clone();
                    IoLoop::current().call_later(n * 10 * MS, move || {
                        q.get_nowait().unwrap();
                    });
                }
                let puts = [q.put(0), q.put(1)];
                assert!(!puts.iter().any(Future::done));
                co.yield_(puts).await
            })
        });
    }

    // Tornado: queues_test.QueuePutTest.test_put_timeout
    #[test]
    fn put_that_runs_out_of_time_puts_nothing() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(1);
                q.put_nowait(0)?;
                let (limited, unlimited) = (q.put_within(1, 10 * MS), q.put(2));
                assert!(is_timeout(co.yield_(limited).await));
                assert_eq!(q.get_nowait()?, 0);
                assert_eq!(co.yield_(q.get()).await?, 2);
                co.yield_(unlimited).await
            })
        });
    }

    // Tornado: queues_test.QueuePutTest.test_put_timeout_preempted
    #[test]
    fn put_that_is_let_in_in_time_is_done_also_later() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(1);
                q.put_nowait(0)?;
                let put = q.put_within(1, 10 * MS);
                q.get_nowait()?;
                co.yield_(sleep(20 * MS)).await?;
                co.yield_(put).await
            })
        });
    }

    // Tornado: queues_test.QueuePutTest.test_put_clears_timed_out_putters
    #[test]
    fn put_clears_the_putters_that_ran_out_of_time() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(1);
                let putters: Vec<_> = (0..10).map(|item| q.put_within(item, 10 * MS)).skip(1).collect();
                let put10 = q.put(10);
                co.yield_(sleep(20 * MS)).await?;
                assert!(!put10.done());
                put(&q, 11);
                assert_eq!(format!("{q:?}"), "<Queue maxsize=1 queue[1] putters[2] tasks=1>");
                assert!(putters.into_iter().all(|putter| is_timeout(putter.into_result())));
                Ok(())
            })
        });
    }

    // Tornado: queues_test.QueuePutTest.test_put_clears_timed_out_getters
    #[test]
    fn put_clears_the_getters_that_ran_out_of_time() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(0);
                let getters: Vec<_> = (0..10).map(|_| q.get_within(10 * MS)).collect();
                let (get, _one_more) = (q.get(), q.get());
                co.yield_(sleep(20 * MS)).await?;
                assert!(!get.done());
                put(&q, 0);
                assert_eq!(format!("{q:?}"), "<Queue maxsize=0 getters[1] tasks=1>");
                assert_eq!(co.yield_(get).await?, 0);
                assert!(getters.into_iter().all(|getter| is_timeout(getter.into_result())));
                Ok(())
            })
        });
    }

    #[test]
    fn try_put_that_runs_out_of_time_hands_the_item_back() {
        struct NotClone(u8);
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(1);
                assert!(co.yield_(q.try_put_within(NotClone(1), MS)).await?.is_ok());
                let back = co.yield_(q.try_put_within(NotClone(2), MS)).await?;
                assert_eq!(back.unwrap_err().0 .0, 2);
                let put = q.try_put_within(NotClone(3), MS);
                assert_eq!(q.get_nowait()?.0, 1);
                assert!(co.yield_(put).await?.is_ok());
                assert_eq!(q.get_nowait()?.0, 3);
                Ok(())
            })
        });
    }
}

/// The tests of `join`, for each kind of queue.
macro_rules! join {
    ($($module:ident: $queue:ident)*) => { $( mod $module {
        use super::*;

        // Tornado: queues_test.QueueJoinTest.test_task_done_underflow
        // Tornado: queues_test.PriorityQueueJoinTest.test_task_done_underflow
        // Tornado: queues_test.LifoQueueJoinTest.test_task_done_underflow
        #[test]
        fn task_done_too_often_is_an_error() {
            let e = $queue::<i32>::new(0).task_done().unwrap_err();
            assert_eq!(e, TooManyTasksDone);
            assert_eq!(e.to_string(), "task_done() called too many times");
        }

        // Tornado: queues_test.QueueJoinTest.test_task_done
        // Tornado: queues_test.PriorityQueueJoinTest.test_task_done
        // Tornado: queues_test.LifoQueueJoinTest.test_task_done
        #[test]
        fn two_workers_share_the_work_and_join_waits_for_all_of_it() {
            run(|| coroutine(|co| async move {
                let (q, sum) = ($queue::new(0), Rc::new(Cell::new(0)));
                for item in 0..100_u32 {
                    q.put_nowait(item)?;
                }
                for _ in 0..2 {
                    let (q, sum) = (q.clone(), sum.clone());
                    let _worker: Future<()> = coroutine(move |co| async move {
                        loop {
                            let item = co.yield_(q.get()).await?;
                            sum.set(sum.get() + item);
                            q.task_done()?;
                            co.yield_(sleep(item * MS / 10)).await?;
                        }
                    });
                }
                co.yield_(q.join()).await?;
                assert_eq!(sum.get(), (0..100).sum::<u32>());
                Ok(())
            }));
        }

        // Tornado: queues_test.QueueJoinTest.test_task_done_delay
        // Tornado: queues_test.PriorityQueueJoinTest.test_task_done_delay
        // Tornado: queues_test.LifoQueueJoinTest.test_task_done_delay
        #[test]
        fn it_is_task_done_not_get_that_ends_join() {
            run(|| coroutine(|co| async move {
                let q = $queue::new(0);
                q.put_nowait(0)?;
                let join = q.join();
                assert!(!join.done());
                co.yield_(q.get()).await?;
                assert!(!join.done());
                co.yield_(moment()).await?;
                assert!(!join.done());
                q.task_done()?;
                assert!(join.done());
                Ok(())
            }));
        }

        // Tornado: queues_test.QueueJoinTest.test_join_empty_queue
        // Tornado: queues_test.PriorityQueueJoinTest.test_join_empty_queue
        // Tornado: queues_test.LifoQueueJoinTest.test_join_empty_queue
        #[test]
        fn join_of_an_empty_queue_is_done_at_once() {
            let q = $queue::<i32>::new(0);
            assert!(q.join().done() && q.join().done());
        }

        // Tornado: queues_test.QueueJoinTest.test_join_timeout
        // Tornado: queues_test.PriorityQueueJoinTest.test_join_timeout
        // Tornado: queues_test.LifoQueueJoinTest.test_join_timeout
        #[test]
        fn join_runs_out_of_time() {
            run(|| coroutine(|co| async move {
                let q = $queue::new(0);
                put(&q, 0);
                assert!(is_timeout(co.yield_(q.join_within(10 * MS)).await));
                Ok(())
            }));
        }
    } )* };
}
join!(join_queue: Queue  join_priority_queue: PriorityQueue  join_lifo_queue: LifoQueue);

// Tornado: queues_test.PriorityQueueJoinTest.test_order
#[test]
fn priority_queue_returns_the_smallest_item_first() {
    run(|| {
        coroutine(|co| async move {
            let q = PriorityQueue::new(2);
            q.put_nowait((1, "a"))?;
            q.put_nowait((0, "b"))?;
            assert!(q.full());
            put(&q, (3, "c"));
            put(&q, (2, "d"));
            assert_eq!(q.get_nowait()?, (0, "b"));
            assert_eq!(co.yield_(q.get()).await?, (1, "a"));
            assert_eq!(q.get_nowait()?, (2, "d"));
            assert_eq!(co.yield_(q.get()).await?, (3, "c"));
            assert!(q.empty());
            Ok(())
        })
    });
}

#[test]
fn priority_queue_returns_equal_items_in_the_order_in_which_they_were_put() {
    #[derive(Debug)]
    struct ByFirst(u8, usize);
    impl PartialEq for ByFirst {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }
    impl Eq for ByFirst {}
    impl PartialOrd for ByFirst {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for ByFirst {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.cmp(&other.0)
        }
    }
    let q = PriorityQueue::new(0);
    for n in 0..100 {
        q.put_nowait(ByFirst(u8::from(n % 3 == 0), n)).unwrap();
    }
    let order: Vec<_> = (0..100).map(|_| q.get_nowait().unwrap().1).collect();
    let small = (0..100).filter(|n| n % 3 != 0);
    assert_eq!(order, small.chain((0..100).step_by(3)).collect::<Vec<_>>());
}

// Tornado: queues_test.LifoQueueJoinTest.test_order
#[test]
fn lifo_queue_returns_the_youngest_item_first() {
    run(|| {
        coroutine(|co| async move {
            let q = LifoQueue::new(2);
            q.put_nowait(1)?;
            q.put_nowait(0)?;
            assert!(q.full());
            put(&q, 3);
            put(&q, 2);
            assert_eq!(q.get_nowait()?, 3);
            assert_eq!(co.yield_(q.get()).await?, 2);
            assert_eq!(q.get_nowait()?, 0);
            assert_eq!(co.yield_(q.get()).await?, 1);
            assert!(q.empty());
            Ok(())
        })
    });
}

// Tornado: queues_test.ProducerConsumerTest.test_producer_consumer
#[test]
fn producer_and_consumer_take_turns_over_a_small_queue() {
    run(|| {
        coroutine(|co| async move {
            let (q, history) = (Queue::new(3), Rc::new(RefCell::new(Vec::new())));
            let (items, seen) = (q.clone(), history.clone());
            let _consumer: Future<()> = coroutine(move |co| async move {
                loop {
                    let item = co.yield_(items.get()).await?;
                    seen.borrow_mut().push(item);
                    items.task_done()?;
                }
            });
            let items = q.clone();
            let producer = coroutine(move |co| async move {
                for item in 0..10 {
                    co.yield_(items.put(item)).await?;
                }
                Ok(())
            });
            co.yield_(producer).await?;
            co.yield_(q.join()).await?;
            assert_eq!(*history.borrow(), (0..10).collect::<Vec<_>>());
            Ok(())
        })
    });
}

mod nothing_is_lost {
    use super::*;

    #[test]
    fn item_whose_future_is_dropped_goes_back_to_the_front() {
        let q = Queue::new(0);
        (1..=3).for_each(|item| put(&q, item));
        drop(q.get());
        let items: [_; 3] = std::array::from_fn(|_| q.get_nowait().unwrap());
        assert_eq!(items, [1, 2, 3]);
        let q = PriorityQueue::new(0);
        (1..=3).for_each(|item| put(&q, item));
        drop(q.get());
        assert_eq!(q.get_nowait(), Ok(1));
        let q = LifoQueue::new(0);
        (1..=3).for_each(|item| put(&q, item));
        drop(q.get());
        assert_eq!(q.get_nowait(), Ok(3));
    }

    /// All orders of three items.
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

    fn rest<T>(q: &Queue<T>) -> Vec<T> {
        std::iter::from_fn(|| q.get_nowait().ok()).collect()
    }

    fn give_back<T>(q: &Queue<T>, order: [usize; 3]) {
        let mut gets: [_; 3] = std::array::from_fn(|_| Some(q.get()));
        order.into_iter().for_each(|index| drop(gets[index].take()));
    }

    #[test]
    fn items_that_come_back_are_in_their_order() {
        for order in ORDERS {
            let q = Queue::new(0);
            (1..=5).for_each(|item| put(&q, item));
            give_back(&q, order);
            assert_eq!(rest(&q), [1, 2, 3, 4, 5], "{order:?}");
            let q = LifoQueue::new(0);
            (1..=5).for_each(|item| put(&q, item));
            give_back(&q, order);
            assert_eq!(rest(&q), [5, 4, 3, 2, 1], "{order:?}");
            let q = PriorityQueue::new(0);
            ["1a", "0a", "1b", "0b", "1c"].into_iter().for_each(|item| put(&q, Named(item)));
            give_back(&q, order);
            let rest: Vec<_> = rest(&q).into_iter().map(|Named(name)| name).collect();
            assert_eq!(rest, ["0a", "0b", "1a", "1b", "1c"], "{order:?}");
        }
    }

    /// Compared by its first letter only.
    #[derive(Debug)]
    struct Named(&'static str);

    impl Ord for Named {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0[..1].cmp(&other.0[..1])
        }
    }

    impl PartialOrd for Named {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }

    impl PartialEq for Named {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other).is_eq()
        }
    }

    impl Eq for Named {}

    #[test]
    fn items_that_were_handed_to_getters_in_line_come_back_in_their_order() {
        for order in ORDERS {
            let q = Queue::new(0);
            let mut gets: [_; 3] = std::array::from_fn(|_| Some(q.get()));
            (1..=5).for_each(|item| put(&q, item));
            order.into_iter().for_each(|index| drop(gets[index].take()));
            assert_eq!(rest(&q), [1, 2, 3, 4, 5], "{order:?}");
        }
    }

    #[test]
    fn item_that_comes_back_to_a_lifo_queue_is_older_than_what_was_put_meanwhile() {
        let q = LifoQueue::new(0);
        (1..=3).for_each(|item| put(&q, item));
        let (third, second) = (q.get(), q.get());
        put(&q, 4);
        drop((second, third));
        assert_eq!(rest(&q), [4, 3, 2, 1]);
    }

    #[test]
    fn item_that_comes_back_goes_before_those_that_came_back_to_the_end_of_the_line() {
        let q = Queue::new(0);
        (1..=2).for_each(|item| put(&q, item));
        let (first, second) = (q.get(), q.get());
        let waiting = q.get();
        drop(second);
        assert_eq!(waiting.into_result().unwrap(), 2);
        drop(first);
        put(&q, 3);
        assert_eq!(rest(&q), [1, 3]);
    }

    #[test]
    fn items_that_with_timeout_gave_up_in_the_same_turn_are_in_their_order() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(0);
                let late: [_; 3] = std::array::from_fn(|_| with_timeout(MS, q.get()));
                let items = q.clone();
                // As late as the limits, and set after them: the limits win.
                IoLoop::current().call_later(MS, move || (1..=3).for_each(|item| put(&items, item)));
                for late in late {
                    assert!(is_timeout(co.yield_(late).await));
                }
                co.yield_(sleep(MS)).await?;
                assert_eq!(rest(&q), [1, 2, 3]);
                Ok(())
            })
        });
    }

    #[test]
    fn many_items_come_back_quickly() {
        for order in [true, false] {
            let (fifo, lifo) = (Queue::new(0), LifoQueue::new(0));
            for q in [&fifo, &*lifo] {
                (0..200_000).for_each(|item| put(q, item));
                let mut gets: std::collections::VecDeque<_> = (0..100_000).map(|_| q.get()).collect();
                while let Some(get) = if order { gets.pop_front() } else { gets.pop_back() } {
                    drop(get);
                }
            }
            assert!(rest(&fifo).into_iter().eq(0..200_000));
            assert!(rest(&lifo).into_iter().eq((0..200_000).rev()));
        }
    }

    #[test]
    fn item_whose_future_is_dropped_goes_to_the_next_getter() {
        let q = Queue::new(0);
        let (first, second) = (q.get(), q.get());
        put(&q, 5);
        assert!(!second.done());
        drop(first);
        assert_eq!(second.into_result().unwrap(), 5);
        q.task_done().unwrap();
        assert_eq!(q.task_done(), Err(TooManyTasksDone));
    }

    #[test]
    fn item_passes_over_any_number_of_getters_without_a_waiter() {
        let q = Queue::new(0);
        for _ in 0..100_000 {
            drop(q.get());
        }
        let last = q.get();
        put(&q, 5);
        assert_eq!(last.into_result().unwrap(), 5);
    }

    #[test]
    fn item_that_was_copied_does_not_come_back() {
        let q = Queue::new(0);
        put(&q, 5);
        let get = q.get();
        assert_eq!(get.result().unwrap(), 5);
        drop(get);
        assert!(q.empty());
        put(&q, 6);
        let get = q.get();
        assert_eq!(get.clone().into_result().unwrap(), 6);
        drop(get);
        assert!(q.empty());
    }

    #[test]
    fn item_that_with_timeout_gave_up_on_comes_back() {
        run(|| {
            coroutine(|co| async move {
                let q = Queue::new(0);
                assert!(is_timeout(co.yield_(with_timeout(MS, q.get())).await));
                put(&q, 5);
                co.yield_(moment()).await?;
                assert_eq!(q.get_nowait()?, 5);
                Ok(())
            })
        });
    }

    #[test]
    fn queue_into_which_an_item_came_back_has_no_room_until_two_are_taken() {
        let q = Queue::new(1);
        put(&q, 1);
        let got = q.get();
        put(&q, 2);
        let waiting = q.put(3);
        drop(got);
        assert_eq!(q.qsize(), 2);
        assert_eq!(q.get_nowait(), Ok(1));
        assert!(q.full() && !waiting.done());
        assert_eq!(q.get_nowait(), Ok(2));
        assert!(waiting.done());
        assert_eq!(q.get_nowait(), Ok(3));
    }

    #[test]
    fn end_of_the_loop_frees_waiters_and_what_they_hold() {
        let alive = Rc::new(());
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let current = io_loop.make_current();
        let q = Queue::new(1);
        for _ in 0..3 {
            let (queue, item) = (q.clone(), alive.clone());
            q.put(item).add_done_callback(move |_| drop(queue));
        }
        drop(q);
        assert_eq!(Rc::strong_count(&alive), 4);
        drop((current, io_loop));
        assert_eq!(Rc::strong_count(&alive), 1);
    }
}
