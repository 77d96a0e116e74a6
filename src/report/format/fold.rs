//! The long tail of a ranking as one line.

use super::answer::Answer;
use crate::report::presentation::{ALWAYS_SHOWN, Fold, MIN_FOLDED};
use crate::report::result::{Cell, ResultSet};
use crate::text::{Language, thousands};

/// A column of this name is added up.
const POOR: &str = "poor";

/// The rows to show, and lines about the others. The limit `top` counts the rows that are shown.
pub(super) fn folded(answer: &Answer<'_>) -> (ResultSet, Vec<String>) {
    let (mut shown, language) = (answer.result.clone(), answer.report.language);
    let Some(fold) = &answer.report.header.presentation.fold else { return (shown, Vec::new()) };
    let mut notes = Vec::new();
    let at = |name: &str| answer.result.columns.iter().position(|column| column == name);
    if let Some(column) = at(&fold.column) {
        let is_single = |row: &[Cell]| row.get(column).and_then(number).is_some_and(|number| number <= 1.0);
        let (mut kept, mut tail) = (Vec::new(), Vec::new());
        for (index, row) in shown.rows.iter().enumerate() {
            if index >= ALWAYS_SHOWN && is_single(row) { tail.push(row.clone()) } else { kept.push(row.clone()) }
        }
        if tail.len() >= MIN_FOLDED {
            notes.push(note(fold, &tail, &shown.rows, at(POOR), language));
            shown.rows = kept;
        }
    }
    let top = answer.arguments.get("top").and_then(|top| top.parse::<usize>().ok());
    if let Some(top) = top.filter(|top| *top < shown.rows.len()) {
        let more = thousands((shown.rows.len() - top) as u64);
        let all = shown.rows.len();
        let note = match language {
            Language::English => format!("and {more} more (--top {all})"),
            Language::Chinese => format!("另有 {more} 行（--top {all}）"),
        };
        notes.insert(0, note);
        shown.rows.truncate(top);
    }
    (shown, notes)
}

/// `and 45 networks with one person each (12 of 1,034 poor minutes)`.
fn note(fold: &Fold, tail: &[Vec<Cell>], all: &[Vec<Cell>], poor: Option<usize>, language: Language) -> String {
    let sum = |rows: &[Vec<Cell>]| -> f64 { rows.iter().filter_map(|row| number(row.get(poor?)?)).sum() };
    let (of, all) = (thousands(sum(tail) as u64), thousands(sum(all) as u64));
    let minutes = match poor {
        Some(_) => language.pick(format!(" ({of} of {all} poor minutes)"), format!("（{all} 个质差分钟中的 {of} 个）")),
        None => String::new(),
    };
    format!("{} {} {}{minutes}", language.pick("and", "另有"), thousands(tail.len() as u64), fold.words)
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Integer(number) => Some(*number as f64),
        Cell::Number(number) => Some(*number),
        Cell::Decimal(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::format::fixture_report;
    use crate::report::{Arguments, Header, Report};

    /// Networks with their people and poor minutes; the lines and the number of rows shown.
    fn tail(people: &[i128], top: &str) -> (usize, Vec<String>) {
        let sql = "-- title: T\n-- question: Q?\n-- parameter: top integer = 50: Rows.\n-- column: network: N.\n\
            -- column: people: P.\n-- column: poor: M.\n-- fold: people: networks with one person each\nselect 1\n";
        let report = Report { header: Header::parse("t", sql).expect("header"), ..fixture_report() };
        let given = [("top".to_owned(), top.to_owned())];
        let arguments = Arguments::resolve("t", &report.header, &given).expect("arguments");
        let row = |people: &i128| vec![Cell::Text("n".to_owned()), Cell::Integer(*people), Cell::Integer(400)];
        let columns = ["network", "people", "poor"].map(str::to_owned).to_vec();
        let result = ResultSet { columns, rows: people.iter().map(row).collect() };
        let answer =
            Answer { report: &report, arguments: &arguments, result: &result, empty_reason: "", window: "", next: "" };
        let (shown, notes) = folded(&answer);
        (shown.rows.len(), notes)
    }

    #[test]
    fn rows_of_one_person_below_the_first_ones_are_counted() {
        let (rows, notes) = tail(&[1, 9, 5, 1, 4, 1, 1], "50");
        assert_eq!(rows, 4);
        assert_eq!(notes, ["and 3 networks with one person each (1,200 of 2,800 poor minutes)"]);
        // Two rows are shown as they are.
        assert_eq!(tail(&[9, 5, 4, 1, 1], "50"), (5, Vec::new()));
    }

    #[test]
    fn the_limit_counts_the_rows_that_are_shown() {
        let (rows, notes) = tail(&[9, 8, 7, 6, 5, 1, 1, 1], "4");
        assert_eq!(rows, 4);
        let expected = ["and 1 more (--top 5)", "and 3 networks with one person each (1,200 of 3,200 poor minutes)"];
        assert_eq!(notes, expected);
    }
}
