//! Mistakes in a coroutine's signature. Each becomes an error that says what to write instead.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Error, FnArg, Lifetime, ReceiverKind, ReturnType, Safety, Signature, Type};

use crate::returns;

/// Removes qualifiers that a coroutine under that attribute cannot have, so that the rest compiles, and returns their
/// errors.
pub(crate) fn strip(attribute: &str, signature: &mut Signature) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut refuse = |token: &dyn ToTokens, message: &str| errors.push(Error::new_spanned(token, message));
    if let Some(token) = signature.constness.take() {
        refuse(&token, "a coroutine runs on the event loop, so it cannot be a `const fn`: remove `const`");
    }
    if let Some(token) = signature.asyncness.take() {
        refuse(
            &token,
            match attribute {
                "coroutine" => {
                    "an `async fn` is a native coroutine already: remove the attribute; or remove `async`, and write `yield_!(x)` for `x.await`"
                }
                _ => "this coroutine yields: remove `async`, and write `yield_!(x)` for `x.await`",
            },
        );
    }
    match std::mem::replace(&mut signature.safety, Safety::Default) {
        Safety::Default => {}
        Safety::Safe(token) => refuse(&token, "a coroutine is always safe: remove `safe`"),
        Safety::Unsafe(token) => refuse(
            &token,
            "a coroutine cannot be an `unsafe fn`: remove `unsafe`, and put an `unsafe` block around what needs one",
        ),
    }
    if let Some(token) = signature.abi.take() {
        refuse(&token, "a coroutine returns a Future, so it cannot be an `extern fn`: remove `extern`");
    }
    if let Some(token) = signature.variadic.take() {
        refuse(&token, "a coroutine cannot be variadic: take a `Vec`");
    }
    errors
}

/// Returns the errors in the parameters and the return type, with which the body cannot be compiled.
pub(crate) fn check(signature: &Signature) -> Vec<Error> {
    let mut errors: Vec<_> = signature.inputs.iter().filter_map(input).collect();
    if errors.is_empty() {
        errors.extend(signature.generics.lifetimes().map(|lifetime| {
            Error::new_spanned(
                lifetime,
                "a coroutine has no lifetime parameters, since it goes on after the call: take owned values",
            )
        }));
    }
    errors.extend(output(signature));
    errors
}

fn input(input: &FnArg) -> Option<Error> {
    let receiver = match input {
        FnArg::Typed(typed) => return borrowed(&typed.ty),
        FnArg::Receiver(receiver) => receiver,
    };
    match &receiver.kind {
        ReceiverKind::Value => None,
        ReceiverKind::Typed(_, of) if borrowed_in(of).is_none() => None,
        _ => Some(Error::new_spanned(
            receiver,
            "a coroutine cannot borrow `self`, since it goes on after the call: write `self: Rc<Self>`",
        )),
    }
}

/// Returns the error in the return type, as far as its spelling shows one. Whether a path is a Result, only the
/// compiler can tell.
fn output(signature: &Signature) -> Option<Error> {
    const HERE: &str = "a coroutine may always raise, so it returns a Result";
    let ReturnType::Type(_, written) = &signature.output else {
        return Some(Error::new_spanned(&signature.ident, format!("{HERE}: write `-> squall::Result<()>`")));
    };
    let message = match returns::plain(written) {
        Type::Tuple(tuple) if tuple.elems.is_empty() => format!("{HERE}: write `squall::Result<()>`"),
        Type::Path(path) => match path.path.segments.last() {
            Some(last) if last.ident == "Future" => {
                "the attribute makes the Future: write `squall::Result<T>` for the T of the Future".to_owned()
            }
            Some(last) if NO_RESULT.iter().any(|name| last.ident == name) => {
                format!("{HERE}: write `squall::Result<..>` around this")
            }
            Some(last) if returns::sized(last).is_some() => {
                let instead = returns::sized(last).unwrap_or_default();
                format!("what a coroutine returns is moved into its Future, so its size must be known: write {instead}")
            }
            _ => {
                return borrowed_in(written).map(|found| {
                    Error::new_spanned(
                        found,
                        "what a coroutine returns outlives the call, so it cannot be borrowed: return an owned value",
                    )
                });
            }
        },
        _ => format!("{HERE}: write `squall::Result<..>` around this"),
    };
    Some(Error::new_spanned(written, message))
}

/// Well-known types that are not a Result. The compiler would find that too, but report it at every place concerned.
const NO_RESULT: [&str; 24] = [
    "bool", "char", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
    "f32", "f64", "String", "Option", "Vec", "Box", "Rc", "Arc", "HashMap", "Self",
];

/// Returns the error for a borrowed parameter, which says what to take instead.
fn borrowed(of: &Type) -> Option<Error> {
    let found = borrowed_in(of)?;
    let instead = match returns::plain(of) {
        Type::Reference(reference) => match (returns::plain(&reference.elem), reference.mutability) {
            (_, Some(_)) => "`Rc<RefCell<..>>`",
            (Type::Slice(_), None) => "`Vec<..>`",
            (Type::Path(path), None) => match path.path.segments.last() {
                Some(last) if last.ident == "str" => "`String`",
                Some(last) if last.ident == "Path" => "`PathBuf`",
                Some(last) if last.ident == "OsStr" => "`OsString`",
                _ => "an owned value, such as a clone or an `Rc<..>`",
            },
            (_, None) => "an owned value, such as an `Rc<..>`",
        },
        _ => "an owned value, such as a clone or an `Rc<..>`",
    };
    Some(Error::new_spanned(
        found,
        format!("a coroutine cannot borrow a parameter, since it goes on after the call: take {instead}"),
    ))
}

/// Returns the first reference or lifetime that is not `'static`.
fn borrowed_in(of: &Type) -> Option<TokenStream> {
    #[derive(Default)]
    struct Finds(Option<TokenStream>);
    impl Finds {
        fn found(&mut self, what: &impl ToTokens) {
            self.0.get_or_insert_with(|| what.to_token_stream());
        }
    }
    impl<'ast> Visit<'ast> for Finds {
        fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
            if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static") {
                visit::visit_type(self, &reference.elem);
            } else {
                self.found(reference);
            }
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" {
                self.found(lifetime);
            }
        }
        // What a function pointer takes is borrowed only during its call.
        fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast syn::ParenthesizedGenericArguments) {}
        fn visit_trait_bound(&mut self, bound: &'ast syn::TraitBound) {
            // The lifetimes of a `for<'a>` are its own.
            if bound.lifetimes.is_none() {
                visit::visit_trait_bound(self, bound);
            }
        }
    }
    let mut finds = Finds::default();
    finds.visit_type(of);
    finds.0
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn messages(signature: &Signature) -> Vec<String> {
        check(signature).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_borrowed_only_while_it_is_called_is_no_borrowed_parameter() {
        let signature = parse_quote! {
            fn f(
                self: Rc<Self>, a: &'static str, b: fn(&str) -> &str, c: Box<dyn Fn(&str)>, d: impl for<'a> Get<&'a str>,
                e: Pair<'static>, f: Box<dyn Any + 'static>,
            ) -> Result<&'static str>
        };
        assert!(messages(&signature).is_empty());
    }

    #[test]
    fn a_borrowed_parameter_is_told_what_to_be() {
        for (written, instead) in [
            (parse_quote!(&str), "`String`"),
            (parse_quote!((&str)), "`String`"),
            (parse_quote!(&'a std::path::Path), "`PathBuf`"),
            (parse_quote!(&[u8]), "`Vec<..>`"),
            (parse_quote!(&mut i32), "`Rc<RefCell<..>>`"),
            (parse_quote!(Vec<&str>), "an owned value"),
            (parse_quote!(Ref<'_, i32>), "an owned value"),
        ] {
            let error = borrowed(&written).expect("it is borrowed").to_string();
            assert!(error.contains(&format!("take {instead}")), "{error}");
        }
    }

    #[test]
    fn a_lifetime_parameter_is_only_told_of_if_no_parameter_is() {
        let unused: Signature = parse_quote!(fn f<'a, T: 'a>(of: T) -> Result<()>);
        assert!(messages(&unused)[0].contains("no lifetime parameters"));
        let used: Signature = parse_quote!(fn f<'a>(of: &'a T) -> Result<()>);
        assert_eq!(messages(&used).len(), 1);
        assert!(messages(&used)[0].contains("cannot borrow a parameter"));
    }

    #[test]
    fn what_stands_before_fn_is_taken_off() {
        let mut signature: Signature = parse_quote!(async unsafe extern "C" fn f() -> Result<()>);
        assert_eq!(strip("coroutine", &mut signature).len(), 3);
        let left = quote::quote!(fn f() -> Result<()>).to_string();
        assert_eq!(signature.to_token_stream().to_string(), left);
    }
}
