//! [`Playground`]: every request of the page and its reply.
//!
//! A request is percent-encoded as an address is, `call=steps&n=20`; a reply is `{"ok": {..}}` or `{"error": {"code": .., ..}}`. An error
//! changes nothing.

use crate::json::{Json, json};
use surprisal_tensor::ndarray::ArrayD;

use crate::data::points_of_csv;
use crate::neuron::Neuron;
use crate::program::{commands, program};
use crate::race::{Condition, Race, Reached};
use crate::state::{Error, Kind, SETTINGS, State, Value, decode};
use crate::weights::{Weight, Why, weights};

/// The page's other half.
#[derive(Default)]
pub struct Playground {
    race: Option<Race>,
    bytes: Vec<u8>,
}

/// The most steps of a call.
const STEPS: u64 = 2000;
/// The largest side of a picture.
const SIZE: u64 = 400;

impl Playground {
    /// Answers a request.
    ///
    /// ```
    /// use surprisal_playground::calls::Playground;
    /// let mut playground = Playground::default();
    /// let reply = playground.answer(b"call=open&state=data%3Dmoons%26hidden%3D4");
    /// assert!(reply.starts_with(r#"{"ok":{"#));
    /// let reply = playground.answer(b"call=open&state=n%3D1000000");
    /// assert!(reply.starts_with(r#"{"error":{"code":"whole""#));
    /// ```
    pub fn answer(&mut self, request: &[u8]) -> String {
        let (key, reply) = match Request::read(request).and_then(|request| self.reply(&request)) {
            Ok(reply) => ("ok", reply),
            Err(error) => ("error", error),
        };
        format!("{{\"{key}\":{reply}}}")
    }

    /// The bytes of the last picture.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn reply(&mut self, request: &Request) -> Result<Json, Error> {
        let text = |key| request.text(key);
        let whole = |key, most| request.whole(key, most);
        let call = text("call")?;
        match call {
            "settings" => return Ok(settings()),
            "open" => return self.open(text("state")?),
            "csv" => {
                let (points, classes) = points_of_csv(text("text")?)?;
                let rows = points.len();
                return Ok(
                    json!({"points": Value::Points(points).to_string(), "classes": classes, "rows": rows}),
                );
            }
            "neuron" => return neuron(request),
            _ => {}
        }
        let race = self.race.as_mut().ok_or_else(|| wrong("open"))?;
        match call {
            "steps" => (0..whole("n", STEPS)?).for_each(|_| race.step()),
            "epoch" => {
                race.step();
                while !race.step.is_multiple_of(race.per_epoch()) {
                    race.step();
                }
            }
            "reset" => *race = Race::new(race.state.clone())?,
            "program" => return Ok(json!({"text": program(race)})),
            "command" => return Ok(commands(race)),
            _ => {
                let side = whole("side", 1)? as usize;
                let window = race.window();
                let (data, net) = (&race.data, &mut race.sides[side]);
                return match call {
                    "picture" => {
                        let size = whole("size", SIZE)? as usize;
                        let picture = net.picture(window, size);
                        let channels = picture.shape()[1];
                        self.bytes = picture.iter().map(|&p| (255.0 * p).round() as u8).collect();
                        Ok(json!({"size": size, "channels": channels}))
                    }
                    "units" => {
                        let size = whole("size", SIZE)? as usize;
                        let units = net.units(data).into_iter().map(|unit| {
                            json!({"layer": unit.layer, "unit": unit.unit, "state": condition(unit.condition)})
                        });
                        let units: Vec<Json> = units.collect();
                        self.bytes = net.unit_pictures(window, size).iter().flat_map(gray).collect();
                        Ok(json!({"size": size, "units": units}))
                    }
                    "weights" => {
                        let layers = weights(net, data).into_iter().map(|layer| {
                            let rows: Vec<Vec<Json>> =
                                layer.weights.iter().map(|row| row.iter().map(weight).collect()).collect();
                            json!({"rows": rows, "bias": layer.biases.iter().map(weight).collect::<Vec<_>>()})
                        });
                        Ok(json!({"layers": layers.collect::<Vec<_>>()}))
                    }
                    "tape" => {
                        let row = whole("row", data.set.rows() as u64 - 1)? as usize;
                        Ok(crate::tape::tape(net, data, row))
                    }
                    _ => Err(wrong("call")),
                };
            }
        }
        Ok(now(race))
    }

    fn open(&mut self, text: &str) -> Result<Json, Error> {
        let state = State::read(text)?;
        let mut race = Race::new(state)?;
        let data = &race.data;
        let points: Vec<Json> = (0..data.set.rows())
            .map(|row| {
                let x = data.set.features.row(row);
                json!([x[0], x[1], data.set.labels()[row], usize::from(data.flipped[row])])
            })
            .collect();
        let sizes = crate::race::sizes(&race.state, data);
        let reply = json!({
            "state": race.state.to_string(), "values": race.state.texts(), "classes": data.set.class_names().to_vec(), "points": points,
            "window": race.window(), "sizes": sizes.as_slice().to_vec(), "parameters": race.sides[0].params.as_slice().len(),
            "rows": data.set.rows(), "per_epoch": race.per_epoch(), "batch": race.batch(),
        }).with(now(&mut race));
        self.race = Some(race);
        Ok(reply)
    }
}

/// Where the race is.
fn now(race: &mut Race) -> Json {
    let reached = race.reached();
    let sides = race.sides.each_mut();
    let units = sides.map(|side| side.units(&race.data));
    let side = |at: usize| {
        let Reached { loss, accuracy, gradient_norm, slope } = reached[at];
        let count =
            |condition: Condition| units[at].iter().filter(|unit| unit.condition == condition).count();
        json!({
            "loss": loss, "accuracy": accuracy, "gradient_norm": gradient_norm, "slope": slope, "diverged": !(loss.is_finite() && gradient_norm.is_finite()),
            "dead": count(Condition::Dead), "saturated": count(Condition::Saturated), "units": units[at].len(),
        })
    };
    json!({"step": race.step, "epoch": race.step as f64 / race.per_epoch() as f64, "sides": [side(0), side(1)]})
}

fn settings() -> Json {
    let setting = |setting: &crate::state::Setting| {
        let row = json!({"key": setting.key, "default": setting.default, "sides": setting.sides});
        row.with(match setting.kind {
            Kind::Number(least, most) => json!({"kind": "number", "least": least, "most": most}),
            Kind::Whole(least, most) => json!({"kind": "whole", "least": least as f64, "most": most as f64}),
            Kind::Word(words) => json!({"kind": "word", "words": words()}),
            Kind::Sizes => json!({"kind": "sizes"}),
            Kind::Points => json!({"kind": "points"}),
        })
    };
    json!({"settings": SETTINGS.iter().map(setting).collect::<Vec<_>>()})
}

fn neuron(request: &Request) -> Result<Json, Error> {
    const MOST: f64 = 1e6; // after steps, beyond what an address takes
    let both = |key: &'static str| {
        let (left, right) = request.text(key)?.split_once(',').ok_or_else(|| wrong(key))?;
        Ok::<_, Error>([number(key, left, -MOST, MOST)?, number(key, right, -MOST, MOST)?])
    };
    let one = |key, least, most| number(key, request.text(key)?, least, most);
    let (x, y, rate) = (one("x", -MOST, MOST)?, one("y", 0.0, 1.0)?, one("rate", 0.0, MOST)?);
    Ok(Neuron { w: both("w")?, b: both("b")?, x, y, rate }.show())
}

/// The pairs of a request.
struct Request(Vec<(String, String)>);

impl Request {
    fn read(request: &[u8]) -> Result<Request, Error> {
        let text = std::str::from_utf8(request).map_err(|_| wrong("call"))?;
        let pair = |part: &str| {
            let (key, value) = part.split_once('=')?;
            Some((decode(key)?, decode(value)?))
        };
        text.split('&')
            .map(|part| pair(part).ok_or_else(|| wrong("call")))
            .collect::<Result<_, _>>()
            .map(Request)
    }

    fn text(&self, key: &'static str) -> Result<&str, Error> {
        let pair = self.0.iter().find(|(known, _)| known == key);
        pair.map(|(_, value)| value.as_str()).ok_or_else(|| wrong(key))
    }

    fn whole(&self, key: &'static str, most: u64) -> Result<u64, Error> {
        self.text(key)?.parse().ok().filter(|&n| n <= most).ok_or_else(|| wrong(key))
    }
}

fn number(key: &'static str, text: &str, least: f64, most: f64) -> Result<f64, Error> {
    text.parse().ok().filter(|x| (least..=most).contains(x)).ok_or_else(|| wrong(key))
}

/// The page asked for what there is not: a mistake in the page.
fn wrong(key: &'static str) -> Error {
    json!({"code": "request", "key": key})
}

fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Ok => "ok",
        Condition::Saturated => "saturated",
        Condition::Dead => "dead",
    }
}

fn weight(weight: &Weight) -> Json {
    let why = match weight.why {
        Why::None => "none",
        Why::Dead => "dead",
        Why::Slope => "slope",
        Why::Input => "input",
        Why::Arrives => "arrives",
        Why::Cancel => "cancel",
    };
    json!({"weight": weight.value, "gradient": weight.gradient, "why": why, "share": weight.share})
}

/// A picture of each unit of a layer, from its least output to its largest.
fn gray(layer: &ArrayD<f64>) -> Vec<u8> {
    let units = layer.shape()[1];
    let of = |unit: usize| layer.iter().copied().skip(unit).step_by(units);
    let picture = |unit: usize| {
        let (low, high) =
            of(unit).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let span = if high > low { high - low } else { 1.0 };
        of(unit).map(move |x| (255.0 * (x - low) / span).round() as u8)
    };
    (0..units).flat_map(picture).collect()
}
