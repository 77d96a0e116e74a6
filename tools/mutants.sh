#!/usr/bin/env bash
# Changes one place of a file at a time (cargo-mutants) and runs the unit tests of its crate; a change that no test
# notices is a survivor. The tests are those of the folder's module, because each change is a build and a run.
#
#   tools/mutants.sh FILE...            FILTER=extract:: for other tests than those of the folder
#
# Works on a copy of the last commit with build products of its own. The results are in target/mutants/<file>/mutants.out.
set -euo pipefail
cd "$(dirname "$0")/.."

export DUCKDB_LIB_DIR=${DUCKDB_LIB_DIR:-$PWD/.duckdb}
export LD_LIBRARY_PATH=$DUCKDB_LIB_DIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# Without debug information the tests link in seconds.
export CARGO_PROFILE_DEV_DEBUG=0
build=${MUTANTS_TARGET_DIR:-$PWD/target/mutants-build}
out=$PWD/target/mutants
copy=$PWD/target/mutants-copy
mkdir -p "$out"
rm -rf "$copy"
git worktree prune
git worktree add --quiet --detach "$copy" HEAD
trap 'git worktree remove --force "$copy"' EXIT

survived=0
for file in "$@"; do
    case $file in
    crates/*) package=$(cut -d/ -f2 <<<"$file") module=${file#crates/*/src/} ;;
    *) package=vcq-etl module=${file#src/} ;;
    esac
    # src/extract/finality.rs: the tests of extract.
    folder=$(dirname "$module")
    [ "$folder" = . ] && default=$(basename "$module" .rs) || default=${folder//\//::}
    log=$out/${file//\//-}
    (cd "$copy" && CARGO_TARGET_DIR=$build cargo mutants --in-place --no-shuffle --package "$package" --file "$file" \
        --timeout 120 --output "$log" -- --lib "${FILTER:-$default}") || survived=1
done
exit $survived
