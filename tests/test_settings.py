"""Settings: one table, read by flags, environment, help and README."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from playground.errors import InvalidValue
from playground.settings import Settings, add_flags, read_settings, table, variable

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_defaults_are_those_of_the_contract() -> None:
    settings = read_settings({}, {})
    assert (settings.port, settings.db) == (7860, Path("data/playground.db"))
    assert settings.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("flags", "environ", "port"),
    [
        ({"port": "1"}, {"PLAYGROUND_PORT": "2", "GRADIO_SERVER_PORT": "3"}, 1),
        ({}, {"PLAYGROUND_PORT": "2", "GRADIO_SERVER_PORT": "3"}, 2),
        ({}, {"GRADIO_SERVER_PORT": "3"}, 3),
        ({}, {"PLAYGROUND_PORT": ""}, 7860),
    ],
)
def test_a_flag_beats_our_variable_beats_gradios(flags: dict, environ: dict, port: int) -> None:
    assert read_settings(flags, environ).port == port


def test_a_space_listens_to_the_outside() -> None:
    assert read_settings({}, {"SYSTEM": "spaces"}).host == "0.0.0.0"
    assert read_settings({}, {"SYSTEM": "spaces", "PLAYGROUND_HOST": "127.0.0.9"}).host == "127.0.0.9"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"PLAYGROUND_PORT": "many"}, "PLAYGROUND_PORT is 'many'; it has to be of type int"),
        ({"PLAYGROUND_SHARE": "maybe"}, "PLAYGROUND_SHARE is 'maybe'; valid: true, false"),
        ({"PLAYGROUND_COLUMNS": "7"}, "columns is 7; valid: 2 to 6"),
        ({"PLAYGROUND_PORT": "0"}, "port is 0; valid: 1 to 65535"),
        ({"PLAYGROUND_QUEUE_MAX": "0"}, "queue_max is 0; valid: a number above 0"),
        ({"PLAYGROUND_VOTES_PER_MINUTE": "-1"}, "votes_per_minute is -1; valid: a whole number, or 0 for no limit"),
        ({"PLAYGROUND_UNDO_S": "nan"}, "undo_s is nan; valid: a number above 0"),
        ({"PLAYGROUND_EXPIRE_S": "-5"}, "expire_s is -5.0; valid: a number above 0"),
        ({"PLAYGROUND_DEADLINE_S": "inf"}, "deadline_s is inf; valid: a number above 0"),
    ],
)
def test_a_wrong_value_names_its_source_and_the_valid_ones(environ: dict, message: str) -> None:
    with pytest.raises(InvalidValue, match="^" + message.replace("(", r"\(") + "$"):
        read_settings({}, environ)


def test_every_setting_has_a_flag_a_variable_and_a_line_in_the_readme() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    help_text = " ".join(parser.format_help().split())
    for setting in table():
        assert setting.metadata["help"]
        assert (variable(setting.name) in help_text) is not setting.metadata["secret"], "a flag is seen by every user"
        assert f"| `{variable(setting.name)}` | `{getattr(Settings(), setting.name)}` | " in README, setting.name
