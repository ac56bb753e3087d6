//! A coroutine's parameters, all of which live as long as its body, like those of an `async fn`. An observer is told their
//! values when the coroutine is called.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, ToTokens};
use syn::visit::{self, Visit};
use syn::{
    parse_quote, Attribute, FnArg, Pat, PatType, PredicateType, Signature, Type, TypeImplTrait,
    TypeParamBound, WherePredicate,
};

use crate::body::mentions;

/// The code that the parameters of a coroutine need.
#[derive(Default)]
pub(crate) struct Parameters {
    /// Statements for the head of the body. It captures only what it mentions, so they mention every parameter: `let _ = &x`
    /// neither copies `x` nor counts as a use of its parts.
    pub(crate) kept: Vec<TokenStream>,
    /// Pairs of a name and an expression that prints the argument, for an observer.
    told: Vec<TokenStream>,
    /// `true` if each type parameter is `'static` by the signature.
    are_static: bool,
}

impl Parameters {
    /// Prepares the parameters of a function with that body.
    ///
    /// A parameter that the body does not use is renamed, so that the compiler warns about it like about an unused
    /// parameter. Parts of a pattern that have no name are dropped when the call returns.
    pub(crate) fn of(signature: &mut Signature, body: &TokenStream) -> Self {
        let mut parameters = Self { are_static: are_static(signature), ..Self::default() };
        for input in &mut signature.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    let this = receiver.self_token;
                    parameters.kept.push(quote! { let _ = &#this; });
                    parameters.tell("self", &TokenStream::new(), &this);
                }
                FnArg::Typed(typed) => parameters.add(typed, body),
            }
        }
        // The first captured parameter is dropped first, but an `async fn` drops its last parameter first.
        parameters.kept.reverse();
        parameters
    }

    /// Returns the statement that tells an observer the arguments of the call. Without an observer it prints nothing.
    pub(crate) fn tell_observer(&self) -> Option<TokenStream> {
        let told = &self.told;
        let otherwise = if self.are_static { "ArgumentOfUnknownType" } else { "ArgumentOfGenericType" };
        let otherwise = Ident::new(otherwise, Span::call_site());
        let tells = quote! {
            if ::squall::__private::observed() {
                #[allow(unused_imports)]
                use ::squall::__private::#otherwise as _;
                ::squall::__private::tell_arguments([#(#told),*]);
            }
        };
        (!told.is_empty()).then_some(tells)
    }

    fn tell(&mut self, name: &str, cfg: &TokenStream, variable: &impl ToTokens) {
        let name = name.trim_start_matches("r#");
        self.told.push(quote! { #cfg (#name, ::squall::__private::Argument(&#variable).text()) });
    }

    fn add(&mut self, typed: &mut PatType, body: &TokenStream) {
        let attributes = &typed.attrs;
        let cfg = attributes.iter().filter(|attribute: &&Attribute| attribute.path().is_ident("cfg"));
        let cfg = quote! { #(#cfg)* };
        let hidden = match &*typed.pat {
            Pat::Ident(pat)
                if pat.subpat.is_none() && pat.by_ref.is_none() && !mentions(body, &pat.ident) =>
            {
                let hidden = hide(&pat.ident.to_string(), pat.ident.span());
                self.kept.push(if pat.ident.to_string().starts_with('_') {
                    quote! { #cfg let _ = &#hidden; }
                } else {
                    quote! { #(#attributes)* let #pat = #hidden; }
                });
                self.tell(&pat.ident.to_string(), &cfg, &hidden);
                hidden
            }
            Pat::Wild(wild) => {
                let hidden = hide("unnamed", wild.underscore_token.spans[0]);
                self.kept.push(quote! { #cfg let _ = &#hidden; });
                hidden
            }
            pat => {
                let mut names = Names(Vec::new());
                names.visit_pat(pat);
                for name in names.0.into_iter().filter(|name| mentions(body, name)) {
                    self.kept.push(quote! { #cfg let _ = &#name; });
                    self.tell(&name.to_string(), &cfg, &name);
                }
                return;
            }
        };
        *typed.pat = parse_quote!(#hidden);
    }
}

/// Returns whether each type parameter, and each `impl Trait` in an argument, has the bound `'static`.
fn are_static(signature: &Signature) -> bool {
    let is_static =
        |bound: &TypeParamBound| matches!(bound, TypeParamBound::Lifetime(of) if of.ident == "static");
    let by_where = |name: &Ident| {
        let predicates = signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        predicates.into_iter().any(|predicate| match predicate {
            WherePredicate::Type(PredicateType { bounded_ty: Type::Path(path), bounds, .. }) => {
                path.path.is_ident(name) && bounds.iter().any(is_static)
            }
            _ => false,
        })
    };
    let mut named = signature.generics.type_params();
    let mut unnamed = Unnamed(Vec::new());
    signature.inputs.iter().for_each(|input| unnamed.visit_fn_arg(input));
    named.all(|of| of.bounds.iter().any(is_static) || by_where(&of.ident))
        && unnamed.0.iter().all(|of| of.bounds.iter().any(is_static))
}

/// The `impl Trait`s of arguments.
struct Unnamed<'a>(Vec<&'a TypeImplTrait>);

impl<'a> Visit<'a> for Unnamed<'a> {
    fn visit_type_impl_trait(&mut self, of: &'a TypeImplTrait) {
        self.0.push(of);
        visit::visit_type_impl_trait(self, of);
    }
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
