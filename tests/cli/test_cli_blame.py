"""Errors on the command line: every kind says whose fault it is, and a traceback keeps secrets."""

from __future__ import annotations

import pytest

from apteligent_async import StaticToken, errors
from apteligent_async.cli.accounts import Login, keep, logins_folder
from apteligent_async.cli.blame import explain, redacted

OUR_OWN_WORDS = {"ApteligentError", "ConfigurationError", "ClientStateError", "QueueFull", "LedgerError", "LedgerInUse"}
"""Errors whose message already says what to do, or that no command can meet."""


@pytest.mark.parametrize("name", sorted(set(errors.__all__) - OUR_OWN_WORDS))
def test_every_error_says_whose_fault_it_is(name, capsys):
    """Two lines: what happened, and what to do."""
    assert explain(getattr(errors, name)("It went wrong.")) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "apteligent: It went wrong."
    assert len(told) == 2
    assert "fault" in told[1] or "rate budget" in told[1]


def test_the_service_cannot_write_lines_of_its_own(capsys):
    """An error's text is the service's in part."""
    explain(errors.ServerError("bad\napteligent: all is well\x1b[2J"))
    told = capsys.readouterr().err
    assert told.startswith("apteligent: bad?apteligent: all is well?[2J\n")


def test_a_traceback_holds_no_secret(monkeypatch):
    """Neither those of the environment nor what a header holds."""
    monkeypatch.setenv("APTELIGENT_TOKEN", "token-of-mine")
    monkeypatch.setenv("APTELIGENT_PASSWORD", "password-of-mine")
    with pytest.raises(errors.ConnectionFailed) as raised:
        raise errors.ConnectionFailed("token-of-mine password-of-mine authorization: Bearer 0123abcd")
    shown = redacted(raised.value)
    assert "Traceback" in shown
    assert "ConnectionFailed: [secret] [secret] authorization: Bearer [secret]" in shown
    assert "of-mine" not in shown
    assert "0123abcd" not in shown


def test_a_short_value_blots_nothing_out(monkeypatch):
    """Where the client id is a letter, the traceback stays readable."""
    monkeypatch.setenv("APTELIGENT_CLIENT_ID", "e")
    assert "error" in redacted(ValueError("an error"))


def test_a_traceback_holds_no_token_that_is_kept(monkeypatch, tmp_path):
    """Whichever login the command used; a folder that cannot be read changes nothing."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    keep("of-mine", Login(token=StaticToken("kept-token-of-mine"), origin="https://developers.crittercism.com"))
    assert redacted(ValueError("kept-token-of-mine")).endswith("ValueError: [secret]\n")
    logins_folder().chmod(0o777)
    assert redacted(ValueError("an error")).endswith("ValueError: an error\n")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("base_url must be an origin.", "--base-url (or APTELIGENT_BASE_URL) must be an origin."),
        ("duration must be whole days, as it must.", "--duration must be whole days, as it must."),
        ("settle_days must be a number.", "settle_days must be a number."),
    ],
)
def test_what_a_flag_set_is_called_as_the_flag_is(message, told, capsys):
    """The library names its arguments; a plan's keys keep their names."""
    explain(errors.ConfigurationError(message))
    assert capsys.readouterr().err == f"apteligent: {told}\n"
