//! Unpacking the frame of a checkpoint.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read};

use zstd_safe::{CONTENTSIZE_ERROR, CONTENTSIZE_UNKNOWN, DCtx};

/// More than any checkpoint has: a walk's pages are a few hundred kilobytes.
const MOST_LINES_BYTES: u64 = 1 << 30;
/// Up to here a frame's own word on its size is believed before it is unpacked.
const MOST_BELIEVED_BYTES: u64 = 64 << 20;

thread_local! {
    // Making one takes as long as unpacking a small checkpoint.
    static DECODER: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// Unpacks a frame into `lines` behind the first `used` bytes, what stands there is overwritten; gives how many bytes are
/// used then.
///
/// # Errors
/// Where the frame is damaged or unpacks to more than a gigabyte.
pub(crate) fn unpack(frame: &[u8], lines: &mut Vec<u8>, used: usize) -> io::Result<usize> {
    if let Some(used) = unpack_known(frame, lines, used) {
        return Ok(used);
    }
    // Not written here, or damaged: the careful way knows.
    lines.truncate(used);
    zstd::Decoder::new(frame)?.take(MOST_LINES_BYTES + 1).read_to_end(lines)?;
    if (lines.len() - used) as u64 > MOST_LINES_BYTES {
        return Err(io::Error::new(ErrorKind::InvalidData, "a checkpoint unpacks to more than a gigabyte"));
    }
    Ok(lines.len())
}

/// Unpacks in one go a frame that says how long it is, as ours do.
fn unpack_known(frame: &[u8], lines: &mut Vec<u8>, used: usize) -> Option<usize> {
    let bytes = zstd_safe::get_frame_content_size(frame).ok().flatten()?;
    if bytes == CONTENTSIZE_ERROR || bytes == CONTENTSIZE_UNKNOWN || bytes > MOST_BELIEVED_BYTES {
        return None;
    }
    let end = used + bytes as usize;
    if lines.len() < end {
        lines.resize(end, 0);
    }
    let written = DECODER.with_borrow_mut(|decoder| decoder.decompress(&mut lines[used..end], frame)).ok()?;
    (written as u64 == bytes).then_some(end)
}
