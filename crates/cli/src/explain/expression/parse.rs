//! From text to steps, by recursive descent.

use super::{ExpressionError, Program, Step, full_name, is_function, short};

/// The deepest nesting; more would use up the stack.
const DEEPEST: usize = 100;

/// Superscript digits, which are exponents.
const SUPERSCRIPTS: [(char, f64); 10] = [
    ('⁰', 0.0),
    ('¹', 1.0),
    ('²', 2.0),
    ('³', 3.0),
    ('⁴', 4.0),
    ('⁵', 5.0),
    ('⁶', 6.0),
    ('⁷', 7.0),
    ('⁸', 8.0),
    ('⁹', 9.0),
];

const MINUS: &str = "-−–";

impl Program {
    pub fn parse(text: &str) -> Result<Program, ExpressionError> {
        let mut parser = Parser { text, at: 0, depth: 0, program: Program::default() };
        loop {
            let result = match parser.assigned() {
                Some(name) => {
                    let step = parser.sum()?;
                    parser.program.named.push((name.clone(), step));
                    parser.program.add(Step::Name(name))
                }
                None => parser.sum()?,
            };
            let unnamed = parser.program.named.last().is_none_or(|&(_, step)| step + 1 != result);
            parser.program.result = result;
            let more = parser.take(";").is_some();
            parser.skip();
            if parser.at == text.len() {
                return Ok(parser.program);
            }
            if !more {
                return Err(parser.wrong("expected an operator, \";\" or the end"));
            }
            if unnamed {
                return Err(parser.wrong("expected a name, \"=\" and an expression before \";\""));
            }
        }
    }
}

/// Whether this could be a number.
pub fn is_name(text: &str) -> bool {
    text.starts_with(starts_name) && text.chars().all(goes_on)
}
fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '∂'
}
fn goes_on(c: char) -> bool {
    (starts_name(c) || c.is_numeric()) && SUPERSCRIPTS.iter().all(|&(sign, _)| sign != c) && c != '½'
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    program: Program,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, accepted: &str) -> Option<char> {
        self.skip();
        let next = self.rest().chars().next().filter(|&c| accepted.contains(c))?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn expect(&mut self, sign: char, why: &str) -> Result<(), ExpressionError> {
        match self.take(sign.encode_utf8(&mut [0; 4])) {
            Some(_) => Ok(()),
            None => Err(self.wrong(&format!("expected \"{sign}\": {why}"))),
        }
    }

    /// A message with the part of the formula around the mistake.
    fn wrong(&self, what: &str) -> ExpressionError {
        const BEFORE: usize = 40;
        const AFTER: usize = 30;
        let found = self.rest().chars().next().map_or("the end".to_string(), |c| format!("\"{c}\""));
        let before = self.text[..self.at].chars().count();
        let left_out = before.saturating_sub(BEFORE);
        let visible = |c: char| if c.is_whitespace() { ' ' } else { c };
        let mut shown: String = self.text.chars().skip(left_out).take(BEFORE + AFTER).map(visible).collect();
        let mut column = before - left_out;
        if left_out > 0 {
            shown.insert(0, '…');
            column += 1;
        }
        if self.rest().chars().nth(AFTER).is_some() {
            shown.push('…');
        }
        ExpressionError(format!("{what}, found {found}\n  {shown}\n  {:column$}^", ""))
    }

    fn word(&mut self) -> Option<&'a str> {
        self.skip();
        let rest = self.rest();
        let end = rest.find(|c| !goes_on(c)).unwrap_or(rest.len());
        rest.starts_with(starts_name).then(|| {
            self.at += end;
            &rest[..end]
        })
    }

    /// "z =", if that comes next.
    fn assigned(&mut self) -> Option<String> {
        let start = self.at;
        if let Some(name) = self.word()
            && self.take("=").is_some()
        {
            return Some(name.to_string());
        }
        self.at = start;
        None
    }

    /// One level deeper.
    fn nested<R>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<R, ExpressionError>,
    ) -> Result<R, ExpressionError> {
        if self.depth == DEEPEST {
            return Err(self.wrong(&format!("more than {DEEPEST} nested brackets or signs")));
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    fn sum(&mut self) -> Result<usize, ExpressionError> {
        let mut left = self.product()?;
        while let Some(operator) = self.take("+-−–") {
            let right = self.product()?;
            let operator = if operator == '+' { '+' } else { '-' };
            left = self.program.add(Step::Binary(operator, left, right));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<usize, ExpressionError> {
        let mut left = self.signed()?;
        while let Some(operator) = self.take("*/·×⋅÷") {
            let right = self.signed()?;
            let operator = if "/÷".contains(operator) { '/' } else { '*' };
            left = self.program.add(Step::Binary(operator, left, right));
        }
        Ok(left)
    }

    /// A sign binds less than a power: -x^2 is -(x^2).
    fn signed(&mut self) -> Result<usize, ExpressionError> {
        let mut signs = 0;
        while self.take(MINUS).is_some() {
            signs += 1;
        }
        let whole = self.power()?;
        Ok(if signs % 2 == 1 { self.program.negative(whole) } else { whole })
    }

    fn power(&mut self) -> Result<usize, ExpressionError> {
        let mut base = self.single()?;
        while let Some(&(sign, power)) =
            self.rest().chars().next().and_then(|c| SUPERSCRIPTS.iter().find(|&&(sign, _)| sign == c))
        {
            self.at += sign.len_utf8();
            let power = self.program.add(Step::Number(power));
            base = self.program.add(Step::Binary('^', base, power));
        }
        if self.take("^").is_some() {
            let minus = self.take(MINUS).is_some();
            let mut power = self.nested(Self::single)?;
            if minus {
                power = self.program.negative(power);
            }
            base = self.program.add(Step::Binary('^', base, power));
        }
        Ok(base)
    }

    fn single(&mut self) -> Result<usize, ExpressionError> {
        if let Some(open) = self.take("([|") {
            let close = match open {
                '(' => ')',
                '[' => ']',
                _ => '|',
            };
            let inside = self.nested(Self::sum)?;
            self.expect(close, "a bracket was opened")?;
            return Ok(match open {
                '|' => self.program.add(Step::Call("abs".into(), vec![inside])),
                _ => inside,
            });
        }
        if self.take("√").is_some() {
            let inside = self.nested(Self::single)?;
            return Ok(self.program.add(Step::Call("sqrt".into(), vec![inside])));
        }
        if self.take("½").is_some() {
            return Ok(self.program.add(Step::Number(0.5)));
        }
        if let Some(name) = self.word() {
            if self.take("(").is_none() {
                // "ln x", as formulas are printed; a name alone is a variable
                self.skip();
                let argues = self
                    .rest()
                    .starts_with(|c: char| starts_name(c) || c.is_ascii_digit() || "½√|".contains(c));
                if argues && is_function(name) {
                    let argument = self.nested(Self::power)?;
                    return Ok(self.program.add(Step::Call(full_name(name).into(), vec![argument])));
                }
                return Ok(self.program.add(Step::Name(name.into())));
            }
            let mut arguments = vec![self.nested(Self::sum)?];
            while self.take(",").is_some() {
                arguments.push(self.nested(Self::sum)?);
            }
            self.expect(')', &format!("the arguments of {} must be closed", short(name)))?;
            return Ok(self.program.add(Step::Call(full_name(name).into(), arguments)));
        }
        self.skip();
        let rest = self.rest();
        let mut end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        if end > 0 && rest[end..].starts_with(['e', 'E']) {
            let digits = rest[end + 1..].trim_start_matches(['+', '-']);
            let signed = rest.len() - digits.len();
            let power = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            if power > 0 && signed - end <= 2 {
                end = signed + power;
            }
        }
        let number = rest[..end].parse().map_err(|_| self.wrong("expected a number, a name or \"(\""))?;
        self.at += end;
        Ok(self.program.add(Step::Number(number)))
    }
}
