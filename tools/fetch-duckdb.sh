#!/bin/sh
# Downloads the official DuckDB 1.5.6 shared library into the folder DUCKDB_LIB_DIR (default: .duckdb in the project), for
# this machine or for the platform that is given, such as Linux-aarch64.
# Compiling DuckDB takes over half an hour; this takes seconds. The library comes from an npm package whose checksum is
# pinned, or, on platforms without one, from the download of the duckdb crate.
set -eu

VERSION=1.5.6
cd "$(dirname "$0")/.."
dir=${DUCKDB_LIB_DIR:-$PWD/.duckdb}

# platform | library | npm package | sha256 of the library inside it
platform=${1:-$(uname -s)-$(uname -m)}
case "$platform" in
Linux-x86_64)
    library=libduckdb.so
    package=@duckdb/node-bindings-linux-x64@1.5.6-r.1
    sha256=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633
    ;;
Linux-aarch64)
    library=libduckdb.so
    package=@duckdb/node-bindings-linux-arm64@1.5.6-r.1
    sha256=23686593dba4ec22c6e581bb1c843b3964e84c4bc4d0063d8b4daddd2e20e30a
    ;;
Darwin-arm64 | Darwin-x86_64)
    # One library for both.
    library=libduckdb.dylib
    package=@duckdb/node-bindings-darwin-arm64@1.5.6-r.1
    sha256=75a519cb914ae36ca22cff0995a8a2e8c9a46990b8c0a479514f741a0d93f344
    ;;
*) library=libduckdb.so package= sha256= ;;
esac

check() {
    [ -z "$sha256" ] && return 0
    if command -v sha256sum >/dev/null 2>&1; then sum=$(sha256sum "$1"); else sum=$(shasum -a 256 "$1"); fi
    [ "${sum%% *}" = "$sha256" ]
}

if [ -f "$dir/$library" ] && check "$dir/$library"; then
    exit 0
fi
mkdir -p "$dir"
work=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

if [ -n "$package" ] && command -v npm >/dev/null 2>&1; then
    echo "fetching DuckDB $VERSION: npm pack $package" >&2
    if ! archive=$(cd "$work" && npm pack --silent "$package"); then
        echo "error: npm could not fetch $package; check that its registry is reachable" >&2
        exit 1
    fi
    tar -xzf "$work/$archive" -C "$work" "package/$library"
    if ! check "$work/package/$library"; then
        echo "error: the $library in $package does not have the checksum $sha256; it is not used" >&2
        exit 1
    fi
    mv "$work/package/$library" "$dir/$library"
else
    echo "fetching DuckDB $VERSION: download of the duckdb crate (no npm package for this platform, or no npm)" >&2
    # Outside the project, so that .cargo/config.toml does not apply.
    project=$PWD
    (cd "$work" && env -u DUCKDB_LIB_DIR DUCKDB_DOWNLOAD_LIB=1 CARGO_TARGET_DIR="$work/target" \
        cargo build --release --locked --manifest-path "$project/Cargo.toml" --package libduckdb-sys)
    found=$(find "$work/target" -name "$library" | head -n 1)
    if [ -z "$found" ]; then
        echo "error: $library was not downloaded; put the one of DuckDB $VERSION into $dir manually" >&2
        exit 1
    fi
    check "$found" || { echo "error: the downloaded $library does not have the checksum $sha256; it is not used" >&2; exit 1; }
    mv "$found" "$dir/$library"
fi
