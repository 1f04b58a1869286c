"""What the repository promises about itself: its locks, its scripts, its papers."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deskbell.kernel import config

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ["requirements.lock", "requirements-test.lock"]
SCRIPTS = sorted(path for path in (ROOT / "bin").iterdir() if path.is_file())
SETTING = re.compile(r"\b(?:DESKBELL|HELPDESK)_[A-Z][A-Z0-9_]*[A-Z0-9]\b")


@cache
def tracked_texts() -> dict[str, str]:
    """Every text file of the tree by its path; mails are others' words and stay out."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    texts = {}
    for name in filter(None, names):
        path = ROOT / name
        if path.suffix == ".eml" or not path.is_file():
            continue
        try:
            texts[name] = path.read_bytes().decode()
        except UnicodeDecodeError:
            continue  # an image or a font
    return texts


def requirements(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("-")]


class TestLocks:
    @pytest.mark.parametrize("name", LOCKS)
    def test_name_no_place_to_download_from(self, name):
        text = (ROOT / name).read_text()

        found = re.findall(
            r"(?m)^.*(?:://|file:|--(?:extra-)?index|--find-links|--trusted).*$", text
        )

        assert found == []

    @pytest.mark.parametrize("name", LOCKS)
    def test_pin_and_hash_every_package(self, name):
        entries = re.split(r"(?m)^(?=[A-Za-z0-9])", (ROOT / name).read_text())

        entries = [entry for entry in entries if entry.strip()]

        assert len(entries) > 10
        assert [
            entry.splitlines()[0]
            for entry in entries
            if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", entry)
            or not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)
        ] == []

    def test_hold_every_package_that_is_asked_for(self):
        for wanted, lock in [
            ("requirements.in", "requirements.lock"),
            ("requirements-test.in", "requirements-test.lock"),
        ]:
            names = {
                re.split(r"[\[<>=~! ;]", line, maxsplit=1)[0].lower()
                for line in requirements(ROOT / wanted)
            }
            locked = set(re.findall(r"(?m)^([\w.-]+)(?:\[[\w,-]+\])?==", (ROOT / lock).read_text()))
            assert names - {name.lower() for name in locked} == set()

    def test_agree_where_both_pin_a_package(self):
        pins = [
            dict(re.findall(r"(?m)^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", (ROOT / name).read_text()))
            for name in LOCKS
        ]

        assert {
            name: (version, pins[1][name])
            for name, version in pins[0].items()
            if pins[1].get(name, version) != version
        } == {}

    def test_follow_the_ranges_of_the_package(self):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

        assert project["dependencies"] == requirements(ROOT / "requirements.in")


class TestTree:
    def test_names_no_registry_host(self):
        # Put together from parts, because this file is one of those that are searched.
        hosts = {
            ".".join(parts)
            for parts in [
                ("pypi", "org"),
                ("pythonhosted", "org"),
                ("npmjs", "org"),
                ("deb", "debian", "org"),
                ("proxy", "golang", "org"),
            ]
        }
        for name, value in os.environ.items():
            if re.match(r"(PIP|UV|NPM_CONFIG)_.*(INDEX|REGISTRY|PROXY)", name, re.IGNORECASE):
                hosts |= {host for word in value.split() if (host := urlsplit(word).hostname)} - {
                    "localhost",
                    "127.0.0.1",
                }

        found = {
            name: sorted(host for host in hosts if host in text)
            for name, text in tracked_texts().items()
            if any(host in text for host in hosts)
        }

        assert found == {}

    def test_names_no_path_of_anybodys_machine(self):
        here = re.escape(str(ROOT))
        homes = r"(?<![\w.:/}\])-])/(?:home|root|Users|work)/[\w.]"
        machine = re.compile(rf"{here}\b|{homes}")

        found = {
            name: match.group()
            for name, text in tracked_texts().items()
            if (match := machine.search(text))
        }

        assert found == {}

    def test_holds_no_unresolved_merge(self):
        marks = re.compile(r"(?m)^(<{7} |>{7} |={7}$)")

        assert [name for name, text in tracked_texts().items() if marks.search(text)] == []


class TestScripts:
    @pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
    def test_say_first_what_they_do(self, path):
        first, second = path.read_text().splitlines()[:2]

        assert first.startswith("#!")
        assert re.match(r"# [A-Z].{20,}", second)

    @pytest.mark.parametrize("path", [*SCRIPTS, ROOT / ".ci" / "run"], ids=lambda path: path.name)
    def test_can_be_run(self, path):
        assert os.access(path, os.X_OK)

    @pytest.mark.parametrize("path", [*SCRIPTS, ROOT / ".ci" / "run"], ids=lambda path: path.name)
    def test_are_valid_shell(self, path):
        shell = path.read_text().splitlines()[0].split()[-1].rsplit("/", 1)[-1]

        checked = subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False)

        assert (checked.returncode, checked.stderr) == (0, "")


class TestSettings:
    """A setting without documentation fails, and so does documentation without its setting."""

    KNOWN = {setting.name for setting in config.SETTINGS} | config.OTHER_NAMES
    FILES = {f"{setting.name}_FILE" for setting in config.SETTINGS if setting.secret}

    @staticmethod
    def documented() -> set[str]:
        return set(SETTING.findall((ROOT / "docs" / "running.md").read_text()))

    def test_are_all_documented(self):
        undocumented = self.KNOWN - self.documented()

        assert {name for name in undocumented if not name.startswith("DESKBELL_TEST_")} == set()

    def test_of_the_papers_all_exist(self):
        named = {
            name
            for path, text in tracked_texts().items()
            if path.endswith(".md")
            for name in SETTING.findall(text)
            if name.startswith("DESKBELL_")
        }

        assert (named | self.documented()) - self.KNOWN - self.FILES == set()

    def test_are_read_in_one_place_only(self):
        readers = {
            path: found
            for path, text in tracked_texts().items()
            if path.startswith("deskbell/") and path.endswith(".py")
            if path != "deskbell/kernel/config.py"
            if (
                found := re.findall(r"environ\b[^\n]*DESKBELL_\w+|getenv\([^\n]*DESKBELL_\w+", text)
            )
        }

        assert readers == {}
