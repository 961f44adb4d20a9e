//! Pages in a browser: nothing is clipped, hidden, too wide or fetched, on phone and desk, light and dark.

use std::fs;
use std::path::PathBuf;

use crate::support::browser::{Folder, faults};
use crate::support::gallery;
use surprisal_report::{Align, Page, Table, Verdict};

fn page() -> Page {
    let row = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<String>>();
    let wide = ["a model with a long name", "cross-entropy", "squared error", "difference", "95 % interval"];
    let table = Table {
        caption: "Accuracy on unseen rows".to_owned(),
        header: row(&wide),
        rows: vec![row(&["digits", "97.2 %", "93.0 %", "+4.2", "[3.1, 5.3]"]); 3],
        align: vec![Align::Left, Align::Right, Align::Right, Align::Right, Align::Right],
    };
    let page = Page::new("Squared error against cross-entropy, with every kind of picture")
        .lead("Squared error learns slowest when it is *most* wrong.")
        .section("Result")
        .verdict(Verdict::Supported, "+4.2 percentage points [3.1, 5.3]")
        .verdict(
            Verdict::NotSupported,
            "−0.2 [−1.5, 1.1], with a text that is long enough to need a second line",
        )
        .verdict(
            Verdict::Inconclusive,
            "a `word_that_is_much_too_long_for_the_width_of_any_phone_but_is_broken`",
        )
        .table(&table)
        .code(&"cargo run --release -- lab --all --seeds 8 ".repeat(4))
        .details("Setting", |inside| inside.paragraph("8 seeds").table(&table).code("eta = 0.15"));
    gallery::all()
        .into_iter()
        .fold(page, |page, (name, svg)| page.section(name).figure(&svg, name))
        .footer("The end")
}

fn write(folder: &Folder, name: &str, html: &str) -> PathBuf {
    let path = folder.0.join(name);
    fs::write(&path, html).unwrap();
    path
}

#[test]
fn a_page_of_everything_is_shown_without_a_fault() {
    let folder = Folder::new();
    let page = write(&folder, "page.html", &page().to_html());
    if let Some(faults) = faults(&[page]) {
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

#[test]
fn every_kind_of_fault_is_found_out() {
    let svg = |inside: &str| {
        format!("<svg viewBox='0 0 100 50' style='display:block;width:100%;font-size:8px'>{inside}</svg>")
    };
    let line = "<path d='M0 0L100 50' stroke='red'/>";
    let stepper = "<div class='stepper'><input type='range' max='1'/><ol class='steps'><li>one</li><li>two</li></ol></div>";
    let cases = [
        (
            "clipped",
            svg(&format!("{line}<text x='90' y='30'>too far right</text>")),
            "clipped words \"too far right\"",
        ),
        ("above", svg(&format!("{line}<text x='9' y='1'>up</text>")), "clipped words \"up\""),
        (
            "overlap",
            svg(&format!("{line}<text x='9' y='20'>one</text><text x='11' y='21'>two</text>")),
            "words on words",
        ),
        ("wide", "<div style='width:1300px'>wide</div>".to_owned(), "<div> is wider than the page"),
        ("scrolls", "<p style='white-space:nowrap'>".to_owned() + &"word ".repeat(400), "scrolls sideways"),
        (
            "cut",
            "<p style='overflow:hidden;white-space:nowrap'>".to_owned() + &"word ".repeat(400),
            "clips its content",
        ),
        ("console", "<script>console.error('oh')</script>".to_owned(), "\"oh\""),
        ("warning", "<script>console.warn('mind')</script>".to_owned(), "\"mind\""),
        ("throws", "<script>nothing.here</script>".to_owned(), "nothing is not defined"),
        ("hidden", svg(line).replace("display:block", "display:none"), "without visible area"),
        ("flat", svg(line).replace("width:100%", "width:100%;height:0"), "without visible area"),
        ("empty", svg(""), "without visible graphics"),
        (
            "white",
            svg("<path d='M0 0L90 40' fill='none' stroke='#fff'/>")
                .replace("style='", "style='background:#fff;"),
            "without visible graphics",
        ),
        ("faint", svg(&format!("<g opacity='0'>{line}</g>")), "without visible graphics"),
        ("outside", "<a href='https://example.invalid/'>a</a>".to_owned(), "a link to the outside"),
        ("image", "<img src='missing.png' alt=''>".to_owned(), "a picture that does not show, missing.png"),
        (
            "fetched",
            "<img src='https://example.invalid/a.png' alt=''>".to_owned(),
            "a link to the outside, https",
        ),
        ("import", "<style>@import 'missing.css';</style>".to_owned(), "a style from the outside"),
        (
            "background",
            "<p style=\"background:url('missing.png')\">p</p>".to_owned(),
            "a style from the outside",
        ),
        ("script", "<script>fetch('good.html')</script>".to_owned(), "a script"),
        // a page to step through whose script does nothing, and one that asks the outside
        ("idle", stepper.to_owned() + "<script>0</script>", "2 steps are shown at step 0"),
        ("unmarked", stepper.to_owned() + "<script>0</script>", "no node is marked at step 1"),
        ("asks", stepper.to_owned() + "<script>() => fetch('good.html')</script>", "a script"),
        ("gone", "<a href='absent.html'>a</a>".to_owned(), "a link to absent.html, which is not there"),
        ("nowhere", "<a href='#nowhere'>a</a>".to_owned(), "a link to #nowhere, which is not there"),
    ];
    let folder = Folder::new();
    let html = |body: &str| {
        format!(
            "<!DOCTYPE html><meta charset='utf-8'><link rel='icon' href='data:,'><title>t</title><body style='margin:8px'>{body}</body>"
        )
    };
    let pages: Vec<PathBuf> =
        cases.iter().map(|(name, body, _)| write(&folder, &format!("{name}.html"), &html(body))).collect();
    let good = format!(
        "{}<div style='overflow-x:auto'><div style='width:2000px'>scrolls</div></div><a href='good.html#x'>self</a>",
        svg(&format!("{line}<text x='9' y='20'>one</text><text x='9' y='30'>two</text>"))
    );
    let good = write(&folder, "good.html", &html(&good));
    if let Some(found) = faults(&[&pages[..], &[good]].concat()) {
        for theme in ["light", "dark"] {
            for (name, _, words) in &cases {
                let file = format!("/{name}.html");
                let told = found
                    .iter()
                    .any(|fault| fault.starts_with(theme) && fault.contains(&file) && fault.contains(words));
                assert!(told, "{}\n{theme} {name}: no word of {words:?} in the above", found.join("\n"));
            }
        }
        let against_good: Vec<&String> = found.iter().filter(|fault| fault.contains("/good.html")).collect();
        assert!(against_good.is_empty(), "{against_good:?}");
    }
}
