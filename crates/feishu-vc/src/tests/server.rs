//! An HTTP server on a free port with scripted replies that records its requests.
//!
//! Plain sockets, so that it can also truncate a response, reset a connection, or never reply.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::config::ClientConfig;
use crate::credentials::Credentials;
use crate::event::{Event, EventListener};
use crate::host::BaseUrl;
use crate::rate::Rate;
use crate::retry::Backoff;
use crate::secret::Secret;

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// A complete response.
    Http { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// A complete response of bytes.
    Bytes { headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// Headers that announce more bytes than are sent.
    Cut { body: &'static str },
    /// The connection is reset without a response.
    Reset,
    /// Never responds.
    Stall,
    /// A pause before the reply.
    After(Duration, Box<Reply>),
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Reply {
        let headers = vec![("content-type", "application/json".to_owned()), ("x-tt-logid", "LOG1".to_owned())];
        Reply::Http { status, headers, body: body.into() }
    }

    pub(crate) fn code(status: u16, code: i64) -> Reply {
        Reply::json(status, format!("{{\"code\":{code},\"msg\":\"said by Feishu\"}}"))
    }

    pub(crate) fn html(status: u16) -> Reply {
        Reply::Http { status, headers: vec![("content-type", "text/html".into())], body: "<html>oops</html>".into() }
    }

    /// A page of `items` participants.
    pub(crate) fn page(items: usize) -> Reply {
        let items = vec!["{}"; items].join(",");
        Reply::json(
            200,
            format!("{{\"code\":0,\"msg\":\"\",\"data\":{{\"participants\":[{items}],\"has_more\":false}}}}"),
        )
    }

    pub(crate) fn token(token: &str, expire_s: i64) -> Reply {
        Reply::json(
            200,
            format!("{{\"code\":0,\"msg\":\"ok\",\"tenant_access_token\":\"{token}\",\"expire\":{expire_s}}}"),
        )
    }

    /// A throttle with Feishu's header.
    pub(crate) fn throttle(status: u16, reset: &str) -> Reply {
        Reply::code(status, 99991400).with_header("x-ogw-ratelimit-reset", reset)
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Reply {
        if let Reply::Http { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }

    pub(crate) fn after(self, pause: Duration) -> Reply {
        Reply::After(pause, Box::new(self))
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub at: Instant,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Book {
    list_replies: VecDeque<Reply>,
    token_replies: VecDeque<Reply>,
    always: Option<Reply>,
    requests: Vec<Request>,
}

/// The server. It ends with the test's runtime.
#[derive(Clone)]
pub(super) struct Script {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
}

impl Script {
    /// Answers the lists with these, one after the other; a request beyond them gets code 4711, which no test expects.
    pub(crate) async fn new(list_replies: impl IntoIterator<Item = Reply>) -> Script {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let book = Arc::new(Mutex::new(Book { list_replies: list_replies.into_iter().collect(), ..Book::default() }));
        let script = Script { address, book: book.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, book.clone()));
            }
        });
        script
    }

    /// Answers token requests with these.
    pub(crate) fn tokens(self, replies: impl IntoIterator<Item = Reply>) -> Script {
        self.book.lock().expect("no panic inside").token_replies.extend(replies);
        self
    }

    /// Answers every further list request with this.
    pub(crate) fn always(self, reply: Reply) -> Script {
        self.book.lock().expect("no panic inside").always = Some(reply);
        self
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.book.lock().expect("no panic inside").requests.clone()
    }

    /// How many list requests came.
    pub(crate) fn list_count(&self) -> usize {
        self.requests().iter().filter(|request| !is_token(request)).count()
    }

    /// How many token requests came.
    pub(crate) fn token_count(&self) -> usize {
        self.requests().iter().filter(|request| is_token(request)).count()
    }

    /// A quick client's settings, with a bearer.
    pub(crate) fn config(&self) -> ClientConfig {
        let base_url = BaseUrl::parse(&format!("http://{}", self.address)).expect("a loopback origin");
        ClientConfig {
            rate: Rate { calls: 1_000.try_into().expect("not zero"), window: Duration::from_secs(1) },
            backoff: Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(4) },
            max_throttle_wait: Duration::from_millis(40),
            call_timeout: Duration::from_secs(5),
            ..ClientConfig::new(base_url, Credentials::Bearer(Secret::new("t-bearersecret")))
        }
    }

    /// The same, of an app.
    pub(crate) fn app_config(&self) -> ClientConfig {
        let credentials =
            Credentials::App { app_id: "cli_example".into(), app_secret: Secret::new("verysecretappsecret") };
        ClientConfig { credentials, ..self.config() }
    }
}

/// Whether it is for a token, or for what a token needs.
fn is_token(request: &Request) -> bool {
    request.target.contains("/auth/") || request.target.contains("/authen/")
}

async fn serve(mut stream: TcpStream, book: Arc<Mutex<Book>>) {
    while let Some(request) = read_request(&mut stream).await {
        let reply = {
            let mut book = book.lock().expect("no panic inside");
            let is_token = is_token(&request);
            book.requests.push(request);
            let scripted = if is_token { book.token_replies.pop_front() } else { book.list_replies.pop_front() };
            scripted.or_else(|| book.always.clone().filter(|_| !is_token)).unwrap_or_else(|| Reply::code(200, 4711))
        };
        if !act(&mut stream, reply).await {
            return;
        }
    }
}

/// Whether the connection goes on.
async fn act(stream: &mut TcpStream, reply: Reply) -> bool {
    match reply {
        Reply::Bytes { headers, body } => {
            let mut head = format!("HTTP/1.1 200 Scripted\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            let bytes = [head.as_bytes(), b"\r\n", &body].concat();
            stream.write_all(&bytes).await.is_ok()
        }
        Reply::Http { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.is_ok()
        }
        Reply::Cut { body } => {
            let head = format!("HTTP/1.1 200 OK\r\nx-tt-logid: LOG1\r\ncontent-length: {}\r\n\r\n", body.len() + 100);
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            let _ = stream.shutdown().await;
            false
        }
        Reply::Reset => {
            stream.set_zero_linger().expect("a socket option of every platform");
            false
        }
        Reply::Stall => {
            // Until the other side gives up.
            let _ = stream.read(&mut [0; 1]).await;
            false
        }
        Reply::After(pause, reply) => {
            tokio::time::sleep(pause).await;
            Box::pin(act(stream, *reply)).await
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let at = Instant::now();
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut request = Request { method, target, headers, body: String::new(), at };
    let length: usize = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

/// Keeps all events.
#[derive(Default)]
pub(super) struct Log(Mutex<Vec<Event>>);

impl Log {
    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().expect("no panic inside").clone()
    }

    pub(crate) fn count(&self, is_it: impl Fn(&Event) -> bool) -> usize {
        self.events().iter().filter(|event| is_it(event)).count()
    }
}

impl EventListener for Log {
    fn event(&self, event: &Event) {
        self.0.lock().expect("no panic inside").push(event.clone());
    }
}

/// Every text that an error can show: each cause's words, and its debug form.
pub(super) fn all_texts(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{error:?}\n{error:#?}");
    let mut cause = Some(error);
    while let Some(error) = cause {
        text.push_str(&format!("\n{error}\n{error:?}"));
        cause = error.source();
    }
    text
}
