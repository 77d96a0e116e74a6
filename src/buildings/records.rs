//! From the bytes of a file to its records: encodings, separators, quotes.

/// A record: the number of its first line, from 1, and its cells without the blanks around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) cells: Vec<String>,
}

/// Why bytes are no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRecords {
    /// Neither UTF-8 nor UTF-16; the line where that shows.
    Encoding(u64),
    /// A quote that is never closed; the line where it opens.
    OpenQuote(u64),
}

/// The text of a file: UTF-8 or UTF-16, with or without the mark at its beginning. Excel writes "Unicode text" as
/// UTF-16 and "CSV" in the system's own encoding, which nothing in the file names; that is refused.
pub(super) fn decoded(bytes: &[u8]) -> Result<String, NoRecords> {
    let utf16 = match bytes {
        [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        // Every file begins with a network or a name, so with a character whose upper byte is zero.
        [first, 0, ..] if *first != 0 => Some((bytes, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    let Some((bytes, unit)) = utf16 else {
        let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
        return std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            NoRecords::Encoding(1 + before.iter().filter(|byte| **byte == b'\n').count() as u64)
        });
    };
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut line = 1;
    for unit in char::decode_utf16(bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]))) {
        let c = unit.map_err(|_| NoRecords::Encoding(line))?;
        line += u64::from(c == '\n');
        text.push(c);
    }
    if bytes.len().is_multiple_of(2) { Ok(text) } else { Err(NoRecords::Encoding(line)) }
}

/// The records of a text, those without anything in them left out. Columns are separated by tabs or by commas, whichever
/// gives the first record more cells.
pub(super) fn records(text: &str) -> Result<Vec<Record>, NoRecords> {
    let cells_by = |separator| {
        let mut parser = Parser { text: text.chars().peekable(), separator, line: 1 };
        std::iter::from_fn(|| parser.next().ok().flatten()).find(is_filled).map_or(0, |record| record.cells.len())
    };
    let separator = if cells_by('\t') > cells_by(',') { '\t' } else { ',' };
    let mut parser = Parser { text: text.chars().peekable(), separator, line: 1 };
    let mut records = Vec::new();
    while let Some(record) = parser.next()? {
        if is_filled(&record) {
            records.push(record);
        }
    }
    Ok(records)
}

fn is_filled(record: &Record) -> bool {
    record.cells.iter().any(|cell| !cell.is_empty())
}

struct Parser<'a> {
    text: std::iter::Peekable<std::str::Chars<'a>>,
    separator: char,
    line: u64,
}

impl Parser<'_> {
    fn next(&mut self) -> Result<Option<Record>, NoRecords> {
        if self.text.peek().is_none() {
            return Ok(None);
        }
        let mut record = Record { line: self.line, cells: Vec::new() };
        let mut cell = String::new();
        loop {
            match self.text.next() {
                // A quote inside a cell that does not begin with one is a quote.
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

    /// Reads up to the closing quote; two quotes are one.
    fn quoted(&mut self, cell: &mut String) -> Result<(), NoRecords> {
        let began = self.line;
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
                None => return Err(NoRecords::OpenQuote(began)),
            }
        }
    }
}

/// A record as a line of a comma-separated file.
pub(super) fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let cells = cells.map(|cell| match cell.contains([',', '"', '\n', '\r', '\t']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    });
    cells.collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        records(text).expect("records").into_iter().map(|record| record.cells).collect()
    }

    #[test]
    fn quotes_line_ends_and_separators() {
        assert_eq!(cells("a,b\r\nc,\"d,\"\"e\"\"\"\n"), [vec!["a", "b"], vec!["c", "d,\"e\""]]);
        assert_eq!(cells("a\tb, c\te\r d \t\t"), [vec!["a", "b, c", "e"], vec!["d", "", ""]]);
        assert_eq!(cells("a,b\tc"), [vec!["a", "b\tc"]], "a comma where they are as many");
        assert_eq!(cells("6\" pipe,x\n , \n\n"), [vec!["6\" pipe", "x"]], "lines without anything are left out");
        assert_eq!(records("a,b\n\"c").expect_err("open"), NoRecords::OpenQuote(2));
        let lines: Vec<u64> = records("a,\"b\nb\"\n\nc,d").expect("records").iter().map(|record| record.line).collect();
        assert_eq!(lines, [1, 4]);
    }

    #[test]
    fn a_text_is_the_same_in_every_encoding() {
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
            assert_eq!(decoded(&bytes).as_deref(), Ok(text), "{bytes:?}");
        }
        // GBK, as a spreadsheet in Chinese saves "CSV".
        assert_eq!(decoded(b"10.1.1.0,HQ\n10.1.2.0,\xb8\xdb\xcd\xe5"), Err(NoRecords::Encoding(2)));
        assert_eq!(decoded(&[0xff, 0xfe, b'a', 0, b'b']), Err(NoRecords::Encoding(1)));
        assert_eq!(decoded(&[0xff, 0xfe, b'a', 0, 0, 0xd8, b'b', 0]), Err(NoRecords::Encoding(1)), "half a pair");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(text) = decoded(&bytes) {
                let _ = records(&text);
            }
        }

        #[test]
        fn what_is_written_is_read(cells in proptest::collection::vec("[a-z,\"\t\n é港]{0,8}", 2..6)) {
            let cells: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
            prop_assume!(cells.iter().any(|cell| !cell.is_empty()));
            // A first cell of its own that no separator is in, as in every file of ours.
            let text = format!("a,b,c,d,e,f,g\n{}", line(cells.iter().copied()));
            prop_assert_eq!(&records(&text).expect("records")[1].cells, &cells);
        }
    }
}
