"""Answers about userflows, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async.bulk.figures import figure_row, figure_rows
from apteligent_async.models.frozen import EMPTY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apteligent_async.bulk.units import Row, Unit
    from apteligent_async.models.transactions import (
        RankedTransactions,
        TransactionGroups,
        TransactionOutcomes,
        TransactionSummary,
        TransactionTraces,
    )

    Rows = Iterator[Row]

__all__ = ["userflow_changes", "userflow_measures", "userflow_outcomes", "userflow_ranks", "userflow_traces"]

_TRACE_FIGURES = {
    "username": "username",
    "trace_ts_text": "traceTs",
    "breadcrumb_count": "breadcrumbCount",
    "foreground_seconds": "foregroundSeconds",
    "app_version": "appVersion",
    "value_at_risk": "valueAtRisk",
    "device": "device",
    "os": "os",
    "completion_state": "completionState",
}


def userflow_changes(answer: TransactionSummary, unit: Unit) -> Rows:
    """Each metric of all userflows, and its change in percent."""
    for name, change in answer.metrics.items():
        yield figure_row(unit, name, change.value)
        yield figure_row(unit, f"{name}.changePct", change.change_pct)


def userflow_ranks(answer: RankedTransactions, unit: Unit) -> Rows:
    """One row per userflow."""
    return (figure_row(unit, "failureRate", flow.failure_rate, ("userflow", flow.name)) for flow in answer)


def userflow_measures(answer: TransactionGroups, unit: Unit) -> Rows:
    """One row per userflow and measure of a page."""
    for flow in answer:
        for measure in flow.series or EMPTY:
            yield figure_row(unit, measure, flow.value(measure), ("userflow", flow.name))


def userflow_outcomes(answer: TransactionOutcomes, unit: Unit) -> Rows:
    """One row per outcome and measure of a userflow."""
    flow = unit.question.argument("name")
    words = {"count": "count", "rate": "rate", "money_value": "moneyValue", "mean_duration": "meanDuration"}
    for outcome, measures in answer.series.items():
        for attribute, word in words.items():
            measure = getattr(measures, attribute)
            yield figure_row(unit, word, measure and measure.value, ("userflow/outcome", f"{flow}/{outcome}"))


def userflow_traces(answer: TransactionTraces, unit: Unit) -> Rows:
    """One row per trace and figure: personal data."""
    flow = unit.question.argument("name")
    for trace in answer:
        yield from figure_rows(trace, _TRACE_FIGURES, unit, ("userflow/trace", f"{flow}/{trace.id}"))
