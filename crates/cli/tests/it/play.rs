//! The playground as `surprisal play` serves and writes it: to this computer alone, and its own page alone.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{Folder, refuses, surprisal, works};

const POLICY: &str = "default-src 'none'; script-src 'sha256-AAAA' 'wasm-unsafe-eval'";

/// The beginning of a page, and something behind it.
fn page() -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"generator\" content=\"surprisal 0.1.0 playground\">\n<title>é</title>\n{}",
        "<p>two losses\n".repeat(60_000)
    )
}

/// A running `surprisal play`; it does not outlive a failed test.
struct Play {
    child: Child,
    port: u16,
    /// What its address has after `#`.
    state: String,
    _folder: Folder,
}

impl Play {
    fn start(name: &str, more: &[&str]) -> Play {
        let folder = Folder::new(name);
        folder.write("page.html", page());
        let mut child = Command::new(env!("CARGO_BIN_EXE_surprisal"))
            .args([&["play", "--page", "page.html"], more].concat())
            .current_dir(&folder.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("The playground: http://127.0.0.1:");
        let (port, state) = address.and_then(|rest| rest.split_once('/')).unwrap_or_else(|| panic!("{line}"));
        let (port, state) = (port.parse().unwrap(), state.to_string());
        Play { child, port, state, _folder: folder }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// The response to a request: its status, its headers and its content. `PORT` in the request is that of the server.
    #[track_caller]
    fn asked(&self, request: impl AsRef<[u8]>) -> (u16, String, Vec<u8>) {
        let mut stream = self.connect();
        stream.write_all(request.as_ref()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        let end = response.windows(4).position(|four| four == b"\r\n\r\n").expect("no end of the headers");
        let head = String::from_utf8(response[..end].to_vec()).unwrap();
        (head[9..12].parse().unwrap(), head, response[end + 4..].to_vec())
    }

    /// The same of a request with these first words, this Host header and more lines.
    #[track_caller]
    fn request(&self, first: &str, host: &str, more: &str) -> (u16, String, Vec<u8>) {
        let host = host.replace("PORT", &self.port.to_string());
        self.asked(format!("{first} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"))
    }

    #[track_caller]
    fn still_serves(&self) {
        assert_eq!(self.request("GET /", "127.0.0.1:PORT", "").0, 200);
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_serves_its_page_to_this_computer_by_its_address_only() {
    let play = Play::start("play", &[]);
    for host in ["127.0.0.1:PORT", "localhost:PORT", "LocalHost:PORT"] {
        let (status, head, content) = play.request("GET /", host, "");
        assert_eq!(status, 200, "{host}");
        assert!(content == page().as_bytes(), "{host}: other content");
        for header in [
            &format!("content-security-policy: {POLICY}; frame-ancestors 'none'"),
            "content-type: text/html; charset=utf-8",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cross-origin-opener-policy: same-origin",
            &format!("content-length: {}", page().len()),
        ] {
            assert!(head.lines().any(|line| line == header), "{header} is not in\n{head}");
        }
    }
    // a name that leads here, and what looks like the address
    for host in [
        "evil.example:PORT",
        "evil.example",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:1",
        "127.0.0.1:PORT0",
        "127.0.0.1:PORT.evil.example",
        "127.0.0.2:PORT",
        "[::1]:PORT",
        "user@127.0.0.1:PORT",
        "",
    ] {
        let (status, _, content) = play.request("GET /", host, "");
        assert_eq!((status, content.len()), (421, 0), "{host}");
    }
    let twice = format!("Host: 127.0.0.1:{}\r\n", play.port);
    assert_eq!(play.request("GET /", "127.0.0.1:PORT", &twice).0, 421);
    assert_eq!(play.asked("GET / HTTP/1.1\r\n\r\n").0, 421);
    assert_eq!(play.asked("GET / HTTP/1.0\r\n\r\n").0, 421);
}

#[test]
fn it_answers_nothing_but_get_and_head_of_its_page() {
    let play = Play::start("play-other", &[]);
    let (status, head, content) = play.request("HEAD /", "localhost:PORT", "");
    assert_eq!((status, content.len()), (200, 0));
    assert!(head.contains(&format!("content-length: {}\r\n", page().len())), "{head}");

    for path in
        ["/favicon.ico", "/index.html", "/../page.html", "/%2e%2e/", "//", "/?x=1", "*", "http://127.0.0.1/"]
    {
        let (status, _, content) = play.request(&format!("GET {path}"), "127.0.0.1:PORT", "");
        assert_eq!((status, content.len()), (404, 0), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get"] {
        let (status, head, content) = play.request(&format!("{method} /"), "127.0.0.1:PORT", "");
        assert_eq!((status, content.len()), (405, 0), "{method}");
        assert!(head.contains("\r\nallow: GET, HEAD"), "{head}");
    }
    // the response to a request with content is not lost
    let body = format!("Content-Length: 50000\r\n\r\n{}", "x".repeat(50_000));
    assert_eq!(play.request("POST /", "127.0.0.1:PORT", &body).0, 405);
}

#[test]
fn it_outlives_whatever_a_client_sends() {
    let play = Play::start("play-garbage", &[]);
    let host = format!("Host: 127.0.0.1:{}\r\n", play.port);
    let long = format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", "x".repeat(9000));
    let many = format!("GET / HTTP/1.1\r\n{host}{}\r\n", "A: b\r\n".repeat(100));
    for (request, expected) in [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400), // TLS
        (b"GET\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/9.9\r\n\r\n".to_vec(), 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n".to_vec(), 400),
        (b"CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_vec(), 421),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n".to_vec(), 421),
        (long.into_bytes(), 431),
        (many.into_bytes(), 431),
        (vec![b'a'; 1 << 20], 431),
    ] {
        let mut stream = play.connect();
        let _ = stream.write_all(&request); // the server may not take all of it
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        let status = String::from_utf8_lossy(response.get(9..12).unwrap_or_default());
        // what is refused before it is read may be reset, so that the response is lost
        assert!(
            status == expected.to_string() || request.len() > 1 << 18,
            "{status}: {}",
            request.escape_ascii()
        );
        play.still_serves();
    }
    drop(play.connect());
    play.still_serves();
}

#[test]
fn idle_and_slow_connections_do_not_block_it_and_are_closed() {
    let play = Play::start("play-idle", &[]);
    let idle: Vec<TcpStream> = (0..20).map(|_| play.connect()).collect();
    let mut slow = play.connect();
    slow.write_all(b"GET / HT").unwrap();
    let began = Instant::now();
    for _ in 0..3 {
        play.still_serves();
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    // more than it serves at once: the address answers again when they are closed
    let crowd: Vec<TcpStream> = (0..100).map(|_| play.connect()).collect();
    for mut stream in idle.into_iter().chain([slow]) {
        let mut response = Vec::new();
        stream.read_to_end(&mut response).expect("it is not closed");
        assert!(response.is_empty());
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    drop(crowd);
    sleep(Duration::from_millis(200));
    play.still_serves();
}

#[test]
fn its_address_has_the_state() {
    for (given, expected) in [
        ("", ""),
        ("n=20&hidden=8-8", "#n=20&hidden=8-8"),
        ("#n=20", "#n=20"),
        ("a \"<b>\n\u{e9}", "#a%20%22%3Cb%3E%0A%C3%A9"),
    ] {
        assert_eq!(Play::start("play-state", &[given]).state, expected, "{given}");
    }
}

#[test]
fn ctrl_c_ends_it() {
    let mut play = Play::start("play-end", &[]);
    let idle = play.connect();
    let kill = format!("kill -INT {}", play.child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = play.child.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(1), "it still runs");
        sleep(Duration::from_millis(5));
    };
    assert_eq!(status.code(), Some(130));
    drop(idle);
}

#[test]
fn the_port_is_the_given_one_or_it_says_that_it_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = Folder::new("play-taken");
    folder.write("page.html", page());
    let (code, message) = refuses(&folder.0, &["play", "--page", "page.html", "--port", &port]);
    assert!(code == 1 && message.contains(&port) && message.contains(" | choose another port"), "{message}");
    drop(taken);
    let play = Play::start("play-port", &["--port", &port]);
    assert_eq!(play.port.to_string(), port);
    play.still_serves();
    // it listens on the loopback address alone
    assert!(TcpListener::bind(("127.0.0.2", play.port)).is_ok());
}

#[test]
fn the_page_is_written_as_a_file_that_nothing_is_lost_for() {
    let folder = Folder::new("play-out");
    folder.write("page.html", page());
    let said = works(&folder.0, &["play", "--page", "page.html", "--out", "deep/site"]);
    assert_eq!(said, "The page: deep/site/index.html\n");
    let written = folder.0.join("deep/site/index.html");
    assert!(fs::read(&written).unwrap() == page().as_bytes());
    assert_eq!(fs::read_dir(folder.0.join("deep/site")).unwrap().count(), 1);

    fs::write(&written, "mine").unwrap();
    let (code, _) = refuses(&folder.0, &["play", "--page", "page.html", "--out", "deep/site"]);
    assert_eq!((code, fs::read_to_string(&written).unwrap().as_str()), (1, "mine"));
}

#[test]
fn only_a_page_of_the_playground_is_taken() {
    let folder = Folder::new("play-page");
    let late = page().replacen("<meta", &format!("<!--{}-->\n<meta", " ".repeat(3000)), 1);
    let injected = page().replace("default-src", "a\r\nset-cookie: b");
    let huge = page() + &" ".repeat(5 << 20);
    for (name, content) in [
        ("empty.html", ""),
        ("other.html", "<!doctype html><meta name=\"generator\" content=\"other 1.0\">"),
        ("report.html", &page().replace(" playground", " report")),
        ("unprotected.html", &page().replace("Content-Security-Policy", "x")),
        ("late.html", &late),
        ("injected.html", &injected),
        ("huge.html", &huge),
    ] {
        folder.write(name, content);
        for more in [&[][..], &["--out", "site"]] {
            let (code, message) = refuses(&folder.0, &[&["play", "--page", name], more].concat());
            assert!(code == 1 && message.starts_with(&format!("{name}: not a page")), "{message}");
        }
    }
    assert_eq!(refuses(&folder.0, &["play", "--page", "missing.html"]).0, 1);
    assert_eq!(refuses(&folder.0, &["play", "--page", "."]).0, 1);
}

#[test]
fn the_command_has_the_page_that_it_was_built_with() {
    let folder = Folder::new("play-included");
    let output = surprisal(&folder.0, &["play", "--out", "site"]);
    match option_env!("SURPRISAL_PLAYGROUND").filter(|path| !path.is_empty()) {
        Some(path) => {
            assert!(output.status.success());
            assert!(fs::read(folder.0.join("site/index.html")).unwrap() == fs::read(path).unwrap());
        }
        None => {
            assert_eq!(output.status.code(), Some(1));
            let message = String::from_utf8(output.stderr).unwrap();
            assert!(message.contains("just playground") && message.contains("--page FILE"), "{message}");
        }
    }
}
