//! The attribute macros of squall. Use them through the `squall` crate, where their documentation is:
//! `#[squall::coroutine]`, `#[squall::main]`, `#[squall::test]`.
//!
//! | module | what it is |
//! |---|---|
//! | `function` | a function as it is written |
//! | `signature`, `body` | what it tells, and what is wrong with it |
//! | `returns`, `parameters` | the parts of the signature that change |
//! | `coroutine`, `entry`, `test` | what it becomes |
//!
//! What is expanded to lives in `squall::__private`.

mod body;
mod coroutine;
mod entry;
mod function;
mod parameters;
mod returns;
mod signature;
mod test;
mod yields;

use proc_macro::TokenStream;

/// Makes a coroutine of a function: a call of it starts it at once and gives a Future of its result.
#[proc_macro_attribute]
pub fn coroutine(arguments: TokenStream, item: TokenStream) -> TokenStream {
    coroutine::expand(&arguments.into(), item.into()).into()
}

/// Runs a coroutine as the program's `main`, on the loop of its thread.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::main(&arguments.into(), item.into()).into()
}

/// Runs a coroutine as a test, on a fresh loop with a virtual clock.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    test::expand(arguments.into(), item.into()).into()
}
