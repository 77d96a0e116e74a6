//! The shared credentials file of AWS (`~/.aws/credentials`), which `object_store` does not read.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Which file and which of its profiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AwsProfile {
    pub credentials: Option<PathBuf>,
    pub config: Option<PathBuf>,
    /// `AWS_PROFILE`, else `default`.
    pub name: String,
}

impl AwsProfile {
    /// The values of the profile in both files; none if there is no such file or profile.
    pub(super) fn values(&self) -> BTreeMap<String, String> {
        let read = |path: &Option<PathBuf>| path.as_ref().and_then(|path| fs::read_to_string(path).ok());
        let (config, credentials) =
            (read(&self.config).unwrap_or_default(), read(&self.credentials).unwrap_or_default());
        // In `config`, every profile but `default` is `[profile NAME]`.
        let mut values = section(&config, &format!("profile {}", self.name));
        values.extend(section(&config, &self.name));
        values.extend(section(&credentials, &self.name));
        values
    }
}

fn section(text: &str, name: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut is_in = false;
    for line in text.lines().map(str::trim) {
        if let Some(title) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_in = title.trim() == name;
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_in && !line.starts_with(['#', ';'])) {
            values.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_profile_come_from_both_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| Some(folder.path().join(name));
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        write("credentials", "[default]\naws_access_key_id = A\n[lake]\n# x = 1\naws_access_key_id=B\nx=y=z\n");
        write("config", "[default]\nregion = one\n\n[profile lake]\nregion = two\n");
        let values =
            |name: &str| AwsProfile { credentials: at("credentials"), config: at("config"), name: name.into() };
        let lake = values("lake").values();
        assert_eq!(
            (lake["aws_access_key_id"].as_str(), lake["region"].as_str(), lake["x"].as_str()),
            ("B", "two", "y=z")
        );
        assert_eq!(values("default").values()["region"], "one");
        assert!(values("none").values().is_empty() && AwsProfile::default().values().is_empty());
    }
}
