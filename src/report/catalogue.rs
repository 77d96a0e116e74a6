//! The reports that can be run: the program's own, and those of somebody's folder, which win.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::definition::{Life, definition};
use super::registry::{AREAS, built_in};
use super::{Header, ReportError};

/// The area of the reports that only somebody's folder has.
pub(crate) const OWN_AREA: &str = "Your own";

/// A report that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The name: that of its file, without the ending.
    pub name: String,
    /// What it is about: the heading in the list.
    pub area: &'static str,
    pub sql: String,
    /// What it says of itself.
    pub header: Header,
    /// The file, where it is not the program's own.
    pub file: Option<PathBuf>,
}

/// A file that should have been a report.
#[derive(Debug)]
pub struct Broken {
    /// The name that it would have.
    pub name: String,
    /// What is wrong with it.
    pub error: ReportError,
}

/// The reports that can be run, in the order in which they are listed.
#[derive(Debug, Default)]
pub struct Catalogue {
    reports: Vec<Report>,
    broken: Vec<Broken>,
}

impl Catalogue {
    /// The program's own reports.
    ///
    /// # Errors
    /// Where a header can't be read, which the tests exclude.
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
                });
            }
        }
        Ok(Catalogue { reports, broken: Vec::new() })
    }

    /// The program's own reports and those of a folder: every `<name>.sql` in it. One that can't be read is kept aside,
    /// and the others are not spoiled by it; nor does the program's own of that name take its place, because somebody
    /// meant something else.
    ///
    /// # Errors
    /// Where the folder can't be listed.
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
                let standing = self.reports.iter_mut().find(|report| report.name == name);
                let area = standing.as_ref().map_or(OWN_AREA, |report| report.area);
                let report = Report { name, area, sql, header, file: Some(path) };
                match standing {
                    Some(standing) => *standing = report,
                    None => self.reports.push(report),
                }
            }
            Err(error) => {
                self.reports.retain(|report| report.name != name);
                self.broken.push(Broken { name, error: ReportError::File { path, source: Box::new(error) } });
            }
        }
    }

    /// The report of that name.
    ///
    /// # Errors
    /// Where there is none, or its file is broken.
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

    /// The reports that can be run.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The files that should have been reports.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }
}

impl Report {
    /// The program's own report of that name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn built_in(name: &str) -> Result<Report, ReportError> {
        Catalogue::built_in()?.find(name)
    }

    /// True where it stands in for one of the program's own.
    pub fn overrides(&self) -> bool {
        self.file.is_some() && built_in().any(|report| report.name == self.name)
    }
}

/// Reads a file of somebody's folder and checks all of it that can be checked without a database.
fn read(name: &str, path: &Path) -> Result<(String, Header), ReportError> {
    let is_of_a_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() || !name.split('-').all(|part| !part.is_empty() && part.chars().all(is_of_a_name)) {
        return Err(ReportError::Name { name: name.to_owned() });
    }
    let sql = std::fs::read_to_string(path).map_err(|source| ReportError::Read { report: name.to_owned(), source })?;
    // Files of other systems: a mark before the first line, and carriage returns.
    let sql = sql.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let header = Header::parse(name, &sql)?;
    definition(Life::Session, name, &header, &sql)?;
    Ok((sql, header))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(title: &str, query: &str) -> String {
        format!("-- title: {title}\n-- question: Why?\n-- column: a: The a.\n{query}\n")
    }

    fn chain(error: &ReportError) -> String {
        let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
        format!("{error}{source}")
    }

    #[test]
    fn a_folder_adds_and_overrides_and_one_bad_file_spoils_only_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        write("mine.sql", &file("Mine", "select 1 as a"));
        write("coverage.sql", &format!("\u{feff}{}", file("My coverage", "select 2 as a").replace('\n', "\r\n")));
        write("sla.sql", "-- title: Broken\n-- quest: What?\nselect 1");
        write("two.sql", &file("Two", "select 1 as a;\nselect 2 as a"));
        write("Bad_Name.sql", &file("X", "select 1 as a"));
        write("notes.txt", "no report");
        fs::write(folder.path().join("bytes.sql"), [0xff, 0xfe]).expect("written");
        fs::create_dir(folder.path().join("folder.sql")).expect("made");

        let catalogue = Catalogue::with_folder(folder.path()).expect("a catalogue");
        let own: Vec<(&str, &str, bool)> = catalogue
            .reports()
            .iter()
            .filter(|report| report.file.is_some())
            .map(|report| (report.name.as_str(), report.area, report.overrides()))
            .collect();
        assert_eq!(own, [("coverage", "Trust in the data", true), ("mine", OWN_AREA, false)]);
        let broken: Vec<&str> = catalogue.broken().iter().map(|broken| broken.name.as_str()).collect();
        assert_eq!(broken, ["Bad_Name", "bytes", "folder", "sla", "two"]);

        let find = |name: &str| Catalogue::with_folder(folder.path()).expect("a catalogue").find(name);
        assert_eq!(find("coverage").expect("a report").header.title, "My coverage");
        assert_eq!(find("worst-meetings").expect("a report").file, None);
        let text =
            |name: &str| chain(&find(name).expect_err("broken")).replace(&*folder.path().to_string_lossy(), "DIR");
        assert!(
            text("sla").starts_with("DIR/sla.sql is no report: the header of the report sla, line 2: "),
            "{}",
            text("sla")
        );
        assert!(
            text("two").starts_with("DIR/two.sql is no report: the SQL of the report two, line 5: "),
            "{}",
            text("two")
        );
        assert!(matches!(find("nothing"), Err(ReportError::Unknown { .. })));
        assert!(matches!(Catalogue::with_folder(&folder.path().join("none")), Err(ReportError::Folder { .. })));
    }
}
