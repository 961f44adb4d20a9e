//! A web server for one page, for this computer alone.
//!
//! A connection is one request and one response. Only requests that name this server by its address are answered, so that a
//! page of another site cannot read it by a name that leads here (DNS rebinding).

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;

/// The longest request, in bytes; browsers send less than 2000.
const REQUEST: usize = 8192;
/// The most headers of a request.
const HEADERS: usize = 64;
/// The most connections at a time; those beyond are closed at once.
const CONNECTIONS: usize = 64;
/// How long a connection may take in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the rest of a refused request is read, so that the response is not lost.
const REST: Duration = Duration::from_millis(500);

pub struct Server {
    pub listener: TcpListener,
    pub port: u16,
    /// The Content-Security-Policy of the page.
    pub policy: String,
    pub page: Vec<u8>,
}

impl Server {
    /// Serves until a signal ends the process.
    pub fn run(&self) -> Result<(), Failure> {
        let open = AtomicUsize::new(0);
        thread::scope(|scope| {
            loop {
                let Ok((stream, _)) = self.listener.accept() else {
                    thread::sleep(Duration::from_millis(50)); // too many open files: others may close theirs
                    continue;
                };
                if open.fetch_add(1, Ordering::Relaxed) < CONNECTIONS {
                    let open = &open;
                    let serve = move || {
                        let _ = self.connection(stream); // a client that is gone needs no response
                        open.fetch_sub(1, Ordering::Relaxed);
                    };
                    if thread::Builder::new().spawn_scoped(scope, serve).is_ok() {
                        continue;
                    }
                }
                open.fetch_sub(1, Ordering::Relaxed);
            }
        })
    }

    fn connection(&self, mut stream: TcpStream) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let response = self.response(&mut Timed { stream: &stream, deadline })?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(&response)?;
        stream.shutdown(Shutdown::Write)?;
        let rest = Timed { stream: &stream, deadline: Instant::now() + REST };
        io::copy(&mut rest.take(16 * REQUEST as u64), &mut io::sink()).map(drop)
    }

    /// Reads a request up to its empty line; its body, which no answered request has, is not read.
    fn response(&self, stream: &mut impl Read) -> io::Result<Vec<u8>> {
        let mut request = Vec::new();
        loop {
            let begin = request.len();
            request.resize(REQUEST, 0);
            let read = stream.read(&mut request[begin..])?;
            request.truncate(begin + read);
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut headers = [httparse::EMPTY_HEADER; HEADERS];
            let mut parsed = httparse::Request::new(&mut headers);
            match parsed.parse(&request) {
                Ok(httparse::Status::Complete(_)) => return Ok(self.answer(&parsed)),
                Ok(httparse::Status::Partial) if request.len() < REQUEST => {}
                Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                    return Ok(refused("431 Request Header Fields Too Large", ""));
                }
                Err(_) => return Ok(refused("400 Bad Request", "")),
            }
        }
    }

    fn answer(&self, request: &httparse::Request) -> Vec<u8> {
        let mut hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
        if !hosts.next().is_some_and(|host| self.is_here(host.value)) || hosts.next().is_some() {
            return refused("421 Misdirected Request", "");
        }
        if request.path != Some("/") {
            return refused("404 Not Found", "");
        }
        let page: &[u8] = match request.method {
            Some("GET") => &self.page,
            Some("HEAD") => &[],
            _ => return refused("405 Method Not Allowed", "allow: GET, HEAD\r\n"),
        };
        let (length, policy) = (self.page.len(), &self.policy);
        let headers = format!(
            "content-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\n\
             content-security-policy: {policy}; frame-ancestors 'none'\r\n"
        );
        [head("200 OK", &headers).as_bytes(), page].concat()
    }

    /// Whether the value of a Host header is the address of this server.
    fn is_here(&self, host: &[u8]) -> bool {
        ["127.0.0.1", "localhost"].iter().any(|name| {
            host.eq_ignore_ascii_case(format!("{name}:{}", self.port).as_bytes())
                || self.port == 80 && host.eq_ignore_ascii_case(name.as_bytes())
        })
    }
}

/// A response without content.
fn refused(status: &str, headers: &str) -> Vec<u8> {
    head(status, &format!("content-length: 0\r\n{headers}")).into_bytes()
}

fn head(status: &str, headers: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}cache-control: no-store\r\nx-content-type-options: nosniff\r\n\
         referrer-policy: no-referrer\r\ncross-origin-opener-policy: same-origin\r\n\
         cross-origin-resource-policy: same-origin\r\nconnection: close\r\n\r\n"
    )
}

/// A stream that is read until a deadline, however slowly the bytes come.
struct Timed<'a> {
    stream: &'a TcpStream,
    deadline: Instant,
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}
