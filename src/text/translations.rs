//! Tables of texts, English and Chinese side by side, separated by a tab. Lines that begin with `#` are comments.

/// English and Chinese of each line.
pub(crate) fn translations(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}
