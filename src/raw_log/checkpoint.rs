//! The bytes of a checkpoint: a skippable frame with the header, then a zstd frame with the lines.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::ops::Range;
use std::path::Path;

use zstd_safe::{CONTENTSIZE_ERROR, CONTENTSIZE_UNKNOWN, DCtx};

use super::record::{EndRecord, Header, PageRecord};

pub(super) const SKIPPABLE_MAGIC: [u8; 4] = [0x50, 0x2A, 0x4D, 0x18];
/// zstd level. Level 9 takes 81 bytes per sample and level 3 takes 121, for a few milliseconds per participant;
/// Feishu's rate limit leaves 600.
const LEVEL: i32 = 9;
/// A longer header is damage, not a reason to allocate.
const MAX_HEADER_BYTES: u32 = 1 << 20;
/// More than any checkpoint has: the pages of a walk are a few hundred kilobytes.
const MAX_LINES_BYTES: u64 = 1 << 30;
/// Up to this size the length that a frame declares is allocated before decompressing.
const MAX_TRUSTED_BYTES: u64 = 64 << 20;

thread_local! {
    // Creating a decoder takes as long as decompressing a small checkpoint.
    static DECODER: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// Encodes a checkpoint; fills in [`Header::bytes`].
pub(crate) fn encode(mut header: Header, pages: &[PageRecord]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for page in pages {
        serde_json::to_writer(&mut lines, page)?;
        lines.push(b'\n');
    }
    if let Some(end) = &header.end {
        serde_json::to_writer(&mut lines, &EndRecord { record: "walk", unit: &header.unit, end })?;
        lines.push(b'\n');
    }
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(lines.len() as u64))?;
    encoder.include_contentsize(true)?;
    encoder.write_all(&lines)?;
    let frame = encoder.finish()?;
    let too_long = |_| io::Error::new(ErrorKind::InvalidData, "a checkpoint of more than 4 GiB");
    header.bytes = u32::try_from(frame.len()).map_err(too_long)?;
    let header = serde_json::to_vec(&header)?;
    let header_bytes = u32::try_from(header.len()).map_err(too_long)?.to_le_bytes();
    Ok([&SKIPPABLE_MAGIC[..], &header_bytes, &header, &frame].concat())
}

/// For reading headers: little is read beyond them.
pub(super) fn open_buffered(path: &Path) -> io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(16 << 10, File::open(path)?))
}

/// Reads the header at the current position, which is `offset`, and where its frame is, whether or not the file is that
/// long. `None` if the header is truncated or not a header.
pub(super) fn read_header(input: &mut impl Read, offset: u64) -> io::Result<Option<(Header, Range<u64>)>> {
    let mut start = [0; 8];
    if !fill(input, &mut start)? || start[..4] != SKIPPABLE_MAGIC {
        return Ok(None);
    }
    let length = u32::from_le_bytes([start[4], start[5], start[6], start[7]]);
    if length > MAX_HEADER_BYTES {
        return Ok(None);
    }
    let mut header = vec![0; length as usize];
    if !fill(input, &mut header)? {
        return Ok(None);
    }
    let Ok(header) = serde_json::from_slice::<Header>(&header) else { return Ok(None) };
    let begin = offset + 8 + u64::from(length);
    let frame = begin..begin + u64::from(header.bytes);
    Ok(Some((header, frame)))
}

/// Fills the buffer; false if the file ends first.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Decompresses a frame into `lines` after its first `used` bytes, overwriting what is there. Returns the new `used`.
pub(super) fn decompress(frame: &[u8], lines: &mut Vec<u8>, used: usize) -> io::Result<usize> {
    if let Some(used) = decompress_known_length(frame, lines, used) {
        return Ok(used);
    }
    // Damaged, or written by another program: the streaming decoder returns the exact error.
    lines.truncate(used);
    zstd::Decoder::new(frame)?.take(MAX_LINES_BYTES + 1).read_to_end(lines)?;
    if (lines.len() - used) as u64 > MAX_LINES_BYTES {
        return Err(io::Error::new(ErrorKind::InvalidData, "a checkpoint decompresses to more than a gigabyte"));
    }
    Ok(lines.len())
}

fn decompress_known_length(frame: &[u8], lines: &mut Vec<u8>, used: usize) -> Option<usize> {
    let bytes = zstd_safe::get_frame_content_size(frame).ok().flatten()?;
    if bytes == CONTENTSIZE_ERROR || bytes == CONTENTSIZE_UNKNOWN || bytes > MAX_TRUSTED_BYTES {
        return None;
    }
    let end = used + bytes as usize;
    if lines.len() < end {
        lines.resize(end, 0);
    }
    let written = DECODER.with_borrow_mut(|decoder| decoder.decompress(&mut lines[used..end], frame)).ok()?;
    (written as u64 == bytes).then_some(end)
}

/// True for a frame that was not written completely before a power cut: file systems that had already extended the file
/// show zeros. Compressed bytes have no run of 64 zeros and do not end in four.
pub(super) fn was_not_written(frame: &[u8]) -> bool {
    frame.ends_with(&[0; 4]) || frame.windows(64).any(|window| window.iter().all(|byte| *byte == 0))
}
