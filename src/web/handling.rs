//! Handling a request: its handler is called, and what its coroutine returns or raises ends the response.

use std::rc::Rc;

use hyper::header::{HeaderValue, ALLOW};
use hyper::StatusCode;
use squall_runner::ready::{Run, Withdraw};
use squall_runner::{Context, Exception, Future, Result};

use super::access_log;
use super::error::{page, ConnectionClosed, HttpError};
use super::exchange::{Exchange, Stage, Step};
use super::verb::Verb;

impl Exchange {
    /// Calls the handler.
    pub(super) fn start(self: &Rc<Self>) {
        match self.handler.clone().prepare(self.clone()) {
            None => self.call_method(),
            Some(prepared) => self.wait(Step::Prepare, prepared),
        }
    }

    /// Answers a request that no handler may see, and closes the connection.
    pub(super) fn refuse(self: &Rc<Self>, problem: HttpError) {
        self.closes.set(true);
        self.raise(problem.into());
    }

    fn call_method(self: &Rc<Self>) {
        let called = Verb::of(&self.head.method).and_then(|verb| {
            let called = self.handler.clone().call(verb, self.clone());
            match verb {
                Verb::Head if called.is_none() => self.handler.clone().call(Verb::Get, self.clone()),
                Verb::Options if called.is_none() => {
                    self.status.set(StatusCode::NO_CONTENT);
                    self.headers.borrow_mut().insert(ALLOW, self.allowed());
                    Some(Future::ready(()))
                }
                _ => called,
            }
        });
        match called {
            Some(called) => self.wait(Step::Method, called),
            None => self.raise(HttpError(405).into()),
        }
    }

    /// Returns the methods that the handler implements, for the header `Allow`.
    fn allowed(&self) -> HeaderValue {
        let names = Verb::ALL.iter().filter(|(verb, _)| self.handler.allows(*verb)).map(|(_, name)| *name);
        HeaderValue::try_from(names.collect::<Vec<_>>().join(", ")).expect("the names of methods are tokens")
    }

    fn wait(self: &Rc<Self>, step: Step, future: Future<()>) {
        if future.done() {
            self.go_on(step, future.into_result());
        } else {
            future.call_when_done(self.clone());
            self.running.set(Some((step, future, Context::current())));
        }
    }

    fn go_on(self: &Rc<Self>, step: Step, result: Result<()>) {
        match (step, result) {
            (_, Err(exception)) => self.raise(exception),
            (Step::Prepare, Ok(())) if !self.is_finished() => self.call_method(),
            (_, Ok(())) => self.finish(),
        }
    }

    /// Answers with an error if that is still possible, or else cuts the response off.
    fn raise(self: &Rc<Self>, exception: Exception) {
        let status = match exception.downcast_ref::<HttpError>() {
            Some(error) => {
                access_log::reasons(&exception, error.status(), &self.head, self.connection.peer());
                error.status()
            }
            None if exception.is::<ConnectionClosed>() => StatusCode::INTERNAL_SERVER_ERROR,
            None => {
                access_log::exception(&exception, &self.head, self.connection.peer());
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        match self.stage.get() {
            Stage::Open => {
                self.reset(status);
                let write = || {
                    self.handler.write_error(self.clone(), status.as_u16(), &exception);
                    Ok(())
                };
                if let Err(panic) = Exception::trap(write, Err) {
                    access_log::exception(&panic, &self.head, self.connection.peer());
                    self.write_page(status);
                }
                self.finish();
            }
            Stage::Streaming => self.cut_off(),
            Stage::Finished => {
                self.failed.set(true);
                self.connection.wake_task();
            }
        }
    }

    /// Ends a response that is not what its headers say.
    pub(super) fn fail(self: &Rc<Self>, exception: &Exception) {
        access_log::exception(exception, &self.head, self.connection.peer());
        if self.is_sent() {
            return self.cut_off();
        }
        self.write_page(StatusCode::INTERNAL_SERVER_ERROR);
        self.end(Ok(()));
    }

    /// Ends a response, a part of which was sent, so that the client can tell that the rest is missing.
    fn cut_off(self: &Rc<Self>) {
        self.written.take();
        self.end(Err(std::io::Error::other("the handler failed before the response was finished")));
    }

    /// Writes the page of an error that `write_error` has not written.
    fn write_page(&self, status: StatusCode) {
        self.reset(status);
        self.write(page(status.as_u16()).into());
    }

    /// Forgets what was written, for an answer with the given status.
    fn reset(&self, status: StatusCode) {
        self.status.set(status);
        self.written.take();
        let mut headers = self.headers.borrow_mut();
        headers.clear();
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, self.allowed());
        }
    }
}

/// Called when the handler's coroutine is done.
impl Run for Exchange {
    fn run(self: Rc<Self>) {
        if let Some((step, future, context)) = self.running.take() {
            context.enter(|| self.go_on(step, future.into_result()));
        }
    }
}

impl Withdraw for Exchange {
    fn withdraw(&self) {
        drop(self.running.take());
    }
}
