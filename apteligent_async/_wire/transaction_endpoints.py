"""The rows of userflows: all under ``/v2/transactions/{app_id}``, by the general token since the end of 2016."""

from __future__ import annotations

from typing import Any

from apteligent_async._wire.calls import Endpoint, Found, Grade, Parameter
from apteligent_async._wire.parameters import iso_period, whole
from apteligent_async.models.transactions import (
    RankedTransactions,
    TransactionGroups,
    TransactionOutcomes,
    TransactionSummary,
    TransactionTraces,
)

__all__ = [
    "TRANSACTIONS_DETAILS",
    "TRANSACTIONS_GROUP",
    "TRANSACTIONS_RANKED",
    "TRANSACTIONS_SUMMARY",
    "TRANSACTIONS_TRACES",
]


def _transactions(name: str, suffix: str, result: type[Found], source: str, **more: Any) -> Endpoint[Found]:
    return Endpoint(
        name=f"transactions.{name}",
        template=f"/v2/transactions/{{app_id}}/{suffix}",
        result=result,
        grade=Grade.B,
        source=source,
        **more,
    )


_PERIOD = {"period": iso_period}
_PAGE = {"page_num": Parameter(sent_as="pageNum", encode=whole)}

TRANSACTIONS_SUMMARY = _transactions("summary", "summary/", TransactionSummary, "the Splunk integration")
TRANSACTIONS_RANKED = _transactions(
    "ranked", "ranked/{category}/", RankedTransactions, "the Splunk integration; categories but failed are guesses (D)"
)
TRANSACTIONS_DETAILS = _transactions(
    "details",
    "details/change/{period}",
    TransactionGroups,
    "both integrations",
    segments=_PERIOD,
    parameters={
        **_PAGE,
        "page_size": Parameter(sent_as="pageSize", encode=whole),
        "sort_by": Parameter(sent_as="sortBy"),
        "sort_order": Parameter(sent_as="sortOrder"),
    },
)
TRANSACTIONS_GROUP = _transactions("group", "group/{name}", TransactionOutcomes, "the Splunk integration")
TRANSACTIONS_TRACES = _transactions(
    "traces",
    "group/{name}/traces/{period}",
    TransactionTraces,
    "the New Relic integration, by the links of the details",
    segments=_PERIOD,
    parameters=_PAGE,
    is_personal=True,
)
