//! [`Function`]: a function as it is written, with a body that need not be complete.
//!
//! While somebody types, the body often is no Rust yet. It is kept as it is, so that what surrounds it still
//! expands, and an editor goes on to know the function and everything in it.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{braced, token, Attribute, Signature, Visibility};

/// A function: what stands before its body, and the body's tokens.
pub(crate) struct Function {
    /// The attributes, those at the head of the body (`#![..]`) too, in the form for the outside.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) brace: token::Brace,
    /// What stands between the braces, without `#![..]`.
    pub(crate) body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let body;
        let brace = braced!(body in input);
        for mut inner in body.call(Attribute::parse_inner)? {
            inner.style = syn::AttrStyle::Outer;
            attributes.push(inner);
        }
        Ok(Self { attributes, visibility, signature, brace, body: body.parse()? })
    }
}
