//! From text to MathML in one pass, by recursive descent: a row of products, a product of factors, a factor with its indices
//! and powers, an atom.

use crate::{FormulaError, escape};

/// The body of a `<math>` element.
pub(crate) fn formula(text: &str) -> Result<String, FormulaError> {
    let mut parser = Parser { text, chars: text.chars().collect(), at: 0, depth: 0 };
    let body = parser.row(None)?;
    if body.is_empty() { parser.error(0, "it is empty") } else { Ok(body) }
}

/// Names that take what follows as their argument, in parentheses or not.
const FUNCTIONS: &[&str] =
    &["ln", "log", "exp", "tanh", "sinh", "cosh", "sin", "cos", "max", "min", "sign", "softmax", "softplus"];

/// Words of a sentence: they end a product.
const PROSE: &[&str] = &[
    "along", "and", "are", "as", "at", "by", "each", "else", "every", "for", "from", "gets", "if", "in",
    "is", "its", "likewise", "of", "on", "or", "over", "that", "the", "to", "when", "where", "whose", "with",
];

const SUPERSCRIPTS: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀⁿ"; // and what they stand for, in the same order
const RAISED: &str = "0123456789−Tn";
const SUBSCRIPTS: &str = "₀₁₂₃₄₅₆₇₈₉";

/// Deeper than any formula, and far from the end of the stack.
const DEPTH: usize = 64;

type Parsed<T> = Result<T, FormulaError>;

/// A part of a product.
struct Piece {
    xml: String,
    /// What stands inside, if it is something in parentheses: a fraction, a root and a power show by themselves what belongs
    /// together.
    bare: Option<String>,
    /// The space that it keeps from other factors, in hundredths of an em.
    space: u8,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// May be followed by its arguments in parentheses.
    Name,
    /// Is followed by its argument, in parentheses or not.
    Function,
    /// A sum or a product: its indices stand below, and its argument behind.
    Large,
    /// No factor, but a sign of multiplication between them.
    Sign,
    Number,
    Other,
}

const TIGHT: u8 = 0;
const FRACTION: u8 = 10;
const THIN: u8 = 17;
const WORD: u8 = 28;
const WIDE: u8 = 60;

impl Piece {
    fn new(space: u8, kind: Kind, xml: String) -> Piece {
        Piece { xml, bare: None, space, kind }
    }
    fn fraction(above: String, below: String) -> Piece {
        Piece::new(FRACTION, Kind::Other, element("mfrac", above + &below))
    }
    /// One element, without the parentheses.
    fn bared(self) -> String {
        self.bare.unwrap_or(self.xml)
    }
}

fn element(name: &str, content: impl std::fmt::Display) -> String {
    format!("<{name}>{content}</{name}>")
}

fn space(width: u8) -> String {
    if width == TIGHT { String::new() } else { format!("<mspace width=\"0.{width:02}em\"/>") }
}

fn sign(c: char) -> String {
    format!("<mo form=\"prefix\">{c}</mo>")
}

/// One element of one or more.
fn row(elements: Vec<String>) -> String {
    if elements.len() == 1 { elements.concat() } else { element("mrow", elements.concat()) }
}

/// A base with what stands below and above it.
fn scripted(base: Piece, below: Vec<String>, above: Vec<String>) -> Piece {
    let large = base.kind == Kind::Large;
    let (name, scripts) = match (below.is_empty(), above.is_empty()) {
        (true, true) => return base,
        (false, true) => (if large { "munder" } else { "msub" }, row(below)),
        (true, false) => (if large { "mover" } else { "msup" }, row(above)),
        (false, false) => (if large { "munderover" } else { "msubsup" }, row(below) + &row(above)),
    };
    Piece::new(base.space, base.kind, element(name, base.xml + &scripts))
}

/// Factors side by side. A number does not stand directly behind another factor, as it would read as a part of it.
fn product(factors: Vec<Piece>) -> String {
    let mut xml = String::new();
    let mut left = Kind::Sign;
    let mut gap = TIGHT;
    for factor in factors {
        if left != Kind::Sign && factor.kind != Kind::Sign {
            gap = gap.max(factor.space);
            xml += &if factor.kind == Kind::Number && gap < WORD { element("mo", '·') } else { space(gap) };
        }
        xml += &factor.xml;
        (left, gap) = (factor.kind, factor.space);
    }
    xml
}

struct Parser<'a> {
    text: &'a str,
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn error<T>(&self, position: usize, message: impl Into<String>) -> Parsed<T> {
        Err(FormulaError { formula: self.text.into(), position, message: message.into() })
    }
    fn peek(&self) -> Option<char> {
        self.behind(0)
    }
    fn behind(&self, n: usize) -> Option<char> {
        self.chars.get(self.at + n).copied()
    }
    fn take_while(&mut self, holds: impl Fn(char) -> bool) -> String {
        let taken: String = self.chars[self.at..].iter().copied().take_while(|&c| holds(c)).collect();
        self.at += taken.chars().count();
        taken
    }
    fn skip_spaces(&mut self) {
        self.take_while(char::is_whitespace);
    }
    /// One level down.
    fn within<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEPTH {
            return self.error(self.at, format!("this is more than {DEPTH} levels deep"));
        }
        self.depth += 1;
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    /// Products, operators and words, up to the bracket that closes what was opened just before, or to the end.
    fn row(&mut self, close: Option<char>) -> Parsed<String> {
        let start = self.at;
        let (mut xml, mut factors) = (String::new(), Vec::<Piece>::new());
        let mut after_word = false; // of a sentence
        loop {
            let spaced = self.peek().is_some_and(char::is_whitespace);
            self.skip_spaces();
            let at = self.at;
            match (self.peek(), close) {
                (None, None) => break,
                (None, Some(_)) => {
                    let open = self.chars[start - 1];
                    return self.error(start - 1, format!("nothing closes this \"{open}\""));
                }
                // a bar closes only directly behind something
                (c @ Some('|' | '‖'), _) if c == close && (spaced || factors.is_empty()) => {}
                (c, _) if c == close => {
                    self.at += 1;
                    break;
                }
                (Some(c @ (')' | ']' | '}')), _) => {
                    return self.error(at, format!("nothing opens this \"{c}\""));
                }
                (Some('/'), _) => {
                    if factors.is_empty() {
                        return self.error(at, "there is nothing above this fraction bar");
                    }
                    self.at += 1;
                    let below = self.below(at, Self::factor)?;
                    let above = if factors.len() == 1 {
                        factors.remove(0).bared()
                    } else {
                        element("mrow", product(factors))
                    };
                    factors = vec![Piece::fraction(above, below)];
                    continue;
                }
                _ => {}
            }
            if let Some(factor) = self.factor()? {
                if after_word && factors.is_empty() {
                    xml += &space(WORD);
                }
                factors.push(factor);
                continue;
            }
            if matches!(self.peek(), Some('·' | '×' | '⊙')) && !factors.is_empty() {
                let sign = element("mo", self.chars[at]);
                factors.push(Piece::new(TIGHT, Kind::Sign, sign)); // the product goes on
                self.at += 1;
                continue;
            }
            let behind_factor = !factors.is_empty();
            xml += &product(std::mem::take(&mut factors));
            if let Some(operator) = self.operator(behind_factor) {
                xml += &operator;
                if close.is_none() && matches!(self.chars[at], ',' | ';') {
                    xml += &space(WIDE); // at the top, a formula ends here
                }
                after_word = false;
            } else {
                let word = self.take_while(is_letter);
                if word.is_empty() {
                    return self.error(at, format!("\"{}\" is not part of the notation", self.chars[at]));
                }
                if after_word || behind_factor {
                    xml += &space(WORD);
                }
                xml += &element("mtext", word);
                after_word = true;
            }
        }
        Ok(xml + &product(factors))
    }

    fn operator(&mut self, behind_factor: bool) -> Option<String> {
        let (shown, length) = match (self.peek()?, self.behind(1)) {
            ('<', Some('=')) => ('≤', 2),
            ('>', Some('=')) => ('≥', 2),
            ('.', Some('.')) => ('…', 2),
            ('-', _) => ('−', 1),
            (c, _) if "+±∓=≠<>≤≥≈≡∝∈∉←→‖,;:…".contains(c) => (c, 1),
            _ => return None,
        };
        self.at += length;
        Some(match shown {
            '+' | '−' | '±' | '∓' if !behind_factor => sign(shown),
            '←' | '→' | '‖' => format!("<mo stretchy=\"false\">{shown}</mo>"),
            _ => element("mo", escape(&shown.to_string())),
        })
    }

    /// What stands below the fraction bar at `bar`.
    fn below(&mut self, bar: usize, parse: fn(&mut Self) -> Parsed<Option<Piece>>) -> Parsed<String> {
        match parse(self)? {
            Some(below) => Ok(below.bared()),
            None => self.error(bar, "there is nothing below this fraction bar"),
        }
    }

    /// One factor, if one stands here. Functions, sums and products take the next one along; a slash without spaces is a part of
    /// it.
    fn factor(&mut self) -> Parsed<Option<Piece>> {
        self.skip_spaces();
        let Some(first) = self.with_scripts()? else { return Ok(None) };
        if matches!(first.kind, Kind::Function | Kind::Large) {
            let gap = if first.kind == Kind::Large { TIGHT } else { THIN };
            return Ok(Some(match self.within(Self::factor)? {
                Some(argument) => {
                    let applied = first.xml + &space(gap) + &argument.xml;
                    Piece::new(THIN, Kind::Other, element("mrow", applied))
                }
                None => first,
            }));
        }
        let slash = self.at;
        if self.peek() == Some('/') && !self.behind(1).is_none_or(char::is_whitespace) {
            self.at += 1;
            let below = self.below(slash, Self::with_scripts)?;
            return Ok(Some(Piece::fraction(first.bared(), below)));
        }
        Ok(Some(first))
    }

    /// An atom with its indices, powers and arguments.
    fn with_scripts(&mut self) -> Parsed<Option<Piece>> {
        let start = self.at;
        let Some(mut base) = self.atom()? else { return Ok(None) };
        let (mut below, mut above) = (vec![], vec![]);
        while let Some(c) = self.peek() {
            let name = matches!(base.kind, Kind::Name | Kind::Function);
            match c {
                '_' => below.push(self.script()?),
                '^' => above.push(self.script()?),
                _ if SUBSCRIPTS.contains(c) => {
                    let digits = self.take_while(|c| SUBSCRIPTS.contains(c));
                    below.push(element("mn", standing_for(&digits, SUBSCRIPTS, "0123456789")));
                }
                _ if SUPERSCRIPTS.contains(c) => above.extend(self.raised()),
                '0'..='9' if name && self.at == start + 1 => {
                    below.push(element("mn", self.take_while(|c| c.is_ascii_digit())));
                }
                '\'' | '′' if name => {
                    self.at += 1;
                    above.push(element("mo", '′'));
                }
                '(' | '[' if name => {
                    let Some(arguments) = self.atom()? else { break };
                    let called = scripted(base, below, above);
                    let space = if called.kind == Kind::Function { THIN } else { called.space };
                    base = Piece::new(space, Kind::Other, element("mrow", called.xml + &arguments.xml));
                    (below, above) = (vec![], vec![]);
                }
                '!' => {
                    self.at += 1;
                    let factorial = scripted(base, below, above).xml + &element("mo", '!');
                    base = Piece::new(TIGHT, Kind::Other, element("mrow", factorial));
                    (below, above) = (vec![], vec![]);
                }
                _ => break,
            }
        }
        Ok(Some(scripted(base, below, above)))
    }

    /// What stands behind a `_` or a `^`, and them.
    fn script(&mut self) -> Parsed<String> {
        let (at, power) = (self.at, self.peek() == Some('^'));
        self.at += 1;
        let mut script = vec![];
        if let Some(c @ ('-' | '+' | '±' | '∓')) = self.peek() {
            script.push(sign(if c == '-' { '−' } else { c }));
            self.at += 1;
        }
        let of = match self.peek() {
            Some('(' | '{') => self.within(Self::atom)?,
            _ if power => self.within(Self::with_scripts)?,
            // two letters are two indices
            Some('a'..='z') => {
                let word = self.take_while(|c| c.is_ascii_lowercase());
                let letters: Vec<_> = word.chars().map(|c| element("mi", c)).collect();
                let two = letters.len() == 2 && !PROSE.contains(&&*word);
                let xml = if two { row(letters) } else { element("mi", word) };
                Some(Piece::new(TIGHT, Kind::Other, xml))
            }
            _ => self.within(Self::atom)?,
        };
        let Some(of) = of else {
            return self.error(at, format!("there is nothing behind this \"{}\"", self.chars[at]));
        };
        script.push(of.bared());
        Ok(row(script))
    }

    /// A number, a name, or something in brackets or under a root; nothing where an operator or a word of a sentence stands.
    fn atom(&mut self) -> Parsed<Option<Piece>> {
        let Some(c) = self.peek() else { return Ok(None) };
        let (at, other) = (self.at, |xml| Ok(Some(Piece::new(TIGHT, Kind::Other, xml))));
        match c {
            '(' => self.fenced('(', ')'),
            '[' => self.fenced('[', ']'),
            '{' => self.fenced('{', '}'),
            '|' => self.fenced('|', '|'),
            // between two names it is the bar of KL(P‖Q)
            '‖' if !at.checked_sub(1).is_some_and(|before| self.chars[before].is_alphabetic()) => {
                self.fenced('‖', '‖')
            }
            '√' => {
                self.at += 1;
                match self.within(Self::with_scripts)? {
                    Some(inside) => other(element("msqrt", inside.bared())),
                    None => self.error(at, "there is nothing under this root"),
                }
            }
            'Σ' | 'Π' => {
                self.at += 1;
                let sign = element("mo", if c == 'Σ' { '∑' } else { '∏' });
                Ok(Some(Piece::new(THIN, Kind::Large, sign)))
            }
            '½' | '∞' => {
                self.at += 1;
                Ok(Some(Piece::new(TIGHT, Kind::Number, element("mn", c))))
            }
            '0'..='9' => Ok(Some(Piece::new(TIGHT, Kind::Number, self.number()))),
            '∂' | '∇' => self.differential(),
            _ if c.is_ascii_alphabetic() => self.word(),
            _ if is_letter(c) => {
                self.at += 1;
                Ok(Some(self.letter(c)))
            }
            _ => Ok(None),
        }
    }

    fn fenced(&mut self, open: char, close: char) -> Parsed<Option<Piece>> {
        self.at += 1;
        let inside = self.within(|parser| parser.row(Some(close)))?;
        let [left, right] = [open, close].map(|c| element("mo", escape(&c.to_string())));
        let xml = element("mrow", left + &inside + &right);
        let bare = matches!(open, '(' | '{').then(|| element("mrow", inside));
        Ok(Some(Piece { xml, bare, space: TIGHT, kind: Kind::Other }))
    }

    /// "12", "0.5", "4.5e-5".
    fn number(&mut self) -> String {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let mut digits = self.take_while(|c| c.is_ascii_digit());
        if self.peek() == Some('.') && digit(self.behind(1)) {
            self.at += 1;
            digits = digits + "." + &self.take_while(|c| c.is_ascii_digit());
        }
        let number = element("mn", digits);
        let negative = self.behind(1) == Some('-');
        if self.peek() != Some('e') || !digit(self.behind(1 + usize::from(negative))) {
            return number;
        }
        self.at += 1 + usize::from(negative);
        let exponent = if negative { "−" } else { "" }.to_owned() + &self.take_while(|c| c.is_ascii_digit());
        row(vec![number, element("mo", '·'), element("msup", element("mn", 10) + &element("mn", exponent))])
    }

    /// A letter, perhaps with a hat or a bar; the letter itself is behind us.
    fn letter(&mut self, c: char) -> Piece {
        let (c, accent) = match (c, self.peek()) {
            ('ŷ', _) => ('y', 'ˆ'),
            (_, Some('\u{302}')) => (c, 'ˆ'),
            (_, Some('\u{304}')) => (c, 'ˉ'),
            _ => return Piece::new(TIGHT, Kind::Name, element("mi", c)),
        };
        self.take_while(|c| matches!(c, '\u{302}' | '\u{304}'));
        let xml = format!("<mover accent=\"true\"><mi>{c}</mi><mo stretchy=\"false\">{accent}</mo></mover>");
        Piece::new(TIGHT, Kind::Name, xml)
    }

    /// A variable, a differential, a function or another name.
    fn word(&mut self) -> Parsed<Option<Piece>> {
        let start = self.at;
        let mut word = self.take_while(|c| c.is_ascii_alphabetic());
        if PROSE.contains(&&*word) {
            self.at = start;
            return Ok(None);
        }
        let of = word.strip_prefix('d').map(|of| (of.len(), of.bytes().all(|c| c.is_ascii_uppercase())));
        let order = self.chars[self.at..].iter().take_while(|&&c| SUPERSCRIPTS.contains(c)).count(); // d²y
        let before_letter = self.behind(order).is_some_and(is_letter);
        if matches!(of, Some((1, _) | (2.., true))) || of == Some((0, true)) && before_letter {
            self.at = start;
            return self.differential();
        }
        if word.len() == 1 {
            return Ok(Some(self.letter(self.chars[start])));
        }
        // dice_loss, log1p, hidden.weight
        while let Some(c) = self.peek() {
            let goes_on = |n| self.behind(n).is_some_and(|c: char| c.is_ascii_alphanumeric());
            if !(c.is_ascii_alphanumeric() || c == '_' && goes_on(1) && goes_on(2) || c == '.' && goes_on(1))
            {
                break;
            }
            word.push(c);
            self.at += 1;
        }
        let kind = if FUNCTIONS.contains(&&*word) { Kind::Function } else { Kind::Name };
        Ok(Some(Piece::new(WORD, kind, element("mi", escape(&word)))))
    }

    /// dx, d²x, ∂f, ∇f: the d, and what it belongs to.
    fn differential(&mut self) -> Parsed<Option<Piece>> {
        let (at, d) = (self.at, self.chars[self.at]);
        self.at += 1;
        let order = self.raised();
        let d =
            scripted(Piece::new(THIN, Kind::Other, element("mi", d)), vec![], order.into_iter().collect());
        match self.within(Self::with_scripts)? {
            Some(of) => Ok(Some(Piece::new(THIN, Kind::Other, row(vec![d.xml, of.xml])))),
            None => self.error(at, format!("there is nothing behind this \"{}\"", self.chars[at])),
        }
    }

    /// The characters that are raised by themselves.
    fn raised(&mut self) -> Option<String> {
        let raised = self.take_while(|c| SUPERSCRIPTS.contains(c));
        match standing_for(&raised, SUPERSCRIPTS, RAISED).as_str() {
            "" => None,
            "T" => Some("<mi mathvariant=\"normal\">T</mi>".into()),
            "n" => Some(element("mi", 'n')),
            number => Some(element("mn", number)),
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !SUPERSCRIPTS.contains(c) && !matches!(c, 'Σ' | 'Π')
}

fn standing_for(small: &str, from: &str, to: &str) -> String {
    let plain = |c| from.chars().zip(to.chars()).find(|&(from, _)| from == c).map_or(c, |(_, to)| to);
    small.chars().map(plain).collect()
}
