//! `#[coroutine]`: what a function becomes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned, ToTokens};
use syn::spanned::Spanned;
use syn::{parse_quote_spanned, Error, FnArg, ItemFn, Type};

use crate::function::Function;
use crate::{body, parameters, returns, signature};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = not_a_function(&item).unwrap_or(error).into_compile_error();
            return quote! { #item #error };
        }
    };
    let mut errors = Vec::new();
    if !arguments.is_empty() {
        errors.push(Error::new_spanned(arguments, "`#[squall::coroutine]` takes no arguments"));
    }
    let found = body::look(&function.body);
    let yields = found.yields || !found.awaits.is_empty();
    if function.signature.asyncness.is_none() {
        errors.extend(found.awaits);
    }
    errors.extend(signature::strip(&mut function.signature));
    let mut fatal = signature::check(&function.signature);
    fatal.extend(found.elsewhere);
    let function = if fatal.is_empty() { coroutine(function, yields) } else { only_known(function) };
    let errors = errors.into_iter().chain(fatal).map(Error::into_compile_error);
    quote! { #function #(#errors)* }
}

/// What to say of an item that is no function with a body.
fn not_a_function(item: &TokenStream) -> Option<Error> {
    if let Ok(method) = syn::parse2::<syn::TraitItemFn>(item.clone()) {
        return Some(Error::new_spanned(
            method.sig.ident,
            "a coroutine has a body: in a trait write `-> squall::Future<T>` without the attribute, and put the attribute where the method is implemented",
        ));
    }
    if syn::parse2::<ItemFn>(item.clone()).is_ok() {
        return None;
    }
    Some(Error::new_spanned(
        item,
        "`#[squall::coroutine]` goes on a function: `fn name(..) -> squall::Result<T> { .. }`",
    ))
}

/// The function, made a call of its coroutine.
fn coroutine(mut function: Function, yields: bool) -> TokenStream {
    let written = returns::written(&function.signature.output);
    let value = returns::value(&written);
    let (returned, _) = returns::without_impl(&written);
    function.signature.output = parse_quote_spanned!(written.span()=> -> ::squall::Future<#value>);

    let name = function.signature.ident.clone();
    let coroutine = describe(&name, &written);
    let brace = function.brace;
    let kept =
        if yields { parameters::keep(&mut function.signature.inputs, &function.body) } else { Vec::new() };
    let body = Braced { brace, tokens: function.body };
    // The spans are the user's, so that a call made here is at the function's name. Only `co` and `returned` are
    // names of the macro's own, so that they meet no variable of the body.
    let hidden = Span::mixed_site().located_at(name.span());
    let outcome = quote_spanned!(written.span()=> <#returned as ::squall::__private::Outcome>);
    let call = if yields {
        let (co, out) = (Ident::new("co", hidden), Ident::new("returned", hidden));
        quote_spanned! {name.span()=>
            #outcome::call(#coroutine, move |#co| async move {
                #[allow(unused_macros)]
                macro_rules! yield_ {
                    ($($yielded:tt)*) => { ::squall::__private::yield_!(#co $($yielded)*) };
                }
                // Never true: it tells the compiler what the body returns before it looks at the body.
                if let ::core::option::Option::Some(#out) = ::core::option::Option::None::<#returned> {
                    return #out;
                }
                #(#kept)*
                #body
            })
        }
    } else {
        quote_spanned! {name.span()=>
            #outcome::call_plain(#coroutine, move || -> #returned {
                #[allow(unused_macros)]
                macro_rules! yield_ {
                    ($($yielded:tt)*) => {
                        ::core::compile_error!("this `yield_!` comes out of another macro, where the attribute cannot see it: write one `yield_!` in the function itself")
                    };
                }
                #body
            })
        }
    };
    let (attributes, visibility, signature) = (function.attributes, function.visibility, function.signature);
    let body = Braced { brace, tokens: call };
    quote! { #(#attributes)* #visibility #signature #body }
}

/// The function without its body: so that whoever calls it gets no errors of his own.
fn only_known(function: Function) -> TokenStream {
    let Function { attributes, visibility, mut signature, brace, .. } = function;
    signature.output = returns::of_unknown(&signature.output);
    for input in &mut signature.inputs {
        if let FnArg::Typed(typed) = input {
            if let Type::ImplTrait(_) = &*typed.ty {
                returns::make_static(&mut typed.ty);
            }
        }
    }
    let body = Braced { brace, tokens: quote! { ::core::unreachable!() } };
    quote! { #(#attributes)* #[allow(unused)] #visibility #signature #body }
}

/// Something in the user's braces.
struct Braced {
    brace: syn::token::Brace,
    tokens: TokenStream,
}

impl ToTokens for Braced {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.brace.surround(tokens, |inside| inside.extend(self.tokens.clone()));
    }
}

/// The `Coroutine` that all calls share.
fn describe(name: &Ident, written: &Type) -> TokenStream {
    let text = name.to_string();
    let text = text.trim_start_matches("r#");
    let (returned, has_impl) = returns::without_impl(written);
    let show = if has_impl {
        quote!(::core::option::Option::None)
    } else {
        quote!(::squall::__private::Shows::<#returned>::SHOW)
    };
    quote_spanned! {name.span()=>
        const {
            #[allow(unused_imports)]
            use ::squall::__private::ShowsNothing as _;
            &::squall::__private::coroutine(#text, ::core::file!(), ::core::line!(), #show)
        }
    }
}
