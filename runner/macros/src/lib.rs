//! The attribute macros of squall. Use them through the `squall` crate: `#[squall::coroutine]`.

mod body;
mod coroutine;
mod function;
mod parameters;
mod returns;
mod signature;

use proc_macro::TokenStream;

/// Makes a coroutine of a function.
#[proc_macro_attribute]
pub fn coroutine(arguments: TokenStream, item: TokenStream) -> TokenStream {
    coroutine::expand(arguments.into(), item.into()).into()
}
