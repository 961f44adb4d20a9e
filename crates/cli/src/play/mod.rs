//! `surprisal play`

mod page;
mod server;

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use clap::Args;

use self::server::Server;
use crate::Failure;

/// The page that this command was built with: see `build.rs`.
pub const INCLUDED: Option<&[u8]> = include!(concat!(env!("OUT_DIR"), "/playground.rs"));

#[derive(Args)]
#[command(
    after_help = "The page races two losses: the same net, the same data, the same start. A link that it makes has all settings
after #, so that another page opens the same race. Nothing is loaded from the network, and nothing is sent.

  surprisal play
  surprisal play \"data=moons&hidden=8-8\"
  surprisal play --out site"
)]
pub struct Options {
    /// What to show: the part of a link to the page after #, such as "view=neuron&w=4"
    #[arg(value_name = "STATE", conflicts_with = "out")]
    state: Option<String>,
    /// The port on this computer [default: a free one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    port: Option<u16>,
    /// Write the page as index.html into this folder instead of serving it
    #[arg(long, value_name = "DIR", conflicts_with = "port")]
    out: Option<PathBuf>,
    /// A built page, surprisal-playground.html, instead of the one in this command
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

pub fn run(Options { state, port, out, page }: Options) -> Result<(), Failure> {
    let page = match (page, INCLUDED) {
        (Some(path), _) => read(&path)?,
        (None, Some(included)) => included.to_vec(),
        (None, None) => {
            return Err(Failure::run(
                "this command was built without the page | build it with `just playground`, or download \
                 surprisal-playground.html of a release and give it with --page FILE",
            ));
        }
    };
    match out {
        Some(folder) => write(&folder, &page),
        None => serve(port, page, state.as_deref().unwrap_or_default()),
    }
}

/// The command line that shows a state.
pub fn command(state: &str) -> String {
    format!("surprisal play \"{state}\"")
}

/// A state as the end of an address; the page checks it.
fn fragment(state: &str) -> String {
    let state = state.strip_prefix('#').unwrap_or(state);
    let mut fragment = String::from(if state.is_empty() { "" } else { "#" });
    for byte in state.bytes() {
        match byte {
            _ if byte.is_ascii_alphanumeric() || b"-._~:,;=&%".contains(&byte) => fragment.push(byte.into()),
            _ => fragment += &format!("%{byte:02X}"),
        }
    }
    fragment
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let limit = page::LONGEST as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut page))
        .map_err(|error| Failure::run(format!("{}: cannot read: {error}", path.display())))?;
    match page::policy(&page) {
        Some(_) => Ok(page),
        None => Err(Failure::run(format!(
            "{}: not a page of the playground | expected surprisal-playground.html of a release or of `just playground`",
            path.display()
        ))),
    }
}

/// Writes the page as files that any web server can show.
fn write(folder: &Path, page: &[u8]) -> Result<(), Failure> {
    let path = folder.join("index.html");
    if path.symlink_metadata().is_ok() {
        let message = format!("{}: the file exists and is not overwritten", path.display());
        return Err(Failure::run(message).with_options(&["out"]));
    }
    fs::create_dir_all(folder)
        .map_err(|error| Failure::run(format!("{}: cannot make the folder: {error}", folder.display())))?;
    crate::write_file(&path, page)?;
    crate::tell(&format!("The page: {}\n", path.display()))
}

fn serve(port: Option<u16>, page: Vec<u8>, state: &str) -> Result<(), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).map_err(|error| {
        let advice = "choose another port, or leave --port out for a free one";
        Failure::run(match (port, error.kind()) {
            (Some(port), ErrorKind::AddrInUse) => {
                format!("--port {port}: another program uses it | {advice}")
            }
            (Some(port), _) => format!("--port {port}: {error} | {advice}"),
            (None, _) => format!("127.0.0.1: cannot listen: {error}"),
        })
    })?;
    let port = listener.local_addr().map_err(Failure::run)?.port();
    let policy = page::policy(&page).expect("the page was checked").to_string();
    let state = fragment(state);
    crate::tell(&format!("The playground: http://127.0.0.1:{port}/{state}\nCtrl-C ends it.\n"))?;
    Server { listener, port, policy, page }.run()
}
