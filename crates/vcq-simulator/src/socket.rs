//! Connections as the vendor's gateway has them: header names in title case, and cut off when a fault says so.
//!
//! Owns the bytes on the wire. Names of headers have no case in HTTP, but the vendor's Python SDK looks for `X-Tt-Logid` in
//! just this case, so the case is part of the vendor's language; the server below us writes lower case only.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Cuts one connection off after some more bytes.
#[derive(Debug, Clone)]
pub(super) struct Shears(Arc<AtomicI64>);

const NOT_ARMED: i64 = -1;

impl Shears {
    /// Lets `bytes` more bytes through and then resets the connection.
    pub(super) fn cut_after(&self, bytes: usize) {
        self.0.store(i64::try_from(bytes).unwrap_or(i64::MAX), Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, Door>> for Shears {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().shears.clone()
    }
}

/// A listener whose connections have shears.
pub(super) struct Door(pub(super) TcpListener);

impl axum::serve::Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        // Small answers go out at once. Failing to set it only costs time.
        let _ = stream.set_nodelay(true);
        (Line { stream, shears: Shears(Arc::new(AtomicI64::new(NOT_ARMED))) }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection that can be cut off.
pub(super) struct Line {
    stream: TcpStream,
    shears: Shears,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.shears.0.load(Ordering::Acquire);
        let allowed = match usize::try_from(left) {
            Err(_) => bytes.len(),
            Ok(0) => {
                // Without lingering, closing sends a reset.
                let _ = self.stream.set_zero_linger();
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            Ok(left) => left.min(bytes.len()),
        };
        let written = match title_case_head(&bytes[..allowed]) {
            // As long as the original, so what was written of it counts as is; the body follows in a write of its own.
            Some(head) => Pin::new(&mut self.stream).poll_write(context, &head),
            None => Pin::new(&mut self.stream).poll_write(context, &bytes[..allowed]),
        };
        if let (Poll::Ready(Ok(count)), true) = (&written, left != NOT_ARMED) {
            self.shears.cut_after(usize::try_from(left).unwrap_or(0).saturating_sub(*count));
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

/// The head of an answer with the names of its headers in title case, if the bytes begin with a whole one.
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
    fn only_the_names_of_headers_change() {
        let head = title_case_head(b"HTTP/1.1 200 OK\r\nx-tt-logid: a-b:c\r\ndate: mon, 1-jan\r\n\r\n{\"a-b\":1}");
        let expected = b"HTTP/1.1 200 OK\r\nX-Tt-Logid: a-b:c\r\nDate: mon, 1-jan\r\n\r\n";
        assert_eq!(head.as_deref(), Some(&expected[..]));
        assert_eq!(title_case_head(b"{\"time\":1}\r\n\r\n"), None, "a body is left alone");
        assert_eq!(title_case_head(b"HTTP/1.1 200 OK\r\nx-tt"), None, "half a head is left alone");
    }
}
