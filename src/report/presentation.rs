//! The keys of a report's header that say how a terminal shows its result, and the next command.
//!
//! `table: a, b + c | d` names the columns of a table: the first ones always, c below b in one column, the others as
//! the width allows. `grid: a x b: c` shows c in a grid of a and b. `fold: people: networks with one person each`
//! counts the rows below the first ones in which the column is at most 1. `next: report user {name|who}` is the command
//! to type next, with values of the first row; `{start:next_day}` is the day after a time. The other formats have all
//! rows and columns.

use super::result::{Cell, ResultSet};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presentation {
    pub table: Option<TableColumns>,
    pub grid: Option<GridAxes>,
    pub fold: Option<Fold>,
    pub next: Option<NextCommand>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumns {
    pub always: Vec<String>,
    /// Two of them that share a column, one below the other.
    pub below: Option<(String, String)>,
    pub if_wide: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridAxes {
    pub row: String,
    pub column: String,
    pub value: String,
}

/// The first rows are never folded.
pub(super) const ALWAYS_SHOWN: usize = 3;

/// Fewer rows are not folded.
pub(super) const MIN_FOLDED: usize = 3;

/// Rows in which `column` is at most 1 are `words`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    pub column: String,
    pub words: String,
}

/// A command without the program name, as words with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextCommand(Vec<Vec<Part>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The first of these columns that has a value.
    Value(Vec<String>),
    /// The day after the time in this column.
    NextDay(String),
}

impl Presentation {
    pub(super) fn add(&mut self, key: &str, value: &str) -> Result<(), String> {
        let is_given = match key {
            "table" => self.table.replace(TableColumns::parse(value)).is_some(),
            "grid" => {
                let grid = GridAxes::parse(value).ok_or("expected: -- grid: column x column: column")?;
                self.grid.replace(grid).is_some()
            }
            "fold" => {
                let (column, words) = value.split_once(": ").ok_or("expected: -- fold: column: words")?;
                self.fold.replace(Fold { column: column.trim().to_owned(), words: words.trim().to_owned() }).is_some()
            }
            _ => {
                let next = NextCommand::parse(value).ok_or("expected: -- next: command {column}")?;
                self.next.replace(next).is_some()
            }
        };
        if is_given { Err(format!("{key} appears twice")) } else { Ok(()) }
    }

    /// All columns that it names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let table = self.table.iter().flat_map(|table| table.always.iter().chain(&table.if_wide));
        let grid = self.grid.iter().flat_map(|grid| [&grid.row, &grid.column, &grid.value]);
        let fold = self.fold.iter().map(|fold| &fold.column);
        table.chain(grid).chain(fold).map(String::as_str).chain(self.next.iter().flat_map(NextCommand::columns))
    }
}

impl TableColumns {
    fn parse(text: &str) -> TableColumns {
        let names = |text: &str| text.split([',', '+']).map(|name| name.trim().to_owned()).collect::<Vec<_>>();
        let (always, if_wide) = text.split_once('|').unwrap_or((text, ""));
        let shared = always.split(',').find_map(|name| name.split_once('+'));
        TableColumns {
            always: names(always),
            below: shared.map(|(upper, lower)| (upper.trim().to_owned(), lower.trim().to_owned())),
            if_wide: if if_wide.is_empty() { Vec::new() } else { names(if_wide) },
        }
    }
}

impl GridAxes {
    fn parse(text: &str) -> Option<GridAxes> {
        let (axes, value) = text.split_once(": ")?;
        let (row, column) = axes.split_once(" x ")?;
        let [row, column, value] = [row, column, value].map(|name| name.trim().to_owned());
        Some(GridAxes { row, column, value })
    }
}

impl NextCommand {
    fn parse(text: &str) -> Option<NextCommand> {
        text.split_whitespace().map(word).collect::<Option<_>>().map(NextCommand)
    }

    /// Whether it depends on the row.
    pub(crate) fn is_of_row(&self) -> bool {
        self.columns().next().is_some()
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .flatten()
            .flat_map(|part| match part {
                Part::Text(_) => &[],
                Part::Value(columns) => columns.as_slice(),
                Part::NextDay(column) => std::slice::from_ref(column),
            })
            .map(String::as_str)
    }

    /// The words of the command for the first row; `None` if a value is missing.
    pub(crate) fn words(&self, result: &ResultSet) -> Option<Vec<String>> {
        let row = result.rows.first();
        let value = |column: &String| {
            let at = result.columns.iter().position(|name| name == column)?;
            row?.get(at).filter(|cell| **cell != Cell::Null).map(Cell::text).filter(|text| !text.trim().is_empty())
        };
        let part = |part: &Part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Value(columns) => columns.iter().find_map(value),
            Part::NextDay(column) => {
                let date: jiff::civil::Date = value(column)?.get(..10)?.parse().ok()?;
                date.tomorrow().ok().map(|date| date.to_string())
            }
        };
        self.0.iter().map(|parts| parts.iter().map(part).collect::<Option<String>>()).collect()
    }
}

/// The parts of one word; `None` if a brace is not closed.
fn word(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(match name.strip_suffix(":next_day") {
            Some(column) => Part::NextDay(column.to_owned()),
            None => Part::Value(name.split('|').map(str::to_owned).collect()),
        });
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(cells: &[(&str, Cell)]) -> ResultSet {
        let (columns, row) = cells.iter().map(|(name, cell)| ((*name).to_owned(), cell.clone())).unzip();
        ResultSet { columns, rows: vec![row] }
    }

    #[test]
    fn the_next_command_has_the_values_of_the_first_row() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let words = |command: &str, result: &ResultSet| NextCommand::parse(command).expect("a command").words(result);
        let row = result(&[
            ("name", Cell::Null),
            ("who", text("ou_1")),
            ("start", Cell::Time("2026-11-30 09:30:00".to_owned())),
        ]);
        assert_eq!(words("report user {name|who}", &row).expect("words"), ["report", "user", "ou_1"]);
        let words_of_day = words("report meeting {who} --until={start:next_day}", &row).expect("words");
        assert_eq!(words_of_day, ["report", "meeting", "ou_1", "--until=2026-12-01"]);
        assert_eq!(words("report user {name}", &row), None);
        assert_eq!(words("report user {who}", &ResultSet { columns: vec!["who".to_owned()], rows: Vec::new() }), None);
        assert!(words("report list", &row).is_some() && NextCommand::parse("report user {who").is_none());
    }
}
