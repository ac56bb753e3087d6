//! `#[coroutine]`: what a function becomes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned, ToTokens};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::visit_mut::VisitMut;
use syn::{Attribute, FnArg, GenericArgument, Pat, PathArguments, ReturnType, Type};

use crate::body;
use crate::function::Function;

pub(crate) fn expand(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    match syn::parse2(item) {
        Ok(function) => coroutine(function),
        Err(error) => error.into_compile_error(),
    }
}

fn coroutine(mut function: Function) -> TokenStream {
    let written = match &function.signature.output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, written) => (**written).clone(),
    };
    let value = value_of(&written);
    let (returned, _) = without_impl(&written);
    function.signature.output = syn::parse_quote_spanned!(written.span()=> -> ::squall::Future<#value>);

    let name = function.signature.ident.clone();
    let coroutine = describe(&name, &value);
    let brace = function.brace;
    let body = Body { brace, tokens: function.body };
    let call = if body::yields(&body.tokens) {
        let kept = keep(&mut function.signature.inputs, &body.tokens);
        // Of the macro's own, so that it meets no variable of the body.
        let co = Ident::new("co", Span::mixed_site().located_at(name.span()));
        quote_spanned! {name.span()=>
            ::squall::__private::call(#coroutine, move |#co| ::squall::__private::body::<#returned, _>(async move {
                #[allow(unused_macros)]
                macro_rules! yield_ {
                    ($yielded:expr $(,)?) => { #co.yield_($yielded).await };
                }
                #(#kept)*
                #body
            }))
        }
    } else {
        quote_spanned! {name.span()=>
            ::squall::__private::call_plain(#coroutine, move || -> #returned #body)
        }
    };
    let (attributes, visibility, signature) = (function.attributes, function.visibility, function.signature);
    let body = Body { brace, tokens: call };
    quote! { #(#attributes)* #visibility #signature #body }
}

/// Something in the user's braces.
struct Body {
    brace: syn::token::Brace,
    tokens: TokenStream,
}

impl ToTokens for Body {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.brace.surround(tokens, |inside| inside.extend(self.tokens.clone()));
    }
}

/// The `Coroutine` that all calls share.
fn describe(name: &Ident, value: &Type) -> TokenStream {
    let text = name.to_string();
    let text = text.trim_start_matches("r#");
    let show = (!without_impl(value).1).then(|| {
        quote! {
            .showing(|value, f| {
                #[allow(unused_imports)]
                use ::squall::__private::ShowName as _;
                ::squall::__private::Shows::<#value>::NEW.show(value, f)
            })
        }
    });
    quote_spanned! {name.span()=>
        const { &::squall::Coroutine::new(#text, ::core::file!(), ::core::line!()) #show }
    }
}

/// The `T` of a written `Result<T>`; of another type, what it turns out to stand for.
fn value_of(written: &Type) -> Type {
    if let Type::Path(path) = written {
        if let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") {
            if let PathArguments::AngleBracketed(arguments) = &last.arguments {
                if let Some(GenericArgument::Type(value)) = arguments.args.first() {
                    return value.clone();
                }
            }
        }
    }
    syn::parse_quote!(<#written as ::squall::__private::Outcome>::Value)
}

/// A type as it may be written inside the body, with `_` for each `impl Trait`, which only a signature may
/// have; and whether there was one.
fn without_impl(of: &Type) -> (Type, bool) {
    struct Replaces(bool);
    impl VisitMut for Replaces {
        fn visit_type_mut(&mut self, of: &mut Type) {
            if let Type::ImplTrait(_) = of {
                *of = syn::parse_quote_spanned!(of.span()=> _);
                self.0 = true;
            }
            syn::visit_mut::visit_type_mut(self, of);
        }
    }
    let mut of = of.clone();
    let mut replaces = Replaces(false);
    replaces.visit_type_mut(&mut of);
    (of, replaces.0)
}

/// Statements for the head of the async block that make it keep every parameter to its end, as an `async fn`
/// does: an async block only captures what it mentions.
fn keep(
    inputs: &mut syn::punctuated::Punctuated<FnArg, syn::Token![,]>,
    body: &TokenStream,
) -> Vec<TokenStream> {
    let mut kept = Vec::new();
    for input in inputs.iter_mut() {
        match input {
            FnArg::Receiver(receiver) => {
                let this = receiver.self_token;
                kept.push(quote! { let _ = &#this; });
            }
            FnArg::Typed(typed) => {
                let attributes = typed.attrs.clone();
                let cfg: Vec<Attribute> = typed
                    .attrs
                    .iter()
                    .filter(|attribute| attribute.path().is_ident("cfg"))
                    .cloned()
                    .collect();
                match &mut *typed.pat {
                    Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => {
                        let name = &pat.ident;
                        if body::mentions(body, name) {
                            kept.push(quote! { #(#cfg)* let _ = &#name; });
                            continue;
                        }
                        // Not used: rename it, so that the compiler warns about the variable below as it
                        // would about the parameter.
                        let hidden =
                            Ident::new(&name.to_string(), Span::mixed_site().located_at(name.span()));
                        kept.push(if name.to_string().starts_with('_') {
                            quote! { #(#cfg)* let _ = &#hidden; }
                        } else {
                            quote! { #(#attributes)* let #pat = #hidden; }
                        });
                        *typed.pat = syn::parse_quote!(#hidden);
                    }
                    Pat::Wild(wild) => {
                        let hidden = Ident::new(
                            "unnamed",
                            Span::mixed_site().located_at(wild.underscore_token.spans[0]),
                        );
                        kept.push(quote! { #(#cfg)* let _ = &#hidden; });
                        *typed.pat = syn::parse_quote!(#hidden);
                    }
                    pat => {
                        let mut names = Names(Vec::new());
                        names.visit_pat(pat);
                        let names = names.0.into_iter().filter(|name| body::mentions(body, name));
                        kept.extend(names.map(|name| quote! { #(#cfg)* let _ = &#name; }));
                    }
                }
            }
        }
    }
    // What is captured first is dropped first, and an `async fn` drops its last parameter first.
    kept.reverse();
    kept
}

/// The variables of a pattern.
struct Names(Vec<Ident>);

impl Visit<'_> for Names {
    fn visit_pat_ident(&mut self, pat: &syn::PatIdent) {
        self.0.push(pat.ident.clone());
        syn::visit::visit_pat_ident(self, pat);
    }
}
