//! JSON: an array of objects, one per line.

use serde_json::{Map, Value};

use crate::report::result::{Cell, ResultSet};

pub(super) fn render(result: &ResultSet) -> String {
    let rows = rows(result);
    if rows.is_empty() { "[]\n".to_owned() } else { format!("[\n{rows}\n]\n") }
}

/// The objects, without the brackets around them.
pub(super) fn rows(result: &ResultSet) -> String {
    let object = |row: &Vec<Cell>| {
        let object: Map<String, Value> = result.columns.iter().cloned().zip(row.iter().map(Cell::to_json)).collect();
        format!("  {}", Value::Object(object))
    };
    result.rows.iter().map(object).collect::<Vec<_>>().join(",\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::result::fixture;

    #[test]
    fn rows_are_objects_and_read_back() {
        insta::assert_snapshot!(render(&fixture()), @r#"
        [
          {"topic":"Weekly, \"all\" hands","minutes":1200,"poor_pct":12.5},
          {"topic":"=HYPERLINK(\"x\")","minutes":-7,"poor_pct":null},
          {"topic":"a|b\u001b[31mred\nline <b>","minutes":null,"poor_pct":0.5}
        ]
        "#);
        assert_eq!(serde_json::from_str::<Vec<Value>>(&render(&fixture())).expect("json").len(), 3);
    }

    #[test]
    fn no_rows_are_an_empty_array() {
        assert_eq!(render(&ResultSet { columns: vec!["a".to_owned()], rows: Vec::new() }), "[]\n");
    }

    #[test]
    fn numbers_that_json_lacks_are_null() {
        assert_eq!(Cell::Number(f64::NAN).to_json(), Value::Null);
    }
}
