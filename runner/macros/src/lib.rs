//! The attribute macros of squall.
use proc_macro::TokenStream;

/// Makes a coroutine of a function.
#[proc_macro_attribute]
pub fn coroutine(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    item
}
