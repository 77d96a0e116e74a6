//! How many requests a run made, as far as it is in the raw log: for runs that did not come to write it down.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::path::Path;

use super::read::{read_header, run_of};
use super::{RawError, RawKind, dates_of, files_of};

/// Requests to the three lists (meetings, participants, quality) by run, of the runs that are `wanted`, counted by the ends
/// of their walks. A walk that has no end, and what was never written down, is not in it: there were so many at the least.
///
/// Looks at the names of all files and at the headers in those of the runs that are wanted.
///
/// # Errors
/// [`RawError::Io`]. A file that goes meanwhile has none.
pub(crate) fn requests_by_run(
    raw_dir: &Path,
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, [u64; 3]>, RawError> {
    let mut by_run: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    for (list, kind) in RawKind::ALL.iter().enumerate() {
        // A walk over meetings is filed under each of its dates.
        let mut walks: HashMap<(String, String, i64), u64> = HashMap::new();
        for meeting_date in dates_of(raw_dir, *kind)? {
            for path in files_of(raw_dir, *kind, meeting_date)? {
                let run_id = run_of(&path);
                if !wanted(&run_id) {
                    continue;
                }
                by_run.entry(run_id).or_default();
                match ends(&path, &mut walks) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(RawError::Io { attempt: "cannot read", path, source: error });
                    }
                    _ => {}
                }
            }
        }
        for ((run_id, _, _), requests) in walks {
            by_run.entry(run_id).or_default()[list] += requests;
        }
    }
    Ok(by_run)
}

/// The requests of each walk that ends in a file, up to where it is cut off.
fn ends(path: &Path, walks: &mut HashMap<(String, String, i64), u64>) -> io::Result<()> {
    let mut input = io::BufReader::with_capacity(16 << 10, File::open(path)?);
    while let Some((header, _)) = read_header(&mut input)? {
        input.seek_relative(i64::from(header.bytes))?;
        if let Some(end) = header.end {
            let requests = walks.entry((header.run_id, header.unit, header.requested_us)).or_default();
            *requests = end.requests.max(*requests);
        }
    }
    Ok(())
}
