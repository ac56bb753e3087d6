//! A coroutine's parameters, all of which live as long as its body, like those of an `async fn`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{parse_quote, Attribute, FnArg, Pat, PatType, Token};

use crate::body::mentions;

/// Returns statements for the head of the async block. An async block captures only what it mentions, so they mention
/// every parameter: `let _ = &x` neither copies `x` nor counts as a use of its parts.
///
/// A parameter that the body does not use is renamed, so that the compiler warns about it like about an unused
/// parameter. Parts of a pattern that have no name are dropped when the call returns.
pub(crate) fn keep(inputs: &mut Punctuated<FnArg, Token![,]>, body: &TokenStream) -> Vec<TokenStream> {
    let mut kept = Vec::new();
    for input in inputs {
        match input {
            FnArg::Receiver(receiver) => {
                let this = receiver.self_token;
                kept.push(quote! { let _ = &#this; });
            }
            FnArg::Typed(typed) => keep_typed(typed, body, &mut kept),
        }
    }
    // The first captured parameter is dropped first, but an `async fn` drops its last parameter first.
    kept.reverse();
    kept
}

fn keep_typed(typed: &mut PatType, body: &TokenStream, kept: &mut Vec<TokenStream>) {
    let attributes = &typed.attrs;
    let cfg = attributes.iter().filter(|attribute: &&Attribute| attribute.path().is_ident("cfg"));
    let cfg = quote! { #(#cfg)* };
    let hidden = match &*typed.pat {
        Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() && !mentions(body, &pat.ident) => {
            let hidden = hide(&pat.ident.to_string(), pat.ident.span());
            kept.push(if pat.ident.to_string().starts_with('_') {
                quote! { #cfg let _ = &#hidden; }
            } else {
                quote! { #(#attributes)* let #pat = #hidden; }
            });
            hidden
        }
        Pat::Wild(wild) => {
            let hidden = hide("unnamed", wild.underscore_token.spans[0]);
            kept.push(quote! { #cfg let _ = &#hidden; });
            hidden
        }
        pat => {
            let mut names = Names(Vec::new());
            names.visit_pat(pat);
            let names = names.0.into_iter().filter(|name| mentions(body, name));
            kept.extend(names.map(|name| quote! { #cfg let _ = &#name; }));
            return;
        }
    };
    *typed.pat = parse_quote!(#hidden);
}

/// Returns a name that the body cannot refer to.
fn hide(name: &str, span: Span) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(span))
}

/// Collects the variables of a pattern.
struct Names(Vec<Ident>);

impl Visit<'_> for Names {
    fn visit_pat_ident(&mut self, pat: &syn::PatIdent) {
        self.0.push(pat.ident.clone());
        visit::visit_pat_ident(self, pat);
    }
}
