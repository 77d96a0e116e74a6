//! A real server for S3 (moto) on loopback, and a proxy before it that counts requests and lets one of them fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What happens at the n-th request, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestFault {
    /// The program is killed before the server gets the request.
    Kill,
    /// The program is killed when the server has answered.
    KillAfter,
    /// This request and the two after it are answered with 503 SlowDown.
    SlowDown,
    /// The server gets half of the request, and the connection ends.
    Cut,
    /// The server answers, and the answer is lost.
    LoseAnswer,
    /// This request and all after it are refused: the session has expired.
    Expire,
}

#[derive(Debug, Default)]
struct State {
    requests: usize,
    fault: Option<(usize, RequestFault)>,
    /// The program that is killed.
    process: Option<u32>,
}

pub(crate) struct S3Server {
    moto: Child,
    port: u16,
    proxy_port: u16,
    state: Arc<Mutex<State>>,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

impl S3Server {
    /// Starts `moto_server` of the virtual environment that `make test-publish` has made, with the bucket `lake`.
    pub(crate) fn start() -> S3Server {
        let program = std::env::var("VCQ_MOTO").expect("make test-publish sets VCQ_MOTO");
        let port = free_port();
        let mut moto = Command::new(program);
        moto.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let moto = moto.spawn().expect("moto starts");
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "moto does not listen");
            std::thread::sleep(Duration::from_millis(100));
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let proxy_port = listener.local_addr().expect("an address").port();
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, port, &state));
            }
        });
        let server = S3Server { moto, port, proxy_port, state };
        assert!(server.request("PUT", "/lake").starts_with("HTTP/1.1 200"), "the bucket is created");
        server
    }

    /// The address of the proxy.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.proxy_port)
    }

    /// Counts from here on, and fails at this request.
    pub(crate) fn set_fault(&self, fault: Option<(usize, RequestFault)>) {
        *self.state.lock().expect("no panic") = State { fault, ..State::default() };
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.lock().expect("no panic").requests
    }

    /// Runs a program that a fault may kill. Returns whether it was killed.
    pub(crate) fn run(&self, command: &mut Command) -> (bool, std::process::Output) {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        self.state.lock().expect("no panic").process = Some(child.id());
        let output = child.wait_with_output().expect("it ends");
        (output.status.code().is_none(), output)
    }

    /// A request to the server itself: head and body of the answer. Moto checks no signatures.
    pub(crate) fn request(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("moto listens");
        let host = "host: 127.0.0.1\r\nconnection: close\r\ncontent-length: 0\r\n";
        let authorization = "authorization: AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request\r\n";
        write!(stream, "{method} {path} HTTP/1.1\r\n{host}{authorization}\r\n").expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The text of an object; `None` if there is none.
    pub(crate) fn object(&self, path: &str) -> Option<String> {
        let answer = self.request("GET", &format!("/lake/{path}"));
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
    }

    /// Names and sizes of the objects below a prefix.
    pub(crate) fn objects(&self, prefix: &str) -> Vec<(String, u64)> {
        let answer = self.request("GET", &format!("/lake?list-type=2&max-keys=1000&prefix={prefix}/"));
        let between = |text: &str, start: &str, end: &str| -> Option<String> {
            Some(text.split_once(start)?.1.split_once(end)?.0.to_owned())
        };
        let entries = answer.split("<Contents>").skip(1).map(|entry| {
            let name = between(entry, "<Key>", "</Key>").expect("a key");
            let bytes = between(entry, "<Size>", "</Size>").expect("a size");
            (name[prefix.len() + 1..].to_owned(), bytes.parse().expect("a number"))
        });
        entries.collect()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let _ = self.moto.kill();
        let _ = self.moto.wait();
    }
}

/// One request and its answer. A connection that is kept open would hide where it was cut.
fn serve(client: TcpStream, port: u16, state: &Mutex<State>) {
    let mut reader = BufReader::new(client.try_clone().expect("a socket"));
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 {
            return;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
        let is_end = line.trim().is_empty();
        if is_end {
            head.push_str("connection: close\r\n");
        }
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
        if is_end {
            break;
        }
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let (number, fault, process) = {
        let mut state = state.lock().expect("no panic");
        state.requests += 1;
        (state.requests, state.fault, state.process)
    };
    let is_at = |wanted: RequestFault| fault.is_some_and(|(at, fault)| at == number && fault == wanted);
    let is_since = |wanted: RequestFault| fault.is_some_and(|(at, fault)| at <= number && fault == wanted);
    let kill = || {
        let process = process.and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        if let Some(process) = process {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
        }
    };
    if is_at(RequestFault::Kill) {
        return kill();
    }
    if is_since(RequestFault::SlowDown) && fault.is_some_and(|(at, _)| number < at + 3) {
        return refuse(client, "503 Slow Down", "SlowDown");
    }
    if is_since(RequestFault::Expire) {
        return refuse(client, "400 Bad Request", "ExpiredToken");
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)) else { return };
    let mut request = head.into_bytes();
    request.extend(&body);
    if is_at(RequestFault::Cut) {
        let _ = server.write_all(&request[..request.len() - body.len().div_ceil(2)]);
        return;
    }
    let mut answer = Vec::new();
    if server.write_all(&request).is_err() || server.read_to_end(&mut answer).is_err() {
        return;
    }
    match fault.filter(|(at, _)| *at == number) {
        Some((_, RequestFault::KillAfter)) => kill(),
        Some((_, RequestFault::LoseAnswer)) => {}
        _ => {
            let _ = (&client).write_all(&answer);
        }
    }
}

fn refuse(mut client: TcpStream, status: &str, code: &str) {
    let body = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
    let length = body.len();
    let _ = write!(client, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
}
