//! Where a copy is: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`, `file:///path`, or a
//! directory.

use std::path::PathBuf;

use object_store::path::Path as ObjectPath;

use super::error::TargetError;
use super::layout::Layout;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    S3 { bucket: String },
    Google { bucket: String },
    Azure { container: String },
    Folder(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(super) place: Place,
    /// Without slashes at its ends; empty for the whole bucket.
    pub(super) prefix: String,
    pub(super) layout: Layout,
    /// As given, without slashes at the end.
    text: String,
}

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Target, TargetError> {
        let text = text.trim();
        let (place, prefix) = match text.split_once(':') {
            Some((scheme, rest)) if !scheme.contains(['/', '.']) => of_url(text, scheme, rest)?,
            _ => (Place::Folder(PathBuf::from(text)), String::new()),
        };
        ObjectPath::parse(&prefix).map_err(|source| TargetError::Prefix { target: text.to_owned(), source })?;
        let text = if text == "/" { text } else { text.trim_end_matches('/') };
        Ok(Target { place, prefix, text: text.to_owned(), layout: Layout::default() })
    }

    /// The same for a store that shares the prefix with others.
    pub(crate) fn of_tenant(self, tenant: &str) -> Result<Target, TargetError> {
        Ok(Target { layout: Layout::of_tenant(tenant)?, ..self })
    }

    /// Whether a name can be a tenant.
    pub(crate) fn check_tenant(name: &str) -> Result<(), TargetError> {
        Layout::of_tenant(name).map(drop)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

fn of_url(text: &str, scheme: &str, rest: &str) -> Result<(Place, String), TargetError> {
    // Somebody may have given a key or a password.
    let text = match rest.rsplit_once('@') {
        Some((_, rest)) => &format!("{scheme}://[hidden]@{rest}"),
        None => text,
    };
    let unknown = || TargetError::UnknownScheme { target: text.to_owned(), scheme: scheme.to_owned() };
    let rest = rest.strip_prefix("//").ok_or_else(unknown)?;
    if scheme == "file" {
        return match rest.starts_with('/') {
            true => Ok((Place::Folder(PathBuf::from(rest)), String::new())),
            false => Err(TargetError::NoBucket { target: text.to_owned() }),
        };
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let place: fn(String) -> Place = match scheme {
        "s3" => |bucket| Place::S3 { bucket },
        "gs" => |bucket| Place::Google { bucket },
        "az" => |container| Place::Azure { container },
        _ => return Err(unknown()),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if bucket.is_empty() || !bucket.chars().all(is_name) {
        return Err(TargetError::NoBucket { target: text.to_owned() });
    }
    Ok((place(bucket.to_owned()), prefix.trim_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_url_or_a_directory() {
        let parsed = |text: &str| Target::parse(text).map(|target| (target.place, target.prefix)).expect(text);
        let s3 = |bucket: &str| Place::S3 { bucket: bucket.to_owned() };
        assert_eq!(parsed("s3://lake"), (s3("lake"), String::new()));
        assert_eq!(parsed(" s3://my.lake/a/b=c// "), (s3("my.lake"), "a/b=c".to_owned()));
        assert_eq!(parsed("gs://lake/a").0, Place::Google { bucket: "lake".to_owned() });
        assert_eq!(parsed("az://lake/a").0, Place::Azure { container: "lake".to_owned() });
        for folder in ["/srv/lake", "lake", "./a:b", "file:///srv/lake"] {
            let path = PathBuf::from(folder.trim_start_matches("file://"));
            assert_eq!(parsed(folder), (Place::Folder(path), String::new()));
        }
        assert_eq!(Target::parse("s3://lake/a/").expect("a target").text(), "s3://lake/a");
    }

    #[test]
    fn what_is_wrong_with_a_target_is_named() {
        for text in ["oss://lake/a", "s3:/lake", "s3a://lake", "https://lake"] {
            assert!(matches!(Target::parse(text), Err(TargetError::UnknownScheme { .. })), "{text}");
        }
        for text in ["s3://", "s3:///a", "s3://id:key@lake/a", "file://lake"] {
            assert!(matches!(Target::parse(text), Err(TargetError::NoBucket { .. })), "{text}");
        }
        for text in ["s3://lake/a/../b", "s3://lake/a//b"] {
            assert!(matches!(Target::parse(text), Err(TargetError::Prefix { .. })), "{text}");
        }
    }
}
