//! Generators that may know where they stand: those that are handed to [`Runner::start`](super::Runner::start).

use crate::exception::Exception;
use crate::foreign::outside;
use crate::generator::{Generator, GeneratorState, Resume};
use crate::place::Place;

/// A generator, and the place of its last yield, as far as that was carried by the yield or had to be asked for. It is another type, so that the Runners of other generators,
/// which know lines of Rust only, have room for a line of Rust only.
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
            // It may be over afterwards, and not know any more where it was.
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

    fn into_unobserved(self) -> Box<dyn Generator<Return = G::Return>>
    where
        Self: Sized + 'static,
    {
        Box::new(self.gen)
    }
}
