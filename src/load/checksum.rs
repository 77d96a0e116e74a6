//! SHA-256 checksums, written as lower-case hexadecimal.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::text::hex;

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The size in bytes and the checksum of a file.
pub(crate) fn measure_file(path: &Path) -> io::Result<(u64, String)> {
    let mut writer = HashingWriter::new(io::sink());
    let mut reader = io::BufReader::with_capacity(1 << 20, File::open(path)?);
    io::copy(&mut reader, &mut writer)?;
    let (_, bytes, sha256) = writer.finish()?;
    Ok((bytes, sha256))
}

/// Counts and hashes the bytes it passes on, so that the file need not be read again.
pub(crate) struct HashingWriter<W> {
    inner: W,
    digest: Sha256,
    bytes: u64,
}

impl<W: Write> HashingWriter<W> {
    pub(crate) fn new(inner: W) -> HashingWriter<W> {
        HashingWriter { inner, digest: Sha256::new(), bytes: 0 }
    }

    /// The inner writer, flushed, with the number of bytes written and their checksum.
    pub(crate) fn finish(mut self) -> io::Result<(W, u64, String)> {
        self.inner.flush()?;
        Ok((self.inner, self.bytes, hex(&self.digest.finalize())))
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
