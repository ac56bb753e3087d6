//! [`Function`]: a function as it is written, with a body that may be incomplete.
//!
//! While the user types, the body often does not parse. Its tokens are kept unchanged, so that the code around it still
//! expands, and an editor still knows the function and everything in it.

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::parse::{Parse, ParseStream};
use syn::{braced, token, Attribute, Error, ItemFn, Signature, TraitItemFn, Visibility};

/// A function: its parsed head, and the tokens of its body.
pub(crate) struct Function {
    /// The attributes, including those at the head of the body (`#![..]`), in their outer form.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) brace: token::Brace,
    /// The tokens between the braces, without `#![..]`.
    pub(crate) body: TokenStream,
}

impl Function {
    /// Returns the function under an attribute of squall, and the mistakes found so far.
    ///
    /// # Errors
    /// The unchanged item, and the error that it is not a function.
    pub(crate) fn under(
        attribute: &str,
        arguments: &TokenStream,
        item: TokenStream,
    ) -> Result<(Self, Vec<Error>), TokenStream> {
        match syn::parse2(item.clone()) {
            Ok(function) => {
                let takes_none =
                    || Error::new_spanned(arguments, format!("`#[squall::{attribute}]` takes no arguments"));
                Ok((function, (!arguments.is_empty()).then(takes_none).into_iter().collect()))
            }
            Err(error) => {
                let error = not_a_function(attribute, &item).unwrap_or(error).into_compile_error();
                Err(quote! { #item #error })
            }
        }
    }
}

/// Returns the error for an item that is not a function with a body.
fn not_a_function(attribute: &str, item: &TokenStream) -> Option<Error> {
    if syn::parse2::<ItemFn>(item.clone()).is_ok() {
        return None;
    }
    if let Ok(method) = syn::parse2::<TraitItemFn>(item.clone()) {
        return Some(Error::new_spanned(
            method.sig.ident,
            "a coroutine has a body: in a trait write `-> squall::Future<T>` without the attribute, and put the attribute where the method is implemented",
        ));
    }
    Some(Error::new_spanned(
        item,
        format!("`#[squall::{attribute}]` goes on a function: `fn name(..) -> squall::Result<T> {{ .. }}`"),
    ))
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

/// Tokens in the braces that the user wrote.
pub(crate) struct Braced {
    pub(crate) brace: token::Brace,
    pub(crate) tokens: TokenStream,
}

impl ToTokens for Braced {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.brace.surround(tokens, |inside| inside.extend(self.tokens.clone()));
    }
}
