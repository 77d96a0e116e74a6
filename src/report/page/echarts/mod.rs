//! The charting library, as it was published.

/// A file of somebody else's that is part of the program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vendored {
    pub package: &'static str,
    pub version: &'static str,
    /// The file in the package.
    pub file: &'static str,
    /// SHA-256 of the file, in hex.
    pub sha256: &'static str,
    pub text: &'static str,
    pub licence: &'static str,
    /// The notice that goes with every copy.
    pub notice: &'static str,
    /// Licences of parts of it.
    pub parts: &'static str,
}

/// Apache ECharts: the ready-made "common" variant (line, bar, scatter; SVG; hatchings), two thirds of the full one.
/// The heat map is a table of our own, so that it can be read by keyboard and on paper.
pub(crate) const ECHARTS: Vendored = Vendored {
    package: "echarts",
    version: "6.1.0",
    file: "dist/echarts.common.min.js",
    sha256: "61f13280aba3161f77fc801bf5f9c786f55f10432153a0683fc5cc0700b013d5",
    text: include_str!("echarts.common.min.js"),
    licence: include_str!("LICENSE"),
    notice: include_str!("NOTICE"),
    parts: include_str!("licenses/LICENSE-d3"),
};

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_library_is_the_published_file() {
        let found: String = Sha256::digest(ECHARTS.text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, ECHARTS.sha256);
        assert!(ECHARTS.text.contains(&format!("t.version=\"{}\"", ECHARTS.version)));
        assert!(ECHARTS.notice.starts_with("Apache ECharts") && ECHARTS.licence.contains("Apache License"));
    }
}
