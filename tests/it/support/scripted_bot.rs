//! A bot or webhook that answers whatever a test wants, and records what it gets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Status and body.
    Body(u16, String),
    Redirect(String),
    /// Accepts the request and never answers.
    Hang,
    /// A body that never ends.
    Endless,
}

impl Answer {
    /// As a Feishu bot answers.
    pub(crate) fn code(code: i64, msg: &str) -> Answer {
        Answer::Body(200, serde_json::json!({"code": code, "msg": msg, "data": {}}).to_string())
    }
}

pub(crate) struct ScriptedBot {
    pub address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    received: Arc<Mutex<Vec<Value>>>,
}

impl ScriptedBot {
    pub(crate) fn new(answer: Answer) -> ScriptedBot {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (answer, received) = (Arc::new(Mutex::new(answer)), Arc::new(Mutex::new(Vec::new())));
        let (script, log) = (Arc::clone(&answer), Arc::clone(&received));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &script, &log));
            }
        });
        ScriptedBot { address, answer, received }
    }

    /// Changes the answer from now on.
    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock().expect("no panic inside") = answer;
    }

    /// The bodies received since the last call.
    pub(crate) fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.received.lock().expect("no panic inside"))
    }
}

fn serve(stream: TcpStream, script: &Mutex<Answer>, log: &Mutex<Vec<Value>>) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut input = BufReader::new(stream);
    while let Some(body) = read_body(&mut input) {
        log.lock().expect("no panic inside").push(serde_json::from_slice(&body).unwrap_or(Value::Null));
        let answer = script.lock().expect("no panic inside").clone();
        let sent = match answer {
            Answer::Body(status, body) => {
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                out.write_all(head.as_bytes()).and_then(|()| out.write_all(body.as_bytes()))
            }
            Answer::Redirect(to) => {
                out.write_all(format!("HTTP/1.1 302 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").as_bytes())
            }
            Answer::Hang => {
                std::thread::sleep(Duration::from_secs(120));
                return;
            }
            Answer::Endless => {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
                let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
                while out.write_all(chunk.as_bytes()).is_ok() {}
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

fn read_body(input: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|read| *read > 0)?;
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some(body)
}
