//! Parsed expressions: "z = w*x + b; a = sigmoid(z); bce(a, y)".

mod parse;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use surprisal_loss::by_name::{self, Call as LossCall};
use surprisal_settings::closest;
use surprisal_tensor::ops::{self, Call};
use surprisal_tensor::{Params, Tape, Var};

use parse::is_name;

/// One step of a formula over names and numbers; it refers to earlier steps by index.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Number(f64),
    Name(String),
    Negative(usize),
    Binary(char, usize, usize),
    Call(String, Vec<usize>),
}

/// A formula in the order of computation, so that however long it is, nothing recurses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    steps: Vec<Step>,
    /// Names given to steps, in the order in which they are given.
    named: Vec<(String, usize)>,
    result: usize,
}

/// An error in an expression, with its position.
#[derive(Debug, PartialEq)]
pub struct ExpressionError(String);

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a loss is held against.
pub const TARGET: &str = "y";

/// Short names of the lessons, and symbols of printed formulas.
const ALIASES: [(&str, &str); 9] = [
    ("mse", "mse_loss"),
    ("ce", "binary_cross_entropy"),
    ("half_mse", "half_squared_error"),
    ("bce", "binary_cross_entropy"),
    ("bce_with_logits", "binary_cross_entropy_with_logits"),
    ("σ", "sigmoid"),
    ("max", "maximum"),
    ("min", "minimum"),
    ("log", "ln"),
];

/// A function's own name.
fn full_name(name: &str) -> &str {
    ALIASES.iter().find(|(short, _)| *short == name).map_or(name, |(_, full)| full)
}

/// Every function that can be called.
fn functions() -> impl Iterator<Item = &'static str> {
    let operations = ops::all()
        .filter(|entry| {
            entry.signature.settings.is_empty() && matches!(entry.call, Call::Unary(_) | Call::Binary(_))
        })
        .map(|entry| entry.card.name);
    let losses = by_name::ALL.iter().filter(|loss| loss.curve.is_some()).map(|loss| loss.card.name);
    operations.chain(losses).chain(ALIASES.map(|(short, _)| short))
}

fn is_function(name: &str) -> bool {
    functions().any(|function| function == name)
}

/// A name, cut where it is too long for a message.
fn short(name: &str) -> String {
    const MOST: usize = 40;
    match name.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_string(),
    }
}

impl Program {
    fn add(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn negative(&mut self, step: usize) -> usize {
        match self.steps[step] {
            Step::Number(x) => self.add(Step::Number(-x)),
            _ => self.add(Step::Negative(step)),
        }
    }

    /// Whether a step is the e of "e^x" and no variable.
    fn is_base(&self, step: usize, is_variable: impl Fn(&str) -> bool) -> bool {
        matches!(&self.steps[step], Step::Name(name) if name == "e" && !is_variable("e"))
    }

    /// The names without a definition in the program: they need numbers. An e with an exponent is the base of exp, unless e is
    /// one of the names that are `given`.
    pub fn unknowns(&self, given: &Params<f64>) -> Vec<String> {
        let mut found = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let bases: BTreeSet<usize> = self
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Binary('^', base, _) if self.is_base(*base, |name| given.find(name).is_some()) => {
                    Some(*base)
                }
                _ => None,
            })
            .collect();
        let mut given_to = self.named.iter().peekable();
        for (place, step) in self.steps.iter().enumerate() {
            // a name can be used from the step after its definition on
            while let Some((name, _)) = given_to.next_if(|&&(_, step)| step < place) {
                seen.insert(name);
            }
            if let Step::Name(name) = step
                && !bases.contains(&place)
                && seen.insert(name)
            {
                found.push(name.clone());
            }
        }
        found
    }

    /// Gives names to the parts of a neuron that has none: z to what the outermost function squashes, a to the result.
    pub fn with_names_of_a_neuron(mut self) -> Program {
        let uses =
            |name: &str| self.steps.iter().any(|step| matches!(step, Step::Name(used) if used == name));
        if let Step::Call(_, arguments) = &self.steps[self.result]
            && let [inside] = arguments[..]
            && !matches!(self.steps[inside], Step::Name(_) | Step::Number(_))
            && self.named.is_empty()
            && !uses("z")
            && !uses("a")
        {
            self.named = vec![("z".into(), inside), ("a".into(), self.result)];
        }
        self
    }

    /// Whether the result is a sigmoid of something: a neuron that answers yes or no.
    pub fn is_sigmoid_neuron(&self) -> bool {
        let of = |step: usize| matches!(&self.steps[step], Step::Call(name, _) if name == "sigmoid");
        match &self.steps[self.result] {
            Step::Name(result) => {
                self.named.iter().rev().find(|(name, _)| name == result).is_some_and(|&(_, step)| of(step))
            }
            _ => of(self.result),
        }
    }

    /// The same with a loss of the result against y.
    pub fn against_y(mut self, loss: &str) -> Program {
        let target = self.add(Step::Name(TARGET.into()));
        self.result = self.add(Step::Call(full_name(loss).into(), vec![self.result, target]));
        self
    }

    /// Records the program with the numbers of `at`; a name that is used twice is one node. A name that is given more than once is shown with a number.
    pub fn record<'t>(&self, tape: &'t Tape<'t>, at: &Params<f64>) -> Result<Var<'t>, ExpressionError> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, step) in &self.named {
            if !matches!(self.steps[*step], Step::Name(_)) {
                *times.entry(name).or_default() += 1;
            }
        }
        let given = |name: &str| at.find(name).is_some();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut vars: BTreeMap<&str, Var<'t>> = BTreeMap::new();
        let mut recorded: Vec<Option<Var<'t>>> = Vec::with_capacity(self.steps.len());
        let mut constants: Vec<Option<f64>> = Vec::with_capacity(self.steps.len()); // what needs no names
        let mut names = self.named.iter().peekable();
        for (place, step) in self.steps.iter().enumerate() {
            let of = |step: usize| {
                recorded[step].ok_or_else(|| ExpressionError("e is the base of a power".into()))
            };
            let var = match step {
                Step::Number(x) => Some(tape.constant(*x)),
                Step::Name(name) => match vars.get(name.as_str()) {
                    Some(&var) => Some(var),
                    None => match at.find(name) {
                        Some(id) => {
                            let mut var = tape.constant(at[id][0]);
                            // the target is not a variable: it has no gradient
                            if name != TARGET {
                                var = var.requires_grad();
                            }
                            let var = var.named(name.clone());
                            vars.insert(name, var);
                            Some(var)
                        }
                        None if name == "e" => None,
                        None => return Err(not_given(&[name])),
                    },
                },
                Step::Negative(inside) => Some(-of(*inside)?),
                Step::Binary('^', base, power) => Some(match (recorded[*base], constants[*power]) {
                    (None, _) => of(*power)?.exp(),
                    (Some(base), Some(2.0)) => base.square(),
                    (Some(base), Some(power)) => base.powf(power),
                    _ => {
                        return Err(ExpressionError(
                            "a power is a number: x^3; of others write exp(p * ln(x))".into(),
                        ));
                    }
                }),
                Step::Binary(operator, left, right) => {
                    let (left, right) = (of(*left)?, of(*right)?);
                    Some(match operator {
                        '+' => left + right,
                        '-' => left - right,
                        '*' => left * right,
                        _ => left / right,
                    })
                }
                Step::Call(name, arguments) => {
                    let arguments: Vec<_> =
                        arguments.iter().map(|&step| of(step)).collect::<Result<_, _>>()?;
                    Some(call(name, &arguments)?)
                }
            };
            recorded.push(var);
            constants.push(match step {
                Step::Number(x) => Some(*x),
                Step::Negative(inside) => constants[*inside].map(|x: f64| -x),
                Step::Binary(operator, left, right) => {
                    constants[*left].zip(constants[*right]).map(|(left, right): (f64, f64)| match operator {
                        '+' => left + right,
                        '-' => left - right,
                        '*' => left * right,
                        '/' => left / right,
                        _ => left.powf(right),
                    })
                }
                Step::Name(_) | Step::Call(..) => None,
            });
            while let Some((name, step)) = names.next_if(|&&(_, step)| step == place) {
                let Some(mut var) = recorded[*step] else { return Err(not_given(&["e"])) };
                // what already has a name keeps it: "a = x" makes no new node
                if !matches!(self.steps[*step], Step::Name(_)) {
                    let count = counts.entry(name).or_default();
                    *count += 1;
                    let many = times[name.as_str()] > 1 || given(name);
                    let shown = if many { format!("{name}{}", subscript(*count)) } else { name.clone() };
                    var = var.named(shown);
                }
                vars.insert(name, var);
            }
        }
        recorded[self.result].ok_or_else(|| not_given(&["e"]))
    }
}

/// 12 as "₁₂".
fn subscript(number: usize) -> String {
    let small = |digit: char| digit.to_digit(10).and_then(|digit| char::from_u32('₀' as u32 + digit));
    number.to_string().chars().filter_map(small).collect()
}

/// The message about names without a value.
pub fn not_given(names: &[impl AsRef<str>]) -> ExpressionError {
    const MOST: usize = 8;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| short(name.as_ref())).collect();
    let more = if names.len() > MOST { format!(" and {} more", names.len() - MOST) } else { String::new() };
    let (what, verb) = (shown.join(", "), if names.len() == 1 { "has" } else { "have" });
    let numbers: Vec<String> = shown.iter().map(|name| format!("{name}=0.5")).collect();
    ExpressionError(format!("{what}{more} {verb} no value | for example --at {}", numbers.join(",")))
}

/// Calls an operation of one or two numbers, or a loss of single numbers, by its name.
fn call<'t>(name: &str, arguments: &[Var<'t>]) -> Result<Var<'t>, ExpressionError> {
    let wants = |count: usize| match arguments.len() == count {
        true => Ok(()),
        false => Err(ExpressionError(format!(
            "{name}: expected {count} argument{}, found {}",
            if count == 1 { "" } else { "s" },
            arguments.len()
        ))),
    };
    if let Some(entry) =
        ops::all().find(|entry| entry.card.name == name && entry.signature.settings.is_empty())
    {
        match entry.call {
            Call::Unary(f) => return wants(1).map(|()| f(arguments[0])),
            Call::Binary(f) => return wants(2).map(|()| f(arguments[0], arguments[1])),
            _ => {}
        }
    }
    let Some(loss) = by_name::find(name).filter(|loss| loss.curve.is_some()) else {
        return Err(unknown(name));
    };
    let required = loss.inputs.iter().take(2);
    wants(required.clone().count())?;
    let inputs = required.map(|input| input.name.to_string()).zip(arguments.iter().copied()).collect();
    let call = LossCall { inputs, options: BTreeMap::new() };
    loss.call(&call).map_err(|error| ExpressionError(error.to_string()))
}

fn unknown(name: &str) -> ExpressionError {
    let name = short(name);
    if let Some(near) = nearest(&name) {
        return ExpressionError(format!("there is no function \"{name}\" | did you mean \"{near}\"?"));
    }
    let mut functions = Vec::from_iter(functions());
    functions.sort_unstable();
    functions.dedup();
    ExpressionError(format!("there is no function \"{name}\"; there are: {}", functions.join(", ")))
}

/// The function that was probably meant.
fn nearest(name: &str) -> Option<&'static str> {
    if name.chars().count() < 4 {
        return None; // a letter of three changes everything
    }
    closest(name, functions()).map(full_name).and_then(|full| functions().find(|&function| function == full))
}

/// The values of names: "x=1,w=-2.5".
pub fn numbers(text: &str) -> Result<Params<f64>, ExpressionError> {
    let mut params = Params::default();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let wrong = |what: &str| {
            ExpressionError(format!("--at: \"{}\" {what}; for example x=1,w=2,b=-0.5", short(part)))
        };
        let (name, number) = part.split_once('=').ok_or_else(|| wrong("has no \"=\""))?;
        let (name, number) = (name.trim(), number.trim());
        if !is_name(name) {
            return Err(wrong("has no name before the \"=\""));
        }
        if params.find(name).is_some() {
            return Err(wrong("is given twice"));
        }
        let x: f64 = number.replace('−', "-").parse().map_err(|_| wrong("has no number after the \"=\""))?;
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
        let tape = workspace.tape(&params);
        let program = Program::parse(text).map_err(|error| error.to_string())?;
        program.record(&tape, &params).map(|var| var.item()).map_err(|error| error.to_string())
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
        let texts = ["x + * 2", "sin(x", "sin(x)", "x + q", "sigmoid(x, x)", "bce(x, 7)"];
        expect_test::expect![[r#"
            expected a number, a name or "(", found "*"
              x + * 2
                  ^
            expected ")": the arguments of sin must be closed, found the end
              sin(x
                   ^
            there is no function "sin"; there are: abs, add, bce, bce_with_logits, binary_cross_entropy, binary_cross_entropy_with_logits, ce, div, exp, exp_m1, gelu, gelu_tanh, half_mse, half_squared_error, hinge_loss, huber_loss, l1_loss, ln, ln_1p, log, log_cosh_loss, log_sigmoid, max, maximum, min, minimum, mish, mse, mse_loss, mul, neg, quantile_loss, recip, relu, self_information, sigmoid, sigmoid_focal_loss, silu, smooth_l1_loss, soft_margin_loss, softplus, sqrt, square, squared_hinge_loss, sub, tanh, σ
            q has no value | for example --at q=0.5
            sigmoid: expected 1 argument, found 2
            binary_cross_entropy: target 0 is 7: targets lie between 0 (no) and 1 (yes)"#]].assert_eq(&texts.map(complaint).join("\n"));
        let deep = ["(", "-"].map(|sign| complaint(&sign.repeat(5000)));
        expect_test::expect![[r#"
            more than 100 nested brackets or signs, found "("
              …((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((…
                                                       ^
            expected a number, a name or "(", found the end
              …----------------------------------------
                                                       ^"#]]
        .assert_eq(&deep.join("\n"));
    }

    /// What a formula is printed as, and what its numbers come to: of its last step, and of all that this step passes on.
    fn printed(text: &str, at: &str) -> Result<Vec<(String, Option<String>, f64)>, ExpressionError> {
        let params = numbers(at)?;
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let result = Program::parse(&format!("r = {text}"))?.record(&tape, &params)?;
        result.backward();
        let explanation = surprisal_explain::explain(result);
        let last = explanation.nodes.len() - 1;
        let node = &explanation.nodes[last];
        let mut all = vec![(explanation.formula(last), explanation.worked(last), node.value[0])];
        for sent in &node.sends {
            let worked = explanation.derivative_worked(last, sent);
            all.push((explanation.derivative(last, sent), worked, sent.gradient[0]));
        }
        Ok(all)
    }

    /// Functions that formulas are printed with and that are no operations: their numbers are put in.
    fn with_numbers(text: &str) -> Result<String, String> {
        type Function = (&'static str, fn(f64) -> f64);
        let functions: [Function; 4] = [
            ("sign(", f64::signum),
            ("cosh(", f64::cosh),
            ("Φ(", |x| surprisal_tensor::Scalar::normal_cdf(x)),
            ("φ(", |x| surprisal_tensor::Scalar::normal_density(x)),
        ];
        let mut text = text.to_string();
        for (name, f) in functions {
            while let Some(at) = text.find(name) {
                let inside = &text[at + name.len()..];
                let mut open = 1;
                let closes = |c: char| {
                    open += i32::from(c == '(') - i32::from(c == ')');
                    open == 0
                };
                let end = inside.find(closes).ok_or("no bracket")?;
                let x = f(value(&inside[..end], "")?);
                text = format!("{}({x:.12}){}", &text[..at], &inside[end + 1..]);
            }
        }
        Ok(text)
    }

    #[test]
    fn every_printed_formula_has_its_numbers_and_can_be_typed_in_again() {
        // what they are made of has names of its own in the formula
        let abbreviated = ["gelu_tanh", "sigmoid_focal_loss"];
        let mut formulas: Vec<String> =
            ["u + v", "u - v", "u * v", "u / v", "-u", "u^2", "u^3", "u^-1.5", "e^u"]
                .map(String::from)
                .to_vec();
        for function in functions().filter(|name| full_name(name) == *name && !abbreviated.contains(name)) {
            let is = |entry: &ops::Entry, unary| {
                entry.card.name == function && unary == matches!(entry.call, Call::Unary(_))
            };
            formulas.push(match by_name::find(function) {
                Some(loss) if loss.inputs.iter().any(|input| ["target", "targets"].contains(&input.name)) => {
                    format!("{function}(u, y)")
                }
                None if ops::all().any(|entry| is(entry, false)) => format!("{function}(u, v)"),
                _ => format!("{function}(u)"),
            });
        }
        let mut tried = 0;
        let mut wrong = Vec::new();
        for formula in &formulas {
            for at in [
                "u=0.3,v=1.5,y=1",
                "u=0.75,v=-0.5,y=1",
                "u=2.5,v=0.5,y=1",
                "u=-1.5,v=-1.5,y=-1",
                "u=0.6,v=2,y=0",
            ] {
                let Ok(printed) = printed(formula, at) else { continue }; // out of its domain
                for (names, worked, is) in printed {
                    tried += 1;
                    let Some(worked) = worked else {
                        wrong.push(format!("{formula}: {names} has no numbers"));
                        continue;
                    };
                    if is.is_nan() {
                        continue;
                    }
                    let piecewise = worked.contains(" where ");
                    let parts = worked.split(if piecewise { ", " } else { " = " });
                    let parts = parts.map(|part| {
                        part.trim_start_matches("else ").split(" where ").next().unwrap_or_default()
                    });
                    let found: Vec<_> =
                        parts.map(|part| with_numbers(part).and_then(|part| value(&part, ""))).collect();
                    let close = |found: &Result<f64, String>| matches!(found, Ok(found) if (found - is).abs() <= 1e-4 * is.abs().max(1.0));
                    let right = if piecewise { found.iter().any(close) } else { found.iter().all(close) };
                    if !right || found.iter().any(Result::is_err) {
                        wrong.push(format!("{formula} at {at}: {names} = {worked} is {found:?}, not {is}"));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(tried > 2 * formulas.len(), "{tried} of {}", formulas.len());
    }

    #[test]
    fn a_neuron_gets_the_names_of_the_lessons_unless_they_are_taken() {
        let named = |text| Program::parse(text).unwrap().with_names_of_a_neuron();
        let names = |text| named(text).named.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("sigmoid(w*x + b)"), ["z", "a"]);
        for (text, kept) in
            [("sigmoid(z*x)", &[][..]), ("w*x", &[]), ("sigmoid(x)", &[]), ("q = x; sigmoid(q + 1)", &["q"])]
        {
            assert_eq!(names(text), kept, "{text}");
        }
        assert_eq!(named("sigmoid(w*x + b)").unknowns(&Params::default()), ["w", "x", "b"]);
        assert_eq!(named("q = x; q + w; ").unknowns(&Params::default()), ["x", "w"]);
    }
}
