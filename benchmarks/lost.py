"""The makespan goal: how near the clairvoyant bound its cells come, which windows are lost, and what they are lost to.

A lost window is *undecidable* if another server would have worded every answer of the run alike, and would have had
nothing left wherever the run left something: whoever spends it there is refused by that server. The twin that is looked
for states its numbers before it counts the call that brings them, and its windows hold one call less and are a
millisecond shorter, so that its limit promises no more than that. It is played with the same calls, at instants as far
from its resets: each arrives a few milliseconds earlier, and no client knows how long a call was on the way.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, Final

from attrs import define, evolve, field

from benchmarks.cases import draw_cell
from benchmarks.core import new_brain
from benchmarks.meters import FixedWindow, LazyWindow
from benchmarks.runs import line_of, p90, play, ratios_by_kind
from benchmarks.zoo import ROUNDINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async._scheduling.learned import Learned
    from apteligent_async._scheduling.policy import Mode
    from benchmarks.cases import Case
    from benchmarks.meters import Meter
    from benchmarks.runs import Run
    from benchmarks.zoo import Answer, Server

__all__ = ["goal2", "has_twin"]

_SHORTER_S: Final = 0.001
_JUST_BEFORE_S: Final = 1e-6


@define
class Witness:
    """A server that writes down when it is asked.

    Attributes:
        heard: the instant of every call.
    """

    inner: Server
    heard: list[float] = field(factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def call(self, now: float, *, cost: int = 1) -> Answer:
        """Answer one call of the client under test."""
        self.heard.append(now)
        return self.inner.call(now, cost=cost)


@define
class _Replayed:
    """What a server makes of calls at given instants.

    Attributes:
        said: the numbers of every answer, but for what a refusal adds to them.
        left: what was left when windows ended in which a call was counted.
    """

    server: Server
    said: list[tuple[float | None, ...]] = field(factory=list, init=False)
    left: list[int] = field(factory=list, init=False)
    _ends_at: float | None = field(default=None, init=False)

    def ends_at(self, now: float) -> float:
        """Name the reset of the window that is open at an instant, and look at what the one before it had left."""
        if self._ends_at is not None and self._ends_at <= now:
            self.left.append(self.server.left(self._ends_at - _JUST_BEFORE_S))
            self._ends_at = None
        return self.server.meter.reset_at(now)

    def hear(self, now: float) -> None:
        """Play one more call to the server."""
        stated = self.server.call(now).stated
        self.said.append(() if stated is None else stated[:3])
        self._ends_at = self.server.meter.reset_at(now)


def goal2(runs: int, seed: str) -> dict[str, Any]:
    """Play the cells of the makespan goal in both modes.

    Five times: knowing nothing, with what that run settled, risking refusals, with what that settled, and told how to
    read the numbers.
    """
    found: dict[str, Any] = {"runs": runs}
    for mode in ("exclusive", "shared"):
        cells = [draw_cell(seed, number) for number in range(runs)]
        first = [_played(cell, mode) for cell in cells]
        risky = [_played(cell, mode, calibrate=True) for cell in cells]
        plain = [run for run, _, _ in first]
        lost = [(run, has_twin(run.case, server.heard)) for run, server, _ in first if run.has_lost_window]
        found[mode] = {
            **_figures(plain),
            "by_server": ratios_by_kind(plain),
            "undecidable": sum(is_undecidable for _, is_undecidable in lost),
            "once_learned": _figures(_again(first, mode)),
            "calibrating": _figures([run for run, _, _ in risky]),
            "once_calibrated": _figures(_again(risky, mode)),
            "told": _figures([play(cell, new_brain(mode, told=cell.dialect)) for cell in cells]),
            "lost": [line_of(run) + (", UNDECIDABLE" if is_undecidable else "") for run, is_undecidable in lost],
        }
    return found


_Played = tuple["Run", Witness, "Learned"]


def _played(case: Case, mode: Mode, *, calibrate: bool = False) -> _Played:
    brain, server = new_brain(mode, calibrate=calibrate), Witness(case.server())
    return play(case, brain, server=server), server, brain.learned()  # type: ignore[arg-type]


def _again(played: Sequence[_Played], mode: Mode) -> list[Run]:
    return [play(run.case, new_brain(mode, learned=learned)) for run, _, learned in played]


def _figures(runs: Sequence[Run]) -> dict[str, float]:
    ratios = [run.ratio for run in runs if run.ratio is not None]
    return {
        "median": round(median(ratios), 4),
        "p90": round(p90(ratios), 4),
        "worst": round(max(ratios), 4),
        "lost_windows": sum(run.has_lost_window for run in runs),
        "avoidable_429s": sum(run.avoidable for run in runs),
        "broken": sum(bool(run.broken) for run in runs),
    }


def has_twin(case: Case, heard: Sequence[float]) -> bool:
    """Whether a server that has nothing left where this one has words all answers of a run alike."""
    twin = _twin(case)
    if twin is None:
        return False
    ours, theirs = _Replayed(case.server()), _Replayed(twin)
    for now in heard:
        earlier_s = ours.ends_at(now) - theirs.ends_at(now)
        if not 0 <= earlier_s <= case.link.up_s:
            return False
        ours.hear(now)
        theirs.hear(now - earlier_s)
    idle = [(mine, other) for mine, other in zip(ours.left, theirs.left, strict=True) if mine > 0]
    return ours.said == theirs.said and bool(idle) and all(other <= 0 for _, other in idle)


def _twin(case: Case) -> Server | None:
    server = case.server()
    meter = _shorter(server.meter)
    if meter is None or case.dialect.is_before:
        return None
    limit = ROUNDINGS[case.dialect.limit](60 * meter.budget / meter.window_s)
    if limit * meter.window_s / 60 >= meter.budget + 1:
        return None  # it would promise more than it holds
    return evolve(server, meter=meter, dialect=evolve(case.dialect, is_before=True))


def _shorter(meter: Meter) -> Meter | None:
    """Give the same windows a millisecond shorter with one call less; None where there are none."""
    less = {"budget": meter.budget - 1, "window_s": meter.window_s - _SHORTER_S}
    if isinstance(meter, FixedWindow):
        return evolve(meter, **less, began_at=meter.began_at + _SHORTER_S)
    return evolve(meter, **less) if isinstance(meter, LazyWindow) else None
