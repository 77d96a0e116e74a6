//! Where the objects of a copy are below its prefix. Paths in this module's neighbours are those of the local dataset;
//! the bucket translates them.
//!
//! Without a tenant both are equal. With one, parts are in `<table>/tenant=<name>/`, and the files about the copy in
//! `_tenants/<name>/`, so that several stores publish below one prefix, each with its own manifest and its own writer.

use serde_json::Value;

use super::error::TargetError;
use crate::schema::TABLES;

/// The directory of what the copies of tenants say about themselves.
pub(super) const TENANTS: &str = "_tenants";
/// Which store writes there.
pub(super) const STORE_FILE: &str = "_store.json";
const REFERENCE: &str = "reference";
const MAX_NAME: usize = 64;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    tenant: Option<String>,
}

impl Layout {
    /// A name is a part of paths in every object store and engine.
    pub(super) fn of_tenant(name: &str) -> Result<Layout, TargetError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let starts_plain = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        match starts_plain && name.len() <= MAX_NAME && name.chars().all(is_plain) {
            true => Ok(Layout { tenant: Some(name.to_owned()) }),
            false => Err(TargetError::Tenant { tenant: name.to_owned() }),
        }
    }

    pub(crate) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The object of a path of the local dataset.
    pub(super) fn object(&self, path: &str) -> String {
        let Some(tenant) = &self.tenant else { return path.to_owned() };
        if path.starts_with('_') {
            return format!("{TENANTS}/{tenant}/{path}");
        }
        let (root, rest) = split_root(path);
        format!("{root}/tenant={tenant}/{rest}")
    }

    /// The path of an object in the local dataset; `None` if the object belongs to another copy.
    pub(super) fn path(&self, object: &str) -> Option<String> {
        let (root, rest) = split_root(object);
        let Some(tenant) = &self.tenant else {
            let is_of_tenant = object.starts_with(&format!("{TENANTS}/")) || rest.starts_with("tenant=");
            return (!is_of_tenant).then(|| object.to_owned());
        };
        if let Some(path) = object.strip_prefix(&format!("{TENANTS}/{tenant}/")) {
            return path.starts_with('_').then(|| path.to_owned());
        }
        rest.strip_prefix(&format!("tenant={tenant}/")).map(|rest| format!("{root}/{rest}"))
    }

    /// The directories with all objects of the copy; `None` if they are everywhere below the prefix.
    pub(super) fn folders(&self) -> Option<Vec<String>> {
        let tenant = self.tenant.as_ref()?;
        let published = || TABLES.iter().filter(|table| table.is_in_parquet());
        let dated = published().filter(|table| table.is_dated()).map(|table| format!("{}/tenant={tenant}", table.name));
        let undated = published().map(|table| format!("{REFERENCE}/{}/tenant={tenant}", table.name));
        Some(dated.chain(undated).chain([format!("raw/tenant={tenant}"), format!("{TENANTS}/{tenant}")]).collect())
    }

    /// A local manifest with the paths of the objects.
    pub(super) fn published(&self, manifest: &str) -> Result<String, serde_json::Error> {
        self.with_paths(manifest, |path| Some(self.object(path))).map(Option::unwrap_or_default)
    }

    /// The reverse; `None` if a file belongs to another copy.
    pub(super) fn local(&self, manifest: &str) -> Result<Option<String>, serde_json::Error> {
        self.with_paths(manifest, |object| self.path(object))
    }

    fn with_paths(
        &self,
        manifest: &str,
        change: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, serde_json::Error> {
        if self.tenant.is_none() {
            return Ok(Some(manifest.to_owned()));
        }
        let mut value: Value = serde_json::from_str(manifest)?;
        for file in value.get_mut("files").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(Value::String(path)) = file.get_mut("path") {
                match change(path) {
                    Some(changed) => *path = changed,
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(format!("{value}\n")))
    }
}

/// The directory of a table, and the rest of a path in it.
fn split_root(path: &str) -> (&str, &str) {
    let names = if path.starts_with(&format!("{REFERENCE}/")) { 2 } else { 1 };
    let end = path.match_indices('/').nth(names - 1).map(|(at, _)| at);
    end.map_or((path, ""), |end| (&path[..end], &path[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_tenant_are_beside_those_of_others() {
        let (acme, other) = (Layout::of_tenant("acme").expect("a name"), Layout::of_tenant("acme-2").expect("a name"));
        for (path, object) in [
            (
                "meetings/meeting_date=2026-11-01/part-r1-0.parquet",
                "meetings/tenant=acme/meeting_date=2026-11-01/part-r1-0.parquet",
            ),
            ("reference/runs/part-r1-0.parquet", "reference/runs/tenant=acme/part-r1-0.parquet"),
            ("_manifest.json", "_tenants/acme/_manifest.json"),
            ("_manifest/7-r1.json", "_tenants/acme/_manifest/7-r1.json"),
        ] {
            assert_eq!(acme.object(path), object);
            assert_eq!(acme.path(object).as_deref(), Some(path));
            assert_eq!(Layout::default().path(path).as_deref(), Some(path));
            for foreign in [&other, &Layout::default()] {
                assert_eq!(foreign.path(object), None, "{object}");
            }
            assert_eq!(acme.path(path), None, "{path}");
        }
        assert_eq!(acme.path("_tenants/acme/notes.txt"), None);
        let manifest = r#"{"generation":1,"files":[{"path":"runs/part-1-0.parquet","rows":1}]}"#;
        let published = acme.published(manifest).expect("JSON");
        assert_eq!(published, manifest.replace("runs/", "runs/tenant=acme/") + "\n");
        assert_eq!(acme.local(&published).expect("JSON"), Some(format!("{manifest}\n")));
        assert_eq!(other.local(&published).expect("JSON"), None);
    }

    #[test]
    fn a_name_is_one_plain_part_of_a_path() {
        for name in ["acme", "Acme-2.cn", "a_b", "7"] {
            assert!(Layout::of_tenant(name).is_ok(), "{name}");
        }
        for name in ["", "a/b", "..", "_a", ".a", "a b", "a=b", "ä", &"a".repeat(65)] {
            assert!(matches!(Layout::of_tenant(name), Err(TargetError::Tenant { .. })), "{name}");
        }
    }
}
