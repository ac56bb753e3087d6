//! A coroutine's return type: the `T` of its `Result<T>`, and its spelling in the body.

use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{parse_quote_spanned, GenericArgument, PathArguments, PathSegment, ReturnType, Type};

/// Returns the return type as it is written; `()` if there is none.
pub(crate) fn written(output: &ReturnType) -> Type {
    match output {
        ReturnType::Default => parse_quote_spanned!(output.span()=> ()),
        ReturnType::Type(_, written) => (**written).clone(),
    }
}

/// Returns the `T` of a written `Result<T>`; for another type, a projection that the compiler resolves.
pub(crate) fn value(written: &Type) -> Type {
    if let Type::Path(path) = plain(written) {
        if let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") {
            if let PathArguments::AngleBracketed(arguments) = &last.arguments {
                if let Some(GenericArgument::Type(value)) = arguments.args.first() {
                    return value.clone();
                }
            }
        }
    }
    parse_quote_spanned!(written.span()=> <#written as ::squall::__private::Outcome>::Value)
}

/// Returns the suggestion for a Result of an unsized type: `Result<str>`, `Result<[u8]>`, `Result<dyn Debug>`.
pub(crate) fn sized(result: &PathSegment) -> Option<&'static str> {
    let PathArguments::AngleBracketed(arguments) = &result.arguments else { return None };
    let Some(GenericArgument::Type(value)) = arguments.args.first() else { return None };
    match plain(value) {
        Type::Slice(_) => Some("`Result<Vec<..>>`"),
        Type::TraitObject(_) => Some("`Result<Box<dyn ..>>`"),
        Type::Path(path) if path.path.is_ident("str") => Some("`Result<String>`"),
        Type::Path(path) if path.path.is_ident("Path") => Some("`Result<PathBuf>`"),
        Type::Path(path) if path.path.is_ident("OsStr") => Some("`Result<OsString>`"),
        _ => None,
    }
}

/// Returns a substitute for the return type of a coroutine that cannot be compiled: a Future of as much of it as can
/// be.
pub(crate) fn of_unknown(output: &ReturnType) -> ReturnType {
    let mut written = written(output);
    make_static(&mut written);
    match plain(&written) {
        Type::Path(path) if path.path.segments.last().and_then(sized).is_some() => {
            parse_quote_spanned!(written.span()=> -> ::squall::Future<()>)
        }
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Result") => {
            let value = value(&written);
            parse_quote_spanned!(written.span()=> -> ::squall::Future<#value>)
        }
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Future") => {
            parse_quote_spanned!(written.span()=> -> #written)
        }
        Type::ImplTrait(_) => parse_quote_spanned!(written.span()=> -> ::squall::Future<()>),
        _ => parse_quote_spanned!(written.span()=> -> ::squall::Future<#written>),
    }
}

/// Makes every reference in a type `'static`, where lifetimes cannot be elided.
pub(crate) fn make_static(of: &mut Type) {
    struct MakesStatic;
    impl VisitMut for MakesStatic {
        fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
            reference.lifetime = Some(parse_quote_spanned!(reference.and_token.span()=> 'static));
            visit_mut::visit_type_reference_mut(self, reference);
        }
    }
    MakesStatic.visit_type_mut(of);
}

/// Returns a type without the parentheses and invisible groups (those of a `$t:ty`) around it.
pub(crate) fn plain(of: &Type) -> &Type {
    match of {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        of => of,
    }
}

/// Returns a type as it may be written in the body, with `_` for each `impl Trait`, which is only allowed in a
/// signature; and whether there was one.
pub(crate) fn without_impl(of: &Type) -> (Type, bool) {
    struct Replaces(bool);
    impl VisitMut for Replaces {
        fn visit_type_mut(&mut self, of: &mut Type) {
            if let Type::ImplTrait(_) = of {
                *of = parse_quote_spanned!(of.span()=> _);
                self.0 = true;
            }
            visit_mut::visit_type_mut(self, of);
        }
    }
    let mut of = of.clone();
    let mut replaces = Replaces(false);
    replaces.visit_type_mut(&mut of);
    (of, replaces.0)
}

#[cfg(test)]
mod tests {
    use quote::{quote, ToTokens};
    use syn::parse_quote;

    use super::*;

    #[test]
    fn the_value_of_a_result_is_its_first_argument() {
        for written in [parse_quote!(Result<i32>), parse_quote!(std::result::Result<i32, Exception>)] {
            let written: Type = written;
            assert_eq!(value(&written).to_token_stream().to_string(), "i32");
        }
    }

    #[test]
    fn the_value_of_another_type_is_found_out_by_the_compiler() {
        let expected = quote!(<Answer as ::squall::__private::Outcome>::Value).to_string();
        assert_eq!(value(&parse_quote!(Answer)).to_token_stream().to_string(), expected);
    }

    #[test]
    fn impl_is_left_out_of_the_body() {
        let (of, had_one) = without_impl(&parse_quote!(Result<(i32, impl Display + Clone)>));
        assert_eq!(of.to_token_stream().to_string(), quote!(Result<(i32, _)>).to_string());
        assert!(had_one);
        assert!(!without_impl(&parse_quote!(Result<i32>)).1);
    }
}
