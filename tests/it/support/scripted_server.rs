//! A server that sends whatever bytes a test wants, and a sandbox in which the real binary talks to it.
//!
//! Plain sockets, because no server library sends half a header, an endless body, or bytes that are not text.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use duckdb::{AccessMode, Config, Connection};
use tempfile::TempDir;
use vcq_etl::is_terminal_control;

use crate::support::test_env::RunOutput;

/// App secret and token of every scenario, long enough to be treated as secrets.
pub(crate) const APP_SECRET: &str = "Zq9-made-up-app-secret-Zq9";
pub(crate) const TENANT_TOKEN: &str = "t-Zq9-made-up-tenant-token-Zq9";
/// Start of the one meeting that most scenarios have; `WINDOW` is around it.
pub(crate) const START: &str = "2022.12.23 11:16:59 (GMT+08:00)";
pub(crate) const END: &str = "2022.12.23 11:18:51 (GMT+08:00)";
pub(crate) const WINDOW: [&str; 4] = ["--since", "2022-12-23", "--until", "2022-12-24"];
/// Longer than any run takes; a run that takes longer hangs.
const RUN_TIMEOUT: Duration = Duration::from_secs(120);

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    Token,
    Meetings,
    Participants,
    Quality,
    Other,
}

const PATHS: &[(&str, List)] = &[
    ("/open-apis/auth/v3/tenant_access_token/internal", List::Token),
    ("/open-apis/vc/v1/meeting_list", List::Meetings),
    ("/open-apis/vc/v1/participant_list", List::Participants),
    ("/open-apis/vc/v1/participant_quality_list", List::Quality),
];

impl List {
    /// The key of its items.
    pub(crate) fn key(self) -> &'static str {
        match self {
            List::Meetings => "meeting_list",
            List::Participants => "participants",
            List::Quality => "participant_quality_list",
            List::Token | List::Other => "",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ReceivedRequest {
    pub list: List,
    pub query: BTreeMap<String, String>,
    pub authorization: String,
    /// Number of requests for the same list before this one.
    pub nth: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Response {
    Http {
        status: u16,
        headers: Vec<(String, Vec<u8>)>,
        body: Vec<u8>,
    },
    /// A body that arrives byte by byte and never ends.
    Trickle,
}

impl Response {
    pub(crate) fn body(body: impl Into<Vec<u8>>) -> Response {
        Response::Http { status: 200, headers: vec![header("content-type", "application/json")], body: body.into() }
    }

    pub(crate) fn status(self, status: u16) -> Response {
        match self {
            Response::Http { headers, body, .. } => Response::Http { status, headers, body },
            other => other,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Response {
        if let Response::Http { headers, .. } = &mut self {
            headers.retain(|(known, _)| known != name);
            headers.push((name.to_owned(), value.into()));
        }
        self
    }

    /// A page of a list, its items as JSON text.
    pub(crate) fn page(list: List, items: &str, token: Option<&str>) -> Response {
        let more = token.map_or_else(|| "false".to_owned(), |token| format!("true,\"page_token\":\"{token}\""));
        Response::body(format!(r#"{{"code":0,"msg":"success","data":{{"{}":{items},"has_more":{more}}}}}"#, list.key()))
    }

    pub(crate) fn refusal(status: u16, code: i64, msg: &str) -> Response {
        Response::body(serde_json::json!({"code": code, "msg": msg}).to_string()).status(status)
    }

    pub(crate) fn token() -> Response {
        let body = serde_json::json!({"code": 0, "msg": "ok", "tenant_access_token": TENANT_TOKEN, "expire": 7200});
        Response::body(body.to_string())
    }
}

fn header(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}

/// Decides the response to each request.
pub(crate) type Scenario = Arc<dyn Fn(&ReceivedRequest) -> Response + Send + Sync>;

/// A tenant whose lists are one page each, with these items as JSON text.
pub(crate) fn tenant(
    meetings: impl Into<String>,
    participants: impl Into<String>,
    quality: impl Into<String>,
) -> Scenario {
    let (meetings, participants, quality) = (meetings.into(), participants.into(), quality.into());
    Arc::new(move |request| match request.list {
        List::Meetings => Response::page(List::Meetings, &meetings, None),
        List::Participants => Response::page(List::Participants, &participants, None),
        List::Quality => Response::page(List::Quality, &quality, None),
        List::Token | List::Other => Response::token(),
    })
}

/// One ordinary item of each list.
pub(crate) fn meeting() -> String {
    format!(
        r#"{{"meeting_id":"705605196","meeting_topic":"t","meeting_start_time":"{START}","meeting_end_time":"{END}"}}"#
    )
}

pub(crate) fn participant() -> String {
    format!(
        r#"{{"user_id":"ou_1","participant_name":"n","join_time":"{START}","leave_time":"{END}","time_in_meeting":"00:01:52"}}"#
    )
}

pub(crate) fn sample() -> String {
    format!(r#"{{"network":{{"time":"{START}","network_delay":"100ms"}}}}"#)
}

/// The ordinary tenant, with other responses for one list.
pub(crate) fn ordinary_except(
    list: List,
    answer: impl Fn(&ReceivedRequest) -> Response + Send + Sync + 'static,
) -> Scenario {
    let ordinary = tenant(format!("[{}]", meeting()), format!("[{}]", participant()), format!("[{}]", sample()));
    Arc::new(move |request| if request.list == list { answer(request) } else { ordinary(request) })
}

/// The server, and a sandbox that holds everything a run may touch.
pub(crate) struct ScriptedServer {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
    pub sandbox: TempDir,
}

impl ScriptedServer {
    pub(crate) fn new(scenario: Scenario) -> ScriptedServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (scenario, log) = (Arc::clone(&scenario), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &scenario, &log));
            }
        });
        let sandbox = TempDir::new().expect("a folder");
        for folder in ["home", "work", "tmp"] {
            std::fs::create_dir(sandbox.path().join(folder)).expect("made");
        }
        ScriptedServer { address, requests, sandbox }
    }

    pub(crate) fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.lock().expect("no panic inside").clone()
    }

    pub(crate) fn count(&self, list: List) -> usize {
        self.requests().iter().filter(|request| request.list == list).count()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.sandbox.path().join("work/store")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let at = |name: &str| self.sandbox.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_vcq-etl"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", at("home"))
            .env("TMPDIR", at("tmp"))
            .env("VCQ_BASE_URL", format!("http://{}", self.address))
            .env("VCQ_APP_ID", "cli_made_up")
            .env("VCQ_APP_SECRET", APP_SECRET)
            .env("VCQ_STORE", self.store())
            .env("VCQ_CALLS_PER_MINUTE", "100000")
            .env("VCQ_MAX_TRIES", "2")
            .env("VCQ_BACKOFF_BASE", "1ms")
            .current_dir(at("work"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn sync(&self, more: &[&str]) -> Command {
        self.command(&[&["sync", "--summary", "json"], &WINDOW[..], more].concat())
    }

    /// Runs a command to its end. Checks that stdout and stderr contain no terminal controls and that every file it
    /// left is one of the store or the shared budget.
    #[track_caller]
    pub(crate) fn run(&self, mut command: Command) -> RunOutput {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let read = |mut pipe: Box<dyn Read + Send>| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = pipe.read_to_end(&mut text);
                String::from_utf8(text).expect("UTF-8")
            })
        };
        let stdout = read(Box::new(child.stdout.take().expect("a pipe")));
        let stderr = read(Box::new(child.stderr.take().expect("a pipe")));
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("waits") {
                break status;
            }
            if began.elapsed() > RUN_TIMEOUT {
                let _ = child.kill();
                panic!("the run does not end:\n{}", stderr.join().unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let ran = RunOutput {
            code: status.code(),
            stdout: stdout.join().expect("read"),
            stderr: stderr.join().expect("read"),
        };
        for (name, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
            let odd = text.chars().find(|c| is_terminal_control(*c) && *c != '\n');
            assert!(odd.is_none(), "{name} has {odd:?}:\n{}", text.escape_debug());
        }
        for path in self.files() {
            assert!(is_ours(&path), "a file that is not ours: {path:?}");
        }
        ran
    }

    /// Every file of the sandbox, relative to it.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(self.sandbox.path(), self.sandbox.path(), &mut found);
        found
    }

    /// A text value from the published database; `None` for NULL.
    pub(crate) fn text(&self, sql: &str) -> Option<String> {
        self.database().query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.database().query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) fn database(&self) -> Connection {
        let config = Config::default().access_mode(AccessMode::ReadOnly).expect("a setting");
        Connection::open_with_flags(self.store().join("vcq.duckdb"), config).expect("vcq.duckdb opens")
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).expect("inside").to_str().expect("our names are text").to_owned());
        }
    }
}

/// True for paths of the store's layout and of the shared budget.
fn is_ours(path: &str) -> bool {
    if path.starts_with("home/.local/state/vcq-etl/") {
        return true;
    }
    let Some(path) = path.strip_prefix("work/store/") else { return path.starts_with("work/given/") };
    let parts: Vec<&str> = path.split('/').collect();
    let is_date = |text: &str| {
        text.strip_prefix("meeting_date=")
            .is_some_and(|date| date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
    };
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    match parts.as_slice() {
        ["vcq.duckdb" | "vcq.duckdb.wal" | "vcq.duckdb.wal.checkpoint"] => true,
        ["parquet", "_manifest.json"] | [".work", _] => true,
        ["state", name] => {
            name.starts_with("ledger.sqlite") || matches!(*name, "lock" | "published.json" | "identity.key")
        }
        ["parquet", "reference", table, name] => {
            is_plain(table) && is_plain(name) && name.starts_with("part-") && name.ends_with(".parquet")
        }
        ["parquet", table, date, name] => {
            is_plain(table)
                && is_date(date)
                && is_plain(name)
                && name.starts_with("part-")
                && name.ends_with(".parquet")
        }
        ["raw", "meetings" | "participants" | "quality", date, name] => {
            is_date(date) && is_plain(name) && name.ends_with(".jsonl.zst")
        }
        _ => false,
    }
}

fn serve(stream: TcpStream, scenario: &Scenario, log: &Mutex<Vec<ReceivedRequest>>) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut input = BufReader::new(stream);
    while let Some(mut request) = read_request(&mut input) {
        {
            let mut log = log.lock().expect("no panic inside");
            request.nth = log.iter().filter(|earlier| earlier.list == request.list).count();
            log.push(request.clone());
        }
        match scenario(&request) {
            Response::Http { status, headers, body } => {
                let mut bytes = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len()).into_bytes();
                for (name, value) in headers {
                    bytes.extend_from_slice(name.as_bytes());
                    bytes.extend_from_slice(b": ");
                    bytes.extend_from_slice(&value);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"\r\n");
                bytes.extend_from_slice(&body);
                if out.write_all(&bytes).is_err() {
                    return;
                }
            }
            Response::Trickle => {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
                while out.write_all(b"1\r\n \r\n").is_ok() {
                    std::thread::sleep(Duration::from_millis(5));
                }
                return;
            }
        }
    }
}

fn read_request(input: &mut BufReader<TcpStream>) -> Option<ReceivedRequest> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let target = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => authorization = value.to_owned(),
            _ => {}
        }
    }
    input.read_exact(&mut vec![0; length]).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let list = PATHS.iter().find(|(known, _)| *known == path).map_or(List::Other, |(_, list)| *list);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let query = pairs.map(|(name, value)| (decode(name), decode(value))).collect();
    Some(ReceivedRequest { list, query, authorization, nth: 0 })
}

fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        (rest, _) = match (first, hex) {
            (b'%', Some(byte)) => (&behind[2..], bytes.push(byte)),
            (b'+', _) => (behind, bytes.push(b' ')),
            (byte, _) => (behind, bytes.push(*byte)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
