//! The name that the user most likely meant.

/// The nearest of `names` by edit distance, if at most a third of the letters (and at least two) differ.
pub(crate) fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let max_distance = (text.chars().count() / 3).max(2);
    names
        .into_iter()
        .map(|name| (strsim::osa_distance(&text.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= max_distance && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_the_name_and_nonsense_finds_none() {
        let names = ["calls_per_minute", "threads", "store"];
        assert_eq!(nearest("treads", names), Some("threads"));
        assert_eq!(nearest("STROE", names), Some("store"));
        assert_eq!(nearest("calls_per_min", names), Some("calls_per_minute"));
        assert_eq!(nearest("banana", names), None);
        assert_eq!(nearest("x", ["ab"]), None);
    }
}
