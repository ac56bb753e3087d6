//! Inspects a body: whether it yields, which names it mentions, and mistakes that cannot work.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Error, Expr, Item, Macro, Token};

/// The findings in a body.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// `true` if the body yields, so that it becomes a generator.
    pub(crate) yields: bool,
    /// An error for each await, which a yielding body must not contain. The rest of the body compiles nevertheless.
    pub(crate) awaits: Vec<Error>,
    /// An error for each yield from a place that is not part of the coroutine. The body cannot be compiled.
    pub(crate) elsewhere: Vec<Error>,
}

/// Searches a body. One that does not parse as Rust (yet) is only searched for a yield.
pub(crate) fn look(body: &TokenStream) -> Found {
    match Block::parse_within.parse2(body.clone()) {
        Ok(statements) => {
            let mut looks = Looks { found: Found::default(), scope: Scope::Body };
            statements.iter().for_each(|statement| looks.visit_stmt(statement));
            looks.found
        }
        Err(_) => Found { yields: find_yield(body).is_some(), ..Found::default() },
    }
}

/// The kind of code that an expression is in.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// The coroutine's own code.
    Body,
    Closure,
    AsyncBlock,
    Function,
}

struct Looks {
    found: Found,
    scope: Scope,
}

impl Looks {
    fn within(&mut self, scope: Scope, look: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.scope, scope);
        look(self);
        self.scope = outside;
    }

    fn found_yield(&mut self, at: &dyn ToTokens) {
        self.found.yields = true;
        let message = match self.scope {
            Scope::Body => return,
            Scope::Closure => {
                "a closure cannot yield for the coroutine around it: yield before or after it, or make it a coroutine: `|x| squall::coroutine(|co| async move { co.yield_(y).await })`"
            }
            Scope::AsyncBlock => {
                "an async block cannot yield for the coroutine around it: write `y.await` in it, and yield the block"
            }
            Scope::Function => {
                "a function cannot yield for the coroutine around it: give it a `#[squall::coroutine]` of its own, and yield what it returns"
            }
        };
        self.found.elsewhere.push(Error::new_spanned(at, message));
    }
}

impl<'ast> Visit<'ast> for Looks {
    fn visit_expr_await(&mut self, awaits: &'ast syn::ExprAwait) {
        if self.scope == Scope::Body {
            let (dot, word) = (awaits.dot_token, awaits.await_token);
            self.found.awaits.push(Error::new_spanned(
                quote::quote!(#dot #word),
                "a coroutine yields instead: write `yield_!(x)` for `x.await`; or remove the attribute and make this an `async fn`",
            ));
        }
        visit::visit_expr_await(self, awaits);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.within(Scope::AsyncBlock, |looks| visit::visit_expr_async(looks, block));
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let scope = if closure.asyncness.is_some() { Scope::AsyncBlock } else { Scope::Closure };
        self.within(scope, |looks| visit::visit_expr_closure(looks, closure));
    }

    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            // A macro is not a scope: its text belongs to the place where the macro is called.
            Item::Macro(_) => visit::visit_item(self, item),
            _ => self.within(Scope::Function, |looks| visit::visit_item(looks, item)),
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if !has_its_own(&function.attrs) {
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !has_its_own(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        // A macro to which the name `yield_` was passed.
        if path.path.is_ident("yield_") {
            self.found_yield(path);
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        if call.path.is_ident("yield_") {
            self.found_yield(&call.path);
        }
        match Punctuated::<Expr, Token![,]>::parse_terminated.parse2(call.tokens.clone()) {
            Ok(arguments) => arguments.iter().for_each(|argument| visit_any(self, argument)),
            Err(_) => {
                if let Some(at) = find_yield(&call.tokens) {
                    self.found_yield(&at);
                }
            }
        }
    }
}

/// Visits an argument of a macro. It lives no longer than this call, unlike the tree that is being visited.
fn visit_any(looks: &mut Looks, argument: &Expr) {
    looks.visit_expr(argument);
}

/// Returns whether an inner function has an attribute of squall, so that its yields are its own.
fn has_its_own(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| ["coroutine", "main", "test"].iter().any(|name| last.ident == name))
    })
}

/// Returns the first `yield_` among the tokens. Ignores calls of `co.yield_(..)`, which belong to a body written with a
/// `Co`.
fn find_yield(tokens: &TokenStream) -> Option<Ident> {
    let mut tokens = tokens.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                if let Some(found) = find_yield(&group.stream()) {
                    return Some(found);
                }
            }
            TokenTree::Ident(ident) if ident == "yield_" && !tokens.peek().is_some_and(is_parenthesized) => {
                return Some(ident);
            }
            _ => {}
        }
    }
    None
}

fn is_parenthesized(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
}

/// Returns whether a variable of that name may be used: the body names it, or a format string has it in braces.
pub(crate) fn mentions(body: &TokenStream, name: &Ident) -> bool {
    let text = name.to_string();
    let text = text.trim_start_matches("r#");
    body.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Literal(literal) => literal.to_string().contains(text),
        TokenTree::Punct(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};

    use super::*;

    /// Returns whether a body yields, how often it awaits, and how often it yields elsewhere.
    fn look_at(body: &str) -> (bool, usize, usize) {
        let found = look(&body.parse().expect("tokens"));
        (found.yields, found.awaits.len(), found.elsewhere.len())
    }

    #[test]
    fn a_yield_is_found_at_any_depth() {
        assert_eq!(look_at("let x = 5; Ok(x)"), (false, 0, 0));
        assert_eq!(look_at("yield_!(x)"), (true, 0, 0));
        assert_eq!(look_at(r#"if a { [println!("{}", vec![(yield_!(x))?; 2])] }"#), (true, 0, 0));
        assert_eq!(look_at("select! { x => yield_!(x), }"), (true, 0, 0));
        assert_eq!(look_at("macro_rules! again { () => { yield_!(x) }; } again!()"), (true, 0, 0));
        assert_eq!(look_at("with!(yield_, x)"), (true, 0, 0));
    }

    #[test]
    fn a_yield_of_an_inner_coroutine_is_its_own() {
        assert_eq!(look_at("#[squall::coroutine] fn f() -> Result<()> { yield_!(x) } f()"), (false, 0, 0));
        assert_eq!(look_at("squall::coroutine(|co| async move { co.yield_(x).await })"), (false, 0, 0));
        assert_eq!(look_at("dbg!(co.yield_(x))"), (false, 0, 0));
    }

    #[test]
    fn a_yield_in_a_place_of_its_own_is_an_error() {
        assert_eq!(look_at("|x| yield_!(x)"), (true, 0, 1));
        assert_eq!(look_at("|x| select! { x => yield_!(x), }"), (true, 0, 1));
        assert_eq!(look_at("yield_!(async { yield_!(x) })"), (true, 0, 1));
        assert_eq!(look_at("async || yield_!(x)"), (true, 0, 1));
        assert_eq!(look_at("impl A { fn f() { yield_!(x) } } 5"), (true, 0, 1));
    }

    #[test]
    fn an_await_of_the_body_is_an_error_and_one_of_an_async_block_is_not() {
        assert_eq!(look_at("x.await?"), (false, 1, 0));
        assert_eq!(look_at(r#"println!("{}", f(x.await))"#), (false, 1, 0));
        assert_eq!(look_at("yield_!(async { x.await })"), (true, 0, 0));
        assert_eq!(look_at("async |x| x.await"), (false, 0, 0));
        assert_eq!(look_at("async fn f() { x.await } 5"), (false, 0, 0));
    }

    #[test]
    fn a_body_that_is_no_rust_yet_is_looked_at_for_a_yield() {
        assert_eq!(look_at("let x = yield_!(f(x))?; x."), (true, 0, 0));
        assert_eq!(look_at("let x = ; co.yield_(x)"), (false, 0, 0));
    }

    #[test]
    fn a_name_is_mentioned_in_the_code_and_in_format_strings() {
        let name = format_ident!("name");
        assert!(mentions(&quote!(f([name.x])), &name));
        assert!(mentions(&quote!(format!("hello {name}")), &name));
        assert!(!mentions(&quote!(names + other), &name));
    }
}
