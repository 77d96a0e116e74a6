//! A crate's files as modules, and which file uses which.
//!
//! Re-exports are followed to the file that defines the item, so a facade (`mod.rs`, `lib.rs`) does not count as a
//! user. Tests are left out, and so is what a macro's arguments name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// A crate's modules by their path; the root's is empty.
pub(crate) struct Source(BTreeMap<Names, Module>);

type Names = Vec<String>;

#[derive(Default)]
struct Module {
    file: PathBuf,
    children: Vec<String>,
    /// What each `use` brings into scope.
    imports: HashMap<String, Names>,
    globs: Vec<Names>,
    items: BTreeSet<String>,
    /// The paths that this file uses; what it only re-exports is not among them.
    uses: BTreeSet<Names>,
}

/// (user, used) with the names that are used.
pub(crate) type Arrows = BTreeMap<(PathBuf, PathBuf), BTreeSet<String>>;

impl Source {
    /// Reads a crate from its root file, along its `mod` lines.
    pub(crate) fn read(root: &Path) -> Source {
        let mut modules = BTreeMap::new();
        let mut open = vec![(root.to_owned(), Names::new())];
        while let Some((file, path)) = open.pop() {
            let module = Module::read(&file);
            let folder = match file.file_stem().and_then(|stem| stem.to_str()) {
                Some("mod" | "lib" | "main") => file.parent().expect("a folder").to_owned(),
                _ => file.with_extension(""),
            };
            for name in &module.children {
                let flat = folder.join(format!("{name}.rs"));
                let child = if flat.exists() { flat } else { folder.join(name).join("mod.rs") };
                open.push((child, joined(&path, &[name])));
            }
            modules.insert(path, module);
        }
        Source(modules)
    }

    pub(crate) fn files(&self) -> Vec<&Path> {
        self.0.values().map(|module| module.file.as_path()).collect()
    }

    /// Every use of one file by another.
    pub(crate) fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (from, module) in &self.0 {
            for path in &module.uses {
                if let Some((to, name)) = self.resolve(from, path, 0)
                    && to != module.file
                {
                    arrows.entry((module.file.clone(), to)).or_default().insert(name);
                }
            }
        }
        arrows
    }

    /// The file that defines what a path names, and the name; `None` for other crates and for a module as such.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<(PathBuf, String)> {
        // An import that leads back to itself, as `use x::x` may look, ends here.
        if depth > 16 {
            return None;
        }
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Names::new(),
            "self" => from.to_vec(),
            "super" => from.split_last()?.1.to_vec(),
            _ if self.0[from].children.contains(first) => joined(from, &[first]),
            _ => return self.resolve(from, &joined(self.0[from].imports.get(first)?, rest), depth + 1),
        };
        while let Some((name, further)) = rest.split_first() {
            rest = further;
            let module = &self.0[&at];
            if name == "super" {
                at.pop();
            } else if module.children.contains(name) {
                at.push(name.clone());
            } else if module.items.contains(name) {
                return Some((module.file.clone(), name.clone()));
            } else if let Some(import) = module.imports.get(name) {
                return self.resolve(&at, &joined(import, rest), depth + 1);
            } else {
                let path = |glob: &Names| joined(&joined(glob, &[name]), rest);
                return module.globs.iter().find_map(|glob| self.resolve(&at, &path(glob), depth + 1));
            }
        }
        None
    }
}

impl Module {
    fn read(file: &Path) -> Module {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        module.visit_file(&parsed);
        let is_rooted = |first: &String| {
            matches!(first.as_str(), "crate" | "self" | "super")
                || module.children.contains(first)
                || module.imports.contains_key(first)
        };
        let uses = std::mem::take(&mut module.uses);
        module.uses = uses.into_iter().filter(|path| is_rooted(&path[0])).collect();
        module
    }

    fn import(&mut self, tree: &syn::UseTree, prefix: &Names, is_re_export: bool) {
        let (name, alias) = match tree {
            syn::UseTree::Path(path) => return self.import(&path.tree, &joined(prefix, &[&path.ident]), is_re_export),
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, prefix, is_re_export));
            }
            syn::UseTree::Glob(_) => return self.globs.push(prefix.clone()),
            syn::UseTree::Name(name) => (&name.ident, &name.ident),
            syn::UseTree::Rename(rename) => (&rename.ident, &rename.rename),
        };
        let is_self = name == "self";
        let path = if is_self { prefix.clone() } else { joined(prefix, &[name]) };
        let alias = if is_self && alias == "self" { prefix.last().cloned() } else { Some(alias.to_string()) };
        if !is_re_export {
            self.uses.insert(path.clone());
        }
        self.imports.extend(alias.map(|alias| (alias, path)));
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let (attributes, name) = match item {
            syn::Item::Const(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            syn::Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            syn::Item::Static(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Type(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Impl(item) => (&item.attrs, None),
            syn::Item::Mod(item) => (&item.attrs, None),
            syn::Item::Use(item) => (&item.attrs, None),
            _ => return,
        };
        let is_test = |attribute: &syn::Attribute| {
            attribute.path().is_ident("cfg") && quote::ToTokens::to_token_stream(attribute).to_string().contains("test")
        };
        if attributes.iter().any(is_test) {
            return;
        }
        self.items.extend(name.map(ToString::to_string));
        match item {
            syn::Item::Mod(module) if module.content.is_none() => self.children.push(module.ident.to_string()),
            syn::Item::Use(item) => {
                let is_facade = self.file.ends_with("mod.rs") || self.file.ends_with("lib.rs");
                let is_re_export = is_facade && !matches!(item.vis, syn::Visibility::Inherited);
                self.import(&item.tree, &Names::new(), is_re_export);
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.uses.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }
}

fn joined<T: ToString>(prefix: &[String], rest: &[T]) -> Names {
    prefix.iter().cloned().chain(rest.iter().map(ToString::to_string)).collect()
}

/// Groups of files that use one another in a circle.
pub(crate) fn circles(arrows: &Arrows) -> Vec<BTreeSet<&Path>> {
    let mut uses: BTreeMap<&Path, Vec<&Path>> = BTreeMap::new();
    for (from, to) in arrows.keys() {
        uses.entry(from).or_default().push(to);
    }
    let reach: BTreeMap<&Path, BTreeSet<&Path>> = uses.keys().map(|file| (*file, reached(file, &uses))).collect();
    let mut circles: Vec<BTreeSet<&Path>> = Vec::new();
    for (file, used) in &reach {
        if used.contains(file) && !circles.iter().any(|circle| circle.contains(file)) {
            let back = |other: &&&Path| reach.get(**other).is_some_and(|used| used.contains(file));
            circles.push(used.iter().filter(back).copied().collect());
        }
    }
    circles
}

fn reached<'a>(start: &'a Path, uses: &BTreeMap<&'a Path, Vec<&'a Path>>) -> BTreeSet<&'a Path> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(file) = open.pop() {
        open.extend(uses.get(file).into_iter().flatten().copied().filter(|used| seen.insert(*used)));
    }
    seen
}
