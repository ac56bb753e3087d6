//! [`Shown`]: a value as a trace shows it.

use std::any::{type_name, Any};
use std::fmt;

use crate::foreign;

/// A function that prints a value of a type that can be printed.
pub type Show = fn(&dyn Any, &mut fmt::Formatter<'_>) -> fmt::Result;

/// A value that goes into or comes out of a coroutine, with a function that prints it if there is one.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The value, for observers that know its type.
    pub value: &'a dyn Any,
    /// Prints the value, if the coroutine attribute found out how.
    pub show: Option<Show>,
    /// The name of its type.
    pub type_name: &'static str,
}

impl<'a> Shown<'a> {
    /// Creates it from a value and a function that prints it.
    pub fn new<T: 'static>(value: &'a T, show: Option<Show>) -> Self {
        Self { value, show, type_name: type_name::<T>() }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.show {
            Some(show) => foreign::show(f, |f| show(self.value, f)),
            None => f.write_str(self.type_name),
        }
    }
}
