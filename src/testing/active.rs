//! [`Active`]: makes a test loop the current loop of its thread, observing the thread.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use squall_runner::trace::{exchange, Observation};

use super::watch::Watch;
use crate::ioloop::{CurrentLoop, IoLoop};

thread_local! {
    /// The test loops that observe this thread, each in front of those before it. They may end in any order.
    static LAYERS: RefCell<Vec<Rc<Layer>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with the layers. Does nothing on a thread that is ending, which has none.
fn with_layers<R: Default>(f: impl FnOnce(&mut Vec<Rc<Layer>>) -> R) -> R {
    LAYERS.try_with(|layers| f(&mut layers.borrow_mut())).unwrap_or_default()
}

struct Layer {
    watch: Rc<Watch>,
    /// The observation from before, unless that is the layer below.
    before: Cell<Option<Observation>>,
}

/// A guard: while it lives, its test loop is the current loop of the thread and observes it.
pub(super) struct Active {
    layer: Rc<Layer>,
    current: Option<CurrentLoop>,
}

impl Active {
    pub(super) fn new(watch: &Rc<Watch>, io_loop: &IoLoop) -> Self {
        let before = exchange(watch.observation());
        let below = with_layers(|layers| layers.last().cloned());
        let before = match below {
            Some(below) => below.watch.keep_numbers(before),
            None => Some(before),
        };
        let layer = Rc::new(Layer { watch: watch.clone(), before: Cell::new(before) });
        with_layers(|layers| layers.push(layer.clone()));
        Self { layer, current: Some(io_loop.make_current()) }
    }

    /// Returns whether `watch` is in front of all others.
    pub(super) fn is(watch: &Rc<Watch>) -> bool {
        let on_top =
            |layers: &mut Vec<Rc<Layer>>| layers.last().is_some_and(|top| Rc::ptr_eq(&top.watch, watch));
        watch.is_current() && with_layers(on_top)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let before = self.layer.before.take();
        let (above, below) = with_layers(|layers| {
            let Some(place) = layers.iter().position(|layer| Rc::ptr_eq(layer, &self.layer)) else {
                return (None, None);
            };
            layers.remove(place);
            let below = place.checked_sub(1).map(|below| layers[below].clone());
            (layers.get(place).cloned(), below)
        });
        match above {
            // Another layer observes the thread until that one ends.
            Some(above) => {
                let nearer = above.before.take();
                above.before.set(nearer.or(before));
            }
            None => {
                let before = before.or_else(|| below.map(|below| below.watch.observation()));
                let now = exchange(before.unwrap_or_default());
                // A layer that was put in front of it and still exists goes on observing.
                if let Some(other) = self.layer.watch.keep_numbers(now) {
                    drop(exchange(other));
                }
            }
        }
        drop(self.current.take());
    }
}
