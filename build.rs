//! Lets the built programs find the DuckDB library that they were linked with, wherever the build folder is moved.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return;
    }
    // No path of this machine goes into a binary: the library is looked for beside the program, one folder up, where
    // cargo puts the programs that the tests in `deps/` belong to, and where packages install it.
    let origin = match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("macos") => "@loader_path",
        _ => "$ORIGIN",
    };
    for folder in ["", "/..", "/../lib/vcq-etl"] {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{origin}{folder}");
    }
    let (Some(library_dir), Some(profile_dir)) = (env::var_os("DUCKDB_LIB_DIR"), profile_dir()) else { return };
    for name in ["libduckdb.so", "libduckdb.dylib"] {
        let library = Path::new(&library_dir).join(name);
        if !library.exists() {
            continue;
        }
        let link = profile_dir.join(name);
        if let Err(error) = replace_link(&library, &link) {
            println!("cargo:warning=cannot link {} to {}: {error}", link.display(), library.display());
        }
        println!("cargo:rerun-if-changed={}", link.display());
    }
}

/// `target/<profile>`, three folders above `OUT_DIR` (`target/<profile>/build/<package>/out`).
fn profile_dir() -> Option<PathBuf> {
    Some(Path::new(&env::var_os("OUT_DIR")?).ancestors().nth(3)?.to_owned())
}

fn replace_link(library: &Path, link: &Path) -> io::Result<()> {
    let library = fs::canonicalize(library)?;
    if fs::read_link(link).is_ok_and(|target| target == library) {
        return Ok(());
    }
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => std::os::unix::fs::symlink(library, link),
    }
}
