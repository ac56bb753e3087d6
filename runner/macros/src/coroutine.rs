//! `#[coroutine]`: the expansion of a function into a coroutine.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{parse_quote_spanned, Error, FnArg, Type};

use crate::function::{Braced, Function};
use crate::parameters::Parameters;
use crate::{body, returns, signature, yields};

pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    match Function::under("coroutine", arguments, item) {
        Ok((function, errors)) => {
            let Expanded { function, errors, .. } = coroutine("coroutine", function, errors);
            quote! { #function #(#errors)* }
        }
        Err(as_it_was) => as_it_was,
    }
}

/// The expansion of a function.
pub(crate) struct Expanded {
    /// The function that returns the Future.
    pub(crate) function: TokenStream,
    /// The mistakes in the function.
    pub(crate) errors: Vec<TokenStream>,
    /// `true` if the function contains the body that the user wrote.
    pub(crate) compiles: bool,
}

/// Expands a function under that attribute. `errors` are the mistakes that were found before.
pub(crate) fn coroutine(attribute: &str, mut function: Function, mut errors: Vec<Error>) -> Expanded {
    let found = body::look(&function.body);
    let yields = found.yields || !found.awaits.is_empty();
    if function.signature.asyncness.is_none() {
        errors.extend(found.awaits);
    }
    errors.extend(signature::strip(attribute, &mut function.signature));
    let mut fatal = signature::check(&function.signature);
    fatal.extend(found.elsewhere);

    let compiles = fatal.is_empty();
    let function = if compiles { call(function, yields) } else { only_known(function) };
    let errors = errors.into_iter().chain(fatal).map(Error::into_compile_error).collect();
    Expanded { function, errors, compiles }
}

/// Returns the function with a body that calls the coroutine.
fn call(mut function: Function, yields: bool) -> TokenStream {
    let written = returns::written(&function.signature.output);
    let value = returns::value(&written);
    let (returned, _) = returns::without_impl(&written);
    function.signature.output = parse_quote_spanned!(written.span()=> -> ::squall::Future<#value>);

    let name = function.signature.ident.clone();
    let coroutine = describe(&name, &written);
    let Function { brace, body, .. } = function;
    let outcome = quote_spanned!(written.span()=> <#returned as ::squall::__private::Outcome>);
    // Spans are the user's, so that a call made here is reported at the function's name. Only `co` and `returned` are
    // names of the macro's own, so that they cannot clash with a variable of the body.
    let hidden = Span::mixed_site().located_at(name.span());
    let parameters = Parameters::of(&mut function.signature, &body);
    let (kept, tell_observer) = (&parameters.kept, parameters.tell_observer());
    let call = if yields {
        let (co, out) = (Ident::new("co", hidden), Ident::new("returned", hidden));
        let yielding = quote_spanned! {name.span()=>
            #[allow(unused_macros)]
            macro_rules! yield_ {
                ($($yielded:tt)*) => { ::squall::__private::yield_!(#co $($yielded)*) };
            }
        };
        // A block of its own: the body's items come first in it, and temporaries of its last expression live longer.
        // The macro in it keeps the compiler from calling its braces unnecessary.
        let body = yields::direct(body, &co);
        let body = Braced { brace, tokens: quote!(#yielding #body) };
        quote_spanned! {name.span()=>
            #outcome::call(#coroutine, move |#co| async move {
                // Never true: it tells the compiler the type of the result before it checks the body.
                if let ::core::option::Option::Some(#out) = ::core::option::Option::None::<#returned> {
                    return #out;
                }
                #(#kept)*
                #body
            })
        }
    } else {
        let yielding = quote_spanned! {name.span()=>
            #[allow(unused_macros)]
            macro_rules! yield_ {
                ($($yielded:tt)*) => {
                    ::core::compile_error!("this `yield_!` comes out of another macro, where the attribute cannot see it: write one `yield_!` in the function itself")
                };
            }
        };
        let body = Braced { brace, tokens: quote!(#yielding #(#kept)* #body) };
        quote_spanned!(name.span()=> #outcome::call_plain(#coroutine, move || -> #returned #body))
    };
    let (attributes, visibility, signature) = (function.attributes, function.visibility, function.signature);
    // A trait may have declared the method with any `impl Future`, so that native coroutines can implement it too.
    let refines = signature.receiver().is_some().then(|| quote!(#[allow(refining_impl_trait)]));
    // The line of the call is that of the caller, as an observer and tracebacks see it.
    let is_tracked = attributes.iter().any(|attribute| attribute.path().is_ident("track_caller"));
    let tracks = (!is_tracked).then(|| quote!(#[track_caller]));
    let body = Braced { brace, tokens: quote!(#tell_observer #call) };
    quote! { #(#attributes)* #tracks #refines #visibility #signature #body }
}

/// Returns the function without its body, so that its callers get no errors.
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

/// Returns the `Coroutine` value that all calls share.
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
            &::squall::__private::coroutine(#text, ::core::file!(), ::core::line!(), ::core::column!(), #show)
        }
    }
}
