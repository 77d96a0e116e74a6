//! Parses the bytes of a CSV file into records: encodings, separators, quotes.
//!
//! Not with the crate `csv`: it neither detects an unclosed quote nor accepts spaces before a quote, and its line
//! numbers are wrong after blank lines and carriage returns.

/// Cells are trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The first line of the record, counted from 1.
    pub(super) line: u64,
    pub(super) cells: Vec<String>,
}

impl Record {
    /// The number of cells without the empty ones after the first `expected`; spreadsheets add those.
    pub(super) fn used_cells(&self, expected: usize) -> usize {
        let used = self.cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        self.cells.len().min(used.max(expected))
    }
}

/// Why the bytes cannot be parsed, with the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordsError {
    /// Neither UTF-8 nor UTF-16; the line of the first invalid character.
    Encoding { line: u64, is_gbk: bool },
    /// UTF-16 in big-endian order and not marked as such.
    NoByteOrderMark,
    /// A file of Excel itself.
    Workbook,
    /// A quote is never closed; the line on which it opens.
    OpenQuote(u64),
}

/// The first bytes of Excel's formats: a zip archive, and a compound file.
const WORKBOOKS: &[&[u8]] = &[b"PK\x03\x04", &[0xd0, 0xcf, 0x11, 0xe0]];

/// Decodes UTF-8, with or without a byte order mark, or UTF-16 with one; without one only the little-endian order that
/// Excel writes as "Unicode text". Excel writes "CSV" in a legacy encoding that cannot be detected, which is rejected.
pub(super) fn decode(bytes: &[u8]) -> Result<String, RecordsError> {
    if WORKBOOKS.iter().any(|start| bytes.starts_with(start)) {
        return Err(RecordsError::Workbook);
    }
    let utf16 = match bytes {
        [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        // A file begins with a network or a column name, so its first character is ASCII.
        [first, 0, ..] if *first != 0 => Some((bytes, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0, first, ..] if *first != 0 => return Err(RecordsError::NoByteOrderMark),
        _ => None,
    };
    let Some((bytes, unit)) = utf16 else {
        let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
        return std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
            RecordsError::Encoding { line, is_gbk: is_probably_gbk(bytes) }
        });
    };
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut line = 1;
    for unit in char::decode_utf16(bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]))) {
        let c = unit.map_err(|_| invalid(line))?;
        line += u64::from(c == '\n');
        text.push(c);
    }
    if bytes.len().is_multiple_of(2) { Ok(text) } else { Err(invalid(line)) }
}

fn invalid(line: u64) -> RecordsError {
    RecordsError::Encoding { line, is_gbk: false }
}

/// True if everything outside of ASCII is a pair of GBK bytes, most of them of the common characters (both bytes from
/// 0xa1). An accented letter of a European encoding is usually followed by an ASCII letter.
fn is_probably_gbk(bytes: &[u8]) -> bool {
    let (mut pairs, mut common) = (0, 0);
    let mut rest = bytes;
    loop {
        rest = match rest {
            [0..=0x7f, rest @ ..] => rest,
            [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, after @ ..] => {
                pairs += 1;
                common += usize::from(rest[0] >= 0xa1 && rest[1] >= 0xa1);
                after
            }
            [] => return pairs > 0 && common * 2 > pairs,
            _ => return false,
        };
    }
}

/// The separators of cells, preferred first.
const SEPARATORS: [char; 6] = [',', '\t', ';', '|', '，', '；'];

/// The separator that a first line such as `sep=;` declares, and the text after that line. Excel reads such a line and
/// does not show it.
fn declared_separator(text: &str) -> Option<(char, &str)> {
    let (name, rest) = text.split_at_checked("sep=".len())?;
    let mut chars = rest.chars();
    let separator = chars.next().filter(|c| !matches!(c, '\r' | '\n' | '"'))?;
    let rest = chars.as_str();
    let after = ["\r\n", "\n", "\r"].iter().find_map(|end| rest.strip_prefix(end))?;
    name.eq_ignore_ascii_case("sep=").then_some((separator, after))
}

/// The records of a text except empty ones. The separator is the declared one, else that which splits the first record
/// into the most cells.
pub(super) fn parse_records(text: &str) -> Result<Vec<Record>, RecordsError> {
    let (declared, text, line) = match declared_separator(text) {
        Some((separator, text)) => (Some(separator), text, 2),
        None => (None, text, 1),
    };
    let cells_by = |separator| {
        let mut parser = Parser { text: text.chars().peekable(), separator, line };
        std::iter::from_fn(|| parser.next().ok().flatten()).find(has_content).map_or(0, |record| record.cells.len())
    };
    // The last maximum wins.
    let most = || SEPARATORS.into_iter().rev().max_by_key(|separator| cells_by(*separator));
    let separator = declared.or_else(most).unwrap_or(SEPARATORS[0]);
    let mut parser = Parser { text: text.chars().peekable(), separator, line };
    let mut records = Vec::new();
    while let Some(record) = parser.next()? {
        if has_content(&record) {
            records.push(record);
        }
    }
    Ok(records)
}

fn has_content(record: &Record) -> bool {
    record.cells.iter().any(|cell| !cell.is_empty())
}

struct Parser<'a> {
    text: std::iter::Peekable<std::str::Chars<'a>>,
    separator: char,
    line: u64,
}

impl Parser<'_> {
    fn next(&mut self) -> Result<Option<Record>, RecordsError> {
        if self.text.peek().is_none() {
            return Ok(None);
        }
        let mut record = Record { line: self.line, cells: Vec::new() };
        let mut cell = String::new();
        loop {
            match self.text.next() {
                // A quote is special only at the start of a cell.
                Some('"') if cell.trim().is_empty() => {
                    cell.clear();
                    self.quoted(&mut cell)?;
                }
                Some(c) if c == self.separator => record.cells.push(std::mem::take(&mut cell)),
                Some('\r') => {
                    self.text.next_if_eq(&'\n');
                    break;
                }
                Some('\n') | None => break,
                Some(c) => cell.push(c),
            }
        }
        self.line += 1;
        record.cells.push(cell);
        record.cells.iter_mut().for_each(|cell| *cell = cell.trim().to_owned());
        Ok(Some(record))
    }

    /// Reads up to the closing quote; a doubled quote is a literal one.
    fn quoted(&mut self, cell: &mut String) -> Result<(), RecordsError> {
        let start = self.line;
        loop {
            match self.text.next() {
                Some('"') => {
                    if self.text.next_if_eq(&'"').is_none() {
                        return Ok(());
                    }
                    cell.push('"');
                }
                Some(c) => {
                    self.line += u64::from(c == '\n');
                    cell.push(c);
                }
                None => return Err(RecordsError::OpenQuote(start)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        parse_records(text).expect("records").into_iter().map(|record| record.cells).collect()
    }

    #[test]
    fn quotes_line_ends_and_separators() {
        assert_eq!(cells("a,b\r\nc,\"d,\"\"e\"\"\"\n"), [vec!["a", "b"], vec!["c", "d,\"e\""]]);
        assert_eq!(cells("a\tb, c\te\r d \t\t"), [vec!["a", "b, c", "e"], vec!["d", "", ""]]);
        assert_eq!(cells("a,b\tc"), [vec!["a", "b\tc"]], "a comma where they are as many");
        assert_eq!(cells("a;b, c|d;e\n\"f;g\"; h;\n"), [vec!["a", "b, c|d", "e"], vec!["f;g", "h", ""]]);
        assert_eq!(cells("a|b|c"), [vec!["a", "b", "c"]]);
        assert_eq!(cells("a，b\n港，湾"), [vec!["a", "b"], vec!["港", "湾"]]);
        assert_eq!(cells("sep=;\r\na,b;c"), [vec!["a,b", "c"]]);
        assert_eq!(cells("SEP=\t\na,b,c\td"), [vec!["a,b,c", "d"]]);
        assert_eq!(cells("sep=\na"), [vec!["sep="], vec!["a"]]);
        assert_eq!(cells("sep=,,\na"), [vec!["sep=", "", ""], vec!["a"]]);
        assert_eq!(parse_records("sep=,\na").expect("records")[0].line, 2);
        assert_eq!(cells("6\" pipe,x\n , \n\n"), [vec!["6\" pipe", "x"]], "empty lines are skipped");
        assert_eq!(parse_records("a,b\n\"c").expect_err("open"), RecordsError::OpenQuote(2));
        let lines: Vec<u64> =
            parse_records("a,\"b\nb\"\n\nc,d").expect("records").iter().map(|record| record.line).collect();
        assert_eq!(lines, [1, 4]);
    }

    #[test]
    fn all_encodings_decode_to_the_same_text() {
        let text = "10.1.1.0,港湾大厦\n";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            marked(&[0xef, 0xbb, 0xbf], text.as_bytes()),
            marked(&[0xff, 0xfe], &little),
            little.clone(),
            marked(&[0xfe, 0xff], &big),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text), "{bytes:?}");
        }
        // GBK, as a Chinese Excel saves "CSV".
        let other = |line, is_gbk| Err(RecordsError::Encoding { line, is_gbk });
        assert_eq!(decode(b"10.1.1.0,HQ\n10.1.2.0,\xb8\xdb\xcd\xe5"), other(2, true));
        assert_eq!(decode(b"10.1.1.0,Z\xfcrich"), other(1, false), "a European encoding");
        assert_eq!(decode(b"10.1.1.0,\xe9"), other(1, false), "half of a GBK character");
        assert_eq!(decode(&[0xff, 0xfe, b'a', 0, b'b']), other(1, false));
        assert_eq!(decode(&[0xff, 0xfe, b'a', 0, 0, 0xd8, b'b', 0]), other(1, false), "half a pair");
        assert_eq!(decode(&big), Err(RecordsError::NoByteOrderMark));
        assert_eq!(decode(b"PK\x03\x04\n\xff"), Err(RecordsError::Workbook));
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(text) = decode(&bytes) {
                let _ = parse_records(&text);
            }
        }

        #[test]
        fn written_lines_read_back_the_same(cells in proptest::collection::vec("[a-z,\"\t\n é港]{0,8}", 2..6)) {
            let cells: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
            prop_assume!(cells.iter().any(|cell| !cell.is_empty()));
            // A heading without tabs, as in all files that are written.
            let text = format!("a,b,c,d,e,f,g\n{}", crate::text::csv_line(&cells));
            prop_assert_eq!(&parse_records(&text).expect("records")[1].cells, &cells);
        }
    }
}
