//! A result as a grid of two of its columns, such as weekdays and hours.

use super::layout::wrap_cell;
use crate::report::headings::words;
use crate::report::presentation::GridAxes;
use crate::report::result::{Cell, ResultSet};
use crate::text::{Language, width};

/// A value that is empty in the result, because it is based on too little.
const EMPTY: &str = "-";

/// The grid, or `None` if a column is missing or the columns of the grid are not whole numbers.
pub(super) fn render(
    result: &ResultSet,
    axes: &GridAxes,
    units: impl Fn(&str) -> String,
    max_width: usize,
    language: Language,
) -> Option<String> {
    let at = |name: &String| result.columns.iter().position(|column| column == name);
    let (row_at, column_at, value_at) = (at(&axes.row)?, at(&axes.column)?, at(&axes.value)?);
    let mut labels: Vec<String> = Vec::new();
    let mut cells: Vec<(usize, i128, Option<f64>)> = Vec::new();
    for row in &result.rows {
        let label = words(&axes.row, &row[row_at].text(), language);
        let place = labels.iter().position(|other| *other == label).unwrap_or_else(|| {
            labels.push(label);
            labels.len() - 1
        });
        let Cell::Integer(column) = row[column_at] else { return None };
        cells.push((place, column, row[value_at].text().parse().ok()));
    }
    let first = cells.iter().map(|(_, column, _)| *column).min()?;
    let last = cells.iter().map(|(_, column, _)| *column).max()?;
    let columns: Vec<i128> = (first..=last).collect();
    let named = |name: &String| match units(name) {
        unit if unit.is_empty() => name.clone(),
        unit => language.pick(format!("{name} ({unit})"), format!("{name}（{unit}）")),
    };
    let (value, by, and) = (named(&axes.value), named(&axes.row), named(&axes.column));
    let heading = match language {
        Language::English => format!("{value} by {by} and {and}; {EMPTY} is too few minutes, blank is none"),
        Language::Chinese => format!("{value}，按 {by} 和 {and}；{EMPTY} 表示分钟数过少，空白表示没有"),
    };
    let mut text = wrap_cell(&heading, max_width).join("\n") + "\n";

    let label_width = labels.iter().map(|label| width(label)).max()?;
    let grid = |decimals: usize, columns: &[i128]| grid(&labels, &cells, columns, label_width, decimals);
    let fits = |grid: &str| grid.lines().all(|line| width(line) <= max_width);
    for decimals in [1, 0] {
        let whole = grid(decimals, &columns);
        if fits(&whole) {
            text.push_str(&whole);
            return Some(text);
        }
    }
    // Parts below one another, of as many columns as fit.
    let mut rest = columns.as_slice();
    while !rest.is_empty() {
        let most = (1..=rest.len()).rev().find(|most| fits(&grid(0, &rest[..*most]))).unwrap_or(1);
        text.push_str(&format!("\n{}", grid(0, &rest[..most])));
        rest = &rest[most..];
    }
    Some(text)
}

/// One line for each label, with the values of some columns.
fn grid(
    labels: &[String],
    cells: &[(usize, i128, Option<f64>)],
    columns: &[i128],
    label_width: usize,
    decimals: usize,
) -> String {
    let value = |label: usize, column: i128| {
        let cell = cells.iter().find(|(at, other, _)| *at == label && *other == column);
        cell.map_or_else(String::new, |(.., value)| {
            value.map_or_else(|| EMPTY.to_owned(), |value| format!("{value:.decimals$}"))
        })
    };
    let shown: Vec<Vec<String>> =
        (0..labels.len()).map(|label| columns.iter().map(|column| value(label, *column)).collect()).collect();
    let names: Vec<String> = columns.iter().map(|column| format!("{column:02}")).collect();
    let cell_width = shown.iter().flatten().chain(&names).map(|text| width(text)).max().unwrap_or_default();
    let line = |label: &str, cells: &[String]| {
        let padding = " ".repeat(label_width - width(label));
        let cells: String = cells.iter().map(|cell| format!(" {cell:>cell_width$}")).collect();
        format!("{label}{padding} {cells}").trim_end().to_owned() + "\n"
    };
    let mut text = line("", &names);
    labels.iter().zip(&shown).for_each(|(label, cells)| text.push_str(&line(label, cells)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heatmap(hours: std::ops::Range<i128>, width: usize) -> String {
        let text = |text: &str| Cell::Text(text.to_owned());
        let mut rows = Vec::new();
        for (day, weekday) in ["Mon", "Tue", "Sun"].into_iter().enumerate() {
            for hour in hours.clone().filter(|hour| (day as i128 + hour) % 5 != 0) {
                let share = if hour % 7 != 0 { Cell::Number(hour as f64 * 1.5) } else { Cell::Null };
                rows.push(vec![text(weekday), Cell::Integer(hour), share]);
            }
        }
        let columns = ["weekday", "hour", "poor_pct"].map(str::to_owned);
        let axes = GridAxes { row: columns[0].clone(), column: columns[1].clone(), value: columns[2].clone() };
        let units = |name: &str| match name {
            "hour" => "local".to_owned(),
            "poor_pct" => "%".to_owned(),
            _ => String::new(),
        };
        render(&ResultSet { columns: columns.to_vec(), rows }, &axes, units, width, Language::English).expect("a grid")
    }

    #[test]
    fn weekdays_and_hours_are_a_grid() {
        insta::assert_snapshot!(heatmap(8..19, 80), @r"
        poor_pct (%) by weekday and hour (local); - is too few minutes, blank is none
               08   09   10   11   12   13   14   15   16   17   18
        Mon  12.0 13.5      16.5 18.0 19.5    -      24.0 25.5 27.0
        Tue  12.0      15.0 16.5 18.0 19.5      22.5 24.0 25.5 27.0
        Sun       13.5 15.0 16.5 18.0         - 22.5 24.0 25.5
        ");
        insta::assert_snapshot!(heatmap(0..24, 80), @r"
        poor_pct (%) by weekday and hour (local); - is too few minutes, blank is none
             00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23
        Mon      2  3  4  6     9  - 12 14    16 18 20  -    24 26 27 28     - 33 34
        Tue   -  2  3  4     8  9  - 12    15 16 18 20    22 24 26 27    30  - 33 34
        Sun   -  2  3     6  8  9  -    14 15 16 18     - 22 24 26    28 30  - 33
        ");
        insta::assert_snapshot!(heatmap(0..24, 60), @r"
        poor_pct (%) by weekday and hour (local); - is too few
        minutes, blank is none

             00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17
        Mon      2  3  4  6     9  - 12 14    16 18 20  -    24 26
        Tue   -  2  3  4     8  9  - 12    15 16 18 20    22 24 26
        Sun   -  2  3     6  8  9  -    14 15 16 18     - 22 24 26

             18 19 20 21 22 23
        Mon  27 28     - 33 34
        Tue  27    30  - 33 34
        Sun     28 30  - 33
        ");
        for width in [40, 60, 80, 120, 200] {
            let grid = heatmap(0..24, width);
            assert!(grid.lines().all(|line| line.len() <= width), "{grid}");
        }
    }
}
