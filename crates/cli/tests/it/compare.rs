//! The command as a user meets it: what it writes, what it says, and with which exit code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Folder, fails, surprisal};

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_path_buf(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn two_runs_write_the_same_bytes_into_two_folders() {
    let folder = Folder::new("twice");
    for n in 1..=2 {
        let output = surprisal(&folder.0, &["compare", "--quick"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let stdout = String::from_utf8(output.stdout).unwrap();
        let last = stdout.lines().last().unwrap();
        let page = Path::new("runs").join(format!("compare-{n}")).join("report.html");
        assert_eq!(last, format!("The report: {}", page.display()));
        assert!(stdout.contains("This is the quick version, with fewer epochs and seeds"), "{stdout}");
        assert!(
            stdout.contains(
                "  SUPPORTED: Logistic regression with zero initial weights, at the same learning rate 0.1: "
            ),
            "{stdout}"
        );
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr.matches("digits-mlp: 24 runs\n").count(), 1, "{stderr}"); // no terminal: a line for each part
    }
    let [first, second] = [1, 2].map(|n| files(&folder.0.join(format!("runs/compare-{n}"))));
    let csv = first.keys().filter(|path| path.extension().is_some_and(|e| e == "csv")).count();
    assert!(
        csv >= 10 && first.keys().filter(|path| path.extension().is_some_and(|e| e == "svg")).count() == 11
    );
    assert!(first == second, "two runs wrote different bytes");
    let other = surprisal(&folder.0, &["compare", "--quick", "--data", "breast_cancer", "--seed", "8"]);
    assert!(other.status.success());
    let third = files(&folder.0.join("runs/compare-3"));
    assert_ne!(first[Path::new("summary.csv")], third[Path::new("summary.csv")]);
}

#[test]
fn the_readme_shows_what_the_command_draws() {
    let folder = Folder::new("readme");
    assert!(surprisal(&folder.0, &["compare", "--data", "breast_cancer"]).status.success());
    let drawn = folder.0.join("runs/compare-1");
    for (name, shown) in [("slope", "slope"), ("breast_cancer-saturated-accuracy-same", "stall")] {
        let shown = format!("{}/../../docs/images/{shown}.svg", env!("CARGO_MANIFEST_DIR"));
        let same = fs::read(drawn.join(format!("{name}.svg"))).unwrap() == fs::read(&shown).unwrap();
        assert!(same, "{shown} is not what `compare` draws any more: copy {name}.svg over it");
    }
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let folder = Folder::new("page");
    let output = surprisal(
        &folder.0,
        &["compare", "--quick", "--data", "breast_cancer", "--losses", "ce,half_mse", "--out", "deep/er"],
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(folder.0.join("deep/er/compare-1/report.html")).unwrap();
    let scheme = page.replace("http://www.w3.org/2000/svg", ""); // the name of the language, not an address that is opened
    assert!(!scheme.contains("http") && !scheme.contains("src=") && !scheme.contains("<script"));
    assert!(
        page.contains(
            "surprisal compare --quick --data breast_cancer --losses ce,half_mse --seed 7 --seeds 2"
        )
    );
    assert!(page.contains("This is the quick version</em>, with fewer epochs and seeds"));
    assert!(page.matches("<svg").count() == 8 && !page.contains("NaN"));

    // first the race, then the verdict, then the reasons
    let place = |what: &str| page.find(what).unwrap_or_else(|| panic!("{what} is not on the page"));
    let order =
        ["Accuracy on unseen rows", "class=\"verdict ", "What it is about", "From a score to a probability"];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])));
    assert!(page.contains("faster in all 2 expected") && page.contains("more than 0 expected"));
    // what ends early is not drawn as a line at the left edge of all epochs
    for name in ["zero", "saturated"] {
        let picture = folder.0.join(format!("deep/er/compare-1/breast_cancer-{name}-accuracy-best.svg"));
        let picture = fs::read_to_string(picture).unwrap();
        let shown = picture.split_once("epoch (the first ").expect("the axis is cut").1;
        let shown: usize = shown.split(' ').next().unwrap().parse().unwrap();
        assert!((10..=100).contains(&shown), "{name}: {shown} epochs");
    }
}

#[test]
fn a_loss_that_becomes_nan_exits_with_1_and_names_the_step_and_the_culprit() {
    let (code, stderr) = fails(&["compare", "--quick", "--data", "digits", "--lr", "1e300"]);
    assert_eq!(code, 1);
    for part in ["digits-mlp", "epoch 1, step 2", "1e300", "\"layer2\" (affine) [32, 10]"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
}
