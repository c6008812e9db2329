"""What was settled can be kept, and is given up when the service has changed."""

from __future__ import annotations

import json
import math

import pytest
from attrs import evolve

from apteligent_async import ConfigurationError, Learned, MemoryBudget, RatePolicy
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.learned import Verdicts, learn, recall, renewed, verdicts
from apteligent_async._scheduling.readings import Unit
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Job, Limited, Reading, Succeeded
from apteligent_async._scheduling.wording import Wording

ALONE = RatePolicy(mode="exclusive")


class Windows:
    """Fixed windows of 100 calls in 300 s, stated as a speed rounded down that counts the present call."""

    def __init__(self, *, began_at=0.0, calls=100, length_s=300.0):
        self.began_at, self.calls, self.length_s = began_at, calls, length_s
        self.used = {}

    def outcome(self, at):
        """Count one call."""
        window = math.floor((at - self.began_at) / self.length_s)
        used = self.used[window] = self.used.get(window, 0) + 1
        left_s = self.began_at + (window + 1) * self.length_s - at
        speed = math.floor(60 * max(self.calls - used, 0) / left_s)
        reading = Reading(limit=self.calls * 60 / self.length_s, remaining=speed, reset_s=math.ceil(left_s))
        return Succeeded(reading=reading) if used <= self.calls else Limited(reading=reading)


def served(scheduler, service, jobs, *, until):
    """Play jobs whose answers take 0.2 s; give the instants of those that were served."""
    now, under_way, ends = service.began_at, [], []
    for _ in range(jobs):
        scheduler.submit(Job(), now=now)
    while now < until:
        under_way += [(now + 0.2, job, service.outcome(now + 0.1)) for job in scheduler.due(now=now)]
        wake_at = scheduler.wake_at()
        instants = [at for at, _, _ in under_way] + ([] if wake_at is None else [wake_at])
        if not instants:
            break
        now = min(instants)
        for entry in [entry for entry in under_way if entry[0] <= now]:
            under_way.remove(entry)
            scheduler.settle(entry[1], entry[2], now=now, dice=0.5)
            ends += [now] if isinstance(entry[2], Succeeded) else []
    return ends


def taught():
    """Give what a scheduler has learned from four windows."""
    scheduler = Scheduler(ALONE)
    served(scheduler, Windows(), 400, until=1200)
    return scheduler.learned()


def test_what_was_learned_survives_json():
    """Plain values go out, the same knowledge comes back."""
    learned = taught()
    assert Learned.from_json(json.loads(json.dumps(learned.to_json()))) == learned


def test_how_a_service_words_its_numbers_is_kept_too():
    """And whether its windows begin anew."""
    budget = Budget(wording=Wording(0.01, is_fine=True, is_uncapped=True))
    budget.windows.refills, budget.fading.is_seen = False, True
    again = Budget()
    recall(learn(budget), again)
    assert again.wording == budget.wording
    assert (again.windows.refills, again.fading.is_seen) == (False, True)
    assert learn(renewed(budget)) == learn(budget)


def test_what_was_kept_without_it_can_be_taken_back():
    """Nothing is known of it then."""
    kept = taught().to_json()
    for name in ("refills", "fades", "reset_doubt_s", "is_fine", "is_uncapped"):
        del kept[name]
    again = Budget()
    recall(Learned.from_json(kept), again)
    assert (again.wording, again.windows.refills) == (Wording(), None)
    assert again.limit == 20


def test_a_taught_scheduler_trusts_sizes_but_no_tokens():
    """The first call is a probe all the same: what is left now is nobody's to remember."""
    scheduler = Scheduler(ALONE, learned=taught())
    for _ in range(10):
        scheduler.submit(Job(), now=0.0)
    assert len(scheduler.due(now=0.0)) == 1
    assert scheduler.snapshot(now=0.0).bucket_s == pytest.approx(300, abs=2)


def test_a_taught_scheduler_uses_the_windows_and_overdraws_none():
    """It serves all but the doubtful last calls of three windows, and none is refused."""
    service = Windows()
    assert len(served(Scheduler(ALONE, learned=taught()), service, 300, until=899)) >= 295
    assert max(service.used.values()) <= 100


def test_another_limit_makes_the_sizes_void():
    """A service that was cut to half its limit is not overdrawn by what was known of it."""
    service = Windows(calls=50)
    served(Scheduler(ALONE, learned=taught()), service, 150, until=1200)
    assert max(service.used.values()) <= 50


@pytest.mark.parametrize("values", [{}, {"views": 3}, {"views": [{}]}, {**taught().to_json(), "moon": 1}])
def test_other_values_are_refused(values):
    """Values that are something else get a clear error."""
    told = r"^These values are not what Learned.to_json\(\) gave; begin without them\.$"
    with pytest.raises(ConfigurationError, match=told):
        Learned.from_json(values)


def test_everything_that_was_settled_is_learned_and_recalled():
    """Each figure comes out as it stood, and goes into new books as it came out; infinity is no figure."""
    budget = settled_budget()
    learned = learn(budget)
    assert evolve(learned, views=()) == Learned(
        limit=20.0, bucket_s=60.0, longest_s=59.0, whole_s=58.0, has_stood=True, is_moving=True, views=()
    )
    assert [(view.unit, view.includes_call, view.is_alive) for view in learned.views] == [
        ("speed", True, True),
        ("speed", False, False),
        ("count", True, True),
        ("count", False, True),
    ]
    assert [(view.strikes, view.calls_at_least, view.calls_at_most) for view in learned.views] == [
        (1, 18, 22.0),
        (0, 0, None),
        (0, 0, None),
        (0, 0, None),
    ]
    fresh = Budget()
    recall(learned, fresh)
    assert learn(fresh) == learned
    assert fresh.views[1].budget_hi == math.inf


def settled_budget():
    """Make books that know something of everything."""
    budget = Budget(limit=20.0, refusals=3, others_seen=2, is_alone=True)
    windows = budget.windows
    windows.length_s, windows.longest_s, windows.whole_s = 60.0, 59.0, 58.0
    windows.has_stood = windows.is_moving = True
    budget.views[0].budget_lo, budget.views[0].budget_hi, budget.views[0].strikes = 18, 22.0, 1
    budget.views[1].rule_out()
    budget.views[2].prove(7)
    return budget


@pytest.mark.parametrize(
    ("alive", "sizes", "settled"),
    [
        ([0, 1, 2, 3], {}, (None, None, None)),
        ([0, 1], {}, (Unit.SPEED, None, None)),
        ([1, 3], {}, (None, False, None)),
        ([2], {2: (20, 20)}, (Unit.COUNT, True, 20)),
        ([2], {2: (19, 20)}, (Unit.COUNT, True, None)),
        ([0, 1], {0: (20, 20), 1: (20, 20)}, (Unit.SPEED, None, 20)),
        ([0, 1], {0: (20, 20), 1: (19, 19)}, (Unit.SPEED, None, None)),
        ([0, 1], {0: (20, 20)}, (Unit.SPEED, None, None)),
    ],
)
def test_a_verdict_is_what_all_readings_that_are_left_agree_on(alive, sizes, settled):
    """Of size, unit and what the numbers include, each for itself."""
    budget = Budget()
    budget.windows.length_s = 60.0
    for place, view in enumerate(budget.views):
        view.is_alive = place in alive
        view.budget_lo, view.budget_hi = sizes.get(place, (0, math.inf))
    unit, includes_call, size = settled
    assert verdicts(budget) == Verdicts(unit=unit, includes_call=includes_call, budget=size, length_s=60.0)


def test_nothing_is_recalled_of_readings_that_are_all_ruled_out():
    """Somebody must be left to read the numbers."""
    budget = settled_budget()
    for view in budget.views:
        view.rule_out()
    fresh = Budget()
    recall(learn(budget), fresh)
    assert [view.is_alive for view in fresh.views] == [view.is_alive for view in Budget().views]
    assert fresh.limit == 20.0


def test_renewed_books_know_the_same_and_trust_no_token():
    """What was counted of refusals and strangers stays, what is left does not."""
    budget = settled_budget()
    budget.views = budget.views[:2]
    fresh = renewed(budget)
    assert learn(fresh) == learn(budget)
    assert (fresh.refusals, fresh.others_seen, fresh.is_alone) == (3, 2, True)
    assert [view.left for view in fresh.views] == [1, 1]
    assert [view.hypothesis for view in fresh.views] == [view.hypothesis for view in budget.views]


def test_a_budget_remembers_when_its_last_client_leaves():
    """A memory budget can be asked afterwards, and teaches whoever joins it next."""
    budget = MemoryBudget()
    scheduler = budget.join("loop", ALONE, lambda scheduler: scheduler)
    served(scheduler, Windows(), 400, until=1200)
    budget.leave("loop")
    assert budget.learned is not None
    assert budget.learned.bucket_s == pytest.approx(300, abs=2)
    again = budget.join("another loop", ALONE, lambda scheduler: scheduler)
    assert again.learned() == budget.learned
