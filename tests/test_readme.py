"""What the README says is true: every command, setting, source and table it names exists, and the reverse."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import collect
from collectors.registry import PIPELINES, SOURCES, UPSTREAMS
from storage.settings import PIPELINE_NAMES, Settings
from storage.tables import BRIEF, CHECK_RESULT, OBSERVED, PUBLISHED, RECEIPT, REPLAYED, REVISION, SERIES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")
RECORD = (ROOT / "docs" / "record.md").read_text(encoding="utf-8")


def test_it_names_every_setting_and_no_other() -> None:
    table = README.split("## Settings")[1].split("##")[0]
    said = set(re.findall(r"`((?:COLLECTOR|COINGECKO|FRED)_[A-Z_]+)`", table))
    assert said == {str(field.validation_alias) for field in Settings.model_fields.values()}


def test_it_names_every_source_and_no_other() -> None:
    table = README.split("## What it collects")[1].split("##")[0]
    said = set(re.findall(r"`([a-z_]+\.[A-Za-z0-9_^=-]+)`", table))
    assert said == set(SOURCES)


@pytest.mark.parametrize("text", [README, KOREAN], ids=["English", "Korean"])
def test_every_command_it_shows_is_one(text: str) -> None:
    commands = re.findall(r"^python (\S+)(?: +(?!#)(\S+))?", text, re.M)
    assert commands
    for script, word in commands:
        assert (ROOT / script).is_file(), script
        if script == "collect.py":
            assert word in {*collect.VERBS, *collect.PIPELINES, "all"}


def test_every_option_it_names_is_in_the_help() -> None:
    told = subprocess.run(
        [sys.executable, str(ROOT / "collect.py"), "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = set(re.findall(r"`(--[a-z-]+)", README.split("## The command line")[1].split("## Settings")[0]))
    assert options >= {"--demo", "--json", "--wait", "--trigger", "--force"}
    assert all(option in told for option in options)
    assert all(verb in told for verb in collect.VERBS)


def test_every_file_it_links_to_is_there() -> None:
    for text in (README, KOREAN):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / target).exists(), target


def test_every_table_and_column_of_the_record_is_described_and_no_other() -> None:
    described = {
        name: set(re.findall(r"\w+", columns))
        for name, columns in re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", RECORD, re.M)
    }
    tables = {
        table.name: table
        for table in (*OBSERVED, SERIES, REVISION, RECEIPT, *PUBLISHED, *REPLAYED, BRIEF, CHECK_RESULT)
    }
    assert set(described) == {*tables, "crypto_metric"}
    for name, table in tables.items():
        assert set(table.values) <= described[name], name


def test_the_program_knows_the_pipelines_that_the_registry_has() -> None:
    assert tuple(PIPELINES) == collect.PIPELINES
    assert set(PIPELINES) <= set(PIPELINE_NAMES)


def test_every_upstream_is_credited_with_a_link() -> None:
    for upstream in UPSTREAMS.values():
        assert f"]({upstream.home})" in README
