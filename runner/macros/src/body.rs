//! What a body's tokens tell: whether it yields, and which names it mentions.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Whether there is a `yield_` anywhere, inside other macros too: then the body is a generator. A call of
/// `co.yield_(..)` is not meant: that belongs to a body written with [`Co`](squall::Co).
pub(crate) fn yields(body: &TokenStream) -> bool {
    let mut tokens = body.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match token {
            TokenTree::Group(group) => yields(&group.stream()),
            TokenTree::Ident(ident) => ident == "yield_" && !tokens.peek().is_some_and(is_parenthesized),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        };
        if found {
            return true;
        }
    }
    false
}

fn is_parenthesized(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
}

/// Whether a variable of that name may be used: it is named, or a format string has it in braces.
pub(crate) fn mentions(body: &TokenStream, name: &Ident) -> bool {
    body.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Literal(literal) => literal.to_string().contains(&name.to_string()),
        TokenTree::Punct(_) => false,
    })
}
