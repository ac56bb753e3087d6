//! Random programs of coroutines that share a lock, a semaphore, a queue, a condition and an event.

use proptest::prelude::*;
use squall::testing::VirtualClock;
use squall::IoLoop;

use crate::world::{start, Action, Alive, Fate, Worker, World, MS};

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

fn worker() -> impl Strategy<Value = Worker> {
    let fate = prop_oneof![Just(Fate::Kept), Just(Fate::Dropped), (0..20_u8).prop_map(Fate::CancelledAt)];
    let actions = prop::collection::vec(action(), 1..8);
    (any::<bool>(), actions, fate).prop_map(|(native, actions, fate)| Worker { native, actions, fate })
}

fn check(workers: Vec<Worker>) {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let current = io_loop.make_current();
    let alive = Alive::default();
    let world = World::new(&alive);
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
    world.check();
    // Everything is freed with the loop.
    drop((kept, world, current, io_loop));
    assert_eq!((alive.bodies.get(), alive.items.get()), (0, 0), "bodies and items that are left");
}

proptest! {
    #[test]
    fn no_item_is_lost_and_no_waiter_is_forgotten(workers in prop::collection::vec(worker(), 1..12)) {
        check(workers);
    }
}
