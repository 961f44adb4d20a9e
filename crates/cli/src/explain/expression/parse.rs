//! From text to an expression, by recursive descent.

use super::{Expression, ExpressionError, Program};

/// More than anybody types; deeper ones would use up the stack.
const DEEPEST: usize = 100;

impl Program {
    pub fn parse(text: &str) -> Result<Program, ExpressionError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let mut named = Vec::new();
        loop {
            if let Some(name) = parser.assigned() {
                named.push((name, parser.sum()?));
                parser.expect(';', "what a name stands for ends with \";\", and a result follows")?;
                continue;
            }
            let result = parser.sum()?;
            parser.skip();
            if parser.at < text.len() {
                return Err(parser.wrong("expected an operator or the end"));
            }
            return Ok(Program { named, result });
        }
    }
}

/// Whether this could stand for a number.
pub fn is_name(text: &str) -> bool {
    text.starts_with(starts_name) && text.chars().all(goes_on)
}
fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}
fn goes_on(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
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

    fn wrong(&self, what: &str) -> ExpressionError {
        let before = self.text[..self.at].chars().count();
        let found = self.rest().chars().next().map_or("the end".to_string(), |c| format!("\"{c}\""));
        ExpressionError(format!("{what}, found {found}\n  {}\n  {:before$}^", self.text, ""))
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

    fn sum(&mut self) -> Result<Expression, ExpressionError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(&format!("more than {DEEPEST} brackets or signs in each other")));
        }
        let mut left = self.product()?;
        while let Some(operator) = self.take("+-") {
            left = Expression::Binary(operator, left.into(), self.product()?.into());
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression, ExpressionError> {
        let mut left = self.signed()?;
        while let Some(operator) = self.take("*/") {
            left = Expression::Binary(operator, left.into(), self.signed()?.into());
        }
        Ok(left)
    }

    /// A sign binds less than a power: -x^2 is -(x^2).
    fn signed(&mut self) -> Result<Expression, ExpressionError> {
        let mut signs = 0;
        while self.take("-").is_some() {
            signs += 1;
        }
        let base = self.single()?;
        let mut whole = match self.take("^") {
            Some(_) => {
                let minus = self.take("-").is_some();
                let power = match self.single()? {
                    Expression::Number(x) if minus => Expression::Number(-x),
                    _ if minus => return Err(self.wrong("a negative power is a number")),
                    power => power,
                };
                Expression::Binary('^', base.into(), power.into())
            }
            None => base,
        };
        if signs % 2 == 1 {
            whole = match whole {
                Expression::Number(x) => Expression::Number(-x),
                whole => Expression::Negative(whole.into()),
            };
        }
        Ok(whole)
    }

    fn single(&mut self) -> Result<Expression, ExpressionError> {
        if self.take("(").is_some() {
            let inside = self.sum()?;
            self.expect(')', "a bracket was opened")?;
            return Ok(inside);
        }
        if let Some(name) = self.word() {
            if self.take("(").is_none() {
                return Ok(Expression::Name(name.into()));
            }
            let mut arguments = vec![self.sum()?];
            while self.take(",").is_some() {
                arguments.push(self.sum()?);
            }
            self.expect(')', &format!("the arguments of {name} end with it"))?;
            return Ok(Expression::Call(name.into(), arguments));
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
        Ok(Expression::Number(number))
    }
}
