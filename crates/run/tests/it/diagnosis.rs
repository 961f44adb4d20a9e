//! What is wrong with a training is named, and what is in order is left alone. Both lists are printed with `--nocapture`.

use std::fs;

use crate::browser::Folder;
use expect_test::expect;

use surprisal_run::{Finding, Job, Kind, Settings, diagnose, diagnose_failure};
use surprisal_train::{Epoch, History, Measured, TrainError};

/// The findings of a training with these settings: `key=value`, separated by blanks.
#[track_caller]
fn findings(settings: &str) -> Vec<Finding> {
    let mut told = Settings::default();
    let folder = Folder::new();
    let mut settings = settings.to_string();
    for (name, row) in TABLES {
        if settings.contains(name) {
            settings = settings.replace(name, &table(&folder, name, row));
        }
    }
    for setting in settings.split_whitespace() {
        let (key, value) = setting.split_once('=').unwrap();
        told.set(key, value).unwrap();
    }
    let mut job = Job::new(&told).unwrap();
    let (history, _) = job.fit(None, &mut ()).unwrap();
    let findings = diagnose(&job, &history, &job.outputs());
    println!(
        "\n{settings}\n    loss {:.4} -> {:.4}, accuracy {:.3} and {:.3}",
        history.epochs()[0].train.loss,
        history.last().train.loss,
        history.last().train.score(),
        history.last().held_out().score()
    );
    for finding in &findings {
        println!("  {:?}: {finding}", finding.kind);
        for line in [&finding.measured, &finding.means, &finding.advice] {
            assert!(!line.is_empty() && !line.contains('\n') && !line.contains("NaN"), "{finding}");
        }
    }
    findings
}

/// A table of 400 rows, in a file.
fn table(folder: &Folder, name: &str, row: Row) -> String {
    let path = folder.0.join(name).with_extension("csv");
    let mut text = "x,y,answer\n".to_string();
    for i in 0..400 {
        // the plane, evenly: an additive sequence (Roberts 2018)
        let [x, y] = [0.754_877_666, 0.569_840_291].map(|step| 2.0 * (i as f64 * step).fract() - 1.0);
        text += &row(x, y, i);
    }
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

type Row = fn(f64, f64, usize) -> String;
const TABLES: [(&str, Row); 6] = [
    // one row of twenty is of another class, among the others
    ("RARE", |x, y, i| format!("{x},{y},{}\n", if i.is_multiple_of(20) { "rare" } else { "common" })),
    // the same, and the others differ by the sign of x
    ("SIDES", |x, y, i| {
        let side = if x < 0.0 { "left" } else { "right" };
        format!("{x},{y},{}\n", if i.is_multiple_of(20) { "rare" } else { side })
    }),
    // a class that is seldom, and more often where x is large: never the more likely one for most of its rows
    ("SELDOM", |x, y, i| {
        let chance = 0.45 * (0.5 + 0.5 * x).powi(3);
        let draw = (i as f64 * 0.618_033_988_75).fract();
        format!("{x},{y},{}\n", if draw < chance { "yes" } else { "no" })
    }),
    // one value of x is a thousand million times as large as the others
    ("EXTREME", |x, y, i| {
        let shown = if i == 200 { 1e9 } else { x };
        format!("{shown},{y},{}\n", if x < 0.0 { "left" } else { "right" })
    }),
    // the same in the numbers to predict
    ("FAR", |x, y, i| format!("{x},{y},{}\n", if i == 200 { 1e9 } else { x + y })),
    // a number that follows from the features but for some noise
    ("LINE", |x, y, i| format!("{x},{y},{}\n", 100.0 + 20.0 * x - 5.0 * x * y + (i % 7) as f64 / 7.0)),
];

fn kinds(settings: &str) -> Vec<Kind> {
    findings(settings).iter().map(|finding| finding.kind).collect()
}

/// Trainings that were broken on purpose, and what has to be named.
const BROKEN: &[(&str, Kind)] = &[
    // a hundred times the usual rate
    ("data=iris opt=sgd lr=10 epochs=30 hidden=16 batch=64", Kind::RateTooHigh),
    ("data=digits opt=sgd lr=10 epochs=10", Kind::RateTooHigh),
    ("data=moons opt=sgd lr=30 epochs=30 hidden=16 activation=tanh", Kind::RateTooHigh),
    ("data=breast_cancer opt=adam lr=1 epochs=20 hidden=16", Kind::RateTooHigh),
    // a ten-thousandth of it
    ("data=iris opt=sgd lr=0.00001 epochs=40", Kind::RateTooLow),
    ("data=digits opt=adam lr=0.0000001 epochs=10", Kind::RateTooLow),
    ("data=moons opt=sgd lr=0.00001 epochs=30 hidden=16", Kind::RateTooLow),
    ("data=breast_cancer opt=sgd lr=0.00001 epochs=20", Kind::RateTooLow),
    // units
    ("data=iris hidden=16 activation=tanh init=normal:30 epochs=20", Kind::SaturatedUnits),
    ("data=moons hidden=16-16 activation=sigmoid init=normal:30 epochs=20", Kind::SaturatedUnits),
    ("data=iris hidden=16 activation=tanh init=normal:30 epochs=20", Kind::HugeWeights),
    ("data=digits hidden=32 activation=relu init=constant:-1 epochs=5", Kind::DeadUnits),
    ("data=digits hidden=32 activation=relu init=constant:-1 epochs=5", Kind::DidNotFall),
    ("data=digits hidden=32 activation=relu init=constant:-1 epochs=5", Kind::OneClass),
    // answers that are not true
    ("data=iris label_noise=1 epochs=200 hidden=64 opt=adam lr=0.01", Kind::WorseThanGuessing),
    ("data=breast_cancer label_noise=1 epochs=50", Kind::WorseThanGuessing),
    ("data=digits label_noise=0.3 epochs=250 hidden=256 opt=adam lr=0.003", Kind::OverFitting),
    // a few rows and a large net
    ("data=moons:n=60,noise=0.4 test=0.5 hidden=256-256 opt=adam lr=0.005 epochs=200", Kind::OverFitting),
    ("data=digits test=0.95 hidden=256 opt=adam lr=0.005 epochs=60", Kind::OverFitting),
    // a class with hardly any rows
    ("data=RARE target=answer epochs=10", Kind::OneClass),
    ("data=SIDES target=answer epochs=30", Kind::ClassNeverSaid),
    ("data=SELDOM target=answer", Kind::RareClassMissed),
    // values that leave no room for the others
    ("data=EXTREME target=answer", Kind::FlattenedColumn),
    ("data=FAR task=numbers target=answer", Kind::FlattenedColumn),
    // a net too small
    ("data=xor hidden=none epochs=100", Kind::UnderFitting),
    ("data=xor hidden=none epochs=100 seed=3", Kind::UnderFitting), // by chance, 72 % are right
    ("data=circles hidden=none epochs=100", Kind::UnderFitting),
    // a number that does not follow from the features, and steps too long or short for one that does
    ("data=LINE task=numbers target=answer ignore=x lr=0.01 epochs=100", Kind::UnderFitting),
    ("data=LINE task=numbers target=answer lr=0.00001 epochs=30", Kind::RateTooLow),
    (
        "data=LINE task=numbers target=answer hidden=256 ignore=x test=0.95 opt=adam lr=0.01 epochs=300",
        Kind::WorseThanGuessing,
    ),
    // too short
    ("data=digits opt=adam epochs=4", Kind::StillFalls),
    ("data=spirals hidden=32 opt=adam lr=0.003 epochs=30", Kind::StillFalls),
];

#[test]
fn what_was_broken_on_purpose_is_named() {
    let missed = BROKEN.iter().filter(|(settings, kind)| !kinds(settings).contains(kind));
    let missed = Vec::from_iter(missed);
    assert!(missed.is_empty(), "{missed:#?}");
}

/// Trainings as anybody would set them up.
const ORDINARY: &[&str] = &[
    // nothing but the data, and an optimizer
    "data=iris",
    "data=breast_cancer",
    "data=digits",
    "data=moons:n=500,noise=0.2",
    "data=circles:n=500,noise=0.05",
    "data=blobs",
    "data=LINE task=numbers target=answer",
    "data=iris opt=rmsprop",
    "data=iris opt=adamw",
    "data=breast_cancer opt=sgd",
    "data=digits opt=adagrad",
    "data=digits opt=sgd",
    // balanced rows cost accuracy by design
    "data=SELDOM target=answer balance=oversample",
    "data=SELDOM target=answer balance=undersample",
    // a constant learning rate
    "data=iris opt=sgd epochs=100 lr=0.1 schedule=constant",
    "data=iris opt=adam lr=0.01 epochs=100 schedule=constant",
    "data=iris opt=adamw lr=0.01 epochs=60 hidden=16 schedule=constant",
    "data=iris opt=rmsprop lr=0.003 epochs=60 schedule=constant",
    "data=iris opt=adagrad lr=0.05 epochs=100 schedule=constant",
    "data=iris opt=sgd hidden=none epochs=100 lr=0.1 schedule=constant",
    "data=iris opt=sgd activation=tanh epochs=100 lr=0.1 schedule=constant",
    "data=iris opt=sgd activation=sigmoid epochs=200 lr=0.5 schedule=constant",
    "data=iris opt=sgd momentum=0.9 lr=0.05 epochs=60 schedule=constant",
    "data=iris patience=10 epochs=200 opt=adam lr=0.01 schedule=constant",
    "data=iris opt=sgd loss=mse epochs=200 lr=0.5 schedule=constant",
    "data=breast_cancer opt=sgd epochs=30 lr=0.1 schedule=constant",
    "data=breast_cancer opt=adam lr=0.003 epochs=30 schedule=constant",
    "data=breast_cancer hidden=16-16 opt=adam epochs=40 lr=0.001 schedule=constant",
    "data=breast_cancer opt=sgd hidden=none epochs=40 lr=0.1 schedule=constant",
    "data=breast_cancer opt=sgd activation=tanh epochs=40 lr=0.1 schedule=constant",
    "data=breast_cancer opt=adamw epochs=60 patience=8 lr=0.001 schedule=constant",
    "data=breast_cancer opt=sgd momentum=0.9 lr=0.01 epochs=30 schedule=constant",
    "data=digits opt=sgd epochs=30 lr=0.1 schedule=constant",
    "data=digits opt=adam epochs=30 lr=0.001 schedule=constant",
    "data=digits opt=adam lr=0.003 epochs=20 hidden=64 schedule=constant",
    "data=digits hidden=64-32 opt=adam epochs=30 lr=0.001 schedule=constant",
    "data=digits opt=sgd momentum=0.9 lr=0.05 epochs=25 schedule=constant",
    "data=digits opt=rmsprop epochs=25 lr=0.001 schedule=constant",
    "data=digits opt=sgd activation=tanh epochs=30 lr=0.1 schedule=constant",
    "data=digits activation=gelu opt=adam epochs=25 lr=0.001 schedule=constant",
    "data=digits schedule=cosine epochs=25 opt=adam lr=0.003",
    "data=digits patience=5 epochs=60 opt=adam lr=0.002 schedule=constant",
    "data=digits opt=sgd hidden=none epochs=40 lr=0.1 schedule=constant",
    "data=moons opt=sgd epochs=150 lr=0.1 schedule=constant",
    "data=moons opt=adam lr=0.01 epochs=100 schedule=constant",
    "data=moons hidden=16-16 opt=adam lr=0.01 epochs=80 schedule=constant",
    "data=moons activation=tanh opt=adam lr=0.01 epochs=120 schedule=constant",
    "data=moons:n=1000,noise=0.3 opt=adam lr=0.01 epochs=60 schedule=constant",
    "data=circles opt=adam lr=0.01 epochs=100 schedule=constant",
    "data=circles hidden=16-16 activation=tanh opt=adam lr=0.01 epochs=100 schedule=constant",
    "data=xor opt=adam lr=0.01 epochs=100 schedule=constant",
    "data=xor opt=sgd hidden=16 lr=0.3 epochs=200 schedule=constant",
    "data=xor activation=tanh opt=adam lr=0.02 epochs=100 schedule=constant",
    "data=spirals hidden=64-64 opt=adam lr=0.01 epochs=150 schedule=constant",
    "data=spirals hidden=64-64 activation=tanh opt=adam lr=0.005 epochs=200 schedule=constant",
    "data=blobs opt=sgd epochs=40 lr=0.1 schedule=constant",
    "data=LINE opt=sgd task=numbers target=answer epochs=60 lr=0.03 schedule=constant",
    "data=LINE task=numbers target=answer epochs=60 opt=adam lr=0.01 schedule=constant",
    "data=LINE task=numbers target=answer epochs=40 opt=adam lr=0.01 loss=huber activation=tanh schedule=constant",
];

/// What the start of this net makes of it: 9 of the 16 units of its second layer put out 0 for every row. The others suffice.
const DEAD_FROM_THE_START: &str = "data=moons hidden=16-16 opt=adam lr=0.01 epochs=80 schedule=constant";

#[test]
fn ordinary_trainings_are_left_alone() {
    let (mut unfinished, mut alarmed) = (Vec::new(), Vec::new());
    for &settings in ORDINARY {
        match kinds(settings)[..] {
            [Kind::Nothing] => {}
            [Kind::StillFalls] => unfinished.push(settings),
            _ => alarmed.push(settings),
        }
    }
    println!("\nof {} ordinary trainings: {alarmed:?} alarmed, {unfinished:?} unfinished", ORDINARY.len());
    assert_eq!(alarmed, [DEAD_FROM_THE_START]);
    assert!(unfinished.len() < 5, "{unfinished:#?}");
}

#[test]
fn advice_follows_from_the_reason() {
    let advice = |settings: &str, kind| {
        findings(settings).into_iter().find(|found| found.kind == kind).unwrap().advice
    };
    let low = findings("data=iris lr=0.00001 epochs=40");
    assert_eq!(low.len(), 1, "of a net that is as it started, nothing else is said");
    let told = [
        advice("data=RARE target=answer epochs=10", Kind::OneClass),
        advice("data=digits hidden=32 init=constant:-1 epochs=5", Kind::OneClass),
        advice("data=xor hidden=none epochs=100", Kind::UnderFitting),
        low[0].advice.clone(),
    ];
    expect![[r#"
        balance = oversample, which finds more of them and lowers accuracy; then use balanced_accuracy or f1_macro (monitor) instead of accuracy
        a third of the learning rate; then other initial weights (seed = 8); then a larger net
        more epochs (200); then a hidden layer (hidden = 32); if that does not help, other features
        a learning rate of 0.0001, ten times as high"#]].assert_eq(&told.join("\n"));
}

/// What is said of a training with another last epoch than it had.
fn after(settings: &str, ending: impl Fn(&mut Epoch)) -> Vec<Finding> {
    let settings = Settings::from_toml(settings, "test.toml").unwrap();
    let mut job = Job::new(&settings).unwrap();
    let (history, _) = job.fit(None, &mut ()).unwrap();
    let mut epochs = history.epochs().to_vec();
    ending(epochs.last_mut().unwrap());
    diagnose(&job, &History::from_iter(epochs), &job.outputs())
}

/// What an epoch says of rows that are not trained on.
fn unseen(epoch: &mut Epoch) -> &mut Measured {
    epoch.validation.as_mut().unwrap()
}

#[test]
fn a_last_epoch_that_is_clearly_worse_is_never_nothing() {
    let iris = "data = \"iris\"\n";
    assert_eq!(after(iris, |_| ())[0].kind, Kind::Nothing);
    type Change = fn(&mut Epoch);
    let worse: [Change; 4] = [
        |last| last.train.loss += 0.4,
        |last| last.train.accuracy = last.train.accuracy.map(|share| share - 0.2),
        |last| unseen(last).accuracy = Some(0.5),
        |last| {
            unseen(last).loss += 0.4;
            last.train.loss -= 1e-4;
        },
    ];
    let told = worse.map(|ending| {
        let first = after(iris, ending).swap_remove(0);
        assert!([Kind::EndedWorse, Kind::OverFitting].contains(&first.kind), "{first}");
        format!("{} | {}", first.measured, first.advice)
    });
    expect![[r#"
        the net was better after epoch 49 than at the end: the training loss 0.078, and 0.478 at the end; the loss jumped in the last epoch, from 0.078 to 0.478 | keep_best = true, which saves the best epoch on validation rows; a learning rate of 0.00333
        the net was better after epoch 38 than at the end: on the training rows 97.3 % right, and 77.3 % right at the end | keep_best = true, which saves the best epoch on validation rows; a learning rate of 0.00333
        on the test rows the net was best after epoch 14, 100.0 % right, and ended at 50.0 % right, while the training loss fell from 0.168 to 0.078 | patience = 10 (early stopping), which saves the best epoch; a smaller net (hidden = 16); l2 = 0.001; more rows
        the test loss was lowest after epoch 48, 0.0488, and rose to 0.449, while the training loss fell from 0.078 to 0.0779 | patience = 10 (early stopping), which saves the best epoch; a smaller net (hidden = 16); l2 = 0.001; more rows"#]].assert_eq(&told.join("\n"));
    // where the best epoch is saved, the last does no harm
    let kept = after("data = \"iris\"\nkeep_best = true\n", |last| last.train.loss += 0.4);
    assert!(kept.iter().all(|finding| finding.kind != Kind::EndedWorse), "{}", kept[0]);
    // numbers too
    let folder = Folder::new();
    let (name, row) = TABLES.into_iter().find(|(name, _)| *name == "LINE").unwrap();
    let line = format!("data = \"{}\"\ntarget = \"answer\"\ntask = \"numbers\"\n", table(&folder, name, row));
    let found = after(&line, |last| last.train.r2 = Some(0.7));
    assert_eq!(found[0].kind, Kind::EndedWorse, "{}", found[0]);
    expect!["the net was better after epoch 49 than at the end: on the training rows R² 0.999, and R² 0.7 at the end"].assert_eq(&found[0].measured);
}

#[test]
fn a_training_that_cannot_go_on_is_reported_why() {
    let fails = |settings: &str| {
        let mut job = Job::new(&Settings::from_toml(settings, "test.toml").unwrap()).unwrap();
        let Job { parts, model, params, trainer, optimizer, .. } = &mut job;
        let mut seen = Vec::new();
        let training = trainer.on(&parts.train).each(|epoch| seen.push(epoch.epoch));
        let error = training.fit(model, params, &mut **optimizer).unwrap_err();
        let findings = diagnose_failure(&job, &History::default(), &error);
        println!("{error}\n{}", findings[0]);
        assert_eq!(findings[0].kind, Kind::NotFinite);
        findings[0].advice.clone()
    };
    let told = [
        "data = \"digits\"\nopt = \"sgd\"\nlr = 1e20\n",
        "data = \"breast_cancer\"\nloss = \"ce\"\nopt = \"sgd\"\nlr = 1e18\nscaling = \"none\"\n",
    ];
    expect![[r#"
        a learning rate of 1 or less, or clip_norm = 1
        scale the features: scaling = standardize"#]]
    .assert_eq(&told.map(fails).join("\n"));

    // the column with the largest value is named
    let folder = Folder::new();
    let path = folder.0.join("far.csv");
    let row = |i: usize| {
        format!("{i},{},{}\n", if i == 3 { "1.5e30" } else { "1.5" }, if i < 20 { "a" } else { "b" })
    };
    fs::write(&path, format!("small,large,kind\n{}", (0..40).map(row).collect::<String>())).unwrap();
    let settings = format!(
        "data = \"{}\"\ntarget = \"kind\"\nscaling = \"none\"\nopt = \"sgd\"\nlr = 0.1\nseed = 1\n",
        path.display()
    );
    let mut job = Job::new(&Settings::from_toml(&settings, "test.toml").unwrap()).unwrap();
    assert!(
        job.parts.train.dataset().features.iter().any(|&x| x == 1.5e30),
        "the row is in the test part: choose another seed"
    );
    let error = job.try_fit(None, &mut (), None, None, None).unwrap_err();
    let found = &diagnose_failure(&job, &History::default(), &error)[0];
    expect![[r#"the loss became NaN in epoch 1, step 2, at learning rate 0.09999383162408304; no epoch was completed before; the largest input is 1.5e30, in column "large" | scale the features: scaling = standardize"#]].assert_eq(&format!("{} | {}", found.measured, found.advice));

    let job = Job::new(&Settings::from_toml("data = \"iris\"\n", "test.toml").unwrap()).unwrap();
    assert_eq!(diagnose_failure(&job, &History::default(), &TrainError::Misfit("another net".into())), []);
}
