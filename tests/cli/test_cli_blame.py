"""Errors on the command line: every kind says whose fault it is, and a traceback keeps secrets."""

from __future__ import annotations

import pytest

from apteligent_async import errors
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
