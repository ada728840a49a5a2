"""The scripts for Windows as far as another system can check them: their bytes, their grammar, their words.

PowerShell itself runs nowhere here; docs/scheduler.md says what has to be looked at on a real machine.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import collect

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "scripts").glob("*.ps1"))
CALLED = [path for path in SCRIPTS if not path.name.startswith("_")]


def name(path: Path) -> str:
    return path.name


each = pytest.mark.parametrize("path", SCRIPTS, ids=name)
each_called = pytest.mark.parametrize("path", CALLED, ids=name)


def text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig")


def test_all_of_them_are_there() -> None:
    assert [path.name for path in CALLED] == [
        "register_daily_collector.ps1", "start_console.ps1", "unregister_daily_collector.ps1",
    ]  # fmt: skip


@each
def test_they_are_utf_8_with_a_mark_and_every_line_ends_as_windows_wants_it(path: Path) -> None:
    content = path.read_bytes()
    # Without the mark Windows PowerShell 5.1 reads Korean as cp949.
    assert content.startswith(b"\xef\xbb\xbf") and not content.startswith(b"\xef\xbb\xbf\xef\xbb\xbf")
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    assert content.endswith(b"\r\n")


@each
def test_git_checks_them_out_so_everywhere(path: Path) -> None:
    asked = ["git", "-C", str(ROOT), "check-attr", "eol", "--", str(path)]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=20)
    except FileNotFoundError:
        pytest.skip("NO ATTRIBUTES CHECKED: no git")
    if told.returncode:
        pytest.skip("NO ATTRIBUTES CHECKED: not a git checkout")
    assert told.stdout.rstrip().endswith("eol: crlf")


def parsed(source: str) -> Any:
    tree_sitter = pytest.importorskip("tree_sitter", reason="NO GRAMMAR: no tree-sitter")
    grammar = pytest.importorskip("tree_sitter_powershell", reason="NO GRAMMAR: no tree-sitter-powershell")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    return parser.parse(source.encode()).root_node


@each
def test_they_parse_without_an_error(path: Path) -> None:
    assert not parsed(text(path)).has_error
    assert parsed(text(path).replace("}", "", 1)).has_error


@each_called
def test_they_stop_at_errors_can_be_tried_out_and_explain_themselves(path: Path) -> None:
    source = text(path)
    assert "[CmdletBinding(SupportsShouldProcess = $true)]" in source and "ShouldProcess(" in source
    assert "Join-Path $PSScriptRoot '_project.ps1'" in source
    assert "$ErrorActionPreference = 'Stop'" in text(ROOT / "scripts" / "_project.ps1")
    for part in (".SYNOPSIS", ".DESCRIPTION", ".EXAMPLE", "Exit codes: 0 "):
        assert part in source.split("#>")[0]
    assert re.search(r"^exit (\$LASTEXITCODE|\d)\r?$", source, re.MULTILINE)


@each
def test_they_use_nothing_that_windows_powershell_5_1_has_not(path: Path) -> None:
    source = re.sub(r"<#.*?#>", "", text(path), flags=re.DOTALL)
    assert not re.search(r"\?\?|\?\.|&&|\|\||\s\?\s.*\s:\s|-Parallel|clean \{", source)


@each
def test_what_a_person_reads_is_in_english_and_korean(path: Path) -> None:
    source = text(path)
    for said in re.findall(r"Write-Host (.{0,300})", source, re.DOTALL):
        if said.startswith("(Get-Said"):
            assert re.search(r"[가-힣]", said)
        else:
            pytest.fail(f"one language only: {said[:60]}")


@pytest.mark.parametrize("action", ["install", "remove"])
def test_register_and_unregister_call_a_verb_that_exists(
    action: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = {"install": "register", "remove": "unregister"}[action] + "_daily_collector.ps1"
    assert f"'schedule', '{action}'" in text(ROOT / "scripts" / file)
    assert collect.main(["schedule", action, "--print", "--platform", "windows"]) == 0
    assert "Traceback" not in capsys.readouterr().out
