//! The states that a file system may leave after a power cut, built from a trace of what a run wrote.
//!
//! The model is that of ALICE with POSIX's guarantees only: the bytes of a file are there once the file was synced, a
//! name once its folder was. Of the rest any part may be there: each name without the others, each block of a write
//! without the others, a size without its bytes. Changes of one name and of one block keep their order, and a rename is
//! done completely or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::rc::Rc;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use tempfile::TempDir;

/// Blocks reach the disk one by one.
const BLOCK: usize = 4096;
const LARGE: usize = 256 << 10;
/// A folder whose files no later run reads, so they are left empty, except those that replace raw files.
const TEMPORARY: &str = "/.work/";
const NEW_RAW: &str = "/.work/raw/";

fn is_temporary(path: &str) -> bool {
    path.contains(TEMPORARY) && !path.contains(NEW_RAW)
}

/// A folder in memory, if there is a file system in memory.
pub(crate) fn memory_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.expect("a folder")
}

/// One operation that was done, with paths below the traced folder.
#[derive(Debug)]
pub(crate) struct Traced {
    pub kind: String,
    pub path: String,
    to: String,
    offset: usize,
    bytes: Rc<[u8]>,
}

impl Traced {
    /// Whether a later run may see what it did.
    pub(crate) fn is_seen(&self) -> bool {
        !is_temporary(&self.path) || !(self.to.is_empty() || is_temporary(&self.to))
    }
}

/// Reads what the preloaded library traced below a folder.
pub(crate) fn read_trace(trace: &Path, root: &Path) -> Vec<Traced> {
    let (bytes, root) = (std::fs::read(trace).expect("a trace"), root.to_string_lossy());
    let below = |path: &str| path.strip_prefix(&*root).unwrap_or(path).trim_start_matches('/').to_owned();
    let (mut operations, mut rest) = (Vec::new(), &bytes[..]);
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').expect("a line");
        let line = std::str::from_utf8(&rest[..end]).expect("text");
        let [kind, path, to, offset, length] = line.split('\t').collect::<Vec<_>>().try_into().expect("five fields");
        let (offset, length): (usize, usize) = (offset.parse().expect("an offset"), length.parse().expect("a length"));
        let has_bytes = kind == "write";
        let bytes = &rest[end + 1..][..if has_bytes { length } else { 0 }];
        operations.push(Traced {
            kind: kind.to_owned(),
            path: below(path),
            to: below(to),
            offset,
            bytes: bytes.into(),
        });
        rest = &rest[end + 1 + bytes.len()..];
    }
    operations
}

/// A change of a file that is not synced yet.
#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Rc<[u8]> },
    Size(usize),
}

/// A file, whatever its names are.
#[derive(Debug, Default, Clone)]
struct File {
    synced: Rc<Vec<u8>>,
    /// Number of changes in `synced`.
    synced_changes: usize,
    pending: Vec<Change>,
}

/// What a name refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    File(usize),
    Folder,
}

/// A change of names that is not synced yet.
#[derive(Debug, Clone)]
enum NameChange {
    Set { path: String, node: Node },
    Remove { path: String },
    Rename { from: String, to: String, node: Node },
}

impl NameChange {
    /// The names, the one whose folder makes it durable first.
    fn paths(&self) -> [&str; 2] {
        match self {
            NameChange::Set { path, .. } | NameChange::Remove { path } => [path, path],
            NameChange::Rename { from, to, .. } => [to, from],
        }
    }

    fn apply(&self, names: &mut BTreeMap<String, Node>) {
        match self {
            NameChange::Set { path, node } => drop(names.insert(path.clone(), *node)),
            NameChange::Remove { path } => drop(names.remove(path)),
            NameChange::Rename { from, to, node } => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}

/// Which changes that were not synced are in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Nothing,
    Everything,
    NamesOnly,
    BytesOnly,
    /// Names and sizes, with zeros in place of bytes.
    SizesOnly,
    /// All but one, by its number; none but one.
    Without(usize),
    Only(usize),
    /// Each with this chance in per cent, drawn from the seed.
    Some {
        percent: u32,
        seed: u64,
    },
}

/// The files of a state by path: their content, and what identifies it among the states of a trace.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub folders: BTreeSet<String>,
    pub files: BTreeMap<String, (Rc<Vec<u8>>, Version)>,
}

/// A file, the changes of it that were synced, and a hash of those that are there without that.
pub(crate) type Version = (usize, usize, u64);

impl State {
    /// Equal for states of a trace that have the same files with the same bytes.
    pub(crate) fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.folders.hash(&mut hasher);
        for (path, (bytes, (file, _, _))) in &self.files {
            (path, bytes.len()).hash(&mut hasher);
            // Of what is large the number of the file and its ends are enough: it is written once and renamed.
            match bytes.len() {
                ..LARGE => bytes.hash(&mut hasher),
                length => (file, &bytes[..BLOCK], &bytes[length - BLOCK..]).hash(&mut hasher),
            }
        }
        hasher.finish()
    }

    pub(crate) fn write(&self, root: &Path) {
        for folder in &self.folders {
            std::fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        for (path, (bytes, _)) in &self.files {
            std::fs::write(root.join(path), bytes.as_slice()).expect("written");
        }
    }
}

/// A file system during a run.
#[derive(Debug, Default, Clone)]
pub(crate) struct DiskModel {
    files: Vec<File>,
    /// What programs see.
    current: BTreeMap<String, Node>,
    synced: BTreeMap<String, Node>,
    pending: Vec<NameChange>,
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl DiskModel {
    /// The files below a folder, all synced.
    pub(crate) fn of_folder(root: &Path) -> DiskModel {
        let mut model = DiskModel::default();
        model.add_folder(root, "");
        model.current = model.synced.clone();
        model
    }

    fn add_folder(&mut self, folder: &Path, path: &str) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("text");
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() {
                self.synced.insert(path.clone(), Node::Folder);
                self.add_folder(&entry.path(), &path);
            } else if kind.is_file() {
                let synced = Rc::new(std::fs::read(entry.path()).expect("a file"));
                self.synced.insert(path, Node::File(self.files.len()));
                self.files.push(File { synced, ..File::default() });
            }
        }
    }

    pub(crate) fn apply(&mut self, done: &Traced) {
        let path = done.path.clone();
        let node = self.current.get(&path).copied();
        let change = match (done.kind.as_str(), node) {
            ("create", _) => {
                self.files.push(File::default());
                NameChange::Set { path, node: Node::File(self.files.len() - 1) }
            }
            ("mkdir", _) => NameChange::Set { path, node: Node::Folder },
            ("unlink" | "rmdir", Some(_)) => NameChange::Remove { path },
            ("rename", Some(node @ Node::File(_))) => NameChange::Rename { from: path, to: done.to.clone(), node },
            ("rename", Some(Node::Folder)) => panic!("a folder is renamed, which the model lacks: {done:?}"),
            ("link", Some(node)) => NameChange::Set { path: done.to.clone(), node },
            ("write", Some(Node::File(file))) => {
                let change = Change::Write { offset: done.offset, bytes: done.bytes.clone() };
                return self.files[file].pending.push(change);
            }
            ("truncate", Some(Node::File(file))) => {
                return self.files[file].pending.push(Change::Size(done.offset));
            }
            ("sync", Some(Node::File(file))) => return self.files[file].sync(),
            // The root has no name.
            ("sync", Some(Node::Folder)) => return self.sync_folder(&path),
            ("sync", None) if path.is_empty() => return self.sync_folder(""),
            // A link, or a file that has no name any more.
            _ => return,
        };
        change.apply(&mut self.current);
        self.pending.push(change);
    }

    fn sync_folder(&mut self, folder: &str) {
        let pending = std::mem::take(&mut self.pending);
        for (at, change) in pending.iter().enumerate() {
            let [name, other] = change.paths();
            if parent(name) == folder {
                change.apply(&mut self.synced);
                // Earlier changes of the other name have no effect any more.
                self.pending.retain(|earlier| other == name || !earlier.paths().contains(&other));
            } else {
                self.pending.push(pending[at].clone());
            }
        }
    }

    /// Numbers of the changes that are not synced and that a later run may see: names first, then bytes by file.
    fn pending(&self) -> Vec<usize> {
        let is_seen = |paths: [&str; 2]| paths.iter().any(|path| !is_temporary(path));
        let names = self.pending.iter().enumerate().filter(|(_, one)| is_seen(one.paths())).map(|(number, _)| number);
        let mut numbers: Vec<usize> = names.collect();
        let named = self.current.iter().chain(&self.synced).filter(|(path, _)| !is_temporary(path));
        let named: BTreeSet<Node> = named.map(|(_, node)| *node).collect();
        let mut next = self.pending.len();
        for (number, file) in self.files.iter().enumerate() {
            if named.contains(&Node::File(number)) {
                numbers.extend(next..next + file.pending.len());
            }
            next += file.pending.len();
        }
        numbers
    }

    /// The states to try now. Their number grows with what is not synced; the newest changes are left out, or kept
    /// alone, one by one.
    pub(crate) fn kept(&self, seed: u64) -> Vec<Kept> {
        const NEWEST: usize = 12;
        let pending = self.pending();
        let mut kept = vec![Kept::Nothing];
        if !pending.is_empty() {
            kept.extend([Kept::Everything, Kept::NamesOnly, Kept::BytesOnly, Kept::SizesOnly]);
            let newest = pending.iter().rev().take(NEWEST);
            kept.extend(newest.flat_map(|number| [Kept::Without(*number), Kept::Only(*number)]));
            let drawn = 4 + pending.len().min(16);
            kept.extend(
                (0..drawn).map(|number| Kept::Some {
                    percent: [10, 50, 80, 95][number % 4],
                    seed: seed * 100 + number as u64,
                }),
            );
        }
        kept
    }

    /// What is left if the power fails now.
    pub(crate) fn state(&self, kept: Kept) -> State {
        let seed = if let Kept::Some { seed, .. } = kept { seed } else { 0 };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut names, mut left_out) = (self.synced.clone(), BTreeSet::new());
        for (number, change) in self.pending.iter().enumerate() {
            let is_kept = match kept {
                Kept::Some { percent, .. } => random.random_range(0..100) < percent,
                Kept::Everything | Kept::NamesOnly | Kept::SizesOnly => true,
                Kept::Nothing | Kept::BytesOnly => false,
                Kept::Without(left_out) => number != left_out,
                Kept::Only(kept) => number == kept,
            };
            if is_kept && change.paths().iter().all(|path| !left_out.contains(*path)) {
                change.apply(&mut names);
            } else {
                left_out.extend(change.paths().map(str::to_owned));
            }
        }
        let mut next = self.pending.len();
        let first_changes: Vec<usize> = self
            .files
            .iter()
            .map(|file| {
                next += file.pending.len();
                next - file.pending.len()
            })
            .collect();
        let mut state = State::default();
        for (path, node) in &names {
            let folder = parent(path);
            // A file in a folder without a name cannot be reached.
            if !folder.is_empty() && !state.folders.contains(folder) {
                continue;
            }
            match node {
                Node::Folder => drop(state.folders.insert(path.clone())),
                Node::File(number) => {
                    let file = &self.files[*number];
                    let (bytes, kept) = match is_temporary(path) {
                        true => (Rc::default(), 0),
                        false => file.left(kept, first_changes[*number], seed.wrapping_add(*number as u64)),
                    };
                    state.files.insert(path.clone(), (bytes, (*number, file.synced_changes, kept)));
                }
            }
        }
        state
    }
}

impl File {
    fn sync(&mut self) {
        self.synced_changes += self.pending.len();
        let bytes = Rc::make_mut(&mut self.synced);
        for change in self.pending.drain(..) {
            change.apply(bytes, |_| true);
        }
    }

    /// The content after a power cut, and a hash of the changes in it that were not synced. `first` is the number of
    /// the first of them.
    fn left(&self, kept: Kept, first: usize, seed: u64) -> (Rc<Vec<u8>>, u64) {
        let is_kept = |number: usize, is_size: bool, random: &mut ChaCha8Rng| match kept {
            Kept::Some { percent, .. } => random.random_range(0..100) < percent,
            Kept::Everything | Kept::BytesOnly => true,
            Kept::Nothing | Kept::NamesOnly => false,
            Kept::SizesOnly => is_size,
            Kept::Without(left_out) => first + number != left_out,
            Kept::Only(kept) => first + number == kept,
        };
        if self.pending.is_empty() || matches!(kept, Kept::Nothing | Kept::NamesOnly) {
            return (self.synced.clone(), 0);
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut bytes, mut hash, mut left_out) = ((*self.synced).clone(), 1_u64, BTreeSet::new());
        for (number, change) in self.pending.iter().enumerate() {
            change.apply(&mut bytes, |block| {
                let mut is_kept = is_kept(number, block.is_none(), &mut random);
                if let Some(block) = block {
                    is_kept &= !left_out.contains(&block);
                    if !is_kept {
                        left_out.insert(block);
                    }
                }
                hash = hash.wrapping_mul(0x0100_0000_01b3).wrapping_add(1 + u64::from(is_kept));
                is_kept
            });
        }
        (Rc::new(bytes), hash)
    }
}

impl Change {
    /// Applies the parts that `is_kept`: a size (`None`), and blocks.
    fn apply(&self, file: &mut Vec<u8>, mut is_kept: impl FnMut(Option<usize>) -> bool) {
        match self {
            Change::Size(size) => {
                if is_kept(None) {
                    resize(file, *size);
                }
            }
            Change::Write { offset, bytes } => {
                // The size, with zeros in place of bytes that are not there.
                if is_kept(None) && file.len() < offset + bytes.len() {
                    resize(file, offset + bytes.len());
                }
                let (mut at, end) = (*offset, offset + bytes.len());
                while at < end {
                    let block_end = end.min((at / BLOCK + 1) * BLOCK);
                    if is_kept(Some(at / BLOCK)) {
                        resize(file, file.len().max(block_end));
                        file[at..block_end].copy_from_slice(&bytes[at - offset..block_end - offset]);
                    }
                    at = block_end;
                }
            }
        }
    }
}

fn resize(file: &mut Vec<u8>, size: usize) {
    file.truncate(size);
    // Faster than `Vec::resize` without optimisation.
    file.extend_from_slice(&vec![0; size - file.len()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(kind: &str, path: &str, to: &str, bytes: &[u8]) -> Traced {
        Traced { kind: kind.to_owned(), path: path.to_owned(), to: to.to_owned(), offset: 0, bytes: bytes.into() }
    }

    fn after(operations: &[Traced]) -> DiskModel {
        let mut model = DiskModel::default();
        operations.iter().for_each(|one| model.apply(one));
        model
    }

    fn files(state: &State) -> Vec<(&str, usize)> {
        state.files.iter().map(|(path, (bytes, _))| (path.as_str(), bytes.len())).collect()
    }

    #[test]
    fn what_was_not_synced_is_lost_and_what_was_is_there() {
        let written = || [done("create", "draft", "", b""), done("write", "draft", "", b"new")];
        let renamed = || done("rename", "draft", "name", b"");
        let [create, write] = written();
        let model = after(&[create, write, renamed()]);
        assert_eq!(files(&model.state(Kept::Nothing)), []);
        assert_eq!(files(&model.state(Kept::NamesOnly)), [("name", 0)], "renamed and without bytes");
        assert_eq!(files(&model.state(Kept::Everything)), [("name", 3)]);
        let [create, write] = written();
        let model = after(&[create, write, done("sync", "draft", "", b""), renamed(), done("sync", "", "", b"")]);
        assert_eq!(files(&model.state(Kept::Nothing)), [("name", 3)]);
        let [create, write] = written();
        let model = after(&[create, write, done("sync", "", "", b""), renamed()]);
        assert_eq!(files(&model.state(Kept::Nothing)), [("draft", 0)], "the name is there, the bytes are not");
    }

    #[test]
    fn a_block_can_be_there_without_the_one_before_it() {
        let bytes = vec![7; 2 * BLOCK];
        let mut model = after(&[done("create", "file", "", b""), done("sync", "", "", b"")]);
        model.apply(&done("write", "file", "", &bytes));
        let mut states: Vec<[u8; 2]> = (0..64)
            .filter_map(|seed| {
                let state = model.state(Kept::Some { percent: 50, seed });
                let bytes = &state.files["file"].0;
                Some([*bytes.first()?, *bytes.get(BLOCK)?])
            })
            .collect();
        states.sort();
        states.dedup();
        assert_eq!(states, [[0, 0], [0, 7], [7, 0], [7, 7]]);
        let sizes = model.state(Kept::SizesOnly);
        assert_eq!(sizes.files["file"].0.as_slice(), vec![0; 2 * BLOCK]);
    }
}
