"""The example of a pull that is spread over workers: real workers, a real server, and a service that counts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

EXAMPLES = Path(__file__).parents[2] / "examples"
PLAN = """
[[want]]
what = "error_monitoring.pie"
graph = "crashes"
group_by = ["os", "device", "carrier"]
"""
APPS, KINDS = 40, 3
WORKER = [sys.executable, "-m", "taskiq", "worker", "spread:broker", "--app-dir", str(EXAMPLES), "--workers", "1"]
WORKER += ["--max-async-tasks", "1", "--ack-type", "when_executed"]


@contextmanager
def worker(environment):
    """Run a worker in processes of its own, once it listens."""
    with subprocess.Popen(
        WORKER, env=environment, start_new_session=True, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert any("Listening started" in line for line in process.stderr), "the worker has ended"
            yield
            process.terminate()
            process.communicate(timeout=20)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_two_workers_share_a_pull_and_its_budget(redis_url, tmp_path):
    """Every unit is had once, both take parts, and the service refuses nothing."""
    pytest.importorskip("taskiq_redis")
    now = datetime(2016, 12, 12, 18, tzinfo=UTC)
    service = Service(World(apps=APPS, now=now), quota=QuotaSettings(limit=1200, bucket_s=3))
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    with serve(service) as origin:
        environment = {
            **os.environ,
            "APTELIGENT_BASE_URL": origin,
            "APTELIGENT_TOKEN": service.issue_token(DEMO_ACCOUNT.client_id),
            "APTELIGENT_CLIENT_ID": DEMO_ACCOUNT.client_id,
            "APTELIGENT_BUDGET": redis_url,
            "SPREAD_FOLDER": str(tmp_path / "ledgers"),
        }
        with worker(environment), worker(environment):
            call = [sys.executable, str(EXAMPLES / "spread.py"), str(plan)]
            done = subprocess.run(call, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.strip() == f"{APPS * KINDS} units in 8 parts by 2 workers, 0 failed", done.stderr
    assert len(list((tmp_path / "ledgers").glob("*.sqlite"))) == 8
    assert [entry for entry in service.quota().log if entry.is_refused] == []
