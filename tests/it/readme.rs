//! The README says what the program says.

#[test]
fn readme_has_the_exit_codes_of_the_table() {
    let readme = include_str!("../../README.md");
    let table = vcq_etl::error::exit_codes_markdown();
    assert!(readme.contains(&table), "README.md must hold this table:\n{table}");
}
