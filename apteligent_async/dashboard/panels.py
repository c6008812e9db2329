"""The parts of the page. Each asks for one thing at most, so that each has one age, and one reason to be missing."""

from __future__ import annotations

from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import anyio
from attrs import frozen
from fastapi import HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from apteligent_async import ApteligentClient, ApteligentError
from apteligent_async.dashboard import figures
from apteligent_async.dashboard.figures import CUTS, METRICS, Cut, Metric, Sort
from apteligent_async.dashboard.rendering import render
from apteligent_async.dashboard.standing import standing_of
from apteligent_async.dashboard.stream import budget_events
from apteligent_async.integrations.problems import problem_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from apteligent_async.dashboard.line import Line
    from apteligent_async.models.result import Result

__all__ = ["Visit", "app", "apps", "asset", "budget", "chart", "cut", "page"]

_PATIENCE_S = 5.0
"""Seconds that a panel may take; if the budget allows no answer by then, it says so at once."""

_MONTH = 43_200
"""Minutes: the widest window that is attested for pies and graphs alike (grade A1)."""

_LONGEST_PAUSE_S = 60.0

_SOON_S = 3.0
"""A pause that is not worth a word of why."""

_TYPES = {
    "dashboard.css": "text/css",
    "dashboard.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "uplot.min.css": "text/css",
    "uplot.min.js": "text/javascript",
}


@frozen(kw_only=True)
class Visit:
    """What a request to the dashboard is answered with.

    Attributes:
        client: asks the service.
        line: knows who waits.
        is_ending: whether the server wants to stop.
    """

    client: ApteligentClient
    line: Line
    is_ending: Callable[[], bool]

    @property
    def asking(self) -> ApteligentClient:
        """The client for panels, which do not wait for long."""
        return self.client.with_options(deadline=_PATIENCE_S)

    async def budget_panel(self) -> str:
        """Tell how the budget stands at this instant, whoever spends it; costs no call."""
        standing = standing_of(await self.client.refreshed_budget())
        return render("budget.html", standing=standing, waiting=self.line.waiting(now=anyio.current_time()))


async def page(request: Request, app: str | None = None, by: Cut = "appVersion") -> str:
    """Give the page itself, whose panels fetch themselves."""
    return render("page.html", budget=await _visit(request).budget_panel(), app=app, by=by)


async def apps(request: Request, response: Response, sort: Sort = "crash_percent") -> str:
    """List the apps."""
    fetch = _visit(request).asking.apps.list
    return await _panel(
        request, response, "apps.html", fetch, lambda found: {"apps": figures.sorted_apps(found, sort), "sort": sort}
    )


async def app(request: Request, response: Response, app: str, by: Cut = "appVersion") -> str:
    """Give the charts of one app, each still to fetch itself."""
    fetch = partial(_visit(request).asking.apps.list)

    def shown(found: Any) -> dict[str, Any]:
        return {"app_id": app, "app": found.by_id.get(app), "by": by, "cuts": CUTS}

    return await _panel(request, response, "app.html", fetch, shown)


async def chart(request: Request, response: Response, app: str, metric: Metric) -> str:
    """Follow a metric of one app over a month."""
    fetch = partial(_visit(request).asking.error_monitoring.graph, graph=metric, app_id=app, duration=_MONTH)

    def shown(found: Any) -> dict[str, Any]:
        return {"points": figures.points(found), "metric": metric, "measure": METRICS[metric]}

    return await _panel(request, response, "chart.html", fetch, shown)


async def cut(request: Request, response: Response, app: str, metric: Metric, by: Cut) -> str:
    """Break a metric of one app down over a month."""
    asking = _visit(request).asking.error_monitoring
    fetch = partial(asking.pie, graph=metric, group_by=by, app_id=app, duration=_MONTH)

    def shown(found: Any) -> dict[str, Any]:
        return {"bars": figures.bars(found), "metric": metric, "measure": METRICS[metric], "by": CUTS[by]}

    return await _panel(request, response, "cut.html", fetch, shown)


async def budget(request: Request) -> Response:
    """Tell the budget as it moves, as server-sent events."""
    visit = _visit(request)
    events = budget_events(visit.budget_panel, is_ending=visit.is_ending)
    return StreamingResponse(events, media_type="text/event-stream")


async def asset(name: str) -> Response:
    """Give a file that the page is made of."""
    if name not in _TYPES:
        raise HTTPException(404)
    content = files("apteligent_async.dashboard").joinpath("assets", name).read_bytes()
    return Response(content, media_type=_TYPES[name], headers={"Cache-Control": "max-age=300"})


async def _panel(
    request: Request,
    response: Response,
    template: str,
    fetch: Callable[[], Awaitable[Result]],
    shown: Callable[[Any], dict[str, Any]],
) -> str:
    """Ask, and show what came, or why nothing did and when that is tried again."""
    address = _address(request)
    try:
        found = await fetch()
    except ApteligentError as error:
        return _trouble(request, response, error, address)
    return render(template, address=address, age=figures.Age.of(found), **shown(found))


def _trouble(request: Request, response: Response, error: ApteligentError, address: str) -> str:
    problem = problem_of(error, retry_s=_visit(request).client.budget().eta(1, priority="interactive"))
    # Browsers write failed requests of scripts into the console, and this one is no fault: the script is told in words.
    if "hx-request" not in request.headers:
        response.status_code = problem.status
    response.headers.update(problem.headers)
    pause = problem.headers.get("Retry-After")
    retry_s = None if pause is None else min(float(pause), _LONGEST_PAUSE_S)
    return render("trouble.html", problem=problem.body, retry_s=retry_s, soon_s=_SOON_S, address=address)


def _visit(request: Request) -> Visit:
    visit: Visit = request.state.visit
    return visit


def _address(request: Request) -> str:
    """Write where a panel comes from, as seen from the page: correct under any prefix and behind any proxy."""
    path = request.url.path.rsplit("/", 1)[-1]
    return f"{path}?{request.url.query}" if request.url.query else path
