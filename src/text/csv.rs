//! Writing CSV (RFC 4180).

/// Cells as one line with a line feed. Cells with a separator of any locale, a quote or a line break are quoted.
pub(crate) fn csv_line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let cells: Vec<String> = cells
        .into_iter()
        .map(|cell| match cell.as_ref() {
            cell if cell.contains([',', ';', '\t', '"', '\n', '\r']) => format!("\"{}\"", cell.replace('"', "\"\"")),
            cell => cell.to_owned(),
        })
        .collect();
    cells.join(",") + "\n"
}
