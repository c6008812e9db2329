"""What processes of one host know of each other."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from apteligent_async._budgets import hosts


def test_a_process_that_ended_is_gone_and_this_one_is_not():
    """Its number is free, or it waits for its parent to look."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert hosts.is_gone(ended.pid)
    assert not hosts.is_gone(os.getpid())


def test_no_signal_is_sent_where_zero_means_ctrl_c(monkeypatch):
    """On Windows nobody can be asked, and nobody is interrupted."""
    monkeypatch.setattr(hosts.sys, "platform", "win32")
    monkeypatch.setattr(hosts.os, "kill", lambda *_: pytest.fail("a signal was sent"))
    assert not hosts.is_gone(os.getpid())
