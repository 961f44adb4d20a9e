//! The page: written for a reader who has never heard of the subject.

use surprisal_train::Objective;

use super::pictures::{charts, sigmoid_chart, slope_chart};
use super::tables::{conclusions, grid_table, table};
use super::{Comparison, Outcome, Start};
use surprisal_report::{Page, Table};

pub(super) fn page(comparison: &Comparison) -> String {
    let [first, second] = comparison.setting.losses;
    let [same, best] = conclusions(comparison);
    let mut page = Page::new(format!("{} or {}?", title_case(first), second)).lead(&format!(
        "The claim: {first} learns faster than {second}, on real data and from the same starts."
    ));
    if comparison.setting.quick {
        page = page.paragraph(&format!("*This is the quick version*: {}", super::QUICK));
    }
    if let Some(race) = comparison.outcomes.first() {
        page = page.figure(&picture(race, RACE), &format!(
            "The race: {}. Thick lines are means over {} runs, thin lines the runs. Why it goes this way is explained below, for readers who have \
             never heard of a loss.",
            race.scenario.title.to_lowercase(), comparison.setting.seeds
        ));
    }
    page = page
        .verdict(same.0, &same.1)
        .verdict(best.0, &best.1)
        .section("What is compared")
        .paragraph(
            "A model learns to say yes or no. After each guess a *loss* measures how wrong it was, and the model is corrected. Two losses are compared.",
        )
        .paragraph(
            "The model multiplies every measurement of a case by a *weight*, a number that it will learn, and adds up: that is its *score*. \
             A curve called the sigmoid turns the score into a probability of \"yes\".",
        )
        .figure(
            &sigmoid_chart().to_svg(),
            "The sigmoid. Far to the left and far to the right, where the model is sure, the curve is level: there a change of the score \
             hardly changes the probability.",
        )
        .paragraph(&format!(
            "A *loss* says how bad the probability was once the truth is known. {} {}",
            explained(first),
            explained(second)
        ))
        .paragraph(
            "To learn, every weight is moved a little in the direction in which the loss falls, by a step that is the *slope* of the loss times \
             a fixed number, the *learning rate*. No slope, no step.",
        )
        .figure(&slope_chart(comparison.setting.losses).to_svg(), slope_caption(comparison.setting.losses))
        .section("How to read the results")
        .table(&words(comparison));
    for (i, outcome) in comparison.outcomes.iter().enumerate() {
        page = section(page, outcome, i > 0);
    }
    page.section("So which one?")
        .paragraph(&robustness(comparison))
        .section("What this does not show")
        .paragraph(&format!(
            "Nothing is said about other data, larger models or other ways of stepping. {}\"Best\" rates are the fastest of those in the tables \
             below, chosen on the same runs that are shown; a finer search may find faster ones, and the fastest is not always the most accurate \
             in the end. Losses have slopes of different size, so \"the same learning rate\" means longer steps for one than for the \
             other: that is why both comparisons are made. The height of one loss is nowhere compared with the height of the other: they measure \
             different things.",
            if comparison.outcomes.len() > 1 { "Two of the settings use the same data, and one start was made to be wrong. " } else { "" }
        ))
        .details("Every learning rate that was tried", |page| {
            comparison.outcomes.iter().fold(page, |page, outcome| page.paragraph(outcome.scenario.title).table(&grid_table(outcome)))
        })
        .details("The formulas", |page| {
            page.paragraph("With score z, probability a = σ(z) = 1 / (1 + e^-z) and truth y, 1 for yes and 0 for no:")
                .code(
                    "the sigmoid      da/dz = a (1 - a)\n\
                     squared error    l = (a - y)²                       dl/da = 2 (a - y)\n\
                     cross-entropy    l = -[y ln a + (1 - y) ln(1 - a)]  dl/da = (a - y) / (a (1 - a))",
                )
                .paragraph(
                    "The slope in the score is dl/dz = dl/da · da/dz. For squared error the factor a (1 - a), which is 0 where the sigmoid is level, \
                     stays: 2 (a - y) a (1 - a). For cross-entropy it cancels: a - y. With several classes the sigmoid becomes a softmax, \
                     and the slope of cross-entropy is again predicted minus true.",
                )
        })
        .details("Run it again", |page| {
            page.code(&command(comparison)).paragraph(
                "The same command writes the same numbers, to the last digit, on the same machine. The histories stand in `history/`, one row an \
                 epoch; `summary.csv` holds every run.",
            )
        })
        .footer("Made by surprisal, a small deep-learning framework in Rust. Data: UCI Machine Learning Repository, CC BY 4.0.")
        .to_html()
}

/// What a loss is, in words.
fn explained(loss: Objective) -> &'static str {
    match loss {
        Objective::CrossEntropy => {
            "*Cross-entropy* takes the surprise: minus the natural logarithm of the probability that was given to what then happened. Being 99 % \
             sure of something false costs 4.6, being 90 % sure of it 2.3."
        }
        Objective::SquaredError => {
            "*Squared error* takes the difference between the probability and the truth (1 for yes, 0 for no), and squares it. Being 99 % sure \
             of something false costs 0.98, being 90 % sure of it 0.81."
        }
        Objective::HalfSquaredError => {
            "*Half squared error* takes half the square of the difference between the probability and the truth (1 for yes, 0 for no)."
        }
        Objective::AbsoluteError | Objective::Huber | Objective::Registered(_) => {
            unreachable!("refused by Compare::check")
        }
    }
}

fn slope_caption(losses: [Objective; 2]) -> &'static str {
    if losses.contains(&Objective::CrossEntropy) {
        "The heart of the matter, as this library computes it; the truth is \"no\", so the score should go down. Squared error is measured on the \
         probability, and far to the right the probability hardly moves with the score: the slope is near 0 although the answer could not be \
         more wrong. Cross-entropy becomes steep exactly where the sigmoid becomes level, the two cancel, and what is left is the error \
         itself: predicted minus true."
    } else {
        "As this library computes it; the truth is \"no\", so the score should go down. One slope is half the other, and both are near 0 far to \
         the right, where the sigmoid is level although the answer could not be more wrong."
    }
}

/// The words of the results, in a table.
fn words(comparison: &Comparison) -> Table {
    let seeds = comparison.setting.seeds;
    let row = |word: &str, meaning: &str| vec![word.to_string(), meaning.to_string()];
    Table {
        caption: "Words".into(),
        header: vec!["word".into(), "what it means here".into()],
        rows: vec![
            row("row", "one case of the data: one tumor, one picture"),
            row("training rows", "three quarters of the rows, from which the model learns"),
            row("unseen rows", "the other quarter, on which it is only tested"),
            row("accuracy", "the share of rows that it answers right"),
            row("epoch", "one pass through all training rows"),
            row(
                "seed",
                &format!(
                    "the number that all chance follows from. Everything is run with {seeds} seeds: each has its own unseen rows, its own \
                     order of rows and, where the start is drawn, its own start"
                ),
            ),
            row(
                "± and \"more than chance\"",
                "a 95 % interval over the seeds; two losses are compared seed by seed",
            ),
            row("> 400, ≥ 350", "some or all runs did not get that far in the epochs they were given"),
            row(
                "gradient",
                "all slopes, of all weights, taken together; its length says how strongly the rows pull",
            ),
        ],
        align: vec![],
    }
}

/// The places of a scenario's pictures: accuracy and gradient at the same rate, accuracy at the best rates.
const RACE: usize = 0;
const GRADIENT: usize = 1;
const AT_BEST: usize = 2;

fn picture(outcome: &Outcome, place: usize) -> String {
    charts(outcome)[place].1.to_svg()
}

/// What came of one scenario; `race` is false if its first picture stands at the top of the page.
fn section(page: Page, outcome: &Outcome, race: bool) -> Page {
    let scenario = &outcome.scenario;
    let setting = match scenario.start {
        Start::Zero => {
            "The same model and the same data, but all weights start at 0: at first the model says 50 % to everything."
        }
        Start::SaturatedWrong => {
            "Is a tumor benign? Thirty measurements of 569 tumors, and a model with one weight for each. Every weight \
             starts at 1. On these data that makes the model very sure, and wrong about most tumors: their scores stand \
             far out on the wrong side, where the slope of squared error is near 0. No one would start here on purpose; it \
             is made to show what happens to a model that got there."
        }
        Start::Drawn => {
            "Which digit is it? Pictures of 8x8 points, and a model that first computes 32 intermediate numbers and from these ten scores, one for \
             each digit. The weights start at small random numbers, so that the model is sure of nothing; the ten scores become ten \
             probabilities by the sigmoid's relative for several answers, the softmax."
        }
    };
    let [same, best] = outcome.findings();
    let page = page.section(scenario.title).paragraph(setting);
    let page = match race {
        true => page.figure(&picture(outcome, RACE), "Thick: the mean over the seeds. Thin: every seed."),
        false => {
            page.paragraph("The accuracy at the same learning rate is the picture at the top of this page.")
        }
    };
    page.figure(
            &picture(outcome, GRADIENT),
            "How strongly the rows pull at the weights. If the line is low while the accuracy is poor, learning has stalled; if it is low while the \
             accuracy is good, there is little left to learn.",
        )
        .verdict(same.verdict, &same.sentence)
        .figure(&picture(outcome, AT_BEST), "Is it only the length of the steps? The same, with each loss at the learning rate at which it was fastest.")
        .verdict(best.verdict, &best.sentence)
        .table(&table(outcome))
}

/// What the figures say of choosing a learning rate: how many settings each loss learns at the rate that both share.
fn robustness(comparison: &Comparison) -> String {
    let all = comparison.outcomes.len();
    let told = [0, 1].map(|loss| {
        let learned = comparison.outcomes.iter().filter(|o| o.same[loss].all_reached(&o.scenario)).count();
        let rates = comparison.outcomes.iter().map(|o| o.best()[loss].learning_rate.to_string()).collect::<Vec<_>>().join(", ");
        format!(
            "At the rate that both share, {} came to the goal with every seed in {learned} of {all} settings; its own fastest rates were {rates}.",
            comparison.setting.losses[loss]
        )
    });
    format!(
        "{} {} A larger learning rate makes up for a smaller slope: that is how squared error leaves even a start that is sure and wrong. But one \
         has to know that rate beforehand.",
        told[0], told[1]
    )
}

fn title_case(loss: Objective) -> String {
    let name = loss.to_string();
    name[..1].to_uppercase() + &name[1..]
}

fn command(comparison: &Comparison) -> String {
    let setting = &comparison.setting;
    let mut command = String::from("cargo run --release -- compare");
    if setting.quick {
        command += " --quick";
    }
    for data in &setting.data {
        command += &format!(" --data {data}");
    }
    command += &format!(" --losses {},{}", setting.losses[0].name(), setting.losses[1].name());
    if let Some(rate) = setting.learning_rate {
        command += &format!(" --lr {rate}");
    }
    command + &format!(" --seed {} --seeds {}", setting.seed, setting.seeds)
}
