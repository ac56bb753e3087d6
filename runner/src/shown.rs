//! [`Shown`]: a value as a trace shows it.

use std::any::{type_name, Any};
use std::fmt;

use crate::foreign;

/// A function that prints a value, for those types that can be printed.
pub type Show = fn(&dyn Any, &mut fmt::Formatter<'_>) -> fmt::Result;

/// A value on its way into or out of a coroutine, and what is known of how to print it.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The value itself, for observers that know the type.
    pub value: &'a dyn Any,
    /// How it is printed, where the attribute saw that.
    pub show: Option<Show>,
    /// The name of its type.
    pub type_name: &'static str,
}

impl<'a> Shown<'a> {
    /// A value, and the way to print it.
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
