"""Settings are one table that flags, environment, help and README read."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from playground.errors import InvalidValue
from playground.settings import table, variable
from playground.settings_sources import RETIRED, add_flags, read_settings


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
def test_a_flag_beats_our_variable_which_beats_gradios(flags: dict, environ: dict, port: int) -> None:
    assert read_settings(flags, environ).port == port


def test_a_space_listens_on_all_addresses() -> None:
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
        ({"PLAYGROUND_MEMORY_GB": "inf"}, "memory_gb is inf; valid: a number above 0, or 0 for all free memory"),
        ({"PLAYGROUND_MIN_FREE_MB": "-1"}, "min_free_mb is -1; valid: a whole number, or 0 for no limit"),
        ({"PLAYGROUND_PRIOR": "-1"}, "prior is -1.0; valid: 0 (no prior) or a number above 0"),
    ],
)
def test_a_wrong_value_is_refused_with_the_valid_ones(environ: dict, message: str) -> None:
    with pytest.raises(InvalidValue, match=f"^{re.escape(message)}$"):
        read_settings({}, environ)


@pytest.mark.parametrize("environ", [{}, {"PLAYGROUND_PRIOR": "2"}])
def test_the_variable_of_a_retired_setting_is_refused(environ: dict) -> None:
    message = "^PLAYGROUND_PRIOR_TIES is retired; use PLAYGROUND_PRIOR instead: its default, 1.0, suits any number"
    with pytest.raises(InvalidValue, match=message):
        read_settings({}, {"PLAYGROUND_PRIOR_TIES": "0.5", **environ})
    assert read_settings({}, {"PLAYGROUND_PRIOR_TIES": "", **environ}).prior == float(environ.get(variable("prior"), 1))


@pytest.mark.parametrize("given", [["--prior-ties", "0.5"], ["--prior-ties=0.5"], ["--prior-ties"]])
@pytest.mark.parametrize("names", [(), ("prior", "db")])
def test_a_retired_flag_is_a_usage_error(
    given: list[str], names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, *names)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(given)
    assert ended.value.code == 2
    assert "error: --prior-ties is retired; use --prior instead: its default, 1.0, suits" in capsys.readouterr().err
    assert "prior-ties" not in parser.format_help()


def test_every_retired_setting_names_an_existing_one() -> None:
    names = {setting.name for setting in table()}
    assert {new for new, _ in RETIRED.values()} <= names
    assert not names & set(RETIRED)


def test_every_setting_has_a_flag_and_a_variable() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    help_text = " ".join(parser.format_help().split())
    for setting in table():
        assert setting.metadata["help"]
        assert (variable(setting.name) in help_text) is not setting.metadata["secret"], "every user sees flags"


@pytest.mark.parametrize("contact", ["x" * 301, "two\nlines", "\x00"])
def test_contact_is_one_short_line(contact: str) -> None:
    with pytest.raises(InvalidValue, match=r"PLAYGROUND_CONTACT has .* valid: one line of up to 300"):
        read_settings({}, {"PLAYGROUND_CONTACT": contact})
    assert read_settings({}, {"PLAYGROUND_CONTACT": "Ada <ada@example.org>"}).contact == "Ada <ada@example.org>"
