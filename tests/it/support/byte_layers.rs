//! The bytes of a store, layer by layer: as they are in the files, and unpacked. Uses nothing of the program, so that a
//! mistake of its readers hides nothing.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use duckdb::{AccessMode, Config, Connection};
use parquet::column::page::Page;
use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;

use super::byte_scan::{Layer, Scan, Scanner};
use super::test_env::rows;

/// Scans every file of a store, and the names of files and folders.
pub(crate) fn scan_store(scanner: &Scanner, store: &Path) -> Scan {
    let mut scan = Scan::default();
    let mut target = Target { scanner, scan: &mut scan };
    target.folder(store, store);
    let database = store.join("vcq.duckdb");
    if database.exists() {
        target.duckdb_cells(&database);
    }
    scan
}

/// Scans a workbook or a file of text that a command wrote.
pub(crate) fn scan_output(scanner: &Scanner, scan: &mut Scan, layer: Layer, place: &str, bytes: &[u8]) {
    scanner.scan(scan, layer, place, bytes);
    if layer == Layer::Workbook {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a workbook");
        for at in 0..archive.len() {
            let mut member = archive.by_index(at).expect("a member");
            let mut content = Vec::new();
            member.read_to_end(&mut content).expect("it unpacks");
            scanner.scan(scan, layer, &format!("{place}, {}", String::from_utf8_lossy(member.name_raw())), &content);
        }
    }
}

struct Target<'a> {
    scanner: &'a Scanner,
    scan: &'a mut Scan,
}

impl Target<'_> {
    fn add(&mut self, layer: Layer, place: &str, bytes: &[u8]) {
        self.scanner.scan(self.scan, layer, place, bytes);
    }

    fn folder(&mut self, store: &Path, folder: &Path) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(store).expect("below the store").to_string_lossy().into_owned();
            self.add(Layer::Names, &name, name.as_bytes());
            if path.is_symlink() {
                let link = std::fs::read_link(&path).expect("a link");
                self.add(Layer::Names, &name, link.to_string_lossy().as_bytes());
            } else if path.is_dir() {
                self.folder(store, &path);
            } else {
                self.file(&name, &path);
            }
        }
    }

    fn file(&mut self, name: &str, path: &Path) {
        let bytes = std::fs::read(path).expect("readable");
        if name.starts_with("raw/") {
            self.raw(name, &bytes);
        } else if name.ends_with(".parquet") {
            self.parquet(name, path, &bytes);
        } else if name.contains(".sqlite") {
            self.add(Layer::SqliteFile, name, &bytes);
            if name.ends_with(".sqlite") {
                self.sqlite_cells(name, path);
            }
        } else if name.contains(".duckdb") {
            self.add(Layer::DuckdbFile, name, &bytes);
        } else {
            self.add(Layer::OtherFile, name, &bytes);
        }
    }

    /// Frames of zstd, one after the other, skippable ones too.
    fn raw(&mut self, name: &str, bytes: &[u8]) {
        self.add(Layer::RawFile, name, bytes);
        let mut rest = bytes;
        while rest.len() >= 8 {
            let number = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().expect("four bytes"));
            if number(0) & 0xFFFF_FFF0 == 0x184D_2A50 {
                let end = (8 + number(4) as usize).min(rest.len());
                self.add(Layer::RawHeader, name, &rest[8..end]);
                rest = &rest[end..];
                continue;
            }
            let Ok(length) = zstd_safe::find_frame_compressed_size(rest) else { return };
            let lines = zstd::decode_all(&rest[..length]).unwrap_or_else(|error| panic!("{name}: {error}"));
            self.add(Layer::RawLines, name, &lines);
            rest = &rest[length..];
        }
    }

    fn parquet(&mut self, name: &str, path: &Path, bytes: &[u8]) {
        self.add(Layer::ParquetFile, name, bytes);
        let footer = bytes.len().checked_sub(8).and_then(|end| {
            let length = u32::from_le_bytes(bytes[end..end + 4].try_into().ok()?) as usize;
            Some(&bytes[end.checked_sub(length)?..end])
        });
        self.add(Layer::ParquetFooter, name, footer.unwrap_or_else(|| panic!("{name} has no footer")));
        let reader = SerializedFileReader::new(File::open(path).expect("opens")).expect("Parquet");
        for group in 0..reader.num_row_groups() {
            let group = reader.get_row_group(group).expect("a row group");
            for column in 0..group.num_columns() {
                let encodings = group.metadata().column(column).encodings().map(|one| format!("{one:?}"));
                // Others split texts.
                let mut split = encodings.filter(|one| one == "DELTA_BYTE_ARRAY" || one == "BYTE_STREAM_SPLIT");
                assert_eq!(split.next(), None, "{name}: the scan of pages cannot read this encoding");
                for page in group.get_column_page_reader(column).expect("pages") {
                    let page = page.expect("a page");
                    let is_dictionary = matches!(page, Page::DictionaryPage { .. });
                    let layer = if is_dictionary { Layer::ParquetDictionary } else { Layer::ParquetPage };
                    self.add(layer, name, page.buffer());
                }
            }
        }
        let connection = Connection::open_in_memory().expect("DuckDB");
        let sql = format!("select * from read_parquet('{}', hive_partitioning = false)", path.display());
        self.add(Layer::ParquetCell, name, rows(&connection, &sql).join("\n").as_bytes());
    }

    /// Every table, read from a copy, because reading a database with a log changes its files.
    fn sqlite_cells(&mut self, name: &str, path: &Path) {
        let copy = TempDir::new().expect("a folder");
        for end in ["", "-wal", "-journal"] {
            let from = format!("{}{end}", path.display());
            if Path::new(&from).exists() {
                std::fs::copy(from, copy.path().join(format!("copy{end}"))).expect("copied");
            }
        }
        let connection = rusqlite::Connection::open(copy.path().join("copy")).expect("opens");
        let mut tables = connection.prepare("select name from sqlite_master where type = 'table'").expect("tables");
        let tables: Vec<String> =
            tables.query_map([], |row| row.get(0)).expect("tables").map(|table| table.expect("a name")).collect();
        for table in tables {
            let mut select = connection.prepare(&format!("select * from \"{table}\"")).expect("a table");
            let columns = select.column_count();
            let mut rows = select.query([]).expect("rows");
            let mut cells = Vec::new();
            while let Some(row) = rows.next().expect("a row") {
                for column in 0..columns {
                    match row.get_ref(column).expect("a value") {
                        rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
                            cells.extend_from_slice(bytes);
                            cells.push(b'\n');
                        }
                        value => cells.extend_from_slice(format!("{value:?}\n").as_bytes()),
                    }
                }
            }
            self.add(Layer::SqliteCell, &format!("{name}, table {table}"), &cells);
        }
    }

    fn duckdb_cells(&mut self, path: &Path) {
        let connection = open(path);
        for table in rows(&connection, "select table_name from duckdb_tables() where not internal") {
            let cells = rows(&connection, &format!("select * from \"{table}\"")).join("\n");
            self.add(Layer::DuckdbCell, &format!("table {table}"), cells.as_bytes());
        }
        for catalogue in ["tables", "columns", "views", "constraints", "indexes", "sequences", "types", "functions"] {
            let sql = format!("select * from duckdb_{catalogue}() where not internal");
            let sql = if matches!(catalogue, "constraints" | "indexes" | "sequences") {
                format!("select * from duckdb_{catalogue}()")
            } else {
                sql
            };
            let cells = rows(&connection, &sql).join("\n");
            self.add(Layer::DuckdbCatalogue, &format!("duckdb_{catalogue}()"), cells.as_bytes());
        }
    }
}

fn open(path: &Path) -> Connection {
    let config = Config::default().access_mode(AccessMode::ReadOnly).expect("a setting");
    Connection::open_with_flags(path, config).expect("vcq.duckdb opens")
}

/// Blocks of the database that hold nothing that is in use, and rows that were deleted but are still in its blocks.
/// Compressed text of either is in no table and not readable in the bytes.
pub(crate) fn unused_parts(store: &Path) -> Vec<String> {
    let connection = open(&store.join("vcq.duckdb"));
    let number = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).expect(sql) };
    let mut unused = Vec::new();
    // A file that was built at once has one: of the catalogue that it began with.
    match number("select free_blocks::bigint from pragma_database_size()") {
        0 | 1 => {}
        free => unused.push(format!("{free} free blocks")),
    }
    for table in rows(&connection, "select table_name from duckdb_tables() where not internal") {
        let stored = number(&format!(
            "select coalesce(sum(count), 0)::bigint from pragma_storage_info('{table}')
             where column_id = 0 and segment_type <> 'VALIDITY'"
        ));
        let counted = number(&format!("select count(*) from \"{table}\""));
        if stored != counted {
            unused.push(format!("{table}: {} deleted rows", stored - counted));
        }
    }
    unused
}
