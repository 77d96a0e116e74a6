//! When the database is built anew from Parquet, without holes, and not upon the current file.
//!
//! Replacing a date leaves the blocks of its old rows in the file; DuckDB uses them again only in part. Building anew is
//! the compact copy: it took 3.3 CPU-seconds for 1.1 million samples where `copy from database` took 4, and it brings rows
//! of late dates back into the order of dates, by which reports skip what they need not read.

use super::database::Size;

/// A file larger than this many times its compact size is built anew. Nights of replacing the last days settle below.
const GROWTH_LIMIT: f64 = 1.5;
/// Holes smaller than this are not worth the work.
const HOLES_BYTES: f64 = (4 << 20) as f64;
/// A compact size measured on a quarter of the rows, or fewer, says little: measure again.
const ROW_GROWTH_LIMIT: u64 = 4;
/// What a database of our tables takes without rows: its comments, in blocks of 256 KiB.
const EMPTY_BYTES: u64 = 1 << 20;

/// Whether building from Parquet is less work than going on from the current file.
///
/// `rows_kept` of the current rows stay, `rows_outdated` go. Where more go than stay, the holes they leave would make
/// building anew due at once.
pub(crate) fn better_anew(rows_kept: u64, rows_outdated: u64, rows_wanted: u64, compact: Size) -> bool {
    rows_kept <= rows_outdated || rows_wanted >= compact.rows.max(1).saturating_mul(ROW_GROWTH_LIMIT)
}

/// Whether a file of `now` should be built anew, given what it took when it was last compact.
pub(crate) fn is_due(now: Size, compact: Size) -> bool {
    let per_row = compact.bytes.saturating_sub(EMPTY_BYTES) as f64 / compact.rows.max(1) as f64;
    let expected = EMPTY_BYTES as f64 + per_row * now.rows as f64;
    now.bytes as f64 > (GROWTH_LIMIT * expected).max(expected + HOLES_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPACT: Size = Size { bytes: EMPTY_BYTES + 85_000_000, rows: 1_000_000 };

    #[test]
    fn a_file_is_due_past_one_and_a_half_times_its_compact_size() {
        let of = |factor: f64| Size { bytes: (COMPACT.bytes as f64 * factor) as u64, rows: COMPACT.rows };
        assert!(!is_due(of(1.0), COMPACT));
        assert!(!is_due(of(1.49), COMPACT));
        assert!(is_due(of(1.51), COMPACT));
    }

    #[test]
    fn more_rows_may_take_more_bytes_until_the_measure_is_old() {
        assert!(!is_due(Size { bytes: EMPTY_BYTES + 255_000_000, rows: 3_000_000 }, COMPACT));
        assert!(!better_anew(2_900_000, 100_000, 3_000_000, COMPACT));
        assert!(better_anew(3_900_000, 0, 4_000_000, COMPACT));
    }

    #[test]
    fn replacing_most_rows_is_building_anew() {
        assert!(!better_anew(600_000, 400_000, 1_000_000, COMPACT));
        assert!(better_anew(400_000, 600_000, 1_000_000, COMPACT));
        assert!(better_anew(0, 0, 0, COMPACT), "nothing to keep");
    }

    #[test]
    fn an_almost_empty_file_is_not_built_anew_every_night() {
        let size = Size { bytes: EMPTY_BYTES, rows: 10 };
        assert!(!is_due(size, size));
        assert!(!is_due(Size { bytes: EMPTY_BYTES + 3_000_000, rows: 12 }, size));
        assert!(is_due(Size { bytes: EMPTY_BYTES + 5_000_000, rows: 12 }, size));
    }
}
