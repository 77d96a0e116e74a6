/// The steps of a publication. The caller is notified before each one and may stop there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Rename the new parts to their published names.
    PlaceParts,
    /// Build the next database in `.work/`, and from it the parts of undated tables.
    BuildDatabase,
    /// Rename those parts to their published names, and the new manifest over the old one.
    WriteManifest,
    /// Rename it over the old one.
    RenameDatabase,
    /// Remove the parts that the manifest no longer lists.
    RemoveOldParts,
}

impl Step {
    /// Every step, in order.
    pub const ALL: &'static [Step] =
        &[Step::PlaceParts, Step::BuildDatabase, Step::WriteManifest, Step::RenameDatabase, Step::RemoveOldParts];
}
