//! Generators of observed calls: [`Made`] when they are first resumed, or [`Plain`].

use std::any::Any;

use crate::exception::Result;
use crate::generator::{Generator, GeneratorState, Resume};
use crate::place::Place;

/// A generator that is created when it is first resumed.
pub(super) struct Made<F, G> {
    make: Option<F>,
    gen: Option<G>,
}

impl<F: FnOnce() -> G, G: Generator> Made<F, G> {
    #[cold]
    pub(super) fn new(make: F) -> Self {
        Self { make: Some(make), gen: None }
    }
}

impl<F: FnOnce() -> G, G: Generator> Generator for Made<F, G> {
    type Return = G::Return;

    fn resume(&mut self, resume: Resume) -> GeneratorState<G::Return> {
        if let Some(make) = self.make.take() {
            self.gen = Some(make());
        }
        self.gen.as_mut().expect("it is resumed no more if that panicked").resume(resume)
    }

    fn place(&self) -> Option<Place> {
        self.gen.as_ref()?.place()
    }

    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        self.gen.iter().for_each(|gen| gen.held(visit));
    }
}

/// A body that never yields.
pub(super) struct Plain<F>(Option<F>);

impl<F> Plain<F> {
    pub(super) fn new(body: F) -> Self {
        Self(Some(body))
    }
}

impl<T: 'static, F: FnOnce() -> Result<T>> Generator for Plain<F> {
    type Return = T;

    fn resume(&mut self, _resume: Resume) -> GeneratorState<T> {
        self.0.take().expect("it has not returned")().into()
    }
}
