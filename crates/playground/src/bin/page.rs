//! Assembles the page of the playground into one file without anything outside of it: `page WASM OUT.html`.
//!
//! `page/index.html` with its styles, its scripts and the module in it. The same input gives the same bytes. `crates/playground/build`
//! makes the module and calls this.

#![forbid(unsafe_code)]

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use sha2::{Digest, Sha256};

/// The largest page, and the largest one after `gzip -9`, in bytes.
const MOST: usize = 900_000;
const MOST_COMPRESSED: usize = 350_000;

const CHARSET: &str = "<meta charset=\"utf-8\">\n";
const STYLE: &str = "<link rel=\"stylesheet\" href=\"style.css\">";
const SCRIPT: (&str, &str) = ("<script src=\"", "\"></script>");
const MODULE: &str = "<script type=\"application/octet-stream\" id=\"wasm\"></script>";

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [wasm, out] = arguments.as_slice() else {
        eprintln!("usage: page WASM OUT.html");
        return ExitCode::from(2);
    };
    match assemble(wasm, out) {
        Ok(sizes) => {
            println!("{sizes}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn assemble(wasm: &Path, out: &Path) -> Result<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
    let text = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: cannot read: {error}", path.display()))
    };
    let module = fs::read(wasm).map_err(|error| format!("{}: cannot read: {error}", wasm.display()))?;
    let page = page(&text("index.html")?, text, &module)?;

    let compressed =
        packed(GzEncoder::new(Vec::new(), Compression::best()), page.as_bytes(), GzEncoder::finish);
    let (size, compressed) = (page.len(), compressed.len());
    let sizes = format!(
        "{}: {size} bytes, {compressed} after gzip -9; the module has {} bytes",
        out.display(),
        module.len()
    );
    if size > MOST || compressed > MOST_COMPRESSED {
        return Err(format!("{sizes} | at most {MOST} bytes, and {MOST_COMPRESSED} after gzip -9"));
    }
    fs::write(out, page).map_err(|error| format!("{}: cannot write: {error}", out.display()))?;
    Ok(sizes)
}

/// The page from its skeleton, the files that it names and the module.
fn page(
    skeleton: &str,
    text: impl Fn(&str) -> Result<String, String>,
    module: &[u8],
) -> Result<String, String> {
    let scripts = scripts(skeleton)?;
    let script: String = scripts
        .iter()
        .map(|(_, name)| Ok(text(name)? + "\n;\n")) // whatever ends a file
        .collect::<Result<_, String>>()?;
    let style = text("style.css")?;
    for (name, text, end) in
        [("style.css", &style, "</style"), ("*.js", &script, "</script"), ("*.js", &script, "<!--")]
    {
        if text.to_lowercase().contains(end) {
            return Err(format!("{name}: {end} would end it | write it in two parts"));
        }
    }
    // The module is data, which the policy need not allow. The picture of a tape has a style of its own.
    let policy = format!(
        "default-src 'none'; script-src '{}' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; \
         base-uri 'none'; form-action 'none'",
        hash(&script)
    );
    let head = format!(
        "{CHARSET}<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"generator\" content=\"surprisal {} playground\">\n",
        env!("CARGO_PKG_VERSION")
    );
    let packed = packed(DeflateEncoder::new(Vec::new(), Compression::best()), module, DeflateEncoder::finish);
    let module = MODULE.replace("></", &format!(">{}</", STANDARD.encode(packed)));

    let mut places = vec![
        (only(skeleton, CHARSET)?, head),
        (only(skeleton, STYLE)?, format!("<style>{style}</style>")),
        (only(skeleton, MODULE)?, module),
    ];
    let mut inline = format!("<script>{script}</script>"); // in the place of the first
    places.extend(scripts.into_iter().map(|(place, _)| (place, std::mem::take(&mut inline))));
    places.sort_by_key(|(place, _)| place.start);

    let (mut page, mut end) = (String::new(), 0);
    let last = (skeleton.len()..skeleton.len(), String::new());
    for (place, new) in places.into_iter().chain([last]) {
        let between = &skeleton[end..place.start];
        if let Some(tag) = ["<script", "<link rel=\"stylesheet\""].iter().find(|tag| between.contains(**tag))
        {
            return Err(format!("index.html: {tag} ..> is not as expected | {STYLE}, {SCRIPT:?}, {MODULE}"));
        }
        page += between;
        page += &new;
        end = place.end;
    }
    Ok(page)
}

/// The script tags of a skeleton, and the files that they name.
fn scripts(skeleton: &str) -> Result<Vec<(Range<usize>, &str)>, String> {
    let mut found = Vec::new();
    for (start, _) in skeleton.match_indices(SCRIPT.0) {
        let rest = &skeleton[start + SCRIPT.0.len()..];
        let (name, _) = rest.split_once(SCRIPT.1).ok_or(format!("index.html: expected {SCRIPT:?}"))?;
        if name.split('/').any(|part| part.is_empty() || part == ".." || part.contains([':', '"'])) {
            return Err(format!("index.html: {name}: expected a file in the folder of the page"));
        }
        found.push((start..start + SCRIPT.0.len() + name.len() + SCRIPT.1.len(), name));
    }
    Ok(found)
}

/// Where a tag is in a skeleton.
fn only(skeleton: &str, tag: &str) -> Result<Range<usize>, String> {
    match skeleton.match_indices(tag).collect::<Vec<_>>()[..] {
        [(start, _)] => Ok(start..start + tag.len()),
        ref found => {
            Err(format!("index.html: expected {} once, found {} times", tag.trim_end(), found.len()))
        }
    }
}

/// The source of a script as a policy names it.
fn hash(script: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(script)))
}

fn packed<W: Write>(mut encoder: W, bytes: &[u8], finish: impl Fn(W) -> std::io::Result<Vec<u8>>) -> Vec<u8> {
    encoder.write_all(bytes).and_then(|()| finish(encoder)).expect("memory takes everything")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKELETON: &str = "<!DOCTYPE html>\n<head>\n<meta charset=\"utf-8\">\n<link rel=\"stylesheet\" href=\"style.css\">\n\
        <script type=\"application/octet-stream\" id=\"wasm\"></script>\n<script src=\"a.js\"></script>\n<script src=\"b/c.js\"></script>\n</body>\n";

    fn assembled(skeleton: &str, style: &str, a: &str, c: &str) -> Result<String, String> {
        let text = |name: &str| match name {
            "style.css" => Ok(style.to_string()),
            "a.js" => Ok(a.to_string()),
            "b/c.js" => Ok(c.to_string()),
            _ => Err(name.to_string()),
        };
        page(skeleton, text, b"\0asm")
    }

    #[test]
    fn a_page_is_one_file_whose_policy_names_its_script() {
        let page = assembled(SKELETON, "p{}", "'use strict'; f(`<link rel=\"stylesheet\"`)", "(g)").unwrap();
        let script = "'use strict'; f(`<link rel=\"stylesheet\"`)\n;\n(g)\n;\n";
        assert!(page.contains(&format!("\n<script>{script}</script>\n\n</body>")), "{page}");
        assert!(page.contains(&format!("script-src '{}' 'wasm-unsafe-eval';", hash(script))), "{page}");
        assert!(page.contains("<style>p{}</style>"), "{page}");
        // \0asm, deflated
        assert!(page.contains("id=\"wasm\">Y0gszgUA</script>"), "{page}");
        assert_eq!(
            page,
            assembled(SKELETON, "p{}", "'use strict'; f(`<link rel=\"stylesheet\"`)", "(g)").unwrap()
        );
    }

    #[test]
    fn sha_256_is_that_of_the_standard() {
        assert_eq!(hash("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn what_would_not_be_one_file_is_refused() {
        let refused =
            |skeleton: &str, style: &str, script: &str| assembled(skeleton, style, script, "").unwrap_err();
        for script in ["f('</script>')", "f('</SCRIPT >')", "f('<!--')"] {
            assert!(refused(SKELETON, "", script).contains("would end it"), "{script}");
        }
        assert!(refused(SKELETON, "p::after{content:'</style'}", "").contains("would end it"));
        for (from, to) in [
            ("a.js", "../a.js"),
            ("a.js", "https://example.org/a.js"),
            ("a.js", "d.js"),
            ("<script src=\"a.js\">", "<script defer src=\"a.js\">"),
            ("style.css", "other.css"),
            ("id=\"wasm\"", "id=\"module\""),
            ("<meta charset=\"utf-8\">\n", ""),
            ("</body>", "<script>1</script></body>"),
        ] {
            assert!(SKELETON.contains(from));
            refused(&SKELETON.replace(from, to), "", "");
        }
    }
}
