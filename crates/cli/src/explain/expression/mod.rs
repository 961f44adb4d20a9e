//! Expressions as they are typed in: "z = w*x + b; a = sigmoid(z); bce(a, y)".

mod parse;

use std::collections::BTreeMap;
use std::fmt;

use surprisal_loss::by_name::{self, Call as LossCall};
use surprisal_loss::vectors::quietly;
use surprisal_tensor::ops::{self, Call, Checked};
use surprisal_tensor::{Dual, Params, Tape};

use parse::is_name;

/// A formula over names and numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Number(f64),
    Name(String),
    Negative(Box<Expression>),
    Binary(char, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
}

/// Names given to parts, and at the end the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub named: Vec<(String, Expression)>,
    pub result: Expression,
}

/// What is wrong with an expression, and where.
#[derive(Debug, PartialEq)]
pub struct ExpressionError(String);

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a loss is held against.
pub const TARGET: &str = "y";

/// Short names that the lessons use.
const ALIASES: [(&str, &str); 5] = [
    ("mse", "mse_loss"),
    ("ce", "binary_cross_entropy"),
    ("half_mse", "half_squared_error"),
    ("bce", "binary_cross_entropy"),
    ("bce_with_logits", "binary_cross_entropy_with_logits"),
];

impl Program {
    /// The names that stand for nothing in the program itself: they need numbers.
    pub fn unknowns(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut known: Vec<&str> = Vec::new();
        let results = [("", &self.result)];
        for (name, expression) in self.named.iter().map(|(n, e)| (n.as_str(), e)).chain(results) {
            expression.names(&mut |name| {
                if !known.contains(&name) && !found.iter().any(|found| found == name) {
                    found.push(name.to_string());
                }
            });
            known.push(name);
        }
        found
    }

    /// Gives names to the parts of a neuron that has none: z to what the outermost function squashes, a to the result.
    pub fn with_names_of_a_neuron(mut self) -> Program {
        let used = self.unknowns();
        let free = |name: &str| self.named.is_empty() && !used.iter().any(|used| used == name);
        if let Expression::Call(function, arguments) = &self.result
            && let [inside] = &arguments[..]
            && !matches!(inside, Expression::Name(_) | Expression::Number(_))
            && free("z")
            && free("a")
        {
            let squashed = Expression::Call(function.clone(), vec![Expression::Name("z".into())]);
            self.named = vec![("z".into(), inside.clone()), ("a".into(), squashed)];
            self.result = Expression::Name("a".into());
        }
        self
    }

    /// Whether the result is a sigmoid of something that has a name: a neuron that answers yes or no.
    pub fn is_sigmoid_neuron(&self) -> bool {
        let of =
            |expression: &Expression| matches!(expression, Expression::Call(name, _) if name == "sigmoid");
        match &self.result {
            Expression::Name(result) => {
                self.named.iter().any(|(name, expression)| name == result && of(expression))
            }
            result => of(result),
        }
    }

    /// The same with a loss of the result against y.
    pub fn against_y(mut self, loss: &str) -> Program {
        let target = Expression::Name(TARGET.into());
        self.result = Expression::Call(loss.into(), vec![self.result, target]);
        self
    }

    /// Records the program; a name that is used twice is one node.
    pub fn record<'t>(&self, tape: &'t Tape<'t, Dual<f64>>) -> Result<Checked<'t>, ExpressionError> {
        let mut vars = BTreeMap::new();
        for (name, expression) in &self.named {
            let var = expression.record(tape, &mut vars)?.named(lasting(name));
            vars.insert(name.clone(), var);
        }
        self.result.record(tape, &mut vars)
    }
}

impl Expression {
    fn names<'a>(&'a self, each: &mut impl FnMut(&'a str)) {
        match self {
            Expression::Number(_) => {}
            Expression::Name(name) => each(name),
            Expression::Negative(inside) => inside.names(each),
            Expression::Binary(_, left, right) => {
                left.names(each);
                right.names(each);
            }
            Expression::Call(_, arguments) => arguments.iter().for_each(|argument| argument.names(each)),
        }
    }

    fn record<'t>(
        &self,
        tape: &'t Tape<'t, Dual<f64>>,
        vars: &mut BTreeMap<String, Checked<'t>>,
    ) -> Result<Checked<'t>, ExpressionError> {
        Ok(match self {
            Expression::Number(x) => tape.constant(*x),
            Expression::Name(name) => match vars.get(name) {
                Some(&var) => var,
                None => {
                    let id = tape.params().find(name).ok_or_else(|| not_given(&[name]))?;
                    let mut var = tape.constant(tape.params()[id][0].value);
                    // the target is no variable: nobody asks how the loss would change with the truth
                    if name != TARGET {
                        var = var.requires_grad();
                    }
                    vars.insert(name.clone(), var.named(lasting(name)));
                    var
                }
            },
            Expression::Negative(inside) => -inside.record(tape, vars)?,
            Expression::Binary('^', base, power) => {
                let base = base.record(tape, vars)?;
                match **power {
                    Expression::Number(2.0) => base.square(),
                    Expression::Number(power) => base.powf(power),
                    _ => {
                        return Err(ExpressionError(
                            "a power is a number: x^3; of others write exp(p * ln(x))".into(),
                        ));
                    }
                }
            }
            Expression::Binary(operator, left, right) => {
                let (left, right) = (left.record(tape, vars)?, right.record(tape, vars)?);
                match operator {
                    '+' => left + right,
                    '-' => left - right,
                    '*' => left * right,
                    _ => left / right,
                }
            }
            Expression::Call(name, arguments) => {
                let arguments: Vec<_> =
                    arguments.iter().map(|argument| argument.record(tape, vars)).collect::<Result<_, _>>()?;
                call(name, &arguments)?
            }
        })
    }
}

/// What is to be said where names stand for nothing.
pub fn not_given(names: &[impl AsRef<str>]) -> ExpressionError {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let (what, them) = (names.join(", "), if names.len() == 1 { "it a number" } else { "them numbers" });
    let numbers: Vec<String> = names.iter().map(|name| format!("{name}=0.5")).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    ExpressionError(format!("what {verb} {what}? Give {them}: --at {}", numbers.join(",")))
}

/// A name lives as long as the command does.
fn lasting(name: &str) -> &'static str {
    Box::leak(name.to_string().into_boxed_str())
}

/// Calls an operation of one or two numbers, or a loss of single numbers, by its name.
fn call<'t>(name: &str, arguments: &[Checked<'t>]) -> Result<Checked<'t>, ExpressionError> {
    let wants = |count: usize| match arguments.len() == count {
        true => Ok(()),
        false => Err(ExpressionError(format!(
            "{name}: expected {count} in the brackets, found {}",
            arguments.len()
        ))),
    };
    if let Some(entry) = ops::all().find(|entry| entry.card.name == name && entry.settings.is_empty()) {
        match entry.call {
            Call::Unary(f) => return wants(1).map(|()| f(arguments[0])),
            Call::Binary(f) => return wants(2).map(|()| f(arguments[0], arguments[1])),
            _ => {}
        }
    }
    let full = ALIASES.iter().find(|(short, _)| *short == name).map_or(name, |(_, full)| full);
    let Some(loss) = by_name::find(full).filter(|loss| loss.curve.is_some()) else {
        return Err(unknown(name));
    };
    let required = loss.inputs.iter().take(2);
    wants(required.clone().count())?;
    let inputs = required.map(|input| input.name.to_string()).zip(arguments.iter().copied()).collect();
    let call = LossCall { inputs, options: BTreeMap::new() };
    // a loss says what is wrong with a target by a panic; here the caller reads it as an answer
    match quietly(|| loss.call(&call)) {
        Ok(Ok(var)) => Ok(var),
        Ok(Err(error)) => Err(ExpressionError(error.to_string())),
        Err(message) => Err(ExpressionError(message)),
    }
}

fn unknown(name: &str) -> ExpressionError {
    let mut functions: Vec<&str> = ops::all()
        .filter(|entry| entry.settings.is_empty() && matches!(entry.call, Call::Unary(_) | Call::Binary(_)))
        .map(|entry| entry.card.name)
        .collect();
    let losses = by_name::ALL.iter().filter(|loss| loss.curve.is_some()).map(|loss| loss.card.name);
    functions.extend(losses.chain(ALIASES.map(|(short, _)| short)));
    functions.sort_unstable();
    functions.dedup();
    ExpressionError(format!("there is no function \"{name}\"; there are: {}", functions.join(", ")))
}

/// The numbers that names stand for: "x=1,w=-2.5".
pub fn numbers(text: &str) -> Result<Params<f64>, ExpressionError> {
    let mut params = Params::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let wrong = |what: &str| {
            ExpressionError(format!("--at: \"{part}\" {what}; write for example x=1,w=2,b=-0.5"))
        };
        let (name, number) = part.split_once('=').ok_or_else(|| wrong("has no \"=\""))?;
        let (name, number) = (name.trim(), number.trim());
        if !is_name(name) {
            return Err(wrong("begins with no name"));
        }
        if params.find(name).is_some() {
            return Err(wrong("comes a second time"));
        }
        let x: f64 = number.parse().map_err(|_| wrong("ends with no number"))?;
        params.add_with(name, [], |slot| slot[0] = x);
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprisal_tensor::Workspace;

    #[track_caller]
    fn value(text: &str, at: &str) -> Result<f64, String> {
        let params = numbers(at).map_err(|error| error.to_string())?;
        let mut workspace = Workspace::new();
        let cast = params.cast();
        let tape = workspace.tape(&cast);
        let program = Program::parse(text).map_err(|error| error.to_string())?;
        program.record(&tape).map(|var| var.item().value).map_err(|error| error.to_string())
    }

    #[test]
    fn operators_bind_as_in_mathematics() {
        for (text, expected) in [
            ("1 + 2 * 3 - 4 / 2", 5.0),
            ("-x^2", -9.0),
            ("(-x)^2", 9.0),
            ("2^3 * 2", 16.0),
            ("--x - -1", 4.0),
            ("2 - 3 - 4", -5.0),
            ("x^-1 * 6", 2.0),
            ("1.5e1 + 1E-1*10", 16.0),
            ("maximum(x, 4) + relu(-x)", 4.0),
            ("z = x + 1; a = z * z; a + z", 20.0),
        ] {
            let found = value(text, "x=3").unwrap();
            assert!((found - expected).abs() < 1e-12, "{text} is {found}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_shown_with_its_place() {
        let complaint = |text: &str| value(text, "x=1").unwrap_err();
        assert_eq!(
            complaint("x + * 2"),
            "expected a number, a name or \"(\", found \"*\"\n  x + * 2\n      ^"
        );
        assert_eq!(
            complaint("sin(x"),
            "expected \")\": the arguments of sin end with it, found the end\n  sin(x\n       ^"
        );
        assert!(complaint("sin(x)").starts_with("there is no function \"sin\"; there are: abs, add, bce, "));
        assert_eq!(complaint("x + q"), "what is q? Give it a number: --at q=0.5");
        assert_eq!(complaint("sigmoid(x, x)"), "sigmoid: expected 1 in the brackets, found 2");
        assert!(complaint("bce(x, 7)").contains("target"), "{}", complaint("bce(x, 7)"));
        assert!(complaint(&"(".repeat(5000)).starts_with("more than 100 brackets"));
        assert!(complaint(&"-".repeat(5000)).starts_with("expected a number"));
    }

    #[test]
    fn a_neuron_gets_the_names_of_the_lessons_unless_they_are_taken() {
        let named = |text| Program::parse(text).unwrap().with_names_of_a_neuron();
        assert_eq!(named("sigmoid(w*x + b)"), Program::parse("z = w*x + b; a = sigmoid(z); a").unwrap());
        for text in ["sigmoid(z*x)", "w*x", "sigmoid(x)", "q = x; sigmoid(q + 1)"] {
            assert_eq!(named(text), Program::parse(text).unwrap(), "{text}");
        }
        assert_eq!(named("sigmoid(w*x + b)").unknowns(), ["w", "x", "b"]);
    }
}
