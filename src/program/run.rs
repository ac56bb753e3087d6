//! Running a program's top level, on a loop of its own.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use squall_runner::ready::ReadyQueue;
use squall_runner::{Error, Exception, Result};

use super::callable::run_top;
use super::raised::GivenUp;
use super::record::Record;
use super::report::{Outcome, Report};
use super::show;
use super::syntax::{DefId, DefKind};
use super::value::Value;
use super::world::{Called, World};
use super::{Code, RunError};
use crate::ioloop::IoLoop;
use crate::testing::VirtualClock;
use crate::trace::{observe_in_front, show_as};

pub(super) fn run(code: &Arc<Code>) -> std::result::Result<Report, RunError> {
    show_as::<Value>(show::value);
    let clock = VirtualClock::new();
    let io_loop = IoLoop::with_clock(clock.clone());
    let current = io_loop.make_current();
    let mut record = None;
    let observing = observe_in_front(|outer| {
        let made = Rc::new(Record::new(clock.clone(), outer));
        record = Some(made.clone());
        made
    });
    let record = record.expect("it was made just now");
    let world = World::new(code, record.clone(), clock);
    for (coroutine, def) in world.coroutines.iter().zip(&code.defs) {
        if def.kind == DefKind::Decorated {
            record.watch(coroutine);
        }
    }
    if let Err(exception) = run_top(&world) {
        if !exception.is::<GivenUp>() {
            let shown = show::exception(&exception).unwrap_or_default();
            record.fail(format!("the top level raised {shown}"));
        }
    }
    record.close();
    // What is left is dropped while the record still sees which exceptions were not retrieved.
    world.end();
    ReadyQueue::current().abandon();
    drop((io_loop, current));
    drop(world);
    drop(observing);
    let failure = record.failure();
    let report = record.report();
    match failure {
        Some(GivenUp(message)) => Err(RunError { message, report: Box::new(report) }),
        None => Ok(report),
    }
}

impl World {
    /// Implements `IOLoop.run_sync`.
    pub(super) fn run_sync(
        self: &Rc<Self>,
        def: DefId,
        arguments: Vec<Value>,
        ms: Option<i64>,
    ) -> Result<()> {
        let call = || Called::by_run_sync(self.call(def, arguments));
        let io_loop = IoLoop::current();
        let result = match ms {
            None => io_loop.run_sync(call),
            Some(ms) => io_loop.run_sync_with_timeout(duration(ms), call),
        };
        let outcome = match result {
            Ok(value) => Outcome::Result(self.record.plain(&value)),
            Err(exception) if is_deadlock(&exception) => Outcome::Hang,
            Err(exception) => self.record.raised(&exception),
        };
        self.record.outcome(outcome);
        self.check()
    }

    /// Implements `IOLoop.start`.
    pub(super) fn start(&self) -> Result<()> {
        self.record.outcome(match IoLoop::current().run_until_stopped() {
            Ok(()) => Outcome::Stopped,
            Err(exception) if is_deadlock(&exception) => Outcome::Hang,
            Err(exception) => self.record.raised(&exception),
        });
        self.check()
    }
}

fn is_deadlock(exception: &Exception) -> bool {
    matches!(exception.downcast_ref(), Some(Error::Deadlock { .. }))
}

/// Converts milliseconds of the program. Negative values become zero.
pub(super) fn duration(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
