//! The book in `docs`: what its lessons show is what the commands print and draw, and no number in them was typed by hand.
//!
//! | in a lesson | what it says |
//! |---|---|
//! | `<!-- $ surprisal .. -->` | run this, in a folder of the page's own; the `.svg` files that it names there are those in `docs/images` |
//! | .. right before a `text` block | the block is what it prints; a line `…` stands for any number of lines |
//! | `<!-- $ ! surprisal .. 2>&1 -->` | the command must fail; what it says is shown |
//! | `<!-- > pets.csv -->` right before a block | the block is this file, for the commands that follow |
//!
//! `UPDATE_EXPECT=1 cargo test -p surprisal-cli --test it book::` writes outputs and pictures anew. The code in the lessons is run by
//! `cargo test -p surprisal-exercises --doc`.
#![cfg(unix)] // the commands are given to `sh`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::Folder;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn docs() -> PathBuf {
    Path::new(REPOSITORY).join("docs")
}
fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every page that the summary names, as it is named, with its text.
fn pages() -> Vec<(String, String)> {
    let summary = read(docs().join("SUMMARY.md"));
    links(&summary).iter().map(|link| (link.to_string(), read(docs().join(link)))).collect()
}
fn lessons() -> Vec<(String, String)> {
    let lesson = |name: &str| name.starts_with("lessons/") || name == "coming-from.md";
    pages().into_iter().filter(|(name, _)| lesson(name)).collect()
}

/// A page cut at its fences: prose, which keeps the fences, and what stands between them, with the word behind the first.
fn parts(page: &str) -> Vec<(Option<&str>, &str)> {
    let (mut parts, mut block, mut start, mut at) = (vec![], None, 0, 0);
    for line in page.split_inclusive('\n') {
        let end = at + line.len();
        if let Some(word) = line.strip_prefix("```") {
            let cut = if block.is_some() { at } else { end };
            parts.push((block, &page[start..cut]));
            block = if block.is_some() { None } else { Some(word.trim()) };
            start = cut;
        }
        at = end;
    }
    assert_eq!(block, None, "a block is not closed");
    parts.push((None, &page[start..]));
    parts
}

/// What a line such as `<!-- $ surprisal loss --list -->` asks for.
fn mark<'a>(sign: &str, line: &'a str) -> Option<&'a str> {
    line.strip_prefix("<!-- ")?.strip_suffix(" -->")?.strip_prefix(sign)?.strip_prefix(' ')
}

/// Whether a text that may be cut shows these lines.
fn shows(text: &[&str], lines: &[&str]) -> bool {
    match text.split_first() {
        None => lines.is_empty(),
        Some((&"…", rest)) => (0..=lines.len()).any(|n| shows(rest, &lines[n..])),
        Some((line, rest)) => lines.first().is_some_and(|told| same(line, told)) && shows(rest, &lines[1..]),
    }
}

/// Whether two lines are equal, but for the last digits of numbers: products of matrices may differ between machines.
fn same(line: &str, other: &str) -> bool {
    let words = |line: &str| line.replace(|c: char| c.is_ascii_digit(), "");
    let [a, b] = [line, other].map(numbers);
    let near = |a: &Number, b: &Number| (a.value - b.value).abs() <= 1e-5 * b.value.abs();
    line == other
        || words(line) == words(other)
            && a.len() == b.len()
            && a.iter()
                .zip(&b)
                .all(|(a, b)| a == b || a.last_place.is_some_and(|place| place < 1e-6) && near(a, b))
}

/// What a command prints; or what went wrong.
fn run(command: &str, folder: &Path) -> Result<String, String> {
    let built = Path::new(env!("CARGO_BIN_EXE_surprisal")).parent().unwrap().display();
    let path = format!("{built}:{}", std::env::var("PATH").unwrap_or_default());
    let output =
        Command::new("sh").args(["-c", command]).env("PATH", path).current_dir(folder).output().unwrap();
    let [out, error] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    if output.status.success() { Ok(out) } else { Err(format!("{}: {out}{error}", output.status)) }
}

/// Runs what a page says, and gives the page as it should be, and what is wrong with it.
fn as_it_should_be(page: &str, folder: &Path, images: &Path, update: bool) -> (String, Vec<String>) {
    let (mut right, mut wrong) = (String::new(), vec![]);
    let (mut told, mut file) = (None, None); // by the line before the block
    let (mut seen, mut ran) = (vec![], vec![]); // commands
    for (block, text) in parts(page) {
        match block {
            None => {
                for line in text.lines().filter(|line| !line.starts_with("```")) {
                    (told, file) = (None, mark(">", line));
                    let Some(command) = mark("$", line) else { continue };
                    ran.push(command.trim_start_matches("! ").trim_end_matches(" 2>&1"));
                    match run(command, folder) {
                        Ok(output) => told = Some((command, output)),
                        Err(error) => {
                            wrong.push(format!("`{command}` fails: {error}"));
                            continue;
                        }
                    }
                    let pictures =
                        command.split(' ').filter(|word| word.ends_with(".svg") && !word.contains('/'));
                    for name in pictures {
                        let drawn = read(folder.join(name));
                        if update {
                            fs::write(images.join(name), &drawn).unwrap();
                        } else if fs::read_to_string(images.join(name)).unwrap_or_default() != drawn {
                            wrong.push(format!("images/{name} is not what `{command}` draws"));
                        }
                    }
                }
                right += text;
                continue;
            }
            Some("text") => match told.take() {
                None => wrong.push(format!("no command says this:\n{text}")),
                Some((command, told)) => {
                    let [text_lines, told_lines] = [text, &told].map(|text| text.lines().collect::<Vec<_>>());
                    if !shows(&text_lines, &told_lines) {
                        if !update {
                            wrong.push(format!("`{command}` prints\n{told}and not\n{text}"));
                        }
                        right += &told;
                        continue;
                    }
                }
            },
            Some("sh") => seen.extend(text.lines().filter(|line| line.contains("surprisal "))),
            Some(_) => {
                if let Some(name) = file.take() {
                    fs::write(folder.join(name), text).unwrap();
                }
            }
        }
        right += text;
    }
    let drawn = |command: &str| command.ends_with(".svg");
    let idle = seen.iter().filter(|c| !ran.contains(c));
    wrong.extend(idle.map(|c| format!("`{c}` is shown, but nothing runs it")));
    let unseen = ran.iter().filter(|c| !seen.contains(c) && !drawn(c));
    wrong.extend(unseen.map(|c| format!("`{c}` is run, but the reader does not see it")));
    (right, wrong)
}

#[test]
fn outputs_and_pictures_are_what_the_commands_make() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = vec![];
    for (name, page) in lessons() {
        let folder = Folder::new(&name.replace('/', "-"));
        let (right, problems) = as_it_should_be(&page, &folder.0, &docs().join("images"), update);
        if update && right != page {
            fs::write(docs().join(&name), right).unwrap();
        }
        wrong.extend(problems.into_iter().map(|problem| format!("{name}: {problem}")));
    }
    assert!(wrong.is_empty(), "{}\n(UPDATE_EXPECT=1 writes outputs and pictures anew)", wrong.join("\n"));
}

/// The README calls the command by another name, so its outputs are not run again: each line must stand in an output of a lesson.
#[test]
fn what_the_readme_prints_stands_in_a_lesson() {
    let outputs = |page: &str| -> Vec<String> {
        let texts = parts(page).into_iter().filter(|(block, _)| *block == Some("text"));
        texts.flat_map(|(_, text)| text.lines().map(str::to_string).collect::<Vec<_>>()).collect()
    };
    let told: Vec<String> = lessons().iter().flat_map(|(_, page)| outputs(page)).collect();
    let readme = outputs(&read(Path::new(REPOSITORY).join("README.md")));
    assert!(!readme.is_empty());
    let stale: Vec<_> = readme.iter().filter(|line| !told.contains(line)).collect();
    assert!(stale.is_empty(), "no lesson prints {stale:?}");
}

#[test]
fn a_wrong_output_is_found_and_made_right() {
    let folder = Folder::new("book-tampered");
    let page = |shown: &str| {
        format!(
            "```sh\nsurprisal loss --list\n```\n<!-- $ surprisal loss --list -->\n```text\n{shown}\n```\n\
             <!-- > of_ours -->\n```csv\na,b\n```\n<!-- $ cat of_ours -->\n```text\na,b\n```\n```text\n0.5\n```\n"
        )
    };
    let told = run("surprisal loss --list", &folder.0).unwrap();
    let check = |shown: &str| as_it_should_be(&page(shown), &folder.0, &folder.0, false);
    assert!(
        same("p = 0.72777800, 3 rows", "p = 0.72777891, 3 rows") && !same("p = 0.727, 3", "p = 0.728, 3")
    );
    assert!(!same("0.7277780 of 3", "0.7277780 of 4") && !same("0.7277780 is p", "0.7277780 is q"));
    for (shown, others) in [(told.trim_end(), 0), ("…", 0), ("…\nsoftmax", 1)] {
        let (right, wrong) = check(shown);
        assert_eq!(wrong.len(), 2 + others, "{wrong:?}"); // nobody sees `cat of_ours`, and nothing says 0.5
        assert_eq!(right, page(if others == 0 { shown } else { told.trim_end() }));
    }
    assert!(run("surprisal loss mse", &folder.0).is_err() && run("! surprisal loss mse", &folder.0).is_ok());
}

/// A number as it is written: its value, and what a 1 in its last place is worth; whole numbers have no such place.
#[derive(Debug, PartialEq)]
struct Number {
    value: f64,
    last_place: Option<f64>,
}

fn numbers(text: &str) -> Vec<Number> {
    let (mut found, bytes, mut at) = (vec![], text.as_bytes(), 0);
    let digits = |mut at: usize| {
        while at < bytes.len() && (bytes[at].is_ascii_digit() || bytes[at] == b'_') {
            at += 1;
        }
        at
    };
    while at < bytes.len() {
        let start = at;
        let in_a_word =
            start > 0 && (bytes[start - 1].is_ascii_alphanumeric() || b"_.".contains(&bytes[start - 1]));
        at = digits(start);
        if at == start || in_a_word || bytes[start] == b'_' {
            at = at.max(start + 1);
            continue;
        }
        let whole = at;
        let next = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
        if next(at) == b'.' && next(at + 1).is_ascii_digit() {
            at = digits(at + 1);
        }
        let decimals = (at - whole).saturating_sub(1);
        let mut exponent = 0;
        let sign = usize::from(b"+-".contains(&next(at + 1)));
        if next(at) == b'e' && next(at + 1 + sign).is_ascii_digit() {
            let end = digits(at + 1 + sign);
            exponent = text[at + 1..end].parse().unwrap();
            at = end;
        }
        let value = text[start..at].replace('_', "").parse().unwrap();
        found.push(Number {
            value,
            last_place: (decimals > 0).then(|| 10f64.powi(exponent - decimals as i32)),
        });
    }
    found
}

/// The decimal numbers of a page's sentences and formulas that none of its blocks holds, rounded or cut as they are.
fn out_of_thin_air(page: &str) -> Vec<f64> {
    let (mut told, mut held) = (vec![], vec![]);
    for (block, text) in parts(page) {
        match block {
            None | Some("formula") => told.extend(numbers(text)),
            Some("text") => held.extend(numbers(text)),
            Some(_) => held.extend(text.lines().flat_map(|line| numbers(line.split("//").next().unwrap()))),
        }
    }
    let holds = |number: &Number, held: &Number| {
        let Some(last_place) = number.last_place else { return true };
        let beyond = (held.value - number.value) / last_place;
        (-0.5 - 1e-6..1.0 - 1e-6).contains(&beyond)
    };
    told.iter()
        .filter(|number| !held.iter().any(|held| holds(number, held)))
        .map(|number| number.value)
        .collect()
}

#[test]
fn every_number_in_a_sentence_stands_in_a_block() {
    let thin_air = lessons().into_iter().map(|(name, page)| (name, out_of_thin_air(&page)));
    let wrong: Vec<_> = thin_air.filter(|(_, numbers)| !numbers.is_empty()).collect();
    assert!(wrong.is_empty(), "no block of the page holds these numbers: {wrong:?}");
}

#[test]
fn a_number_typed_by_hand_is_found() {
    let code = "```rust\nassert_eq!(x1, 0.105_36); // 7.5\nlet y = 2.5e-3;\n```\n";
    for (prose, wrong) in [
        ("It is 0.105, or 0.1054, and `0.11` or 0.1; 2.5e-3, and 3 of 4.", &[][..]),
        ("It is 0.1055 and 7.5.", &[0.1055, 7.5]),
        ("```formula\nx = 0.2 + 2.6e-3\n```", &[0.2, 2.6e-3]),
    ] {
        assert_eq!(out_of_thin_air(&format!("{prose}\n{code}")), wrong, "{prose}");
    }
}

/// Where the links and pictures of a page lead.
fn links(page: &str) -> Vec<&str> {
    let ends = page.split("](").skip(1);
    ends.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

/// What the middle cells of a page's tables say is written here, and stands in no block of code.
fn uncompiled(page: &str) -> Vec<String> {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>().replace(",}", "}");
    let code: String =
        parts(page).iter().filter(|(block, _)| *block == Some("rust")).map(|(_, code)| *code).collect();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split('|').nth(2)?.trim().strip_prefix('`')?.strip_suffix('`'));
    cells.filter(|cell| !squeezed(&code).contains(&squeezed(cell))).map(str::to_string).collect()
}

#[test]
fn what_is_written_here_and_not_there_is_compiled() {
    let page = read(docs().join("coming-from.md"));
    assert_eq!(uncompiled(&page), [""; 0]);
    assert_eq!(
        uncompiled(&page.replace("| `x.detach()` | `x.detach()`", "| `x.detach()` | `x.cut()`")),
        ["x.cut()"]
    );
}

/// The sentences of a page: no blocks, and code spans apart from the rest.
fn prose(page: &str) -> (String, Vec<&str>) {
    let pieces = parts(page).into_iter().filter(|(block, _)| block.is_none());
    let pieces: Vec<_> = pieces.flat_map(|(_, text)| text.trim_matches('`').split('`').enumerate()).collect();
    let of = |rest| pieces.iter().filter(move |(i, _)| i % 2 == rest).map(|(_, text)| *text);
    (of(0).collect(), of(1).collect())
}

#[test]
fn every_page_is_in_the_summary() {
    let named: Vec<_> = pages().into_iter().map(|(name, _)| name).collect();
    for folder in ["", "lessons"] {
        for entry in fs::read_dir(docs().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(docs()).unwrap().to_str().unwrap();
            let known =
                !name.ends_with(".md") || name == "SUMMARY.md" || named.iter().any(|page| page == name);
            assert!(known, "docs/SUMMARY.md does not name {name}");
        }
    }
}

#[test]
fn links_and_files_are_there_and_pictures_have_words() {
    let (docs, mut wrong) = (docs().canonicalize().unwrap(), vec![]);
    for (name, page) in pages() {
        let (sentences, spans) = prose(&page);
        // the playground is built beside the book; its own tests open each state
        let here =
            |target: &&str| !["http", "../playground/index.html#"].iter().any(|far| target.starts_with(far));
        for target in links(&sentences).into_iter().filter(here) {
            let place = docs.join(&name).parent().unwrap().join(target.split('#').next().unwrap());
            if !place.canonicalize().is_ok_and(|file| file.starts_with(&docs)) {
                wrong.push(format!("{name}: {target} is no file of the book"));
            }
        }
        for picture in sentences.split("![").skip(1) {
            let told = picture.split("](").next().unwrap();
            if told.len() < 40 || !told.ends_with('.') {
                wrong.push(format!("{name}: \"{told}\" is no sentence that stands for a picture"));
            }
        }
        let named =
            |span: &&&str| [".rs", ".md", ".csv", ".svg", ".toml"].iter().any(|end| span.ends_with(end));
        for span in
            spans.iter().filter(named).filter(|span| span.contains('/') && name.starts_with("lessons/"))
        {
            if !Path::new(REPOSITORY).join(span).exists() {
                wrong.push(format!("{name}: there is no {span}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_lesson_has_its_parts_and_its_code_is_run_and_fits_the_page() {
    let (doctests, mut wrong) = (read(Path::new(REPOSITORY).join("crates/exercises/src/book.rs")), vec![]);
    for (name, page) in lessons() {
        if !doctests.contains(&format!("\"../../../docs/{name}\"")) {
            wrong.push(format!("{name}: crates/exercises/src/book.rs does not run its code"));
        }
        for section in ["\n## Exercises\n", "\n## Next\n"] {
            if name.starts_with("lessons/") && !page.contains(section) {
                wrong.push(format!("{name} has no section {}", section.trim()));
            }
        }
        for (word, code) in parts(&page).into_iter().filter_map(|(block, text)| Some((block?, text))) {
            if word.is_empty() || word.contains("ignore") || word.contains("no_run") {
                wrong.push(format!("{name}: a block \"{word}\" is not run:\n{code}"));
            }
            let shown = code.lines().filter(|line| word.starts_with("rust") && !line.starts_with("# "));
            wrong.extend(
                shown
                    .filter(|line| line.chars().count() > 96)
                    .map(|line| format!("{name}: too wide: {line}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
