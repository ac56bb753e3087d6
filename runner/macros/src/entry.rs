//! `#[main]`: a function that runs a coroutine, yield-style or native, as the program's entry; and what it shares with
//! `#[test]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Error, Visibility};

use crate::coroutine::{coroutine, Expanded};
use crate::function::{Braced, Function};
use crate::{body, signature};

/// Expands to a function that runs the coroutine on the loop of its thread, and returns its result.
pub(crate) fn main(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    enter("main", arguments, item, |function| {
        let name = &function.signature.ident;
        let (output, attributes) = (&function.signature.output, &function.attributes);
        let run = quote_spanned!(name.span()=> ::squall::IoLoop::current().run_sync(#name));
        (quote!(#(#attributes)*), quote!(#output), run)
    })
}

/// Wraps a coroutine in a function of the same name. `outside` returns that function's attributes, its return type and
/// the call that runs the coroutine.
pub(crate) fn enter(
    attribute: &str,
    arguments: &TokenStream,
    item: TokenStream,
    outside: impl FnOnce(&Function) -> (TokenStream, TokenStream, TokenStream),
) -> TokenStream {
    let (mut function, errors) = match Function::under(attribute, arguments, item) {
        Ok(found) => found,
        Err(as_it_was) => return as_it_was,
    };
    let (attributes, output, run) = outside(&function);
    let (name, brace) = (function.signature.ident.clone(), function.brace);
    let visibility = std::mem::replace(&mut function.visibility, Visibility::Inherited);
    function.attributes.clear();
    let parameters = &function.signature.inputs;
    let has_parameters = (!parameters.is_empty()).then(|| {
        let message =
            format!("a `#[squall::{attribute}]` function is called without arguments: remove the parameters");
        Error::new_spanned(parameters, message).into_compile_error()
    });

    let is_native = function.signature.asyncness.is_some() && !body::look(&function.body).yields;
    let Expanded { function, errors, compiles } =
        if is_native { native(&function, errors) } else { coroutine(attribute, function, errors) };
    let (output, tokens) = if compiles && has_parameters.is_none() {
        (output, quote!(#function #run))
    } else {
        (TokenStream::new(), TokenStream::new())
    };
    let body = Braced { brace, tokens };
    quote! { #attributes #visibility fn #name() #output #body #(#errors)* #has_parameters }
}

/// Leaves a native coroutine as it is.
fn native(function: &Function, errors: Vec<Error>) -> Expanded {
    let fatal = signature::check(&function.signature);
    let compiles = fatal.is_empty();
    let signature = &function.signature;
    let body = Braced { brace: function.brace, tokens: function.body.clone() };
    let errors = errors.into_iter().chain(fatal).map(Error::into_compile_error).collect();
    Expanded { function: quote!(#signature #body), errors, compiles }
}
