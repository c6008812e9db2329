"""``apteligent doctor``: against the simulator, against what is broken, and without a network."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from raw_server import http, raw_server
from terminal import in_terminal, plain

from apteligent_async.cli import checkup, main
from apteligent_async.cli.asking import Connection
from apteligent_async.cli.checkup_online import ask_around, check_clock
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

NOW = datetime(2016, 12, 12, 18, tzinfo=UTC)
WORLD = World(apps=2, now=NOW)
NAMES = ["Python", "extras", "store", "credentials", "address", "DNS", "TLS", "token", "clock", "budget"]
GRANT = {
    "APTELIGENT_CLIENT_ID": DEMO_ACCOUNT.client_id,
    "APTELIGENT_USERNAME": DEMO_ACCOUNT.username,
    "APTELIGENT_PASSWORD": DEMO_ACCOUNT.password,
}
PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]


@pytest.fixture
def service():
    """Make a simulated service."""
    return Service(WORLD, quota=QuotaSettings(bucket_s=3600))


@pytest.fixture
def url(service):
    """Serve it."""
    with serve(service) as url:
        yield url


@pytest.fixture
def examine(capsys, monkeypatch, tmp_path):
    """Give the command: it takes flags and an environment; it gives code, checks by name, calls and the report."""

    def call(*flags, **environment):
        for name in ["TOKEN", "CLIENT_ID", "USERNAME", "PASSWORD", "BASE_URL", "REGION", "BUDGET"]:
            monkeypatch.delenv(f"APTELIGENT_{name}", raising=False)
        for name in [*PROXIES, *map(str.lower, PROXIES)]:
            monkeypatch.delenv(name, raising=False)
        for name, value in {"XDG_STATE_HOME": str(tmp_path), "COLUMNS": "100", **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["apteligent", "doctor", "--json", *flags])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        found = json.loads(printed.out)
        checks = {check["name"]: check for check in found["checks"]}
        assert found["ok"] == (ended.value.code == 0) == all(each["verdict"] != "broken" for each in checks.values())
        return ended.value.code, checks, found["calls"], printed.err

    return call


def verdicts(checks):
    """Give the verdicts by name."""
    return {name: check["verdict"] for name, check in checks.items()}


def test_where_all_is_well_it_says_so_and_what_it_cost(examine, url, service):
    """Every check is named, none is broken, and the calls that it counts are those that the service counted."""
    code, checks, calls, report = examine("--base-url", url, **GRANT)
    assert (code, list(checks)) == (0, NAMES)
    assert set(verdicts(checks).values()) <= {"ok", "note"}
    assert calls == len(service.quota().log) == 2
    assert "Nothing is broken. It cost 2 calls of the budget." in report
    assert checks["token"]["calls"] == 2
    assert "for 2 apps; good for 30.0 days" in checks["token"]["found"]
    assert checks["budget"]["found"].startswith("20 calls a minute, at least ")


def test_it_prints_no_secret(examine, url, service):
    """Neither what the environment holds nor what a login keeps."""
    token = service.issue_token(DEMO_ACCOUNT.client_id)
    told = [str(examine("--base-url", url, **GRANT)), str(examine("--base-url", url, APTELIGENT_TOKEN=token))]
    for secret in (DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.password, token):
        assert all(secret not in text for text in told)


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_it_fits_a_terminal(url, tmp_path, columns):
    """No line is wider than the terminal, but for the last, which the terminal may wrap; the mends are complete."""
    code, screen = in_terminal(
        "doctor", "--base-url", url, columns=columns, XDG_STATE_HOME=str(tmp_path), APTELIGENT_TOKEN="gone"
    )
    lines = plain(screen).splitlines()
    assert code == 1
    assert all(len(line) <= columns for line in lines[:-1])
    assert lines[-1].startswith("Broken: token. It cost 1 call of the budget.")
    assert "`apteligent login`, or correct the environment." in " ".join(" ".join(lines).split())


def test_a_refused_token_is_broken_and_says_how_to_log_in(examine, url):
    """The clock is read all the same, off an answer that costs nothing."""
    code, checks, _, _ = examine("--base-url", url, APTELIGENT_TOKEN="gone")
    assert code == 1
    assert checks["token"]["verdict"] == "broken"
    assert "apteligent login" in checks["token"]["mend"]
    assert checks["clock"]["verdict"] == "ok"


def test_a_429_is_no_fault_of_the_token(examine):
    """It is a note, and the budget tells when to come back."""
    service = Service(WORLD, quota=QuotaSettings(bucket_s=3600, initial_use=1200))
    with serve(service) as url:
        token = service.issue_token(DEMO_ACCOUNT.client_id)
        code, checks, calls, _ = examine("--base-url", url, APTELIGENT_TOKEN=token)
    assert (code, calls) == (0, 1)
    assert (checks["token"]["verdict"], checks["budget"]["verdict"]) == ("note", "note")
    assert "reset in" in checks["budget"]["found"]


def test_without_credentials_it_spends_no_call(examine, url, service):
    """The line is looked at as far as it goes."""
    code, checks, calls, _ = examine("--base-url", url)
    assert (code, calls, len(service.quota().log)) == (1, 0, 0)
    assert "apteligent login" in checks["credentials"]["found"]
    assert verdicts(checks)["TLS"] == "ok"
    assert verdicts(checks)["token"] == "skipped"


def test_where_nobody_listens_it_names_the_simulator(examine):
    """No call is spent, and what needs a connection is skipped."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    code, checks, calls, _ = examine("--base-url", f"http://127.0.0.1:{port}", APTELIGENT_TOKEN="t")
    assert (code, calls) == (1, 0)
    assert verdicts(checks) | {"TLS": "broken", "token": "skipped", "clock": "skipped"} == verdicts(checks)
    assert "apteligent simulate" in checks["TLS"]["mend"]


def test_offline_it_helps_without_a_traceback(examine, monkeypatch):
    """A name that cannot be looked up is broken, in the system's words, with what to look at."""

    def no_network(*arguments, **others):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    code, checks, calls, report = examine(APTELIGENT_TOKEN="t")
    assert (code, calls) == (1, 0)
    assert checks["DNS"]["found"] == "developers.crittercism.com: Name or service not known"
    assert "Is the network up" in checks["DNS"]["mend"]
    assert "Traceback" not in report


@pytest.mark.parametrize(
    "address",
    ["http://192.0.2.1", "nonsense", "https://", "http://127.0.0.1:99999", "http://a b"],
)
def test_an_address_that_cannot_be_asked_is_broken_before_anything_is(examine, address):
    """A place that a token would be sent to in the clear is among them; no name is looked up."""
    code, checks, calls, _ = examine("--base-url", address, APTELIGENT_TOKEN="t")
    assert (code, calls) == (1, 0)
    assert "base_url must" in checks["address"]["found"]
    assert {verdicts(checks)[name] for name in ("DNS", "TLS", "token", "clock", "budget")} == {"skipped"}


@contextmanager
def tls_server(tmp_path):
    """Shake hands under a certificate that only its own file vouches for; give the address and that file."""
    made = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", *made, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key]
    subprocess.run([*command, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_shake_hands, args=[listener, context], daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", certificate
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def _shake_hands(listener, context):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(65536)
        except OSError:
            connection.close()


@pytest.mark.parametrize("part", ["u:Zq7wPassKx2v@127.0.0.1:9", "127.0.0.1:9/v2", "127.0.0.1:9?key=Zq7wPassKx2v"])
@pytest.mark.parametrize("credentials", [{}, GRANT])
def test_an_address_that_every_command_refuses_is_broken(examine, part, credentials):
    """As it was given, not what is left of it without a user, a path or a query; nothing of it is repeated."""
    code, checks, calls, report = examine(**credentials, APTELIGENT_BASE_URL=f"http://{part}")
    assert (code, calls, checks["address"]["verdict"]) == (1, 0, "broken")
    assert "must be an origin" in checks["address"]["found"]
    assert "Zq7w" not in f"{checks} {report}"


def test_an_unknown_authority_is_told_from_a_known_one(examine, tmp_path):
    """SSL_CERT_FILE is the mend that is named, and it mends."""
    with tls_server(tmp_path) as (url, certificate):
        _, checks, _, _ = examine("--base-url", url)
        assert checks["TLS"]["verdict"] == "broken"
        assert "certificate" in checks["TLS"]["found"]
        assert "SSL_CERT_FILE" in checks["TLS"]["mend"]
        _, checks, _, _ = examine("--base-url", url, SSL_CERT_FILE=str(certificate))
        assert checks["TLS"]["verdict"] == "ok"
        assert checks["TLS"]["found"].startswith("TLSv1.")
        assert f"good until {datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}" in checks["TLS"]["found"]


def test_a_server_that_speaks_no_tls_is_broken_in_words(examine, url):
    """The wrong scheme is a fault like any other."""
    _, checks, _, _ = examine("--base-url", url.replace("http:", "https:"), APTELIGENT_TOKEN="t")
    assert "address" in checks["TLS"]["mend"]
    assert checks["TLS"]["verdict"] == "broken"


def test_behind_a_proxy_name_and_handshake_are_left_to_it(examine):
    """The token's check shows whether it works; the proxy's own password is not shown."""
    proxy = "http://me:planted-proxy-password@127.0.0.1:9"
    code, checks, _, report = examine(APTELIGENT_TOKEN="t", HTTPS_PROXY=proxy)
    assert code == 1
    assert verdicts(checks) | {"DNS": "skipped", "TLS": "skipped", "token": "broken"} == verdicts(checks)
    assert "planted-proxy-password" not in report + str(checks)


def test_settings_that_cannot_work_are_told_apart(examine, url):
    """A budget's address that nobody understands is neither the token's fault nor the service's."""
    ways = [((), {"APTELIGENT_BUDGET": "nonsense://"}), (("--budget", "nonsense://"), {})]
    for flags, environment in ways:
        code, checks, calls, _ = examine("--base-url", url, *flags, APTELIGENT_TOKEN="t", **environment)
        assert (code, calls) == (1, 0)
        assert "sqlite:///" in checks["settings"]["found"]


@pytest.mark.parametrize(("mode", "path"), [(0o644, "default.json"), (0o755, ".")])
def test_an_open_store_is_broken_and_names_the_mend(examine, tmp_path, mode, path):
    """Both the folder and each file in it."""
    folder = tmp_path / "apteligent-async" / "accounts"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "default.json").touch(mode=0o600)
    (folder / path).chmod(mode)
    _, checks, _, _ = examine("--base-url", "http://127.0.0.1:9", APTELIGENT_TOKEN="t")
    assert checks["store"]["verdict"] == "broken"
    assert "chmod" in checks["store"]["found"]


@pytest.mark.parametrize(
    ("ahead_s", "verdict", "words"),
    [
        (0, "ok", "agrees"),
        (-4, "ok", "agrees"),
        (30, "note", "30 s ahead of the service"),
        (-30, "note", "30 s behind the service"),
        (61, "broken", "61 s ahead of the service"),
        (-86_400, "broken", "86400 s behind the service"),
    ],
)
def test_the_clock_is_compared_with_the_services(ahead_s, verdict, words):
    """A few seconds are nothing, half a minute is a note, more is broken; which way is said."""
    check = check_clock(format_datetime(NOW, usegmt=True), now=NOW + timedelta(seconds=ahead_s))
    assert check.verdict == verdict
    assert words in check.found
    assert bool(check.mend) == (verdict != "ok")


@pytest.mark.parametrize(
    "date", [None, "", "yesterday", "Mon, 99 Foo 2016 00:00:00 GMT", "Mon, 12 Dec 9999 99:00:00 GMT"]
)
def test_a_date_that_is_none_is_no_fault_of_the_clock(date):
    """It is skipped."""
    assert check_clock(date, now=NOW).verdict == "skipped"


def test_missing_extras_are_a_note_with_the_command(monkeypatch):
    """Nothing optional is a fault; the command installs just what is missing."""
    monkeypatch.setattr(checkup, "_is_installed", lambda name: name not in {"altair", "coredis"})
    check = checkup.check_extras()
    assert check.verdict == "note"
    assert check.mend.endswith("pip install 'apteligent-async[charts,redis]'") or "[redis,charts]" in check.mend
    assert "cli" in check.found.partition(";")[0]


def test_an_untested_python_is_a_note(monkeypatch):
    """It may work; what it is tested with is said."""
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    check = checkup.check_python()
    assert check.verdict == "note"
    assert "3.11 to 3.13" in check.mend


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_service_that_answers_nonsense_is_broken_in_words(monkeypatch):
    """On both event loops: the answer's fault is said, and what else could be at fault."""
    monkeypatch.setenv("APTELIGENT_TOKEN", "t")
    with raw_server(lambda number: http(b"<html>")) as server:
        checks = await ask_around(server.url, Connection(base_url=server.url))
    told = {check.name: check for check in checks}
    assert told["token"].verdict == "broken"
    assert "address" in told["token"].mend
    assert told["clock"].verdict == "skipped"


def test_an_address_with_a_password_is_refused_without_showing_it(examine, url):
    """The client says what an address is; nothing is sent to it."""
    code, checks, calls, report = examine("--base-url", url.replace("//", "//me:planted@"), APTELIGENT_TOKEN="t")
    assert (code, calls, checks["address"]["verdict"]) == (1, 0, "broken")
    assert "planted" not in report + str(checks)
