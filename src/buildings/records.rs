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

/// Why the bytes cannot be parsed, with the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordsError {
    /// Neither UTF-8 nor UTF-16; the line of the first invalid character.
    Encoding(u64),
    /// A quote is never closed; the line on which it opens.
    OpenQuote(u64),
}

/// Decodes UTF-8 or UTF-16, with or without a byte order mark. Excel writes "Unicode text" as UTF-16, and "CSV" in a
/// legacy encoding that cannot be detected, which is rejected.
pub(super) fn decode(bytes: &[u8]) -> Result<String, RecordsError> {
    let utf16 = match bytes {
        [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        // A file begins with a network or a column name, so its first character is ASCII.
        [first, 0, ..] if *first != 0 => Some((bytes, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    let Some((bytes, unit)) = utf16 else {
        let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
        return std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            RecordsError::Encoding(1 + before.iter().filter(|byte| **byte == b'\n').count() as u64)
        });
    };
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut line = 1;
    for unit in char::decode_utf16(bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]))) {
        let c = unit.map_err(|_| RecordsError::Encoding(line))?;
        line += u64::from(c == '\n');
        text.push(c);
    }
    if bytes.len().is_multiple_of(2) { Ok(text) } else { Err(RecordsError::Encoding(line)) }
}

/// The records of a text except empty ones. The separator is tab or comma, whichever splits the first record into more
/// cells.
pub(super) fn parse_records(text: &str) -> Result<Vec<Record>, RecordsError> {
    let cells_by = |separator| {
        let mut parser = Parser { text: text.chars().peekable(), separator, line: 1 };
        std::iter::from_fn(|| parser.next().ok().flatten()).find(has_content).map_or(0, |record| record.cells.len())
    };
    let separator = if cells_by('\t') > cells_by(',') { '\t' } else { ',' };
    let mut parser = Parser { text: text.chars().peekable(), separator, line: 1 };
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
        assert_eq!(decode(b"10.1.1.0,HQ\n10.1.2.0,\xb8\xdb\xcd\xe5"), Err(RecordsError::Encoding(2)));
        assert_eq!(decode(&[0xff, 0xfe, b'a', 0, b'b']), Err(RecordsError::Encoding(1)));
        assert_eq!(decode(&[0xff, 0xfe, b'a', 0, 0, 0xd8, b'b', 0]), Err(RecordsError::Encoding(1)), "half a pair");
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
