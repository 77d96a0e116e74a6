#!/usr/bin/env bash
# The compiler for tools/fuzz.sh: our crates and serde_json get libFuzzer's coverage counters and the checks of a debug build.
# Counters in the other dependencies would only make the build and each input slower.
set -euo pipefail
counted=no target=no
case " $* " in *" --crate-name vcq_etl "* | *" --crate-name feishu_vc "* | *" --crate-name serde_json "*) counted=yes ;; esac
# Build scripts are compiled for the host, without --target; libFuzzer is not linked to them.
case " $* " in *" --target "*) target=yes ;; esac
[ $counted$target = yesyes ] || exec "$@"
exec "$@" --cfg fuzzing -Cdebug-assertions -Coverflow-checks -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
