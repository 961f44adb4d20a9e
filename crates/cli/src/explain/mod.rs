//! `surprisal explain`

mod expression;
mod model;
mod side_by_side;

use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use surprisal_explain::{Explanation, explain};
use surprisal_report::folder::RunFolder;
use surprisal_report::text::visible;
use surprisal_run::Settings;
use surprisal_tensor::{Params, Workspace};
use surprisal_train::{Examples, Objective};

use crate::Failure;
use crate::model_options::Model;
use crate::setting_options::DataOptions;
use expression::{Program, TARGET, not_given, numbers};
use model::{Answer, Question};

#[derive(Args)]
pub struct Options {
    /// A formula, such as "sigmoid(w*x + b)" or "z = w*x + b; a = σ(z); half_mse(a, y)"; symbols are accepted too:
    /// σ · − ² √ ½ |x| e^x, ln x
    #[arg(required_unless_present = "row", conflicts_with_all = ["model", "row"])]
    expression: Option<String>,
    /// For a formula: the values of its variables, x=1,w=2,b=2
    #[arg(
        long,
        value_name = "VALUES",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    at: String,
    /// For a formula: mse, half_mse, ce or another loss, against y [default: none; for a sigmoid with y, half_mse beside ce].
    /// For a classification net: ce, mse or half_mse [default: ce]; for regression: mse, half_mse, mae or huber [default: mse]
    #[arg(long)]
    loss: Option<String>,
    /// A net instead of a formula: a file that `train` wrote, or an untrained net such as 64-32-10 [default: the
    /// untrained net that `train` would create]
    #[arg(long, value_name = "NET|FILE.surprisal", requires = "row")]
    model: Option<Model>,
    /// For a net: the row of the data, counted from 0
    #[arg(long)]
    row: Option<usize>,
    #[command(flatten)]
    settings: DataOptions,
    /// All details of each node, instead of one line for each operation
    #[arg(long)]
    full: bool,
    /// The output folder for the graph (SVG, and DOT for Graphviz) and the page to step through [default: for a net, the next free
    /// runs/explain-N]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { expression, at, loss, model, row, settings: DataOptions(settings), full, out } = options;
    if let Some(row) = row {
        let loss = loss.map(|loss| loss.parse().map_err(Failure::usage)).transpose()?;
        return of_net(&model.unwrap_or_default(), &settings, loss, row, full, out.as_deref());
    }
    if let Some(setting) = Settings::ALL.iter().find(|setting| settings.get(setting.key).is_some()) {
        return Err(Failure::usage(format!(
            "--{} needs a net: name a row of its data with --row",
            setting.key.replace('_', "-")
        )));
    }
    let text = expression.unwrap_or_default().trim().to_string();
    let program = Program::parse(&text).map_err(Failure::usage)?.with_names_of_a_neuron();
    let params = numbers(&at).map_err(Failure::usage)?;
    let unknowns = program.unknowns(&params);
    let needed = unknowns.iter().cloned().chain(loss.is_some().then(|| TARGET.to_string()));
    let missing: Vec<String> = needed.filter(|name| params.find(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(Failure::usage(not_given(&missing)));
    }
    let has_target = params.find(TARGET).is_some() && !unknowns.iter().any(|name| name == TARGET);
    let explanations = match loss {
        Some(loss) => {
            vec![(format!("{text}, {loss} against y"), explained(&program.against_y(&loss), &params)?)]
        }
        None if has_target && !program.is_sigmoid_neuron() => {
            return Err(Failure::usage(
                "y is given, but the result is not a sigmoid(..), which cross-entropy needs: name a loss, such as --loss half_mse",
            ));
        }
        None if has_target => {
            let under = |loss| explained(&program.clone().against_y(loss), &params);
            vec![
                ("Squared error, ½ (a - y)²".to_string(), under("half_squared_error")?),
                ("Cross-entropy, -y ln a - (1 - y) ln(1 - a)".to_string(), under("binary_cross_entropy")?),
            ]
        }
        None => vec![(text, explained(&program, &params)?)],
    };
    let folder = out.as_deref().map(RunFolder::exactly).transpose()?;
    let mut text = String::new();
    for (title, explanation) in &explanations {
        if explanations.len() > 1 {
            text += &format!("{title}\n\n");
        }
        text += &as_text(explanation, full);
        if explanations.len() > 1 {
            text.push('\n');
        }
    }
    if let [(_, squared), (_, entropy)] = &explanations[..] {
        text += &side_by_side::table(squared, entropy);
    }
    crate::print(&text)?; // names in a formula are letters and digits
    if let Some(folder) = folder {
        write(folder, &explanations)?;
    }
    Ok(())
}

/// Prints both passes of one row with their summary, and writes the graph.
fn of_net(
    model: &Model,
    settings: &Settings,
    loss: Option<Objective>,
    row: usize,
    full: bool,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let net = model.with_all_rows(settings, loss)?;
    let loss = net.loss(loss)?;
    let examples = Examples::new(&net.scaled);
    let Answer { explanation, before, after } =
        Question { net: &net, examples: &examples, row }.answer(loss)?;
    let folder = match out {
        Some(place) => RunFolder::exactly(place)?,
        None => RunFolder::take("runs", "explain")?,
    };
    crate::print(&format!("{}{}{}", visible(&before), as_text(&explanation, full), visible(&after)))?;
    write(folder, &[(format!("Row {row} of {}", net.raw.name), explanation)])
}

/// One line for each operation, or all details, in color on a terminal.
fn as_text(explanation: &Explanation, full: bool) -> String {
    let color = stdout().is_terminal();
    if full { explanation.text(color) } else { explanation.passes_in(color) }
}

fn explained(program: &Program, params: &Params<f64>) -> Result<Explanation, Failure> {
    let mut workspace = Workspace::new();
    let tape = workspace.tape(params);
    let result = program.record(&tape, params).map_err(Failure::usage)?;
    result.backward();
    Ok(explain(result))
}

/// Writes graphs and pages, numbered if there is more than one explanation.
fn write(folder: RunFolder, explanations: &[(String, Explanation)]) -> Result<(), Failure> {
    let mut files = Vec::new();
    for (k, (title, explanation)) in explanations.iter().enumerate() {
        let name = |ending: &str| match explanations.len() {
            1 => format!("tape.{ending}"),
            _ => format!("tape-{}.{ending}", k + 1),
        };
        files.push((name("svg"), explanation.to_svg("tape").into_bytes()));
        files.push((name("dot"), explanation.to_dot().into_bytes()));
        files.push((name("html"), explanation.to_html(title).into_bytes()));
    }
    let place = folder.fill(&files)?;
    let pages = files.iter().filter(|(name, _)| Path::new(name).extension().is_some_and(|e| e == "html"));
    for (name, _) in pages {
        note!("the page: {}", place.join(name).display());
    }
    Ok(())
}
