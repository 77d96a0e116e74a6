//! TCP connections that write header names in title case and can be reset in the middle of a response.
//!
//! Header names are case-insensitive in HTTP, but Feishu's Python SDK looks for `X-Tt-Logid` in exactly this case, and
//! hyper writes lower case only.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Resets one connection after a number of further bytes; `usize::MAX`: never.
#[derive(Debug, Clone)]
pub(super) struct ConnectionReset(Arc<AtomicUsize>);

impl ConnectionReset {
    pub(super) fn after(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, ResettableListener>> for ConnectionReset {
    fn connect_info(stream: IncomingStream<'_, ResettableListener>) -> Self {
        stream.io().reset.clone()
    }
}

pub(super) struct ResettableListener(pub(super) TcpListener);

impl axum::serve::Listener for ResettableListener {
    type Io = ResettableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        // Sends small responses at once. A failure only costs time.
        let _ = stream.set_nodelay(true);
        (ResettableStream { stream, reset: ConnectionReset(Arc::new(AtomicUsize::new(usize::MAX))) }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

pub(super) struct ResettableStream {
    stream: TcpStream,
    reset: ConnectionReset,
}

impl AsyncRead for ResettableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for ResettableStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let remaining = self.reset.0.load(Ordering::Acquire);
        if remaining == 0 {
            // With zero linger, closing sends a reset.
            let _ = self.stream.set_zero_linger();
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let bytes = &bytes[..remaining.min(bytes.len())];
        // As long as the original, so the returned count is valid; the body is a separate write.
        let head = title_case_head(bytes);
        let written = Pin::new(&mut self.stream).poll_write(context, head.as_deref().unwrap_or(bytes));
        if let Poll::Ready(Ok(count)) = &written {
            self.reset.0.fetch_sub(*count, Ordering::AcqRel);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The head of a response with its header names in title case; `None` if the bytes do not begin with a complete head.
fn title_case_head(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"HTTP/1.1 ") {
        return None;
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let mut head = bytes[..end + 4].to_vec();
    let (mut in_name, mut first) = (false, true);
    for byte in &mut head {
        match *byte {
            b'\n' => (in_name, first) = (true, true),
            b':' => in_name = false,
            b'-' => first = true,
            _ if in_name && first => (*byte, first) = (byte.to_ascii_uppercase(), false),
            _ => {}
        }
    }
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_header_names_change() {
        let head = title_case_head(b"HTTP/1.1 200 OK\r\nx-tt-logid: a-b:c\r\ndate: mon, 1-jan\r\n\r\n{\"a-b\":1}");
        let expected = b"HTTP/1.1 200 OK\r\nX-Tt-Logid: a-b:c\r\nDate: mon, 1-jan\r\n\r\n";
        assert_eq!(head.as_deref(), Some(&expected[..]));
        assert_eq!(title_case_head(b"{\"time\":1}\r\n\r\n"), None, "a body is unchanged");
        assert_eq!(title_case_head(b"HTTP/1.1 200 OK\r\nx-tt"), None, "a partial head is unchanged");
    }
}
