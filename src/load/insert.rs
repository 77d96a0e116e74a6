//! Loads Parquet parts into a table of a draft, with one connection or, into a new database, with several.
//!
//! Promises: the rows are in the order of the files either way.

use std::path::PathBuf;

use super::connection::DatabaseOptions;
use super::current::{date_literal, parquet_columns};
use super::draft::Draft;
use super::error::Result;
use super::manifest::PublishedFile;
use crate::schema::{PARTITION_COLUMN, Table, ddl};

/// Rows of a row group. A connection with fewer would write a small one.
const ROW_GROUP_ROWS: u64 = 122_880;

pub(super) struct Insert<'a> {
    /// Where the file with a path of the manifest is.
    pub(super) part: &'a dyn Fn(&str) -> PathBuf,
    pub(super) table: &'static Table,
    /// With their dates, in ascending order.
    pub(super) files: &'a [(&'a str, &'a PublishedFile)],
}

impl Insert<'_> {
    /// The connections that are worth their memory.
    pub(super) fn connections(&self, options: DatabaseOptions) -> usize {
        let rows: u64 = self.files.iter().map(|(_, file)| file.rows).sum();
        (rows / (2 * ROW_GROUP_ROWS) + 1).min(u64::from(options.inserts)) as usize
    }

    pub(super) fn run(&self, draft: &Draft) -> Result {
        draft.execute("load the new parts into", &self.sql(self.files))
    }

    /// Loads a share of the files with each connection, in transactions that are committed in the order of the files.
    ///
    /// A single insert with two threads took twice the CPU time: to keep the order it holds batches uncompressed.
    pub(super) fn run_at_once(&self, draft: &Draft, connections: usize) -> Result {
        let shares = shares(self.files, connections);
        draft.execute_at_once("load the new parts into", shares.iter().map(|files| vec![self.sql(files)]).collect())
    }

    /// One insert for all files: one per date costs twice the CPU and makes the file a fifth larger.
    fn sql(&self, files: &[(&str, &PublishedFile)]) -> String {
        let dates: Vec<String> = files.iter().map(|(date, _)| date_literal(date)).collect();
        // DuckDB takes the path of an existing file literally, so `*`, `?` and `[` in it are not a pattern.
        let paths: Vec<String> =
            files.iter().map(|(_, file)| ddl::quoted(&(self.part)(&file.path).to_string_lossy())).collect();
        // The date comes from the manifest, not from Hive partitions: a store in a directory named like `email=x` would
        // get that as a column.
        format!(
            "insert into {} by name select {}, ([{}])[cast(file_index as bigint) + 1] as {PARTITION_COLUMN} \
             from read_parquet([{}], hive_partitioning = false)",
            self.table.name,
            parquet_columns(self.table),
            dates.join(", "),
            paths.join(", ")
        )
    }
}

/// At most `count` runs of files with about the same number of rows, none empty.
fn shares<'f, 'd>(files: &'f [(&'d str, &'d PublishedFile)], count: usize) -> Vec<&'f [(&'d str, &'d PublishedFile)]> {
    let rows: u64 = files.iter().map(|(_, file)| file.rows).sum();
    let share = rows.div_ceil(count.max(1) as u64).max(1);
    let mut before = 0;
    let numbers: Vec<u64> = files
        .iter()
        .map(|(_, file)| {
            let middle = before + file.rows / 2;
            before += file.rows;
            middle / share
        })
        .collect();
    let mut shares = Vec::new();
    let mut rest = files;
    for run in numbers.chunk_by(|left, right| left == right) {
        let (taken, left) = rest.split_at(run.len());
        shares.push(taken);
        rest = left;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::connection::rows;
    use crate::load::fixture::{Store, batch};
    use crate::load::part_writer::PartWriter;
    use crate::schema::{MEETINGS, civil_date_text};

    fn file(rows: u64) -> PublishedFile {
        PublishedFile {
            table: MEETINGS.name.to_owned(),
            path: String::new(),
            meeting_date: None,
            rows,
            bytes: 0,
            sha256: String::new(),
            min_time_utc: None,
            max_time_utc: None,
        }
    }

    #[test]
    fn files_are_shared_by_rows_in_their_order() {
        let share = |rows: &[u64], count: usize| {
            let files: Vec<PublishedFile> = rows.iter().map(|rows| file(*rows)).collect();
            let files: Vec<(&str, &PublishedFile)> = files.iter().map(|file| ("2026-11-01", file)).collect();
            shares(&files, count).into_iter().map(|share| share.iter().map(|(_, file)| file.rows).collect()).collect()
        };
        let shared: Vec<Vec<u64>> = share(&[1, 1, 1, 1], 2);
        assert_eq!(shared, [[1, 1], [1, 1]]);
        let shared: Vec<Vec<u64>> = share(&[9, 1, 1, 1], 2);
        assert_eq!(shared, [vec![9], vec![1, 1, 1]]);
        let shared: Vec<Vec<u64>> = share(&[5], 2);
        assert_eq!(shared, [[5]]);
        let shared: Vec<Vec<u64>> = share(&[], 2);
        assert_eq!(shared, Vec::<Vec<u64>>::new());
    }

    #[test]
    fn few_rows_are_loaded_with_one_connection() {
        let store = Store::new();
        let options = DatabaseOptions { inserts: 2, ..DatabaseOptions::default() };
        let connections = |rows: u64, options: DatabaseOptions| {
            let file = file(rows);
            let part = |path: &str| store.paths.part(path);
            Insert { part: &part, table: &MEETINGS, files: &[("2026-11-01", &file)] }.connections(options)
        };
        assert_eq!([0, 245_759, 245_760, 9_000_000].map(|rows| connections(rows, options)), [1, 1, 2, 2]);
        assert_eq!(connections(9_000_000, DatabaseOptions::default()), 1);
    }

    #[test]
    fn several_connections_leave_the_rows_in_the_order_of_the_files() {
        let store = Store::new();
        let days: Vec<i32> = (20_000..20_007).collect();
        let texts: Vec<String> = days.iter().map(|day| civil_date_text(*day)).collect();
        let files: Vec<PublishedFile> = days
            .iter()
            .map(|day| {
                let mut part = PartWriter::create(&store.paths.work(), &MEETINGS, *day, "r1", 0).expect("created");
                part.write(&batch(&MEETINGS, *day, 300, 1)).expect("written");
                let part = part.finish().expect("finished").expect("a part");
                let path = format!("meetings/{day}.parquet");
                std::fs::create_dir_all(store.paths.part("meetings")).expect("a folder");
                std::fs::rename(&part.path, store.paths.part(&path)).expect("renamed");
                PublishedFile { path, ..file(300) }
            })
            .collect();
        let files: Vec<(&str, &PublishedFile)> = texts.iter().map(String::as_str).zip(&files).collect();
        let part = |path: &str| store.paths.part(path);
        let insert = Insert { part: &part, table: &MEETINGS, files: &files };
        let loaded = |connections: usize| -> Vec<String> {
            let folder = tempfile::tempdir().expect("a folder");
            let draft = Draft::open(folder.path(), DatabaseOptions::default()).expect("a draft");
            draft.execute("create", &ddl::create_table(&MEETINGS)).expect("created");
            draft.execute("begin", "begin transaction").expect("begun");
            match connections {
                1 => insert.run(&draft).expect("loaded"),
                _ => insert.run_at_once(&draft, connections).expect("loaded"),
            }
            rows(&draft.connection, "select t::varchar from meetings as t order by rowid", |row| row.get(0))
                .expect("rows")
        };
        let expected = loaded(1);
        assert_eq!(expected.len(), 2_100);
        for connections in [2, 3, 9] {
            assert!(loaded(connections) == expected, "{connections} connections");
        }
    }
}
