//! [`Source`]: a socket that its loop watches. It is registered with the poller once, for its whole life.

use std::io;
use std::rc::Rc;

use polling::AsSource;

use super::readiness::{Readiness, Sources, SOURCE};
use super::registered::{Mode, Registered};
use super::IoLoop;

/// A socket that its loop watches until this is dropped.
pub(crate) struct Source<S: AsSource> {
    registered: Registered<S>,
    readiness: Rc<Readiness>,
    key: usize,
}

impl<S: AsSource> Source<S> {
    /// Registers a non-blocking socket with the current loop.
    ///
    /// `bits` are the operations that may be tried before the poller has reported anything.
    pub(crate) fn new(io: S, bits: u8) -> io::Result<Self> {
        let io_loop = IoLoop::current();
        io_loop.inner.lull.end();
        let sources = io_loop.sources().clone();
        if sources.is_closed() {
            return Err(io::Error::other("the IoLoop is closed"));
        }
        let readiness = Readiness::on(sources.clone(), bits);
        let key = sources.table.borrow_mut().insert(readiness.clone());
        // If registering it fails, dropping it removes it from the table.
        let source = Self { registered: Registered::new(io, &sources.wakeup), readiness, key };
        source.registered.add(key | SOURCE, Mode::Edge)?;
        Ok(source)
    }

    pub(crate) fn io(&self) -> &S {
        self.registered.io()
    }

    pub(crate) fn readiness(&self) -> &Rc<Readiness> {
        &self.readiness
    }

    /// Asks the poller for further reports in both directions, where it reports each only once.
    #[inline]
    pub(crate) fn rearm(&self) -> io::Result<()> {
        self.registered.rearm(self.key | SOURCE)
    }
}

impl<S: AsSource> Drop for Source<S> {
    fn drop(&mut self) {
        // Finds nothing if the loop has ended, which empties the table.
        let removed = self.readiness.sources().table.borrow_mut().try_remove(self.key);
        drop(removed);
    }
}

impl IoLoop {
    pub(super) fn sources(&self) -> &Rc<Sources> {
        &self.inner.sources
    }
}

impl Readiness {
    /// Creates the readiness of a socket of the current loop, with its initial bits.
    pub(crate) fn new(bits: u8) -> Rc<Self> {
        Self::on(IoLoop::current().sources().clone(), bits)
    }
}
