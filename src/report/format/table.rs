//! A table for a terminal.
//!
//! If it is too wide, columns with one value are shown once, and the rest is split into blocks below one another, each
//! repeating the row's number and name. A single row becomes a list of its values. Columns and rows are omitted only as
//! the report's header says (`report::presentation`), and their number is given.

use std::collections::BTreeSet;

use super::answer::Answer;
use super::layout::{GAP, GridColumn, grid, spread, total_width, truncate, wrap_cell};
use super::{fold, matrix};
use crate::report::presentation::TableColumns;
use crate::report::result::{Cell, ResultSet};
use crate::text::{Language, counted, on_one_line, width};

/// Rows per block when a table is split, so that the blocks of a row fit on a screen.
const ROWS_PER_BLOCK: usize = 25;

/// Maximum width of a repeated row name: enough for a timestamp.
const MAX_NAME_WIDTH: usize = 19;

/// Longer cells are truncated; the other formats have the full text.
const MAX_CELL_WIDTH: usize = 240;

/// Only the first columns of a result can name its rows.
const MAX_NAMING_COLUMNS: usize = 4;

pub(super) fn render(answer: &Answer<'_>, width: usize) -> String {
    let header = &answer.report.header;
    let language = answer.report.language;
    let mut text = format!("{}\n{}\n", on_one_line(&header.title), paragraph("", &header.question, width));
    let labels = language.pick(["Window: ", "Parameters: "], ["时间窗口：", "参数："]);
    for (label, value) in labels.into_iter().zip([answer.window, &answer.parameters()]) {
        if !value.is_empty() {
            text.push_str(&(paragraph(label, value, width) + "\n"));
        }
    }
    text.push('\n');
    if answer.result.rows.is_empty() {
        text.push_str(&(paragraph(language.pick("No rows. ", "没有结果。"), answer.empty_reason, width) + "\n"));
        return text;
    }
    let presentation = &header.presentation;
    let units = |name: &str| answer.column(name).map(|column| column.unit.clone()).unwrap_or_default();
    let matrix =
        presentation.grid.as_ref().and_then(|axes| matrix::render(answer.result, axes, units, width, language));
    match matrix {
        Some(matrix) => text.push_str(&matrix),
        None => {
            let (result, notes) = fold::folded(answer);
            let (result, omitted) = match &presentation.table {
                Some(columns) => chosen_columns(result, columns, units, width),
                None => (result, 0),
            };
            let below = presentation.table.as_ref().and_then(|columns| columns.below.as_ref());
            text.push_str(&body(&result, units, below, width, language));
            notes.iter().for_each(|note| text.push_str(&(paragraph("", note, width) + "\n")));
            if omitted > 0 {
                let columns = counted(omitted as u64, "more column");
                let english = format!("({columns}: --width {WIDE}, or --format csv)");
                let chinese = format!("（另有 {omitted} 列：--width {WIDE}，或 --format csv）");
                text.push_str(&paragraph("", &language.pick(english, chinese), width));
                text.push('\n');
            }
        }
    }
    if !answer.next.is_empty() {
        // A command is not wrapped, so that it can be copied.
        text.push_str(&format!("\n{}{}\n", language.pick("Next: ", "下一步："), on_one_line(answer.next)));
    }
    text
}

/// A width that shows most columns.
const WIDE: usize = 240;

/// The columns to show, in the order of the header, and the number of those omitted: first the ones that are always
/// shown, then as many others as fit without wrapping a value.
fn chosen_columns(
    result: ResultSet,
    columns: &TableColumns,
    units: impl Fn(&str) -> String,
    max_width: usize,
) -> (ResultSet, usize) {
    let at = |name: &String| result.columns.iter().position(|column| column == name);
    let always = columns.always.iter().filter_map(at).collect::<Vec<_>>();
    let listed = columns.if_wide.iter().filter_map(at).collect::<Vec<_>>();
    let is_listed = |index: &usize| always.contains(index) || listed.contains(index);
    let others = (0..result.columns.len()).filter(|index| !is_listed(index)).collect::<Vec<_>>();
    let full_width = |index: usize| {
        let column = grid_column(&result, index, &units);
        column.full_width().max(width(&column.name)) + GAP
    };
    let mut chosen = always;
    let lower = columns.below.as_ref().and_then(|(_, lower)| at(lower));
    let mut used: usize = chosen.iter().filter(|index| Some(**index) != lower).map(|index| full_width(*index)).sum();
    for index in listed.into_iter().chain(others) {
        used += full_width(index);
        if used > max_width + GAP {
            break;
        }
        chosen.push(index);
    }
    let omitted = result.columns.len() - chosen.len();
    let row = |row: &Vec<Cell>| chosen.iter().filter_map(|index| row.get(*index).cloned()).collect();
    let names = chosen.iter().map(|index| result.columns[*index].clone()).collect();
    (ResultSet { columns: names, rows: result.rows.iter().map(row).collect() }, omitted)
}

/// A wrapped text with a prefix.
fn paragraph(prefix: &str, text: &str, max_width: usize) -> String {
    wrap_cell(&format!("{prefix}{}", on_one_line(text)), max_width).join("\n")
}

/// The rows, without title and parameters.
pub(super) fn body(
    result: &ResultSet,
    units: impl Fn(&str) -> String,
    below: Option<&(String, String)>,
    max_width: usize,
    language: Language,
) -> String {
    let mut columns: Vec<GridColumn> =
        (0..result.columns.len()).map(|index| grid_column(result, index, &units)).collect();
    if let Some((upper, lower)) = below {
        put_below(&mut columns, upper, lower);
    }
    if let Some(table) = single_table(columns.clone(), max_width) {
        return table;
    }
    if result.rows.len() == 1 {
        return list(&columns, max_width);
    }
    let (constant, varying): (Vec<GridColumn>, Vec<GridColumn>) =
        columns.into_iter().partition(|column| column.values.iter().all(|value| *value == column.values[0]));
    let mut text = String::new();
    if !constant.is_empty() {
        let empty = language.pick("(empty)", "（空）");
        let shown = |value: &str| if value.is_empty() { empty.to_owned() } else { value.to_owned() };
        let values: Vec<String> =
            constant.iter().map(|column| format!("{} {}", column.name, shown(&column.values[0]))).collect();
        text.push_str(
            &(paragraph(language.pick("In every row: ", "每行相同："), &values.join(", "), max_width) + "\n\n"),
        );
    }
    // All rows are equal: the line above has all their values.
    if varying.is_empty() {
        return text;
    }
    text + &single_table(varying.clone(), max_width).unwrap_or_else(|| blocks(result, &varying, max_width))
}

/// Puts the values of one column below those of another.
fn put_below(columns: &mut Vec<GridColumn>, upper: &str, lower: &str) {
    let at = |name: &str| columns.iter().position(|column| column.name == name);
    let (Some(upper), Some(lower)) = (at(upper), at(lower)) else { return };
    let values = columns[upper].values.iter().zip(&columns[lower].values);
    let values = values.map(|(first, second)| format!("{first}\n{second}").trim_end().to_owned()).collect();
    let column = &columns[upper];
    columns[upper] = GridColumn::new(&column.name, &column.unit, values, false, true);
    columns.remove(lower);
}

fn grid_column(result: &ResultSet, index: usize, units: impl Fn(&str) -> String) -> GridColumn {
    let name = &result.columns[index];
    let values = result.display_column(index).iter().map(|text| truncate(&on_one_line(text), MAX_CELL_WIDTH)).collect();
    let (name, unit, is_text) = (on_one_line(name), on_one_line(&units(name)), is_text(result, name));
    GridColumn::new(&name, &unit, values, result.is_numeric(index), is_text)
}

/// All columns side by side; `None` if they do not fit.
fn single_table(mut columns: Vec<GridColumn>, max_width: usize) -> Option<String> {
    if total_width(&columns) > max_width {
        return None;
    }
    spread(&mut columns, max_width);
    Some(grid(&columns))
}

/// The values of one row below one another, with their units.
fn list(columns: &[GridColumn], max_width: usize) -> String {
    let name_width = columns.iter().map(|column| width(&column.name)).max().unwrap_or_default();
    let mut text = String::new();
    for column in columns {
        let value = &column.values[0];
        let unit = if value.is_empty() { "" } else { column.unit.as_str() };
        let lines = wrap_cell(format!("{value} {unit}").trim_end(), max_width.saturating_sub(name_width + 2));
        for (index, line) in lines.iter().enumerate() {
            let name = if index == 0 { column.name.as_str() } else { "" };
            let padding = " ".repeat(name_width + 2 - width(name));
            text.push_str(format!("{name}{padding}{line}").trim_end());
            text.push('\n');
        }
    }
    text
}

/// The columns in blocks below one another, a limited number of rows at a time.
fn blocks(result: &ResultSet, columns: &[GridColumn], max_width: usize) -> String {
    let rows = result.rows.len();
    let numbers = GridColumn::new("#", "", (1..=rows).map(|number| number.to_string()).collect(), true, false);
    let names = naming_columns(result, columns).into_iter().map(|index| shortened(&columns[index]));
    let head: Vec<GridColumn> = std::iter::once(numbers.clone()).chain(names).collect();

    let mut blocks: Vec<Vec<GridColumn>> = vec![vec![numbers]];
    for column in columns {
        let mut column = column.clone();
        column.width = column.width.min(max_width.saturating_sub(total_width(&head) + GAP));
        let is_full =
            blocks.last().is_some_and(|block| block.len() > 1 && total_width(block) + GAP + column.width > max_width);
        if is_full {
            blocks.push(head.clone());
        }
        if let Some(block) = blocks.last_mut() {
            block.push(column);
        }
    }
    blocks.iter_mut().for_each(|block| spread(block, max_width));
    let mut texts = Vec::new();
    for start in (0..rows).step_by(ROWS_PER_BLOCK) {
        let end = rows.min(start + ROWS_PER_BLOCK);
        for block in &blocks {
            let part =
                block.iter().map(|column| GridColumn { values: column.values[start..end].to_vec(), ..column.clone() });
            texts.push(grid(&part.collect::<Vec<_>>()));
        }
    }
    texts.join("\n")
}

/// A column with truncated values, repeated next to the row number.
fn shortened(column: &GridColumn) -> GridColumn {
    let values: Vec<String> = column.values.iter().map(|value| truncate(value, MAX_NAME_WIDTH)).collect();
    let longest = values.iter().map(|value| width(value)).max().unwrap_or_default();
    GridColumn { width: longest.max(width(&column.name).min(MAX_NAME_WIDTH)), values, ..column.clone() }
}

/// The columns that identify a row best, among the first few: in this order, a short unique text, a longer one,
/// a unique time, or the first two columns together.
fn naming_columns(result: &ResultSet, columns: &[GridColumn]) -> Vec<usize> {
    let first: Vec<usize> =
        (0..columns.len().min(MAX_NAMING_COLUMNS)).filter(|index| !columns[*index].is_numeric).collect();
    let rank = |column: &GridColumn| {
        let longest = column.values.iter().map(|value| width(value)).max().unwrap_or_default();
        match is_text(result, &column.name) {
            true if longest <= MAX_NAME_WIDTH => 0,
            true => 1,
            false => 2,
        }
    };
    let is_unique =
        |column: &GridColumn| column.values.iter().collect::<BTreeSet<&String>>().len() == column.values.len();
    let unique = first.iter().filter(|index| is_unique(&columns[**index]));
    match unique.min_by_key(|index| rank(&columns[**index])) {
        Some(index) => vec![*index],
        None if first.is_empty() => vec![0],
        None => first.into_iter().take(2).collect(),
    }
}

fn is_text(result: &ResultSet, column: &str) -> bool {
    let index = result.columns.iter().position(|name| name == column);
    index.is_some_and(|index| result.rows.iter().any(|row| matches!(row.get(index), Some(Cell::Text(_)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::format::fixture_report;
    use crate::report::result::fixture;
    use crate::report::{Arguments, Header, Report};

    fn rendered(result: &ResultSet, width: usize) -> String {
        shown("", result, width)
    }

    /// A result of the fixture's report with more lines in its header.
    fn shown(more: &str, result: &ResultSet, width: usize) -> String {
        let fixture = fixture_report();
        let sql = fixture.sql.replace("select 1", &format!("{more}select 1"));
        let report = Report { header: Header::parse("topics", &sql).expect("header"), ..fixture };
        let arguments = Arguments::resolve("topics", &report.header, &[]).expect("arguments");
        let answer = Answer {
            report: &report,
            arguments: &arguments,
            result,
            empty_reason: "Nobody met.",
            window: "2026-11-02 to 2026-11-08, local time",
            next: "vcq-etl report list",
        };
        render(&answer, width)
    }

    fn wide(rows: usize) -> ResultSet {
        let mut columns: Vec<String> = (0..12).map(|index| format!("a_long_column_{index}_pct")).collect();
        columns.splice(1..1, ["topic".to_owned(), "profile".to_owned()]);
        let row = |number: usize| {
            let mut row: Vec<Cell> = (0..12).map(|index| Cell::Number((number * 12 + index) as f64 / 8.0)).collect();
            let topic = format!("Planning of the cross-functional group {number}");
            row.splice(1..1, [Cell::Text(topic), Cell::Text("cqd".to_owned())]);
            row
        };
        ResultSet { columns, rows: (0..rows).map(row).collect() }
    }

    #[test]
    fn numbers_are_right_aligned_and_missing_values_empty() {
        insta::assert_snapshot!(rendered(&fixture(), 80), @r#"
            Minutes & <topics>
            Which topics?
            Window: 2026-11-02 to 2026-11-08, local time
            Parameters: profile=cqd

            topic                 minutes  poor_pct
                                      min         %
            ---------------------------------------
            Weekly, "all" hands      1200      12.5
            =HYPERLINK("x")            -7
            a|b�[31mred line <b>               0.50

            Next: vcq-etl report list
            "#);
    }

    #[test]
    fn a_header_names_the_columns_of_a_narrow_table() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let row =
            |topic: &str, minutes: i128| vec![text(topic), Cell::Integer(minutes), Cell::Number(1.5), text("a note")];
        let columns = ["topic", "minutes", "poor_pct", "note"].map(str::to_owned).to_vec();
        let result = ResultSet { columns, rows: vec![row(&"weekly ".repeat(9), 1), row("daily", 2)] };
        let header = "-- table: poor_pct, topic | minutes\n";
        insta::assert_snapshot!(shown(header, &result, 60), @r"
        Minutes & <topics>
        Which topics?
        Window: 2026-11-02 to 2026-11-08, local time
        Parameters: profile=cqd

        poor_pct  topic
               %
        ------------------------------------------------------------
             1.5  weekly weekly weekly weekly weekly weekly weekly
                  weekly weekly
             1.5  daily
        (2 more columns: --width 240, or --format csv)

        Next: vcq-etl report list
        ");
        insta::assert_snapshot!(shown(header, &result, 80), @r"
        Minutes & <topics>
        Which topics?
        Window: 2026-11-02 to 2026-11-08, local time
        Parameters: profile=cqd

        poor_pct  topic
               %
        -------------------------------------------------------------------------
             1.5  weekly weekly weekly weekly weekly weekly weekly weekly weekly
             1.5  daily
        (2 more columns: --width 240, or --format csv)

        Next: vcq-etl report list
        ");
        insta::assert_snapshot!(shown(header, &result, 120), @r"
        Minutes & <topics>
        Which topics?
        Window: 2026-11-02 to 2026-11-08, local time
        Parameters: profile=cqd

        poor_pct  topic                                                            minutes  note
               %                                                                       min
        ------------------------------------------------------------------------------------------
             1.5  weekly weekly weekly weekly weekly weekly weekly weekly weekly         1  a note
             1.5  daily                                                                  2  a note

        Next: vcq-etl report list
        ");
    }

    #[test]
    fn text_wraps_in_a_narrow_terminal() {
        let table = rendered(&fixture(), 40);
        assert!(table.lines().all(|line| width(line) <= 40), "{table}");
        assert!(table.contains("poor_pct"), "{table}");
    }

    #[test]
    fn a_wide_table_is_split_into_blocks() {
        insta::assert_snapshot!(rendered(&wide(3), 80), @r"
        Minutes & <topics>
        Which topics?
        Window: 2026-11-02 to 2026-11-08, local time
        Parameters: profile=cqd

        In every row: profile cqd

                                                          a_long_column_1_       a_long_
        #  a_long_column_0_pct  topic                                  pct  column_2_pct
        --------------------------------------------------------------------------------
        1                  0.0  Planning of the                      0.125          0.25
                                cross-functional group 0
        2                  1.5  Planning of the                      1.625          1.75
                                cross-functional group 1
        3                  3.0  Planning of the                      3.125          3.25
                                cross-functional group 2

                                a_long_column_       a_long_       a_long_       a_long_
        #  topic                         3_pct  column_4_pct  column_5_pct  column_6_pct
        --------------------------------------------------------------------------------
        1  Planning of the cr…           0.375           0.5         0.625          0.75
        2  Planning of the cr…           1.875           2.0         2.125          2.25
        3  Planning of the cr…           3.375           3.5         3.625          3.75

                                      a_long_       a_long_       a_long_        a_long_
        #  topic                 column_7_pct  column_8_pct  column_9_pct  column_10_pct
        --------------------------------------------------------------------------------
        1  Planning of the cr…          0.875           1.0         1.125           1.25
        2  Planning of the cr…          2.375           2.5         2.625           2.75
        3  Planning of the cr…          3.875           4.0         4.125           4.25

        #  topic                a_long_column_11_pct
        --------------------------------------------
        1  Planning of the cr…                 1.375
        2  Planning of the cr…                 2.875
        3  Planning of the cr…                 4.375

        Next: vcq-etl report list
        ");
    }

    #[test]
    fn a_single_row_is_a_list_with_units() {
        let mut row = wide(1);
        row.columns[3] = "poor_pct".to_owned();
        let text = rendered(&row, 60);
        assert!(text.contains("\npoor_pct              0.125 %\n"), "{text}");
        assert!(text.contains("\nprofile               cqd\n"), "{text}");
    }

    #[test]
    fn many_rows_keep_their_blocks_together() {
        let text = rendered(&wide(60), 80);
        // 25, 25 and 10 rows, each in the same number of blocks.
        assert_eq!(text.matches("\n---").count() % 3, 0, "{text}");
        // All values are present, and no line is too wide.
        let wide = wide(60);
        for column in (0..wide.columns.len()).filter(|column| wide.is_numeric(*column)) {
            for value in wide.display_column(column) {
                assert!(text.split_whitespace().any(|word| word == value), "{value}");
            }
        }
        assert!(text.lines().all(|line| width(line) <= 80), "{text}");
    }

    #[test]
    fn an_empty_result_is_explained() {
        let text = rendered(&ResultSet { columns: vec!["a".to_owned()], rows: Vec::new() }, 80);
        assert!(text.ends_with("\n\nNo rows. Nobody met.\n"), "{text}");
        assert!(!text.contains("Next:"), "{text}");
    }
}
