//! `#[test]`: the expansion of a function into a test of a coroutine.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, Lit, LitStr, MetaNameValue, Token};

use crate::entry::enter;
use crate::function::Function;

/// Expands to a test that runs the body as a coroutine, yield-style or native.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let (settings, error) = match syn::parse2::<Settings>(arguments) {
        Ok(settings) => (settings, None),
        Err(error) => (Settings::default(), Some(error.into_compile_error())),
    };
    let test = enter("test", &TokenStream::new(), item, |function| {
        (attributes(function), TokenStream::new(), settings.run(function))
    });
    quote!(#test #error)
}

fn attributes(function: &Function) -> TokenStream {
    let attributes = &function.attributes;
    quote!(#[::core::prelude::v1::test] #(#attributes)*)
}

/// The arguments of the attribute: `allow = "timers", limit = 2.5`.
struct Settings {
    allow: LitStr,
    /// Seconds; `None` for the limit of a `TestLoop`.
    limit: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allow: LitStr::new("", proc_macro2::Span::call_site()), limit: None }
    }
}

impl Settings {
    /// Returns the call that runs the test.
    fn run(&self, function: &Function) -> TokenStream {
        let (Self { allow, limit }, name) = (self, &function.signature.ident);
        let limit = match limit {
            Some(seconds) => quote!(::core::option::Option::Some(#seconds)),
            None => quote!(::core::option::Option::None),
        };
        quote_spanned!(name.span()=> ::squall::__private::test(#limit, #allow, #name);)
    }
}

impl Parse for Settings {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut settings = Self::default();
        for argument in Punctuated::<MetaNameValue, Token![,]>::parse_terminated(input)? {
            let value = match &argument.value {
                Expr::Lit(ExprLit { lit, .. }) => Some(lit),
                _ => None,
            };
            match value {
                Some(Lit::Str(words)) if argument.path.is_ident("allow") => {
                    check(words)?;
                    settings.allow = words.clone();
                }
                Some(Lit::Int(seconds)) if argument.path.is_ident("limit") => {
                    settings.limit = Some(f64::from(seconds.base10_parse::<u32>()?));
                }
                Some(Lit::Float(seconds)) if argument.path.is_ident("limit") => {
                    settings.limit = Some(seconds.base10_parse()?);
                }
                _ => {
                    let message =
                        "write `allow = \"timers, waiting, unretrieved\"` or `limit = 2.5`, in seconds";
                    return Err(Error::new_spanned(argument, message));
                }
            }
        }
        Ok(settings)
    }
}

/// Checks the things that a test is allowed to leave behind.
fn check(words: &LitStr) -> syn::Result<()> {
    for word in words.value().split(',').map(str::trim).filter(|word| !word.is_empty()) {
        if !["timers", "waiting", "unretrieved"].contains(&word) {
            let message = format!("`{word}` is not one of `timers`, `waiting` and `unretrieved`");
            return Err(Error::new(words.span(), message));
        }
    }
    Ok(())
}
