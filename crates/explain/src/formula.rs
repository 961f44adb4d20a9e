//! A card's formula with the names of the nodes, or their numbers, put in.

/// The replacement of a symbol.
pub(crate) type Put = (String, String);

/// Words that are functions; all others of two letters and more are prose.
const FUNCTIONS: [&str; 12] = [
    "ln",
    "exp",
    "tanh",
    "cosh",
    "max",
    "min",
    "sign",
    "softplus",
    "softmax",
    "log_softmax",
    "onehot",
    "mean",
];

/// A piece of a formula.
enum Piece {
    /// Something that can be multiplied: a symbol, a number, what was put in.
    Operand(String),
    /// The name of a function, a sum, a root: the next operand belongs to it.
    Function(String),
    /// Everything else, prose too.
    Other(String),
}

/// Returns the formula with every symbol replaced. Adjacent factors get a dot, since a product of names would be hard to read without. Negative
/// numbers after a sign or an operator get brackets.
pub(crate) fn put(formula: &str, symbols: &[Put]) -> String {
    let mut out = String::new();
    let mut after_operand = false; // the token before could be a factor ..
    let mut space = false; // .. and a space is between
    let pieces = pieces(formula, symbols);
    for (i, piece) in pieces.iter().enumerate() {
        let text = piece.text();
        if text == " " {
            space = true;
            continue;
        }
        let operand = matches!(piece, Piece::Operand(_));
        let starts_factor = !matches!(piece, Piece::Other(_)) || text == "(" || text == "[";
        if space {
            out += if after_operand && starts_factor { " · " } else { " " };
            space = false;
        }
        let after_sign = out.trim_end().ends_with(|c| !"(=".contains(c));
        let raised = pieces.get(i + 1).is_some_and(|next| ["²", "³", "^"].contains(&next.text()));
        if operand && text.starts_with('-') && (after_sign || raised) {
            out += &format!("({text})");
        } else {
            out += text;
        }
        // a sum over j is still a sum, x with an index still a factor
        let indexed = text == "_" || i > 0 && pieces[i - 1].text() == "_";
        after_operand = if indexed {
            after_operand
        } else {
            operand || matches!(text, ")" | "]" | "²" | "³" | "ᵀ" | "'")
        };
    }
    out
}

impl Piece {
    fn text(&self) -> &str {
        match self {
            Piece::Operand(text) | Piece::Function(text) | Piece::Other(text) => text,
        }
    }
}

fn pieces(formula: &str, symbols: &[Put]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = formula;
    let mut subscript = false;
    while let Some(first) = rest.chars().next() {
        let is_letter = |c: char| c.is_alphabetic() && !"ΣΠᵀ".contains(c);
        let taken = if is_letter(first) {
            let letters = rest.find(|c: char| !is_letter(c)).unwrap_or(rest.len());
            let small = rest[letters..]
                .chars()
                .take_while(|c| ('₀'..='₉').contains(c))
                .map(char::len_utf8)
                .sum::<usize>();
            letters + small
        } else if first.is_ascii_digit() {
            rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (text, behind) = rest.split_at(taken);
        let found = symbols.iter().find(|(symbol, _)| symbol == text && !subscript);
        pieces.push(match found {
            Some((_, instead)) => Piece::Operand(instead.clone()),
            None if "ΣΠ√".contains(first) || FUNCTIONS.contains(&text) => Piece::Function(text.into()),
            None if is_letter(first) && behind.starts_with('(') && !subscript => Piece::Function(text.into()),
            None if is_letter(first) && text.chars().count() > 1 => Piece::Other(text.into()),
            None if is_letter(first) || first.is_ascii_digit() || first == '½' => {
                Piece::Operand(text.into())
            }
            None => Piece::Other(text.into()),
        });
        subscript = text == "_";
        rest = behind;
    }
    pieces
}

/// The part of "da = b dy, db = a dy" for input `k`, without its left side; all of "y dy" for a single input.
pub(crate) fn clause<'a>(backward: &'a str, inputs: &[&str], k: usize) -> Option<&'a str> {
    let starts: Vec<(usize, usize)> = inputs
        .iter()
        .filter_map(|symbol| {
            let left = format!("d{symbol} = ");
            let at = backward.match_indices(&left).map(|(at, _)| at).find(|&at| {
                at == 0 || [", ", "; ", ": "].iter().any(|before| backward[..at].ends_with(before))
            })?;
            Some((at, at + left.len()))
        })
        .collect();
    let left = format!("d{} = ", inputs.get(k)?);
    match starts.iter().find(|&&(at, _)| backward[at..].starts_with(&left)) {
        Some(&(at, from)) => {
            let end = starts.iter().map(|&(at, _)| at).filter(|&other| other > at).min();
            let clause = &backward[from..end.unwrap_or(backward.len())];
            Some(clause.trim_end_matches([' ', ',', ';']))
        }
        None if starts.is_empty() && inputs.len() == 1 && !backward.is_empty() => Some(backward),
        None => None,
    }
}

/// The replacements for the symbols of a card: inputs, result, and their gradients.
pub(crate) fn symbols(
    inputs: &[&str],
    of_inputs: &[String],
    result: &str,
    gradients: &[String],
    gradient: &str,
) -> Vec<Put> {
    let pair = |symbol: String, text: &str| (symbol, text.to_string());
    let values = inputs.iter().zip(of_inputs).map(|(symbol, text)| pair(symbol.to_string(), text));
    let derivatives = inputs.iter().zip(gradients).map(|(symbol, text)| pair(format!("d{symbol}"), text));
    let own = ["y", "Y"].map(|symbol| pair(symbol.into(), result));
    let incoming = ["dy", "dY", "dl"].map(|symbol| pair(symbol.into(), gradient));
    // the first match is taken: if a loss calls its target y, y is not the result
    values.chain(derivatives).chain(own).chain(incoming).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(formula: &str, inputs: &[(&str, &str)], result: (&str, &str), expected: &str) {
        let (names, texts): (Vec<&str>, Vec<String>) =
            inputs.iter().map(|&(n, t)| (n, t.to_string())).unzip();
        let gradients: Vec<String> = texts.iter().map(|t| format!("∂{t}")).collect();
        assert_eq!(put(formula, &symbols(&names, &texts, result.0, &gradients, result.1)), expected);
    }

    #[test]
    fn names_and_numbers_stand_where_the_symbols_stood() {
        check(
            "X W + b",
            &[("X", "x"), ("W", "out.weight"), ("b", "out.bias")],
            ("", ""),
            "x · out.weight + out.bias",
        );
        check("1 / (1 + e^-x)", &[("x", "z")], ("a", "∂a"), "1 / (1 + e^-z)");
        check("1 / (1 + e^-x)", &[("x", "-2")], ("a", "∂a"), "1 / (1 + e^-(-2))");
        check("σ(x) σ(-x) dy", &[("x", "4")], ("0.98", "0.5"), "σ(4) · σ(-4) · 0.5");
        check("2 x dy", &[("x", "-3")], ("9", "1"), "2 · (-3) · 1");
        check("x²", &[("x", "-3")], ("9", "1"), "(-3)²");
        check("a - b", &[("a", "-1"), ("b", "-2")], ("1", "1"), "-1 - (-2)");
        check("½ (a - y)²", &[("a", "out"), ("y", "target")], ("loss", "1"), "½ · (out - target)²");
        check("ln Σ_j e^z_j - z_y", &[("z", "v5"), ("y", "v6")], ("loss", "1"), "ln Σ_j e^v5_j - v5_y");
        check("dy where x > 0, else 0", &[("x", "v3")], ("v4", "∂v4"), "∂v4 where v3 > 0, else 0");
        check("dXᵀ", &[("X", "x")], ("", ""), "∂xᵀ");
    }

    #[test]
    fn a_derivative_is_split_by_inputs() {
        let products = "dX = dY Wᵀ, dW = Xᵀ dY, db = column sums of dY";
        let inputs = ["X", "W", "b"];
        let parts = [0, 1, 2].map(|k| clause(products, &inputs, k).unwrap());
        assert_eq!(parts, ["dY Wᵀ", "Xᵀ dY", "column sums of dY"]);
        assert_eq!(clause("σ(x) σ(-x) dy", &["x"], 0), Some("σ(x) σ(-x) dy"));
        assert_eq!(clause("dx = (e^x - t) dl, or dλ = 1 dl", &["x", "t"], 1), None);
        assert_eq!(clause("da = (a - y) dl, dy = -da", &["a", "y"], 1), Some("-da"));
        assert_eq!(clause("each input gets its part of dy", &["a", "b"], 1), None);
    }
}
