//! Generators that may report their own places: those that are passed to [`Runner::start`](super::Runner::start).

use std::any::Any;

use crate::exception::Exception;
use crate::foreign::outside;
use crate::generator::{Generator, GeneratorState, Resume};
use crate::place::Place;

/// A generator, with the place of its last yield if the yield carried one or the generator was asked for it. It is a
/// type of its own, so that the Runners of other generators, which only have lines of Rust, need room for one such line
/// only.
pub(super) struct Placed<G> {
    gen: G,
    carried: Option<Place>,
}

impl<G: Generator> Placed<G> {
    pub(super) fn new(gen: G) -> Self {
        Self { gen, carried: None }
    }
}

impl<G: Generator> Generator for Placed<G> {
    type Return = G::Return;

    #[inline]
    fn resume(&mut self, resume: Resume) -> GeneratorState<G::Return> {
        if matches!(resume, Resume::Throw(_)) {
            // The generator may end in the next call, and then no longer knows its place.
            self.carried = self.place();
        }
        let state = self.gen.resume(resume);
        let GeneratorState::Yielded(yielded) = state else { return state };
        self.carried = yielded.place();
        GeneratorState::Yielded(yielded.placed_by(|| self.place()))
    }

    fn place(&self) -> Option<Place> {
        self.carried.or_else(|| Exception::trap(|| outside(|| self.gen.place()), |_panic| None))
    }

    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        self.gen.held(visit);
    }

    fn into_unobserved(self) -> Box<dyn Generator<Return = G::Return>>
    where
        Self: Sized + 'static,
    {
        Box::new(self.gen)
    }
}
