//! An Excel workbook: the rows on the first sheet, what they mean on the second.
//!
//! Numbers, dates and times are Excel's own; numbers with more digits than Excel keeps are text. Text is never a
//! formula, also after it was edited. Rows are written in order, one in memory at a time.

use std::path::Path;

use jiff::civil::{Date, DateTime, Time};
use rust_xlsxwriter::{DocProperties, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::answer::Answer;
use super::csv::is_formula;
use crate::report::result::Cell;
use crate::text::{on_lines, on_one_line, width};

/// Rows of a sheet, with the heading.
const MAX_ROWS: u32 = 1_048_576;
const MAX_COLUMNS: usize = 16_384;
const MAX_TEXT_CHARACTERS: usize = 32_767;
/// Excel keeps 15 significant digits.
const MAX_EXACT_INTEGER: i128 = 999_999_999_999_999;
/// Columns are as wide as the values of these rows.
const MEASURED_ROWS: u32 = 1_000;
const MIN_WIDTH: usize = 6;
const MAX_WIDTH: usize = 60;
/// The filter's button covers the end of a heading.
const FILTER_WIDTH: usize = 3;
const DAYS_TO_1970: f64 = 25_569.0;
/// Before it, Excel counts a day that did not exist.
const FIRST_EXACT_SERIAL: f64 = 61.0;

/// Why a result does not become a workbook.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkbookError {
    #[error("the result has more than {} rows, the maximum of a workbook sheet below its header row", MAX_ROWS - 1)]
    TooManyRows,
    #[error("the result has {columns} columns; a workbook sheet has at most {MAX_COLUMNS}")]
    TooManyColumns { columns: usize },
    #[error("could not write the workbook")]
    Write(#[from] XlsxError),
}

/// A workbook that is being written.
pub(crate) struct XlsxWriter {
    workbook: Workbook,
    sheet: Worksheet,
    formats: Formats,
    widths: Vec<usize>,
    /// The next row; 0 is the heading.
    row: u32,
}

struct Formats {
    heading: Format,
    date: Format,
    date_time: Format,
    exact_time: Format,
    time: Format,
    /// Text that looks like a formula: an apostrophe that Excel does not show.
    literal: Format,
    wrapped: Format,
}

impl XlsxWriter {
    pub(crate) fn new(columns: &[String]) -> Result<XlsxWriter, WorkbookError> {
        if columns.len() > MAX_COLUMNS {
            return Err(WorkbookError::TooManyColumns { columns: columns.len() });
        }
        let mut workbook = Workbook::new();
        let sheet = workbook.new_worksheet_with_constant_memory()?;
        let number = |pattern: &str| Format::new().set_num_format(pattern);
        let formats = Formats {
            heading: Format::new().set_bold(),
            date: number("yyyy-mm-dd"),
            date_time: number("yyyy-mm-dd hh:mm:ss"),
            exact_time: number("yyyy-mm-dd hh:mm:ss.000"),
            time: number("hh:mm:ss"),
            literal: Format::new().set_quote_prefix(),
            wrapped: Format::new().set_text_wrap().set_align(FormatAlign::Top),
        };
        let widths = vec![MIN_WIDTH; columns.len()];
        let mut writer = XlsxWriter { workbook, sheet, formats, widths, row: 1 };
        writer.sheet.set_name("Result")?;
        for (column, name) in (0..).zip(columns) {
            let name = on_one_line(name);
            writer.measure(column, width(&name) + FILTER_WIDTH);
            let heading = &writer.formats.heading;
            let format = if is_formula(&name) { heading.clone().set_quote_prefix() } else { heading.clone() };
            writer.sheet.write_string_with_format(0, column, &name, &format)?;
        }
        Ok(writer)
    }

    pub(crate) fn rows(&mut self, rows: &[Vec<Cell>]) -> Result<(), WorkbookError> {
        for cells in rows {
            if self.row >= MAX_ROWS {
                return Err(WorkbookError::TooManyRows);
            }
            for (column, cell) in (0..).zip(cells) {
                if self.row <= MEASURED_ROWS {
                    let longest = on_lines(&cell.text()).lines().map(width).max().unwrap_or_default();
                    self.measure(column, longest + 1);
                }
                self.cell(column, cell)?;
            }
            self.row += 1;
        }
        Ok(())
    }

    fn measure(&mut self, column: u16, width: usize) {
        if let Some(widest) = self.widths.get_mut(usize::from(column)) {
            *widest = width.min(MAX_WIDTH).max(*widest);
        }
    }

    fn cell(&mut self, column: u16, cell: &Cell) -> Result<(), XlsxError> {
        let (row, sheet, formats) = (self.row, &mut self.sheet, &self.formats);
        let (number, format) = match excel_value(cell) {
            Value::Empty => return Ok(()),
            Value::Flag(flag) => return sheet.write_boolean(row, column, flag).map(|_| ()),
            Value::Text(text) if is_formula(&text) => {
                return sheet.write_string_with_format(row, column, &text, &formats.literal).map(|_| ());
            }
            Value::Text(text) => return sheet.write_string(row, column, &text).map(|_| ()),
            Value::Number(number) => return sheet.write_number(row, column, number).map(|_| ()),
            Value::Date(serial) => (serial, &formats.date),
            Value::DateTime(serial) => (serial, &formats.date_time),
            Value::ExactTime(serial) => (serial, &formats.exact_time),
            Value::Time(serial) => (serial, &formats.time),
        };
        sheet.write_number_with_format(row, column, number, format).map(|_| ())
    }

    /// Adds the second sheet and saves the workbook.
    pub(crate) fn finish(mut self, answer: &Answer<'_>, path: &Path) -> Result<(), WorkbookError> {
        self.sheet.set_freeze_panes(1, 0)?;
        if let Some(last) = u16::try_from(self.widths.len()).ok().and_then(|columns| columns.checked_sub(1)) {
            self.sheet.autofilter(0, 0, self.row - 1, last)?;
        }
        for (column, width) in (0..).zip(&self.widths) {
            self.sheet.set_column_width(column, *width as f64)?;
        }
        self.workbook.push_worksheet(self.sheet);
        self.workbook.push_worksheet(about(answer, &self.formats)?);
        self.workbook.set_properties(&DocProperties::new().set_title(on_one_line(&answer.report.header.title)));
        self.workbook.save(path)?;
        Ok(())
    }
}

/// The sheet that explains the rows: question, parameters, columns with their units, thresholds and caveats.
fn about(answer: &Answer<'_>, formats: &Formats) -> Result<Worksheet, XlsxError> {
    let header = &answer.report.header;
    let say = |english, chinese| answer.report.language.pick(english, chinese);
    let mut sheet = Worksheet::new();
    sheet.set_name("About")?.set_column_width(0, 28)?.set_column_width(1, 14)?.set_column_width(2, 90)?;
    let mut row = 0;
    let mut line = |cells: [&str; 3], is_heading: bool| -> Result<(), XlsxError> {
        for (column, text) in (0..).zip(cells).filter(|(_, text)| !text.is_empty()) {
            let text = shortened(text);
            let format = match is_heading {
                true => formats.heading.clone(),
                false if is_formula(&text) => formats.wrapped.clone().set_quote_prefix(),
                false => formats.wrapped.clone(),
            };
            sheet.write_string_with_format(row, column, &text, &format)?;
        }
        row += 1;
        Ok(())
    };
    line([&header.title, "", ""], true)?;
    line([say("Question", "问题"), "", &header.question], false)?;
    line([say("Command", "命令"), "", &answer.command()], false)?;
    if !answer.window.is_empty() {
        line([say("Period", "时间窗口"), "", answer.window], false)?;
    }
    for argument in answer.arguments.iter() {
        line([say("Parameter", "参数"), &argument.name, argument.value.as_deref().unwrap_or("any")], false)?;
    }
    if !answer.empty_reason.is_empty() {
        line([say("No rows", "没有结果"), "", answer.empty_reason], false)?;
    }
    line(["", "", ""], false)?;
    line([say("Column", "列"), say("Unit", "单位"), say("Meaning", "含义")], true)?;
    for column in &header.columns {
        line([&column.name, &column.unit, &column.doc], false)?;
    }
    for (heading, texts) in
        [(say("Threshold", "阈值"), &header.thresholds), (say("Caveat", "注意事项"), &header.caveats)]
    {
        for text in texts {
            line([heading, "", text], false)?;
        }
    }
    Ok(sheet)
}

/// A cell as Excel stores it; times are serial numbers of days.
#[derive(Debug, PartialEq)]
enum Value {
    Empty,
    Flag(bool),
    Number(f64),
    Date(f64),
    DateTime(f64),
    /// With fractions of a second.
    ExactTime(f64),
    Time(f64),
    Text(String),
}

fn excel_value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Empty,
        Cell::Flag(flag) => Value::Flag(*flag),
        Cell::Integer(number) if number.abs() <= MAX_EXACT_INTEGER => Value::Number(*number as f64),
        Cell::Number(number) if number.is_finite() => Value::Number(*number),
        Cell::Decimal(text) if text.chars().filter(char::is_ascii_digit).count() <= 15 => {
            text.parse().map_or_else(|_| Value::Text(text.clone()), Value::Number)
        }
        Cell::Time(text) => time_value(text).unwrap_or_else(|| Value::Text(text.clone())),
        cell => Value::Text(shortened(&cell.text())),
    }
}

/// A date, a time of day, or both, as [`Cell::Time`] has them; `None` if Excel has no such day.
fn time_value(text: &str) -> Option<Value> {
    // The suffix of an instant.
    let text = text.strip_suffix("+00").unwrap_or(text);
    let day_part = |time: Time| {
        let nanoseconds = time.duration_since(Time::midnight()).as_nanos();
        nanoseconds as f64 / 86_400e9
    };
    let day_number = |date: Date| {
        let days = date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24;
        Some(days as f64 + DAYS_TO_1970).filter(|serial| *serial >= FIRST_EXACT_SERIAL && date.year() > 0)
    };
    if let Some(time) = text.parse::<Time>().ok().filter(|_| !text.contains('-')) {
        return Some(Value::Time(day_part(time)));
    }
    if text.len() == "2026-11-01".len() {
        return Some(Value::Date(day_number(text.parse().ok()?)?));
    }
    let moment: DateTime = text.parse().ok()?;
    let serial = day_number(moment.date())? + day_part(moment.time());
    Some(if moment.subsec_nanosecond() == 0 { Value::DateTime(serial) } else { Value::ExactTime(serial) })
}

/// Without control characters, and no longer than a cell can be.
fn shortened(text: &str) -> String {
    let text = on_lines(text);
    match text.chars().count() > MAX_TEXT_CHARACTERS {
        true => text.chars().take(MAX_TEXT_CHARACTERS - 1).chain(['…']).collect(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Value {
        excel_value(&Cell::Time(text.to_owned()))
    }

    #[test]
    fn times_are_serial_numbers_of_days() {
        // Serial numbers of Excel: 1 March 1900 is 61.
        assert_eq!(time("1900-03-01"), Value::Date(61.0));
        assert_eq!(time("2026-11-02"), Value::Date(46_328.0));
        assert_eq!(time("2026-11-02 18:00:00"), Value::DateTime(46_328.75));
        assert_eq!(time("2026-11-02 12:00:00.5+00"), Value::ExactTime(46_328.5 + 0.5 / 86_400.0));
        assert_eq!(time("06:00:00"), Value::Time(0.25));
        assert_eq!(time("1899-12-31"), Value::Text("1899-12-31".to_owned()));
        assert_eq!(time("infinity"), Value::Text("infinity".to_owned()));
    }

    #[test]
    fn numbers_keep_all_their_digits() {
        let decimal = |text: &str| excel_value(&Cell::Decimal(text.to_owned()));
        assert_eq!(excel_value(&Cell::Integer(-999_999_999_999_999)), Value::Number(-999_999_999_999_999.0));
        let long = excel_value(&Cell::Integer(1_000_000_000_000_000));
        assert_eq!(long, Value::Text("1000000000000000".to_owned()));
        assert_eq!(decimal("-0.50"), Value::Number(-0.5));
        assert_eq!(decimal("12345678901234.56"), Value::Text("12345678901234.56".to_owned()));
        assert_eq!(excel_value(&Cell::Number(f64::NAN)), Value::Text("NaN".to_owned()));
    }

    #[test]
    fn text_fits_a_cell_and_has_no_control_characters() {
        let long = excel_value(&Cell::Text("长".repeat(40_000)));
        assert!(matches!(&long, Value::Text(text) if text.chars().count() == 32_767 && text.ends_with('…')));
        assert_eq!(excel_value(&Cell::Text("a\u{1b}[2J".to_owned())), Value::Text("a\u{fffd}[2J".to_owned()));
    }

    #[test]
    fn a_sheet_has_a_limit() {
        let mut writer = XlsxWriter::new(&["a".to_owned()]).expect("a workbook");
        writer.row = MAX_ROWS - 1;
        assert!(writer.rows(&[vec![Cell::Integer(1)]]).is_ok());
        let error = writer.rows(&[vec![Cell::Integer(1)]]).expect_err("full");
        assert!(error.to_string().starts_with("the result has more than 1048575 rows"), "{error}");
        let columns = vec![String::new(); 16_385];
        assert!(matches!(XlsxWriter::new(&columns), Err(WorkbookError::TooManyColumns { columns: 16_385 })));
    }
}
