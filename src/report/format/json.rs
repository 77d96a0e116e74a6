//! JSON: an array of objects, one a line.

use serde_json::{Map, Number, Value};

use crate::report::{Cell, ResultSet};

pub(super) fn render(result: &ResultSet) -> String {
    let rows: Vec<String> = result
        .rows
        .iter()
        .map(|row| {
            let object: Map<String, Value> = result.columns.iter().cloned().zip(row.iter().map(value)).collect();
            format!("  {}", Value::Object(object))
        })
        .collect();
    if rows.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", rows.join(",\n")) }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Flag(flag) => Value::Bool(*flag),
        // Past 64 bits a number would lose digits in most readers; its text does not.
        Cell::Integer(number) => Number::from_i128(*number).map_or_else(|| number.to_string().into(), Value::Number),
        Cell::Number(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Cell::Decimal(text) => text.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number),
        Cell::Time(text) | Cell::Text(text) => Value::String(text.clone()),
    }
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
    fn what_json_has_no_number_for_is_null() {
        assert_eq!(value(&Cell::Number(f64::NAN)), Value::Null);
    }
}
