//! Doc comments with formulas: readable as text in the source, rendered on the page.
//!
//! ```
//! use surprisal_formula_macro::math;
//!
//! /// The logistic function:
//! ///
//! #[doc = math!("σ(x) = 1 / (1 + e^-x)")]
//! ///
//! /// It squashes any number into (0, 1).
//! fn sigmoid(x: f64) -> f64 {
//!     1.0 / (1.0 + (-x).exp())
//! }
//! # sigmoid(0.0);
//! ```
#![forbid(unsafe_code)]

use proc_macro::{Delimiter, Literal, Span, TokenStream, TokenTree};

/// A formula on a line of its own, in the notation of [`surprisal_formula`], as a string literal of MathML: for `#[doc = ..]`.
///
/// It takes one or more string literals, which may come from the fragments of another macro, and joins them. A formula that does
/// not parse is an error of the compiler, at the literal that is to blame.
///
/// ```compile_fail
/// surprisal_formula_macro::math!("y = (a + b"); // nothing closes this "("
/// ```
#[proc_macro]
pub fn math(input: TokenStream) -> TokenStream {
    let mut parts = vec![];
    let rendered = collect(input, &mut parts).and_then(|()| {
        let formula: String = parts.iter().map(|(text, _)| &**text).collect();
        surprisal_formula::block(&formula)
            .map_err(|error| (error.to_string(), blamed(&parts, error.position)))
    });
    match rendered {
        Ok(html) => TokenTree::from(Literal::string(&html)).into(),
        Err((message, span)) => compile_error(&message, span),
    }
}

/// The texts of the literals, also of those that a macro's fragment wraps in an invisible group.
fn collect(input: TokenStream, parts: &mut Vec<(String, Span)>) -> Result<(), (String, Span)> {
    for token in input {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                collect(group.stream(), parts)?
            }
            other => match unquoted(&other.to_string()) {
                Some(text) => parts.push((text, other.span())),
                None => {
                    let message =
                        format!("expected a string literal without escapes, \"y = 1 / x\", found `{other}`");
                    return Err((message, other.span()));
                }
            },
        }
    }
    Ok(())
}

/// What stands between the quotes: a formula has no use for a quote or a backslash, so there are no escapes.
fn unquoted(literal: &str) -> Option<String> {
    let text = literal.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then(|| text.into())
}

/// The literal that holds this character.
fn blamed(parts: &[(String, Span)], position: usize) -> Span {
    let mut end = 0;
    let holds = |(text, _): &&(String, Span)| {
        end += text.chars().count();
        position < end
    };
    parts.iter().find(holds).or(parts.last()).map_or_else(Span::call_site, |&(_, span)| span)
}

/// An error of the compiler at this place.
fn compile_error(message: &str, span: Span) -> TokenStream {
    let tokens: TokenStream =
        format!("::core::compile_error! {{ {message:?} }}").parse().expect("a quoted message is Rust");
    let here = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.into_iter().map(here).collect()
}
