//! The yields of a body, as the compiler sees them.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::quote_spanned;

/// Returns the body with each visible `yield_!(x)` replaced by a yield through `co`. The compiler then reports a
/// mistake in its result at that place; for the body's own macro `yield_!` it would show the macro's definition.
///
/// Arguments of other macros stay unchanged, since such a macro may print them; so do inner functions, whose yields are
/// their own. Yields in both go through the body's own macro.
pub(crate) fn direct(body: TokenStream, co: &Ident) -> TokenStream {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let (mut direct, mut rest) = (TokenStream::new(), &tokens[..]);
    while let Some((token, after)) = rest.split_first() {
        let whole = match (token, after) {
            (TokenTree::Ident(name), [TokenTree::Punct(mark), TokenTree::Group(arguments), ..])
                if mark.as_char() == '!' && name == "yield_" =>
            {
                direct.extend(quote_spanned!(name.span()=> ::squall::__private::yield_));
                let within = self::direct(arguments.stream(), co);
                let within = quote_spanned!(name.span()=> #co #within);
                direct.extend([TokenTree::Punct(mark.clone()), regrouped(arguments, within)]);
                rest = &after[2..];
                continue;
            }
            (TokenTree::Ident(_), [TokenTree::Punct(mark), TokenTree::Group(_), ..])
                if mark.as_char() == '!' =>
            {
                3
            }
            (
                TokenTree::Ident(name),
                [TokenTree::Punct(mark), TokenTree::Ident(_), TokenTree::Group(_), ..],
            ) if mark.as_char() == '!' && name == "macro_rules" => 4,
            (TokenTree::Ident(name), [TokenTree::Ident(_), ..]) if name == "fn" => function(rest),
            (TokenTree::Group(group), _) => {
                direct.extend([regrouped(group, self::direct(group.stream(), co))]);
                rest = after;
                continue;
            }
            _ => 1,
        };
        direct.extend(rest[..whole].iter().cloned());
        rest = &rest[whole..];
    }
    direct
}

/// Returns how many of the tokens belong to the function at their head, including its body.
fn function(tokens: &[TokenTree]) -> usize {
    let is_body = |(at, token): (usize, &TokenTree)| {
        let is_brace = matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        // A constant among generic arguments is in braces, too.
        let goes_on =
            matches!(tokens.get(at + 1), Some(TokenTree::Punct(mark)) if ">,".contains(mark.as_char()));
        is_brace && !goes_on
    };
    tokens.iter().enumerate().position(is_body).map_or(tokens.len(), |body| body + 1)
}

/// Returns a group with other tokens and the span of this one.
fn regrouped(group: &Group, tokens: TokenStream) -> TokenTree {
    let mut regrouped = Group::new(group.delimiter(), tokens);
    regrouped.set_span(group.span());
    TokenTree::Group(regrouped)
}

#[cfg(test)]
mod tests {
    use quote::format_ident;

    /// Returns the body as text, with short names.
    fn direct(body: &str) -> String {
        let tokens = super::direct(body.parse().expect("tokens"), &format_ident!("co"));
        tokens.to_string().replace(":: squall :: __private :: yield_ !", "Y!").replace(' ', "")
    }

    #[test]
    fn yields_at_any_depth_are_direct() {
        assert_eq!(direct("yield_!(x)"), "Y!(cox)");
        assert_eq!(direct("if a { [f(yield_![x]?), (yield_!{})] }"), "ifa{[f(Y![cox]?),(Y!{co})]}");
        assert_eq!(direct("yield_!(f(yield_!(x)?))"), "Y!(cof(Y!(cox)?))");
        assert_eq!(direct("let f: fn(i32) = g; !yield_!(x)?"), "letf:fn(i32)=g;!Y!(cox)?");
    }

    #[test]
    fn arguments_of_macros_and_inner_functions_stay_as_they_are() {
        for body in [
            "assert!(yield_!(x)?)",
            "macro_rules! again { () => { yield_!(x) } }",
            "with!(yield_,x)",
            "co.yield_(x)",
            "#[squall::coroutine] fn f() -> A<{ 5 }> { yield_!(x) }",
        ] {
            assert_eq!(direct(body), body.replace(' ', ""));
        }
        assert_eq!(direct("fn f() { yield_!(x) } yield_!(x)"), "fnf(){yield_!(x)}Y!(cox)");
    }
}
