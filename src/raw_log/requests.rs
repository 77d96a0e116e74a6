//! The number of requests that a run made, from the raw log: for runs that ended before they could record it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use super::checkpoint::{open_buffered, read_header};
use super::error::RawError;
use super::layout::{list_dates, list_files, run_and_number};
use super::record::RawKind;

/// Requests to the three lists (meetings, participants, quality) by run, for the `wanted` runs, counted from the ends
/// of their walks. A lower bound: walks without an end are not counted.
pub(crate) fn requests_by_run(
    raw_dir: &Path,
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, [u64; 3]>, RawError> {
    let mut by_run: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    for (list, kind) in RawKind::LISTS.iter().enumerate() {
        // A walk over the meeting list is stored under each of its dates.
        let mut walks: HashMap<(String, String, i64), u64> = HashMap::new();
        for meeting_date in list_dates(raw_dir, *kind)? {
            for path in list_files(raw_dir, *kind, meeting_date)? {
                let (run_id, _) = run_and_number(&path);
                if !wanted(&run_id) {
                    continue;
                }
                by_run.entry(run_id).or_default();
                // A file that was deleted meanwhile has no requests.
                if let Err(error) = read_ends(&path, &mut walks)
                    && error.kind() != io::ErrorKind::NotFound
                {
                    return Err(RawError::io("cannot read", &path)(error));
                }
            }
        }
        for ((run_id, _, _), requests) in walks {
            by_run.entry(run_id).or_default()[list] += requests;
        }
    }
    Ok(by_run)
}

/// Adds the requests of each walk that ends in a file, up to where the file is truncated.
fn read_ends(path: &Path, walks: &mut HashMap<(String, String, i64), u64>) -> io::Result<()> {
    let mut input = open_buffered(path)?;
    while let Some((header, _)) = read_header(&mut input, 0)? {
        input.seek_relative(i64::from(header.bytes))?;
        if let Some(end) = header.end {
            let requests = walks.entry((header.run_id, header.unit, header.requested_us)).or_default();
            *requests = end.requests.max(*requests);
        }
    }
    Ok(())
}
