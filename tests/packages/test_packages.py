"""The packages in DIST, installed and run as a user would, without the build tree: wheel, archive, Debian package, units.

Linux. PORTABLE=1 also checks that the wheel needs no newer glibc than its name says. For packages of another machine,
TARGET names it and RUNNER is a command that runs its programs, such as qemu-aarch64-static -L ROOT.
"""

import glob
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

from elftools.elf.elffile import ELFFile

DIST = Path(os.environ["DIST"]).resolve()
MACHINE = os.environ.get("TARGET", "").split("-")[0] or os.uname().machine
IS_FOREIGN = MACHINE != os.uname().machine
RUNNER = os.environ.get("RUNNER", "").split()
IS_PORTABLE = os.environ.get("PORTABLE") == "1"
# No library path and no settings: only the package.
# Debian 10 and RHEL 8: glibc, and the libstdc++ and libgcc of GCC 8.
NEWEST_VERSIONS = {"GLIBC": (2, 28), "GLIBCXX": (3, 4, 25), "CXXABI": (1, 3, 11), "GCC": (8, 0, 0)}
# Of the packages that the Debian package depends on.
SYSTEM_LIBRARIES = r"(ld-linux-.*|libc|libdl|libm|libpthread|librt|libgcc_s|libstdc\+\+)\.so\.[0-9]+"
CLEAN = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}


def one(pattern):
    found = glob.glob(str(DIST / pattern))
    assert len(found) == 1, f"{pattern}: {found}"
    return Path(found[0])


def run(*command, exit_code=0, **options):
    words = [str(word) for word in command]
    options = {"env": CLEAN, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
    done = subprocess.run(words, **options)
    assert done.returncode == exit_code, f"{words} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def elf_files(wheel):
    with zipfile.ZipFile(wheel) as files:
        contents = {name: files.read(name) for name in files.namelist()}
    return {name: ELFFile(io.BytesIO(content)) for name, content in contents.items() if content[:4] == b"\x7fELF"}


class Packages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def check_program(self, program):
        program = [*RUNNER, program]
        self.assertIn("vcq-etl 0.", run(*program, "--version"))
        home = self.folder / "home"
        home.mkdir()
        shown = run(*program, "demo", "--store", self.folder / "demo", env={**CLEAN, "HOME": home}, cwd=home)
        self.assertIn("incidents", shown)
        incidents = run(
            *program, "query", "select count(*) from incidents", "--store", self.folder / "demo", "--format", "csv",
            env={**CLEAN, "HOME": home}, cwd=home,
        )
        self.assertGreater(int(incidents.split()[-1]), 0)

    @unittest.skipIf(IS_FOREIGN, "pip installs packages of this machine only")
    def test_the_wheel_installs_into_a_fresh_environment_runs_and_leaves_nothing(self):
        environment = self.folder / "venv"
        run(sys.executable, "-m", "venv", environment)
        before = sorted(path for path in environment.rglob("*") if "__pycache__" not in path.parts)
        pip = [environment / "bin/python", "-m", "pip", "--disable-pip-version-check"]
        run(*pip, "install", "--no-index", one(f"*{MACHINE}.whl"))
        self.check_program(environment / "bin/vcq-etl")
        listed = run(*pip, "show", "--files", "vcq-etl")
        for name in ["licenses/LICENSE", "licenses/NOTICE", "vcq-etl/THIRD-PARTY-LICENSES", "duckdb.cdx.json"]:
            self.assertIn(name, listed)
        run(*pip, "uninstall", "--yes", "vcq-etl")
        after = sorted(path for path in environment.rglob("*") if "__pycache__" not in path.parts and path.is_file())
        self.assertEqual([path for path in after if path not in before], [])

    def test_the_wheel_has_the_crates_and_the_library_in_its_sboms(self):
        with zipfile.ZipFile(one(f"*{MACHINE}.whl")) as wheel:
            boms = {name: wheel.read(name).decode() for name in wheel.namelist() if "/sboms/" in name}
            licences = next(wheel.read(name) for name in wheel.namelist() if name.endswith("THIRD-PARTY-LICENSES"))
        self.assertEqual(len(boms), 2, list(boms))
        text = "".join(boms.values())
        for name in ["pkg:cargo/arrow@", "pkg:cargo/rustls@", "pkg:github/duckdb/duckdb@"]:
            self.assertIn(name, text)
        self.assertNotIn(f"file://{os.getcwd()}", text)
        for crate in [b"arrow 58", b"rustls 0.23", b"zstd-sys "]:
            self.assertIn(crate, licences)

    @unittest.skipUnless(IS_FOREIGN, "installed by pip on this machine")
    def test_the_wheel_of_another_machine_runs_where_pip_would_put_its_files(self):
        with zipfile.ZipFile(one(f"*{MACHINE}.whl")) as wheel:
            wheel.extractall(self.folder / "wheel")
        data = next((self.folder / "wheel").glob("*.data"))
        (data / "scripts").rename(data / "data/bin")
        program = data / "data/bin/vcq-etl"
        program.chmod(0o755)
        self.check_program(program)

    @unittest.skipUnless(IS_PORTABLE, "the program needs the glibc of this machine")
    def test_the_wheel_needs_no_newer_system_libraries_than_its_name_says(self):
        wheel = one(f"*{MACHINE}.whl")
        self.assertIn("-manylinux_2_28_", wheel.name)
        files = elf_files(wheel)
        self.assertEqual({Path(name).name for name in files}, {"vcq-etl", "libduckdb.so"})
        for name, elf in files.items():
            needed = [tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")]
            for library in needed:
                self.assertRegex(library, rf"^({SYSTEM_LIBRARIES}|libduckdb\.so)$", name)
            for library, versions in elf.get_section_by_name(".gnu.version_r").iter_versions():
                for version in versions:
                    family, _, number = version.name.partition("_")
                    number = tuple(map(int, number.split(".")))
                    self.assertLessEqual(number, NEWEST_VERSIONS[family], f"{name}: {version.name} of {library.name}")

    @unittest.skipUnless(IS_PORTABLE, "paths are remapped in what is released")
    def test_the_program_does_not_contain_paths_of_the_machine(self):
        with zipfile.ZipFile(one(f"*{MACHINE}.whl")) as wheel:
            program = next(wheel.read(name) for name in wheel.namelist() if name.endswith("scripts/vcq-etl"))
        for path in [os.path.expanduser("~/.cargo"), os.getcwd()]:
            self.assertNotIn(path.encode(), program)

    def test_the_archive_is_complete_and_runs_below_any_prefix(self):
        run("tar", "-xzf", one(f"*{MACHINE}-linux.tar.gz"), "-C", self.folder, "--strip-components=1")
        run("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS", cwd=self.folder)
        for name in [
            "lib/vcq-etl/libduckdb.so", "lib/systemd/system/vcq-etl.timer", "share/man/man1/vcq-etl.1",
            "share/bash-completion/completions/vcq-etl", "share/zsh/site-functions/_vcq-etl",
            "share/fish/vendor_completions.d/vcq-etl.fish", "share/doc/vcq-etl/LICENSE", "share/doc/vcq-etl/NOTICE",
            "share/doc/vcq-etl/THIRD-PARTY-LICENSES", "share/doc/vcq-etl/duckdb.cdx.json",
        ]:
            self.assertTrue((self.folder / name).is_file(), name)
        self.check_program(self.folder / "bin/vcq-etl")

    def test_the_archives_and_the_wheels_have_the_checksums_that_are_listed(self):
        run("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS", cwd=DIST)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is missing")
    def test_systemd_accepts_the_units_of_the_debian_package(self):
        run("dpkg-deb", "--extract", self.deb(), self.folder)
        units = self.folder / "usr/lib/systemd/system"
        for name in ["vcq-etl.service", "vcq-etl-alert.service"]:
            # The program is elsewhere here.
            text = (units / name).read_text().replace("/usr/bin/vcq-etl", "/bin/true")
            (units / name).write_text(text)
            shown = run("systemd-analyze", "verify", "--man=no", units / name)
            self.assertNotIn("vcq-etl", shown)
            # From 0 (safe) to 100.
            run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=25", units / name)

    def deb(self):
        if not shutil.which("dpkg-deb"):
            self.skipTest("dpkg is missing")
        architecture = {"x86_64": "amd64", "aarch64": "arm64"}[MACHINE]
        try:
            return one(f"*_{architecture}.deb")
        except AssertionError:
            self.skipTest("there is no Debian package in DIST")

    @unittest.skipUnless(os.getuid() == 0, "dpkg needs root")
    def test_the_debian_package_is_installed_and_removed(self):
        package, root = self.deb(), self.folder / "root"
        for name in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc", "tmp"]:
            (root / name).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        (root / "etc/passwd").write_text(f"vcq-etl:x:{os.getuid()}:{os.getgid()}::/var/lib/vcq-etl:/usr/sbin/nologin\n")
        # The dependencies are not in this folder; `make test-container` installs the package with them.
        dpkg = ["dpkg", f"--root={root}", "--force-depends", "--force-script-chrootless"]
        dpkg += ["--force-architecture"] if IS_FOREIGN else []
        run(*dpkg, "--install", package)
        self.check_program(root / "usr/bin/vcq-etl")
        self.assertEqual((root / "etc/vcq-etl").stat().st_mode & 0o777, 0o750)
        store = root / "var/lib/vcq-etl/store"
        store.mkdir()
        run(*dpkg, "--purge", "vcq-etl")
        left = [path.relative_to(root) for path in root.rglob("*vcq-etl*") if "dpkg" not in path.parts]
        left += [path.relative_to(root) for path in root.rglob("store")]
        self.assertEqual(left, [Path("var/lib/vcq-etl"), Path("var/lib/vcq-etl/store")], "a purge keeps the store only")


if __name__ == "__main__":
    unittest.main()
