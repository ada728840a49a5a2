"""The files a person configures with: `.env.example` and `.streamlit/config.toml`."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def configuration() -> dict[str, Any]:
    return tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_the_example_of_a_settings_file_names_every_setting_with_its_default(home: Path) -> None:
    from storage.settings import Settings

    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line[1:].split("=", 1) for line in lines if re.match(r"#[A-Z_]+=", line))
    assert set(example) == {str(field.validation_alias) for field in Settings.model_fields.values()}
    default, filled = Settings(), Settings(**{name: value for name, value in example.items() if value})
    assert filled.model_dump(exclude={"base_home"}) == default.model_dump(exclude={"base_home"})


def test_the_window_listens_on_loopback_and_tells_nobody() -> None:
    config = configuration()
    assert (config["server"]["address"], config["server"]["port"]) == ("127.0.0.1", 8501)
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"


def test_a_table_leaves_as_csv_only_by_our_own_button() -> None:
    # Streamlit's own writes a cell that begins with = as it is, and a spreadsheet would compute it.
    assert configuration()["client"]["disableDataExport"] is True


def options(table: dict[str, object], path: str = "") -> Iterator[str]:
    for name, value in table.items():
        here = f"{path}.{name}" if path else name
        yield from options(value, here) if isinstance(value, dict) else (here,)


def test_streamlit_knows_every_option_of_its_configuration() -> None:
    # An option that it does not know would be ignored in silence.
    from streamlit import config

    written = configuration()
    assert [name for name in options(written) if name not in config.get_config_options()] == []


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_colour_can_be_read_on_its_ground(theme: str) -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    colours = configuration()["theme"][theme]
    texts = {name: value for name, value in colours.items() if re.search(r"[tT]extColor$|linkColor", name)}
    assert len(texts) == 9
    grounds = (colours["backgroundColor"], colours["secondaryBackgroundColor"])
    faint = [name for name, value in texts.items() for ground in grounds if contrast(value, ground) < 4.5]
    assert faint == []
    assert contrast("#ffffff", colours["primaryColor"]) >= 4.5
