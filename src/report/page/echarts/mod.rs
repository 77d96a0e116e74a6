//! The embedded chart library, unchanged.

/// A third-party file that is part of the binary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vendored {
    pub(super) package: &'static str,
    pub(super) version: &'static str,
    /// The file in the package.
    pub(super) file: &'static str,
    /// SHA-256 of the file, in hex.
    pub(super) sha256: &'static str,
    pub(super) text: &'static str,
    pub(super) licence: &'static str,
    pub(super) notice: &'static str,
    /// Licences of included third-party code.
    pub(super) parts: &'static str,
}

/// Apache ECharts, "common" build (line, bar, scatter; SVG; patterns), two thirds of the full size. The heat map is an
/// HTML table instead, for keyboard access and printing.
pub(super) const ECHARTS: Vendored = Vendored {
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
