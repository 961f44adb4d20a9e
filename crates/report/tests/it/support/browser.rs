//! Pages as a browser shows them: [`faults`] opens each in headless Chromium, on a phone's width and a desk's, light and dark.
//!
//! A page of the test's own holds the pages in frames, measures them (`browser.js`) and writes what it found into its
//! document, which the browser prints. Nothing but the browser is needed: `SURPRISAL_BROWSER`, or Chromium or Chrome on
//! the path.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The widths that pages are shown at, in CSS pixels: a phone's and a desk's.
const WIDTHS: [u32; 2] = [360, 1200];
/// The longest that the browser may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is wrong with the pages, in sentences; none, with a word on the output, where there is no browser.
///
/// Wrong are scripts (but the one of a page to step through, which must show each step), messages on the console, styles and links from or to the outside, links to files or places that are
/// not there (which leaves nothing to be requested);
/// pictures that are not visible or stick out; words that are clipped or lie on other words; elements that are wider than
/// the page, unless they scroll in a box of their own.
pub fn faults(pages: &[PathBuf]) -> Option<Vec<String>> {
    let Some(browser) = browser() else {
        println!("SKIPPED: no browser; name one in SURPRISAL_BROWSER, or install Chromium");
        return None;
    };
    let mut faults: Vec<String> = Vec::new();
    for dark in [false, true] {
        let theme = if dark { "dark" } else { "light" };
        faults.extend(shown(&browser, pages, dark).into_iter().map(|fault| format!("{theme}: {fault}")));
    }
    Some(faults)
}

fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("SURPRISAL_BROWSER").filter(|name| !name.is_empty()) {
        return Some(named.into());
    }
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()))
}

/// The faults of the pages in one theme.
fn shown(browser: &Path, pages: &[PathBuf], dark: bool) -> Vec<String> {
    let folder = Folder::new();
    let urls: Vec<String> = pages
        .iter()
        .map(|page| url(&page.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", page.display()))))
        .collect();
    let frame = folder.0.join("frame.html");
    let script = include_str!("browser.js");
    let html = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><link rel=\"icon\" href=\"data:,\"><body><pre id=\"findings\"></pre>\
         <script>const PAGES = {urls:?}, WIDTHS = {WIDTHS:?};\n{script}</script></body>"
    );
    fs::write(&frame, html).unwrap();

    let (document, console) = run(browser, &frame, &folder.0, dark);
    let findings =
        document.split_once("<pre id=\"findings\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let findings =
        findings.map(|(json, _)| json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
    let findings = findings.filter(|json| !json.is_empty());
    let findings = findings.unwrap_or_else(|| panic!("the browser did not finish; it says\n{console}"));
    let findings: serde_json::Value = serde_json::from_str(&findings).unwrap();
    assert_eq!(findings["dark"], dark, "the browser shows the other theme");

    let texts = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut faults = texts(&findings["faults"]);
    for link in findings["links"].as_array().unwrap() {
        let link = texts(link);
        let file = link[1].split(['#', '?']).next().unwrap_or("");
        let page = &pages[urls.iter().position(|url| *url == link[0]).unwrap()];
        if !page.parent().is_some_and(|folder| folder.join(file).exists()) {
            faults.push(format!("{}: a link to {file}, which is not there", link[0]));
        }
    }
    // the pages have no script that could have something to say
    let said = console.lines().filter_map(|line| line.split_once("CONSOLE").map(|(_, message)| message));
    faults.extend(said.map(|message| format!("the console says {message}")));
    faults.sort();
    faults.dedup();
    faults
}

/// What the browser prints of the document at the end, and on its error output.
fn run(browser: &Path, frame: &Path, folder: &Path, dark: bool) -> (String, String) {
    let (out, err) = (folder.join("out"), folder.join("err"));
    let child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--hide-scrollbars",
        ])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--allow-file-access-from-files", "--dump-dom"])
        .args(["--virtual-time-budget=600000", "--enable-logging=stderr", "--v=0", "--window-size=1300,1000"])
        .arg(format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }))
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(url(frame))
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", browser.display()));
    let mut browser = Running(child);
    let start = Instant::now();
    while browser.0.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "the browser still runs after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    (read(&out), read(&err))
}

fn url(path: &Path) -> String {
    let path = path.to_str().expect("a path in UTF-8");
    let mut url = "file://".to_owned();
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => url.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => url.push(byte.into()),
            _ => url += &format!("%{byte:02X}"),
        }
    }
    url
}

/// A browser that does not outlive a failed test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder for one test, removed at its end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("surprisal-browser-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder.canonicalize().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // helpers of the browser may write a moment longer
        for _ in 0..50 {
            if fs::remove_dir_all(&self.0).is_ok() || !self.0.exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
