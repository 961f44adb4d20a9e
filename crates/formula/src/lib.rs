//! Formulas that are readable as text in a source file, and rendered on a page: plain text to MathML, which browsers draw
//! by themselves. Nothing is fetched, no script runs.
//!
//! ```
//! let sigmoid = surprisal_formula::inline("1 / (1 + e^-x)")?;
//! assert_eq!(
//!     sigmoid,
//!     "<math alttext=\"1 / (1 + e^-x)\"><mfrac><mn>1</mn><mrow><mn>1</mn><mo>+</mo>\
//!      <msup><mi>e</mi><mrow><mo form=\"prefix\">−</mo><mi>x</mi></mrow></msup></mrow></mfrac></math>"
//! );
//! # Ok::<(), surprisal_formula::FormulaError>(())
//! ```
//!
//! # The notation
//!
//! It is the one of the cards of operations and losses.
//!
//! | written | means |
//! |---|---|
//! | `x`, `β`, `m̂`, `x1` | a variable; a number that stands close behind it is its index |
//! | `2 x dy`, `z·w` | a product, with a · put before a number; `dy`, `d²y`, `∂f`, `∇f` are differentials |
//! | `a b / c d` | a b over c, times d: `/` takes all factors to its left and **one** to its right, and drops their outer parentheses |
//! | `a b/c d` | a, times b over c, times d: a `/` without spaces takes one factor on either side |
//! | `x_i`, `x_ij`, `x_(i + 1)`, `Σ_{j≠i}` | an index; two letters are two indices, a longer word is a word |
//! | `x^p`, `x^(p-1)`, `e^-x`, `x²`, `Aᵀ`, `σ'` | a power; `e^x_j` is e^(x_j) |
//! | `√x`, `√(a + b)`, `½` | roots reach over one factor |
//! | `\|x\|`, `‖x‖`, `[j = y]`, `(a, b, ..)` | brackets; each has to be closed |
//! | `Σ_j`, `Π_j`, `ln x`, `max(a, b)` | functions: under a fraction bar each takes one factor along |
//! | `slope x`, `dice_loss` | a word of two or more letters is a name |
//! | `y where x > 0, else 0` | words such as *where*, *else*, *for each of the* are text, and end a product |
//! | `+ - ± ∓ = ≠ < > <= >= ≈ ∈ ← → , ; :` | as they are |
#![forbid(unsafe_code)]

mod parse;

use std::fmt;

/// A formula within a line of text, as one line of MathML.
///
/// # Errors
/// If it does not follow the notation: what is wrong, and where.
pub fn inline(formula: &str) -> Result<String, FormulaError> {
    render(formula, "")
}

/// A formula on a line of its own, as one line of MathML; a formula wider than its page can be scrolled.
///
/// # Errors
/// If it does not follow the notation: what is wrong, and where.
///
/// ```
/// let error = surprisal_formula::block("y = (a + b").unwrap_err();
/// assert_eq!(error.to_string(), "the formula `y = (a + b`, at character 5: nothing closes this \"(\"");
/// ```
pub fn block(formula: &str) -> Result<String, FormulaError> {
    render(formula, SCROLLED)
}

/// The padding is for what stands above or below the line's own height, which would be cut off.
const SCROLLED: &str = " display=\"block\" style=\"overflow:auto hidden;padding:0.3em 0\"";

fn render(formula: &str, attributes: &str) -> Result<String, FormulaError> {
    let body = parse::formula(formula)?;
    Ok(format!("<math{attributes} alttext=\"{}\">{body}</math>", escape(formula)))
}

/// A formula that does not follow the notation.
#[derive(Clone, Debug, PartialEq)]
pub struct FormulaError {
    /// The formula.
    pub formula: String,
    /// The place of what is wrong, in characters from 0.
    pub position: usize,
    /// The problem.
    pub message: String,
}

impl fmt::Display for FormulaError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "the formula `{}`, at character {}: {}", self.formula, self.position + 1, self.message)
    }
}
impl std::error::Error for FormulaError {}

/// Text for HTML, also within Markdown: what would be a tag, a link, an emphasis or the end of a table's cell is a number.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '"' | '\'' | '[' | ']' | '|' | '_' | '*' | '`' | '\\' | '~' | '$' => {
                escaped += &format!("&#{};", c as u32);
            }
            c if c.is_whitespace() => escaped.push(' '), // one line
            c => escaped.push(c),
        }
    }
    escaped
}
