#!/usr/bin/env python3
"""Builds the packages of one target into a folder: wheel, archive and Debian package, all with the same program.

    build.py host      from target/release, as `make build` leaves it; needs the glibc of this machine. For tests.
    build.py TARGET    as released, such as x86_64-unknown-linux-gnu: stripped, and on Linux built with zig for glibc 2.28

Two builds of a commit give the same bytes, whatever folder they are made in: paths are remapped, times are
SOURCE_DATE_EPOCH (default: that of the commit), and files are sorted. RUNNER is a command that runs programs of a
foreign TARGET, such as qemu-aarch64-static; man pages and completions come from the program itself.
"""

import argparse
import base64
import gzip
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
GLIBC = "2.28"
DUCKDB = "1.5.6"
# 1980-01-01, the earliest time in a zip file.
CONSTANT_EPOCH = 315532800
# What the units of the Debian package and the archive name.
UNIT_WORDS = {
    "{program}": "/usr/bin/vcq-etl",
    "{config}": "/etc/vcq-etl/vcq.toml",
    "{state_home}": "XDG_STATE_HOME=/var/lib/vcq-etl/.local/state",
    "{writable}": "/var/lib/vcq-etl",
}
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|unlicense)", re.IGNORECASE)


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, cwd=PROJECT, **options)


def output_of(*command, **options):
    return run(*command, stdout=subprocess.PIPE, text=True, **options).stdout


class Build:
    def __init__(self, target, profile):
        self.profile = profile
        self.is_host = target == "host"
        host = re.search(r"^host: (\S+)", output_of("rustc", "-vV"), re.MULTILINE).group(1)
        self.target = host if self.is_host else target
        self.is_foreign = self.target != host
        self.machine = self.target.split("-")[0]
        self.system = "linux" if "linux" in self.target else "macos"
        self.environment = dict(os.environ)
        if "SOURCE_DATE_EPOCH" not in os.environ:
            self.environment["SOURCE_DATE_EPOCH"] = output_of("git", "log", "-1", "--format=%ct").strip()
        self.epoch = int(self.environment["SOURCE_DATE_EPOCH"])
        self.target_dir = PROJECT / os.environ.get("CARGO_TARGET_DIR", "target")
        self.metadata = json.loads(
            output_of("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", self.target)
        )
        self.package = next(one for one in self.metadata["packages"] if one["name"] == "vcq-etl")
        self.version = self.package["version"]
        self.program = self.target_dir / ("" if self.is_host else self.target)
        self.program /= ("debug" if profile == "dev" else profile) + "/vcq-etl"
        self.library = self.fetch_library()
        # The wheel and the Debian package name these paths in pyproject.toml and Cargo.toml.
        self.wheel_data = PROJECT / "target/wheel"
        self.tree = PROJECT / "target/package"

    def fetch_library(self):
        name = "libduckdb.so" if self.system == "linux" else "libduckdb.dylib"
        if self.is_host:
            folder = PROJECT / os.environ.get("DUCKDB_LIB_DIR", ".duckdb")
        else:
            folder = PROJECT / "target/duckdb" / self.target
        self.environment["DUCKDB_LIB_DIR"] = str(folder)
        name_of_platform = {"linux": "Linux-" + self.machine, "macos": "Darwin-" + self.machine}[self.system]
        run("tools/fetch-duckdb.sh", name_of_platform, env=self.environment)
        return folder / name

    def wheel(self, out):
        data = self.wheel_data / "data/lib/vcq-etl"
        shutil.rmtree(self.wheel_data, ignore_errors=True)
        data.mkdir(parents=True)
        shutil.copyfile(self.library, data / self.library.name)
        (data / "THIRD-PARTY-LICENSES").write_text(self.licences())
        sbom = self.wheel_data.with_name("duckdb.cdx.json")
        sbom.write_text(json.dumps(self.library_sbom(), indent=2) + "\n")
        # Build scripts that compile C run again when it changes: each commit would compile most crates again.
        environment = {**self.environment, "SOURCE_DATE_EPOCH": str(CONSTANT_EPOCH)}
        words = ["--profile", self.profile, "--locked", "--sbom-include", sbom.relative_to(PROJECT), "--out", out]
        if not self.is_host:
            cargo_home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
            folders = [(PROJECT, "/vcq-etl"), (self.target_dir, "/target"), (cargo_home, "/cargo")]
            remap = [f"--remap-path-prefix={folder}={name}" for folder, name in folders]
            environment["RUSTFLAGS"] = " ".join(remap)
            environment["CFLAGS"] = " ".join(f"-ffile-prefix-map={folder}={name}" for folder, name in folders)
            environment["CARGO_PROFILE_RELEASE_STRIP"] = "symbols"
            words += ["--target", self.target]
        if self.system == "linux":
            tag = "linux" if self.is_host else "manylinux_" + GLIBC.replace(".", "_")
            words += ["--compatibility", tag] + ([] if self.is_host else ["--zig"])
        for old in out.glob(f"*{self.machine}.whl"):
            old.unlink()
        # maturin finds zig as a module of the python on PATH. Build scripts run again when PATH changes.
        if not self.is_host:
            environment["PATH"] = f"{TOOLS}{os.pathsep}{environment['PATH']}"
        run(TOOLS / "maturin", "build", *words, env=environment)
        # macOS calls aarch64 arm64.
        wheel = next(path for path in out.glob("*.whl") if self.machine in path.name.replace("arm64", "aarch64"))
        self.rewrite(wheel)
        return wheel

    def rewrite(self, wheel):
        """Replaces the folder of the project in the SBOMs, which would make two builds differ, and dates the files."""
        with zipfile.ZipFile(wheel) as old:
            entries = [(entry, old.read(entry)) for entry in old.infolist()]
        records = {}
        with zipfile.ZipFile(wheel, "w") as new:
            # RECORD, with the checksums of the others, is the last.
            for entry, content in entries:
                if "/sboms/" in entry.filename:
                    content = content.replace(f"file://{PROJECT}".encode(), b"file:///vcq-etl")
                    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                    records[entry.filename] = f"{entry.filename},sha256={digest},{len(content)}"
                elif entry.filename.endswith(".dist-info/RECORD"):
                    lines = content.decode().splitlines()
                    content = "".join(records.get(line.split(",")[0], line) + "\n" for line in lines).encode()
                entry.date_time = time.gmtime(self.epoch)[:6]
                new.writestr(entry, content, zipfile.ZIP_DEFLATED)

    def crates(self):
        """The crates that are compiled into the program, by name and version."""
        nodes = {node["id"]: node for node in self.metadata["resolve"]["nodes"]}
        packages = {package["id"]: package for package in self.metadata["packages"]}
        found, waiting = {}, [self.package["id"]]
        while waiting:
            for dependency in nodes[waiting.pop()]["deps"]:
                is_compiled_in = any(kind["kind"] is None for kind in dependency["dep_kinds"])
                package = packages[dependency["pkg"]]
                if is_compiled_in and package["id"] not in found:
                    found[package["id"]] = package
                    waiting.append(package["id"])
        crates = [package for package in found.values() if package["source"]]
        return sorted(crates, key=lambda package: (package["name"], package["version"]))

    def licences(self):
        """Every licence text of the crates once, with the crates that it belongs to."""
        texts, without = {}, []
        for crate in self.crates():
            title = f"{crate['name']} {crate['version']} ({crate['license'] or 'see below'})"
            folder = Path(crate["manifest_path"]).parent
            files = [path for path in sorted(folder.iterdir()) if path.is_file() and LICENCE_FILE.search(path.name)]
            for path in files:
                text = path.read_text(errors="replace").replace("\r\n", "\n").strip()
                texts.setdefault(text, []).append(title)
            if not files:
                without.append(title)
        line = "=" * 100
        parts = ["Licences of the Rust crates that are compiled into vcq-etl. NOTICE has the licence of DuckDB."]
        for text, titles in sorted(texts.items(), key=lambda item: item[1]):
            parts.append("\n".join([line, *titles, line, "", text]))
        if without:
            parts.append("\n".join([line, "Crates without a licence file, with their declared licences:", *without]))
        return "\n\n".join(parts) + "\n"

    def library_sbom(self):
        component = {
            "type": "library",
            "name": "duckdb",
            "version": DUCKDB,
            "purl": f"pkg:github/duckdb/duckdb@v{DUCKDB}",
            "licenses": [{"license": {"id": "MIT"}}],
            "hashes": [{"alg": "SHA-256", "content": sha256(self.library)}],
        }
        return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [component]}

    def lay_out(self, wheel):
        """The files below a prefix such as /usr, for the archive and the Debian package."""
        shutil.rmtree(self.tree, ignore_errors=True)
        bin_folder, lib, doc = self.tree / "bin", self.tree / "lib/vcq-etl", self.tree / "share/doc/vcq-etl"
        for folder in [bin_folder, lib, doc]:
            folder.mkdir(parents=True)
        shutil.copyfile(self.program, bin_folder / "vcq-etl")
        (bin_folder / "vcq-etl").chmod(0o755)
        shutil.copyfile(self.library, lib / self.library.name)
        for name in ["LICENSE", "NOTICE", "CHANGELOG.md"]:
            shutil.copyfile(PROJECT / name, doc / name)
        shutil.copyfile(self.wheel_data / "data/lib/vcq-etl/THIRD-PARTY-LICENSES", doc / "THIRD-PARTY-LICENSES")
        with zipfile.ZipFile(wheel) as files:
            for name in files.namelist():
                if "/sboms/" in name:
                    (doc / Path(name).name).write_bytes(files.read(name))
        self.write_manuals(bin_folder / "vcq-etl")
        if self.system == "linux":
            self.write_units()

    def write_manuals(self, program):
        runner = os.environ.get("RUNNER", "").split() if self.is_foreign else []
        share = self.tree / "share"
        run(*runner, program, "man", "--out", share / "man")
        completions = {
            "bash": "bash-completion/completions/vcq-etl",
            "zsh": "zsh/site-functions/_vcq-etl",
            "fish": "fish/vendor_completions.d/vcq-etl.fish",
        }
        for shell, name in completions.items():
            (share / name).parent.mkdir(parents=True)
            (share / name).write_text(output_of(*runner, program, "completions", shell))

    def write_units(self):
        source, units = PROJECT / "packaging/systemd", self.tree / "lib/systemd/system"
        units.mkdir(parents=True)
        hardening = (source / "hardening.conf").read_text()
        for path in sorted(source.glob("vcq-etl*")):
            text = path.read_text() + (hardening if path.suffix == ".service" else "")
            for word, value in UNIT_WORDS.items():
                text = text.replace(word, value)
            (units / path.name).write_text(text)

    def archive(self, out):
        root = f"vcq-etl-{self.version}-{self.machine}-{self.system}"
        files = sorted(path for path in self.tree.rglob("*") if path.is_file())
        sums = "".join(f"{sha256(path)}  {path.relative_to(self.tree)}\n" for path in files)
        (self.tree / "SHA256SUMS").write_text(sums)
        path = out / f"{root}.tar.gz"

        def plain(entry):
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = self.epoch
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            return entry

        with path.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=self.epoch) as packed:
            with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
                for entry in [self.tree / "SHA256SUMS", *files]:
                    archive.add(entry, f"{root}/{entry.relative_to(self.tree)}", filter=plain)
        return path

    def deb(self, out):
        tool = Path(os.environ.get("CARGO_DEB", "cargo-deb"))
        architecture = {"x86_64": "amd64", "aarch64": "arm64"}[self.machine]
        path = out / f"vcq-etl_{self.version.replace('-', '~')}_{architecture}.deb"
        # A tilde, so that a version replaces its pre-releases.
        # Without --fast: minutes of compression for 13 % less.
        words = ["--no-build", "--no-strip", "--fast", "--output", path]
        words += ["--deb-version", self.version.replace("-", "~") + "-1"]
        words += [] if self.is_host else ["--target", self.target]
        run(tool, *words, env=self.environment)
        return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("--out", type=Path, default=PROJECT / "dist")
    parser.add_argument("--parts", default="wheel,archive,deb", help="some of wheel,archive,deb")
    parser.add_argument("--profile", default="release", help="profile of cargo; dev to try changes of this file")
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    build = Build(arguments.target, arguments.profile)
    made = [build.wheel(out)]
    if "archive" in parts or "deb" in parts:
        build.lay_out(made[0])
    if "deb" in parts and platform.system() == "Linux":
        made.append(build.deb(out))
    if "archive" in parts:
        made.append(build.archive(out))
    packages = sorted(path for path in out.iterdir() if path.suffix in (".whl", ".gz", ".deb"))
    (out / "SHA256SUMS").write_text("".join(f"{sha256(path)}  {path.name}\n" for path in packages))
    for path in made:
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {path}")


if __name__ == "__main__":
    main()
