"""What the demo asks: every pie of its pull, and the questions of the service's introductory page."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async import ErrorGraph, ErrorGroupBy, PerformanceGraph, PerformanceGroupBy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async import ApteligentClient
    from apteligent_async.models.apps import App, Apps
    from apteligent_async.models.monitoring import Pie

__all__ = ["Cut", "Question", "ask", "plan_of", "questions_about"]

Graph = ErrorGraph | PerformanceGraph

_GRAPHS: tuple[Graph, ...] = (
    ErrorGraph.CRASHES,
    ErrorGraph.APP_LOADS,
    ErrorGraph.CRASH_PERCENT,
    ErrorGraph.DAU,
    PerformanceGraph.LATENCY,
)
_DIMENSIONS = (ErrorGroupBy.APP_VERSION, ErrorGroupBy.OS, ErrorGroupBy.DEVICE)


@frozen(kw_only=True)
class Cut:
    """One pie to ask for: a metric of one app, or of several together, cut by one dimension."""

    graph: Graph
    group_by: ErrorGroupBy | PerformanceGroupBy
    app_ids: tuple[str, ...]
    app_name: str

    @property
    def app_id(self) -> str | None:
        """The app, or None where several are counted together."""
        return self.app_ids[0] if len(self.app_ids) == 1 else None


@frozen(kw_only=True)
class Question:
    """A question of the introductory page, the pie that answers it, and what that pie's values count."""

    text: str
    cut: Cut
    unit: str


async def ask(client: ApteligentClient, cut: Cut) -> Pie:
    """Ask the service for one pie of the last day.

    Raises:
        ApteligentError: there is no answer.
    """
    pie = client.error_monitoring.pie if isinstance(cut.graph, ErrorGraph) else client.performance_management.pie
    app_ids = None if cut.app_id else cut.app_ids
    return await pie(graph=cut.graph, group_by=cut.group_by, app_id=cut.app_id, app_ids=app_ids)


def questions_about(apps: Apps) -> tuple[Question, ...]:
    """Give four questions; the first is about the app with most users, the others are about all apps together."""
    largest = _of_one(max(apps, key=lambda app: app.dau or 0))
    together = (tuple(app.id for app in apps), f"all {len(apps)} apps")
    return (
        _question("Which version has the most users?", "app loads", ErrorGraph.APP_LOADS, _DIMENSIONS[0], largest),
        _question("Which OS crashes the most?", "crash %", ErrorGraph.CRASH_PERCENT, "os", together),
        _question("Which service is the slowest?", "ms", PerformanceGraph.LATENCY, "service", together),
        _question("Which app is the heaviest on data?", "bytes/request", PerformanceGraph.DATA_IN, "appId", together),
    )


def plan_of(apps: Apps, questions: Sequence[Question]) -> tuple[Cut, ...]:
    """List every pie once: what the questions need first, then each metric of every app by every dimension."""
    pulled = (_cut(graph, by, _of_one(app)) for graph, by, app in product(_GRAPHS, _DIMENSIONS, apps))
    return tuple(dict.fromkeys([*(question.cut for question in questions), *pulled]))


def _of_one(app: App) -> tuple[tuple[str, ...], str]:
    return (app.id,), app.name


def _question(text: str, unit: str, graph: Graph, group_by: str, about: tuple[tuple[str, ...], str]) -> Question:
    return Question(text=text, unit=unit, cut=_cut(graph, group_by, about))


def _cut(graph: Graph, group_by: str, about: tuple[tuple[str, ...], str]) -> Cut:
    dimension = ErrorGroupBy(group_by) if isinstance(graph, ErrorGraph) else PerformanceGroupBy(group_by)
    return Cut(graph=graph, group_by=dimension, app_ids=about[0], app_name=about[1])
