//! The reports that can be run: the built-in ones, and those of a folder, which take precedence.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::ReportError;
use super::definition::{MacroScope, definition};
use super::header::{Header, ReportColumn};
use super::registry::{AREAS, built_in};
use crate::text::Language;

/// The area of custom reports.
pub(crate) const CUSTOM_AREA: &str = "Custom";

/// The area of what stands for the SQL of `vcq-etl query`; it is in no list.
pub(crate) const QUERY_AREA: &str = "Query";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The file name without its extension.
    pub name: String,
    /// The heading in the list of reports.
    pub area: &'static str,
    pub sql: String,
    pub header: Header,
    /// The file of a custom report; `None` for a built-in one.
    pub file: Option<PathBuf>,
    /// The language of its header, and of what formats for people say around the rows.
    pub language: Language,
}

/// A file in the report folder that is not a valid report.
#[derive(Debug)]
pub struct BrokenReport {
    pub name: String,
    pub error: ReportError,
}

/// The reports that can be run, in the order of the list.
#[derive(Debug, Default)]
pub struct Catalogue {
    reports: Vec<Report>,
    broken: Vec<BrokenReport>,
}

impl Catalogue {
    pub fn built_in() -> Result<Catalogue, ReportError> {
        let mut reports = Vec::new();
        for area in AREAS {
            for report in area.reports {
                reports.push(Report {
                    name: report.name.to_owned(),
                    area: area.title,
                    sql: report.sql.to_owned(),
                    header: Header::parse(report.name, report.sql)?,
                    file: None,
                    language: Language::English,
                });
            }
        }
        Ok(Catalogue { reports, broken: Vec::new() })
    }

    /// The built-in reports and those of a folder (each `<name>.sql`). An invalid file is reported separately and does
    /// not affect the others; it also hides the built-in report of its name, which would not be what the user meant.
    pub fn with_folder(folder: &Path) -> Result<Catalogue, ReportError> {
        let mut catalogue = Catalogue::built_in()?;
        let failed = |source| ReportError::Folder { path: folder.to_path_buf(), source };
        let mut paths = std::fs::read_dir(folder)
            .map_err(failed)?
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<PathBuf>>>()
            .map_err(failed)?;
        paths.retain(|path| path.extension() == Some(OsStr::new("sql")));
        paths.sort();
        for path in paths {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            catalogue.add(name, path);
        }
        Ok(catalogue)
    }

    fn add(&mut self, name: String, path: PathBuf) {
        match read(&name, &path) {
            Ok((sql, header)) => {
                let existing = self.reports.iter_mut().find(|report| report.name == name);
                let area = existing.as_ref().map_or(CUSTOM_AREA, |report| report.area);
                let report = Report { name, area, sql, header, file: Some(path), language: Language::English };
                match existing {
                    Some(existing) => *existing = report,
                    None => self.reports.push(report),
                }
            }
            Err(error) => {
                self.reports.retain(|report| report.name != name);
                let error = ReportError::InvalidFile { path, source: Box::new(error) };
                self.broken.push(BrokenReport { name, error });
            }
        }
    }

    pub fn find(mut self, name: &str) -> Result<Report, ReportError> {
        if let Some(at) = self.reports.iter().position(|report| report.name == name) {
            return Ok(self.reports.swap_remove(at));
        }
        if let Some(at) = self.broken.iter().position(|broken| broken.name == name) {
            return Err(self.broken.swap_remove(at).error);
        }
        Err(ReportError::Unknown {
            name: name.to_owned(),
            known: self.reports.into_iter().map(|report| report.name).collect(),
        })
    }

    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    pub fn broken(&self) -> &[BrokenReport] {
        &self.broken
    }
}

impl Report {
    pub fn built_in(name: &str) -> Result<Report, ReportError> {
        Catalogue::built_in()?.find(name)
    }

    /// Stands for an SQL text in the formats that explain a result. The columns are those with one known meaning.
    pub(crate) fn of_query(sql: &str, columns: Vec<ReportColumn>) -> Report {
        let header =
            Header { title: "Query".to_owned(), question: sql.trim().to_owned(), columns, ..Header::default() };
        let (name, sql, language) = ("query".to_owned(), sql.to_owned(), Language::English);
        Report { name, area: QUERY_AREA, sql, header, file: None, language }
    }

    /// True for a custom report that replaces a built-in one.
    pub fn overrides(&self) -> bool {
        self.file.is_some() && built_in().any(|report| report.name == self.name)
    }
}

/// Reads a custom report and checks everything that can be checked without a database.
fn read(name: &str, path: &Path) -> Result<(String, Header), ReportError> {
    let is_name_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() || !name.split('-').all(|part| !part.is_empty() && part.chars().all(is_name_char)) {
        return Err(ReportError::InvalidName { name: name.to_owned() });
    }
    let sql = std::fs::read_to_string(path).map_err(|source| ReportError::Read { report: name.to_owned(), source })?;
    // Files from Windows: byte order mark and carriage returns.
    let sql = sql.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let header = Header::parse(name, &sql)?;
    definition(MacroScope::Session, name, &header, &sql)?;
    Ok((sql, header))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::text::error_chain;

    fn file(title: &str, query: &str) -> String {
        format!("-- title: {title}\n-- question: Why?\n-- column: a: The a.\n{query}\n")
    }

    #[test]
    fn a_folder_adds_and_overrides_reports_and_an_invalid_file_affects_only_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        write("mine.sql", &file("Mine", "select 1 as a"));
        write("coverage.sql", &format!("\u{feff}{}", file("My coverage", "select 2 as a").replace('\n', "\r\n")));
        write("sla.sql", "-- title: BrokenReport\n-- quest: What?\nselect 1");
        write("two.sql", &file("Two", "select 1 as a;\nselect 2 as a"));
        write("Bad_Name.sql", &file("X", "select 1 as a"));
        write("notes.txt", "not a report");
        fs::write(folder.path().join("bytes.sql"), [0xff, 0xfe]).expect("written");
        fs::create_dir(folder.path().join("folder.sql")).expect("made");

        let catalogue = Catalogue::with_folder(folder.path()).expect("a catalogue");
        let custom: Vec<(&str, &str, bool)> = catalogue
            .reports()
            .iter()
            .filter(|report| report.file.is_some())
            .map(|report| (report.name.as_str(), report.area, report.overrides()))
            .collect();
        assert_eq!(custom, [("coverage", "Data quality", true), ("mine", CUSTOM_AREA, false)]);
        let broken: Vec<&str> = catalogue.broken().iter().map(|broken| broken.name.as_str()).collect();
        assert_eq!(broken, ["Bad_Name", "bytes", "folder", "sla", "two"]);

        let find = |name: &str| Catalogue::with_folder(folder.path()).expect("a catalogue").find(name);
        assert_eq!(find("coverage").expect("a report").header.title, "My coverage");
        assert_eq!(find("worst-meetings").expect("a report").file, None);
        let text = |name: &str| {
            error_chain(&find(name).expect_err("broken")).replace(&*folder.path().to_string_lossy(), "DIR")
        };
        assert!(
            text("sla").starts_with("DIR/sla.sql is not a valid report: the header of the report sla, line 2: "),
            "{}",
            text("sla")
        );
        assert!(
            text("two").starts_with("DIR/two.sql is not a valid report: the SQL of the report two, line 5: "),
            "{}",
            text("two")
        );
        assert!(matches!(find("nothing"), Err(ReportError::Unknown { .. })));
        assert!(matches!(Catalogue::with_folder(&folder.path().join("none")), Err(ReportError::Folder { .. })));
    }
}
