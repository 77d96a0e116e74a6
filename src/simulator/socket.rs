//! Connections that can be cut off, so that a caller meets a real reset and not a polite close.

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
        let written = Pin::new(&mut self.stream).poll_write(context, &bytes[..allowed]);
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
