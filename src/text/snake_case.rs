//! Names in snake case.

/// A name in camel case, in snake case: `contactName` becomes `contact_name`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn capitals_begin_a_word() {
        assert_eq!(
            ["alertTime", "AlertID", "alert_id", ""].map(snake_case),
            ["alert_time", "alert_i_d", "alert_id", ""]
        );
    }
}
