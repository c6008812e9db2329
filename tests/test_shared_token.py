"""One login for all processes of a host."""

from __future__ import annotations

import stat
import subprocess
import sys

import anyio
import httpx
import pytest
from counterparts import APPS, gather

from apteligent_async import (
    ApteligentClient,
    ConfigurationError,
    MemoryBudget,
    PasswordGrant,
    ServerError,
    SQLiteBudget,
)
from apteligent_async._shared_token import SharedToken
from apteligent_async.models.access import Token

pytestmark = pytest.mark.anyio

GRANT = PasswordGrant("PlantedClientId0001", "planted@example.com", "planted p&ssword")
REQUEST = GRANT.request()

HOLDER = """
import sys, anyio
from pathlib import Path
from apteligent_async._shared_token import SharedToken

async def hang(request):
    print("asked", flush=True)
    await anyio.sleep_forever()

anyio.run(SharedToken(Path(sys.argv[1]), hang).get, None)
"""


class Logins:
    """A service that gives out numbered tokens, and the time of day."""

    def __init__(self, path, life_s=3600):
        self.path, self.life_s = path, life_s
        self.issued, self.day_s, self.failure = 0, 1.5e9, None

    async def fetch(self, request):
        """Take a while, and fail if that was wanted."""
        assert request is REQUEST
        sent_at = anyio.current_time()
        await anyio.sleep(0.2)
        if self.failure is not None:
            raise self.failure
        self.issued += 1
        return Token(access_token=f"token-{self.issued}", token_type="bearer", expires_in=self.life_s), sent_at

    def member(self):
        """Give what one process has."""
        return SharedToken(self.path, self.fetch, clock=lambda: self.day_s + anyio.current_time())

    async def ask(self, member):
        """Give the token and the instant of its end."""
        token, since = await member.get(REQUEST)
        return token.access_token, token.expires_in and since + token.expires_in


@pytest.fixture
def logins(tmp_path):
    """Give a service whose token is kept in a folder that is not there yet."""
    return Logins(tmp_path / "tokens" / "t.json")


async def test_many_log_in_once(logins):
    """Whoever comes second waits and reads; the file is its owner's, and all agree when the token ends."""
    began_at = anyio.current_time()
    members = [logins.member() for _ in range(5)]
    ends = await gather(*[lambda member=member: logins.ask(member) for member in members])
    assert {token for token, _ in ends} == {"token-1"}
    assert all(end == pytest.approx(began_at + 3600, abs=0.01) for _, end in ends)
    assert stat.S_IMODE(logins.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(logins.path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in logins.path.parent.iterdir()} == {0o600}


async def test_many_renew_once(logins):
    """Everybody was refused with the same token: one logs in, the others take his; and so again."""
    members = [logins.member() for _ in range(4)]
    for number in [1, 2, 3]:
        ends = await gather(*[lambda member=member: logins.ask(member) for member in members])
        assert {token for token, _ in ends} == {f"token-{number}"}
    assert logins.issued == 3


async def test_a_token_at_its_end_is_not_given(logins):
    """Nor one that others would renew by now; until then it is, with the life that it has left."""
    began_at = anyio.current_time()
    await logins.ask(logins.member())
    await anyio.sleep(3500)
    assert (await logins.ask(logins.member()))[1] == pytest.approx(began_at + 3600, abs=0.01)
    await anyio.sleep(50)
    assert (await logins.ask(logins.member()))[0] == "token-2"


async def test_a_clock_that_was_set_back_lengthens_no_life(logins):
    """What has seconds to live by the file has its whole life at most."""
    await logins.ask(logins.member())
    logins.day_s -= 1e6
    token, since = await logins.member().get(REQUEST)
    assert token.expires_in == 3600
    assert since == anyio.current_time()


async def test_a_token_without_an_end_is_shared_without_one(tmp_path):
    """It is given until it is refused."""
    logins = Logins(tmp_path / "t.json", life_s=None)
    tmp_path.chmod(0o700)
    await logins.ask(logins.member())
    assert await logins.ask(logins.member()) == ("token-1", None)


async def test_a_login_that_fails_holds_nobody_up(logins):
    """The next one tries by himself, and nothing is kept."""
    logins.failure = ServerError("down", status=503)
    with pytest.raises(ServerError):
        await logins.ask(logins.member())
    assert not logins.path.exists()
    logins.failure = None
    assert (await logins.ask(logins.member()))[0] == "token-1"


async def test_one_who_gives_up_holds_nobody_up(logins):
    """A caller that is cancelled lets go of the lock."""
    with anyio.move_on_after(0.1):
        await logins.ask(logins.member())
    with anyio.fail_after(0.3):
        assert (await logins.ask(logins.member()))[0] == "token-1"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"token": {}}', b'{"token": {"access_token": "a\\nb"}, "life_s": 9}']
)
async def test_a_broken_file_is_replaced(logins, content):
    """Whatever it holds, a login mends it."""
    await logins.ask(logins.member())
    logins.path.write_bytes(content)
    assert (await logins.ask(logins.member()))[0] == "token-2"
    assert (await logins.ask(logins.member()))[0] == "token-2"


@pytest.mark.parametrize(("name", "mode"), [("t.json", 0o644), ("", 0o755)])
async def test_what_is_open_to_others_is_refused(logins, name, mode):
    """Before anything is spent; the message names the mend."""
    await logins.ask(logins.member())
    (logins.path.parent / name).chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod"):
        await logins.ask(logins.member())
    assert logins.issued == 1


async def test_without_a_folder_everybody_logs_in(tmp_path):
    """A disk that takes no file stops nobody."""
    (tmp_path / "file").touch()
    logins = Logins(tmp_path / "file" / "tokens" / "t.json")
    assert (await logins.ask(logins.member()))[0] == "token-1"
    assert (await logins.ask(logins.member()))[0] == "token-2"


class RealTime:
    """Tests with processes and threads, which know no other time."""

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request):
        """Run on both loops."""
        return request.param


class TestProcesses(RealTime):
    """A process that dies."""

    @pytest.fixture
    def holder(self, logins):
        """Start a process that has sent its login and gets no answer."""
        command = [sys.executable, "-c", HOLDER, str(logins.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"asked\n"
            yield process
            process.kill()

    async def test_one_that_is_killed_while_it_logs_in_holds_nobody_up(self, logins, holder):
        """As long as it lives, nobody else logs in; then the next one does."""
        with anyio.move_on_after(0.5):
            await logins.ask(logins.member())
        assert logins.issued == 0
        holder.kill()
        with anyio.fail_after(5):
            assert (await logins.ask(logins.member()))[0] == "token-1"


class Site(httpx.AsyncBaseTransport):
    """A service that accepts the last token that it gave out."""

    def __init__(self):
        self.logins = 0

    async def handle_async_request(self, request):
        """Give a token, or judge one."""
        await anyio.sleep(0.01)
        headers = {"Rate-Limit-Limit": "6000", "Rate-Limit-Remaining": "6000", "Rate-Limit-Reset": "60"}
        if request.url.path == "/v2/token":
            self.logins += 1
            body = {"access_token": f"PlantedToken{self.logins}", "token_type": "bearer", "expires_in": 3600}
            return httpx.Response(200, headers=headers, json=body, request=request)
        is_good = request.headers["authorization"] == f"Bearer PlantedToken{self.logins}"
        return httpx.Response(200 if is_good else 401, headers=headers, json=APPS, request=request)


class TestClients(RealTime):
    """What clients do of it."""

    @pytest.fixture(autouse=True)
    def state(self, tmp_path, monkeypatch):
        """Keep what they keep in a folder of the test."""
        monkeypatch.setattr("apteligent_async._shared_token.state_folder", lambda: tmp_path / "state")
        return tmp_path / "state"

    async def test_clients_of_a_shared_file_log_in_and_renew_once(self, state, tmp_path):
        """With budget objects of their own, as processes have; no name, no id and no password is in any file."""
        site = Site()

        def member():
            budget = SQLiteBudget(tmp_path / "budget.db")
            return ApteligentClient(GRANT, base_url="http://127.0.0.1:9", transport=site, budget=budget)

        async with member() as one, member() as two:
            ends = await gather(*[one.apps.list] * 3, *[two.apps.list] * 3)
            assert not [end for end in ends if isinstance(end, Exception)]
            assert site.logins == 1
            site.logins = 7
            ends = await gather(*[one.apps.list] * 3, *[two.apps.list] * 3)
            assert not [end for end in ends if isinstance(end, Exception)]
            assert site.logins == 8
        [kept] = state.rglob("*.json")
        shown = kept.name.encode() + kept.read_bytes()
        assert not [text for text in ["planted", "PlantedClientId", "ssword"] if text.encode() in shown]
        assert b"PlantedToken8" in shown

    async def test_another_scope_is_another_token(self, tmp_path):
        """A token that opens less, or more, is not what was asked for."""
        site = Site()
        for scope in [None, "read"]:
            grant = PasswordGrant("PlantedClientId0001", "planted@example.com", "p", scope=scope)
            budget = SQLiteBudget(tmp_path / "budget.db")
            async with ApteligentClient(grant, base_url="http://127.0.0.1:9", transport=site, budget=budget) as client:
                await client.apps.list()
        assert site.logins == 2

    @pytest.mark.parametrize("options", [{}, {"budget": MemoryBudget()}])
    async def test_without_a_shared_file_nothing_is_touched(self, state, options, monkeypatch):
        """A client by itself writes no file and looks at none."""
        monkeypatch.setattr("apteligent_async._shared_token.SharedToken", None)
        async with ApteligentClient(GRANT, base_url="http://127.0.0.1:9", transport=Site(), **options) as client:
            await client.apps.list()
        assert not state.exists()
