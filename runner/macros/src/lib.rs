//! The attribute macros of squall. Use them through the `squall` crate, which documents them: `#[squall::coroutine]`,
//! `#[squall::main]`, `#[squall::test]`.
//!
//! | module | subject |
//! |---|---|
//! | `function` | a function as it is written |
//! | `signature`, `body` | what is in it, and mistakes in it |
//! | `returns`, `parameters` | the parts of the signature that change |
//! | `coroutine`, `entry`, `test` | its expansion |
//!
//! The expanded code uses `squall::__private`.

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

/// Makes a function a coroutine: calling it starts the coroutine at once and returns a Future of its result.
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
