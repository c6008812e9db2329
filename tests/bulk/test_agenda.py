"""What a pull has to do: each question once, and no more units at a time than one call is about."""

from __future__ import annotations

import tracemalloc

from pulled import NOW, facts

from apteligent_async import Plan, Wanted
from apteligent_async.bulk.agenda import Agenda, units_of
from apteligent_async.bulk.expanding import expand, spread

GRAPHS = ["crashes", "appLoads", "dau", "affectedUsers"]


def agenda_of(plan):
    """Give what is to be done where nothing was had."""
    spans = spread(plan, facts(), NOW)
    return Agenda(spans=spans, had=[None] * sum(map(len, spans)), now=NOW)


def test_memory_does_not_grow_with_the_days():
    """Fifty-seven times as many units take no more than a few bytes each."""
    peaks = []
    for days in (1, 57):
        tracemalloc.start()
        try:
            agenda = agenda_of(Plan(want=[Wanted("error_monitoring.graph", graph=GRAPHS, days=days)]))
            units = sum(len(fetch.units) for fetch in agenda.calls)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert units == days * len(GRAPHS) * len(facts())
    assert peaks[1] - peaks[0] < 50 * units


def test_a_question_that_is_wanted_twice_is_asked_once():
    """With the days of both, in order."""
    want = [Wanted("error_monitoring.graph", graph="crashes", days=days) for days in (2, 5, 3)]
    units = expand(Plan(want=want, apps=facts()[0].id), facts(), NOW)
    assert [unit.age_days for unit in units] == [4, 3, 2, 1, 0]
    (fetch,) = agenda_of(Plan(want=want, apps=facts()[0].id)).calls
    assert fetch.units == units


def test_what_is_done_is_not_done_again():
    """Nor is what was had, where it is final."""
    plan = Plan(want=[Wanted("error_monitoring.graph", graph=["crashes", "dau"], days=5)], apps=facts()[0].id)
    first, second = spans = spread(plan, facts(), NOW)
    units = list(units_of(spans))
    had = [NOW if unit.age_days in {0, 4} else None for unit in units]
    agenda = Agenda(spans=spans, had=had, now=NOW, done={second.question})
    assert [unit.age_days for unit in agenda.due] == [3, 2, 1]
    assert {unit.question for unit, _ in agenda} == {first.question}
    assert [fetch.units for fetch in agenda.calls] == [tuple(units[1:4])]
