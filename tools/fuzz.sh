#!/usr/bin/env bash
# Runs every fuzz target for SECONDS seconds on the stable toolchain: libFuzzer with the coverage counters of `cargo fuzz run
# --sanitizer none`, so that neither nightly nor another tool is needed. `cargo fuzz run TARGET` works too, if installed.
#
#   tools/fuzz.sh SECONDS [TARGET...]
#
# Ends with 1 if a target failed. The failing input is in fuzz/artifacts/TARGET/, which the tests replay: rename it, fix the
# defect, and move the input to fuzz/seeds/TARGET/.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-30}
shift || true
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(ls fuzz/seeds); fi

export DUCKDB_LIB_DIR=${DUCKDB_LIB_DIR:-$PWD/.duckdb}
export LD_LIBRARY_PATH=$DUCKDB_LIB_DIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# Build products are separate from those of the program, and are kept across checkouts.
build=${FUZZ_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/vcq-etl-fuzz}
# An explicit target triple, even if it is the host's: it tells tools/fuzz-rustc.sh a build script from the program.
triple=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_WRAPPER=$PWD/tools/fuzz-rustc.sh
cargo build --quiet --release --locked --manifest-path fuzz/Cargo.toml --target-dir "$build" --target "$triple"

failed=()
for target in "${targets[@]}"; do
    corpus=fuzz/corpus/$target artifacts=fuzz/artifacts/$target/
    mkdir -p "$corpus" "$artifacts"
    log=$(mktemp)
    # New inputs go to the first folder; the seeds are only read. An input that takes a gigabyte of memory or ten seconds
    # counts as a failure.
    if "$build/$triple/release/$target" "$corpus" "fuzz/seeds/$target" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=1024 -max_len=16384 -print_final_stats=1 -artifact_prefix="$artifacts" >"$log" 2>&1; then
        echo "fuzz: $target passed $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
    else
        failed+=("$target")
        echo "fuzz: $target FAILED" >&2
        tail -40 "$log" >&2
    fi
    rm -f "$log"
done
[ ${#failed[@]} -eq 0 ]
