//! [`State`]: the settings of the page, which its address contains after `#`.
//!
//! `key=value&key=value`, percent-encoded; what is left out has its default. A setting with two sides has one value for both or two,
//! `left,right`. Whatever an address holds, it is a state or an [`Error`].

use crate::json::{Json, json};
use surprisal_layers::{Activation, Init};
use surprisal_optim::OptimizerKind;

use crate::loss;

/// The longest address.
const LONGEST: usize = 40_000;
/// The most hidden layers.
const LAYERS: usize = 3;
/// The most units of a hidden layer.
const UNITS: usize = 16;
/// The most points of one's own.
pub const POINTS: usize = 500;
/// The most steps that a link takes.
pub const STEPS: u64 = 20_000;
/// The name of an SGD with momentum 0.9, beside those of the optimizers.
pub const MOMENTUM: &str = "momentum";

/// A row of the table of settings.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in the address.
    pub key: &'static str,
    /// Its values.
    pub kind: Kind,
    /// Its value if none is given.
    pub default: &'static str,
    /// Whether the two nets may have one each.
    pub sides: bool,
}

/// The values that a setting takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A number from one to another.
    Number(f64, f64),
    /// A whole number from one to another.
    Whole(u64, u64),
    /// One of these words.
    Word(fn() -> Vec<String>),
    /// The sizes of hidden layers, `8-8`, or `none`.
    Sizes,
    /// Points, `x,y,class;x,y,class`.
    Points,
}
use Kind::{Number, Points, Sizes, Whole, Word};

macro_rules! words {
    ($($word:literal)+) => { Word(|| vec![$($word.into()),+]) };
}

const fn one(key: &'static str, kind: Kind, default: &'static str) -> Setting {
    Setting { key, kind, default, sides: false }
}
const fn two(key: &'static str, kind: Kind, default: &'static str) -> Setting {
    Setting { key, kind, default, sides: true }
}

/// Every setting, in the order in which an address has them.
pub const SETTINGS: &[Setting] = &[
    one("view", words!("race" "neuron" "tape"), "race"),
    one("lang", words!("en" "zh"), "en"),
    one("theme", words!("auto" "light" "dark"), "auto"),
    one("large", Whole(0, 1), "0"),
    one("data", words!("xor" "moons" "circles" "blobs" "spirals" "lines" "three" "own"), "xor"),
    one("n", Whole(20, 1000), "200"),
    one("noise", Number(0.0, 2.0), "0.1"),
    one("keep", Number(0.02, 1.0), "1"),
    one("flip", Number(0.0, 0.5), "0"),
    one("points", Points, ""),
    one("hidden", Sizes, "8"),
    one("activation", Word(|| Activation::ALL.iter().map(Activation::to_string).collect()), "tanh"),
    one("init", Word(|| INITIALIZERS.map(Into::into).into()), "xavier_uniform"),
    one("batch", Whole(0, 1000), "16"),
    one("l2", Number(0.0, 1.0), "0"),
    one("seed", Whole(0, 1 << 53), "7"),
    two("loss", Word(|| loss::ALL.iter().map(|loss| loss.name.into()).collect()), "mse,ce"),
    two("opt", Word(optimizers), "sgd"),
    two("lr", Number(1e-6, 100.0), "0.5"),
    two("start", words!("random" "wrong"), "wrong"),
    one("sure", Number(0.0, 50.0), "10"),
    one("steps", Whole(0, STEPS), "0"),
    one("side", words!("left" "right"), "left"),
    one("row", Whole(0, 999), "0"),
    two("w", Number(-10.0, 10.0), "2"),
    two("b", Number(-10.0, 10.0), "2"),
    one("x", Number(-5.0, 5.0), "1"),
    one("y", Number(0.0, 1.0), "0"),
    one("rate", Number(0.0, 100.0), "0.15"),
];

const INITIALIZERS: [&str; 11] = [
    "xavier_uniform",
    "xavier_normal",
    "kaiming_uniform",
    "kaiming_normal",
    "linear",
    "normal_over_sqrt_inputs",
    "normal:1",
    "normal:3",
    "uniform:0.1",
    "constant:1",
    "zeros",
];

fn optimizers() -> Vec<String> {
    let mut names: Vec<String> = OptimizerKind::ALL.iter().map(OptimizerKind::to_string).collect();
    names.insert(1, MOMENTUM.into());
    names
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, whole or not.
    Number(f64),
    /// A word.
    Word(String),
    /// The sizes of the hidden layers.
    Sizes(Vec<usize>),
    /// Points of one's own.
    Points(Vec<Point>),
}

/// A point: where, and its class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From left to right.
    pub x: f64,
    /// From bottom to top.
    pub y: f64,
    /// 0, 1 or 2.
    pub class: usize,
}

/// What is wrong with an address or a request: a code, from which the page makes a sentence in its language, and its values.
pub type Error = Json;

/// The largest coordinate of a point.
const FAR: f64 = 100.0;

impl Kind {
    fn read(self, key: &str, text: &str) -> Result<Value, Error> {
        let found: String = text.chars().take(40).collect();
        let number = |least: f64, most: f64| {
            text.parse::<f64>().ok().filter(|x| (least..=most).contains(x)).map(|x| x + 0.0) // no -0
        };
        match self {
            Number(least, most) => number(least, most).map(Value::Number).ok_or_else(
                || json!({"code": "number", "key": key, "found": found, "least": least, "most": most}),
            ),
            Whole(least, most) => {
                number(least as f64, most as f64).filter(|x| x.fract() == 0.0).map(Value::Number).ok_or_else(
                    || json!({"code": "whole", "key": key, "found": found, "least": least as f64, "most": most as f64}),
                )
            }
            Word(words) => match words() {
                words if words.iter().any(|word| word == text) => Ok(Value::Word(text.into())),
                words => Err(json!({"code": "word", "key": key, "found": found, "known": words})),
            },
            Sizes if text == "none" => Ok(Value::Sizes(Vec::new())),
            Sizes => {
                let size = |part: &str| part.parse().ok().filter(|size| (1..=UNITS).contains(size));
                let sizes: Option<Vec<usize>> = text.split('-').map(size).collect();
                let sizes = sizes.filter(|sizes| sizes.len() <= LAYERS);
                sizes.map(Value::Sizes).ok_or_else(
                    || json!({"code": "sizes", "key": key, "found": found, "most_layers": LAYERS, "most_units": UNITS}),
                )
            }
            Points if text.is_empty() => Ok(Value::Points(Vec::new())),
            Points => {
                let mut points = Vec::new();
                for (at, text) in text.split(';').enumerate() {
                    let wrong = || json!({"code": "points", "at": at + 1, "found": text.chars().take(40).collect::<String>(), "most": POINTS});
                    points.push(Point::read(text).filter(|_| at < POINTS).ok_or_else(wrong)?);
                }
                Ok(Value::Points(points))
            }
        }
    }
}

impl Point {
    fn read(text: &str) -> Option<Point> {
        let mut parts = text.split(',');
        let mut coordinate = || parts.next()?.parse::<f64>().ok().filter(|x| x.abs() <= FAR);
        let (x, y) = (coordinate()?, coordinate()?);
        let class = parts.next()?.parse().ok().filter(|&class| class < 3)?;
        parts.next().is_none().then_some(Point { x, y, class })
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Value::Number(x) => write!(f, "{x}"),
            Value::Word(word) => f.write_str(word),
            Value::Sizes(sizes) if sizes.is_empty() => f.write_str("none"),
            Value::Sizes(sizes) => {
                f.write_str(&sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("-"))
            }
            Value::Points(points) => {
                let text = |Point { x, y, class }: &Point| format!("{x},{y},{class}");
                f.write_str(&points.iter().map(text).collect::<Vec<_>>().join(";"))
            }
        }
    }
}

/// The value of every setting, on both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct State(Vec<[Value; 2]>);

impl Default for State {
    fn default() -> State {
        State::read("").expect("the defaults are values: a test reads each of them")
    }
}

impl State {
    /// Reads what an address has after `#`.
    ///
    /// ```
    /// use surprisal_playground::state::State;
    /// let state = State::read("hidden=8-8&lr=0.5,0.1").unwrap();
    /// assert_eq!((state.number("lr", 1), state.sizes("hidden")), (0.1, &[8, 8][..]));
    /// assert_eq!(state.to_string(), "hidden=8-8&lr=0.5,0.1");
    /// assert!(State::read("lr=nan").unwrap_err().to_string().starts_with(r#"{"code":"number","key":"lr""#));
    /// ```
    ///
    /// # Errors
    /// If the text is too long, not of this form, has a key that is not known or twice, or a value that is out of range.
    pub fn read(text: &str) -> Result<State, Error> {
        if text.len() > LONGEST {
            return Err(json!({"code": "too_long", "most": LONGEST}));
        }
        let mut given: Vec<Option<[Value; 2]>> = vec![None; SETTINGS.len()];
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let short = |text: &str| text.chars().take(40).collect::<String>();
            let decoded = decode(part).ok_or_else(|| json!({"code": "no_value", "found": short(part)}))?;
            let (key, value) = decoded
                .split_once('=')
                .ok_or_else(|| json!({"code": "no_value", "found": short(&decoded)}))?;
            let at = SETTINGS.iter().position(|setting| setting.key == key).ok_or_else(|| {
                let known: Vec<_> = SETTINGS.iter().map(|setting| setting.key).collect();
                json!({"code": "unknown_key", "found": short(key), "known": known})
            })?;
            if given[at].is_some() {
                return Err(json!({"code": "twice", "key": key}));
            }
            given[at] = Some(SETTINGS[at].read(value)?);
        }
        let value = |(given, setting): (Option<[Value; 2]>, &Setting)| {
            given.map_or_else(|| setting.read(setting.default), Ok)
        };
        Ok(State(given.into_iter().zip(SETTINGS).map(value).collect::<Result<_, _>>()?))
    }

    fn value(&self, key: &str, side: usize) -> &Value {
        let at = SETTINGS.iter().position(|setting| setting.key == key);
        &self.0[at.unwrap_or_else(|| panic!("no setting is named {key:?}"))][side]
    }
    /// The number of a setting on a side, whole or not.
    pub fn number(&self, key: &str, side: usize) -> f64 {
        match self.value(key, side) {
            Value::Number(x) => *x,
            other => panic!("{key} is no number: {other}"),
        }
    }
    /// The whole number of a setting.
    pub fn whole(&self, key: &str) -> usize {
        self.number(key, 0) as usize
    }
    /// The word of a setting on a side.
    pub fn word(&self, key: &str, side: usize) -> &str {
        match self.value(key, side) {
            Value::Word(word) => word,
            other => panic!("{key} is no word: {other}"),
        }
    }
    /// The sizes of a setting.
    pub fn sizes(&self, key: &str) -> &[usize] {
        match self.value(key, 0) {
            Value::Sizes(sizes) => sizes,
            other => panic!("{key} is no list of sizes: {other}"),
        }
    }
    /// The initializer of the weights.
    pub fn init(&self) -> Init {
        self.word("init", 0).parse().unwrap_or(Init::Linear)
    }
    /// The points of one's own.
    pub fn points(&self) -> &[Point] {
        match self.value("points", 0) {
            Value::Points(points) => points,
            other => panic!("points are no points: {other}"),
        }
    }
    /// Every value as text, by key; with two sides, a list of two.
    pub fn texts(&self) -> Json {
        let text = |(values, setting): (&[Value; 2], &Setting)| {
            let [left, right] = values.each_ref().map(Value::to_string);
            (setting.key, if setting.sides { json!([left, right]) } else { json!(left) })
        };
        Json::Object(self.0.iter().zip(SETTINGS).map(text).collect())
    }
}

impl Setting {
    fn read(&self, text: &str) -> Result<[Value; 2], Error> {
        if !self.sides {
            let value = self.kind.read(self.key, text)?;
            return Ok([value.clone(), value]);
        }
        let (left, right) = text.split_once(',').unwrap_or((text, text));
        if right.contains(',') {
            return Err(
                json!({"code": "side", "key": self.key, "found": text.chars().take(40).collect::<String>()}),
            );
        }
        Ok([self.kind.read(self.key, left)?, self.kind.read(self.key, right)?])
    }
}

/// What differs from the defaults.
impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let mut first = true;
        for (values, setting) in self.0.iter().zip(SETTINGS) {
            if setting.read(setting.default).as_ref() == Ok(values) {
                continue;
            }
            let [left, right] = values;
            let text = if left == right { left.to_string() } else { format!("{left},{right}") };
            write!(f, "{}{}={}", if first { "" } else { "&" }, setting.key, encode(&text))?;
            first = false;
        }
        Ok(())
    }
}

/// Percent-encoding undone; `None` if it is broken, or not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-._~:,;".contains(&b) => encoded.push(b.into()),
            b => encoded += &format!("%{b:02X}"),
        }
    }
    encoded
}
