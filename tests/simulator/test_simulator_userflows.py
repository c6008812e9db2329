"""Userflows: shapes as clients know them, outcomes that add up, names that need encoding."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote, unquote

import pytest
from front_desk import desks, fixture, keys_of, ratio
from hypothesis import given, settings

from apteligent_async.simulator.accounts import Grant


def test_userflows_have_the_known_shapes(desk):
    """Summary, ranking, details with pages, and one group."""
    app_id = desk.app_ids[0]
    exchanges = fixture("transactions.synthetic.json")["exchanges"]
    name = quote(desk.data(f"/v2/transactions/{app_id}/ranked/failed/")[0]["name"], safe="")
    for exchange in (*exchanges[:3], exchanges[-1]):
        path = exchange["v2_request"]["path"].replace("000000000000000000000001", app_id).replace("Checkout", name)
        body = desk.get(path, **exchange["v2_request"].get("query", {}))
        captured = exchange["response"]
        assert body.keys() - {"links"} == captured.keys()
        if "group/" in path:
            assert keys_of(body["data"]["series"]["failed"]) == keys_of(captured["data"]["series"]["failed"])
        else:
            assert keys_of(body["data"]) == keys_of(captured["data"])


def all_pages(desk, path, **params):
    """Follow ``pagination.nextPage`` from the first request, which names no page."""
    body = desk.get(path, **params)
    rows = body["data"]
    while next_page := body["pagination"].get("nextPage"):
        body = desk.get(path, pageNum=next_page, **params)
        rows += body["data"]
    return rows


@settings(max_examples=10, deadline=None)
@given(desks())
def test_userflows_agree_with_each_other(desk):
    """Outcomes add up in the details, in each group and in the summary."""
    root = f"/v2/transactions/{desk.app_ids[0]}"
    rows = all_pages(desk, f"{root}/details/change/P1M", pageSize=5, sortBy="name", sortOrder="ascending")
    names = [row["name"] for row in rows]
    assert names == sorted(set(names))
    assert {"Checkout & Pay", "50% off", "Überweisung"} <= set(names)
    figures = {row["name"]: {key: one["value"] for key, one in row["series"].items()} for row in rows}
    for one in figures.values():
        assert one["startedTransactions"] == one["failedTransactions"] + one["succeededTransactions"]
        assert one["failRate"] == ratio(one["failedTransactions"], one["startedTransactions"])
    summary = desk.data(f"{root}/summary/")
    assert summary["failed"]["value"] == sum(one["failedTransactions"] for one in figures.values())
    assert summary["succeeded"]["value"] == sum(one["succeededTransactions"] for one in figures.values())
    ranked = desk.data(f"{root}/ranked/failed/")
    assert {row["name"]: row["failureRate"] for row in ranked} == {
        name: one["failRate"] for name, one in figures.items()
    }
    for name, one in figures.items():
        outcomes = desk.data(f"{root}/group/{quote(name, safe='')}")["series"]
        counts = {outcome: values["count"]["value"] for outcome, values in outcomes.items()}
        assert counts["failed"] == one["failedTransactions"]
        assert counts["failed"] == counts["crashed"] + counts["timedOut"] + counts["userFailed"]
        assert counts["succeeded"] == one["succeededTransactions"]


def test_a_link_leads_to_the_old_host_with_the_name_encoded_whole(desk):
    """The last segment, decoded, is the name, slashes and all."""
    app_id = desk.app_ids[0]
    for row in all_pages(desk, f"/v2/transactions/{app_id}/details/change/PT15M"):
        assert row["link"].startswith(f"http://txn-report.crittercism.com/v1.0/{app_id}/group/")
        assert unquote(row["link"].rpartition("/")[2]) == row["name"]


@pytest.mark.parametrize(("size", "pages"), [(12, 1), (6, 2), (5, 3)])
def test_the_last_page_names_no_next_one(desk, size, pages):
    """Also where the rows fill the pages exactly, and beyond the end."""
    path = f"/v2/transactions/{desk.app_ids[0]}/details/change/P1M"
    bodies = [desk.get(path, pageNum=number, pageSize=size) for number in range(1, pages + 2)]
    assert [bool(body["data"]) for body in bodies] == [True] * pages + [False]
    assert [body["pagination"].get("nextPage") for body in bodies] == [*range(2, pages + 1), None, None]


def test_traces_are_paged_newest_first(desk):
    """Every trace once, with the keys of the known ones, within the period."""
    app_id = desk.app_ids[0]
    (like, *_) = next(iter(fixture("transactions_traces.json")["v2_by_url"].values()))[0]["data"]
    path = f"/v2/transactions/{app_id}/group/{quote('Checkout & Pay', safe='')}/traces/P1M"
    rows = all_pages(desk, path)
    assert len(rows) == 60
    assert all(row.keys() == like.keys() for row in rows)
    stamps = [datetime.fromisoformat(row["traceTs"]) for row in rows]
    assert stamps == sorted(stamps, reverse=True)
    assert desk.service.world.now - stamps[-1] <= timedelta(days=30)
    assert {"success"} < {row["completionState"] for row in rows}


@pytest.mark.parametrize("name", ["Checkout & Pay", "50% off", "Überweisung"])
def test_a_link_is_followed_by_changing_host_and_version(desk, name):
    """As the New Relic integration does, with a token of the app's userflows; names may come as they are."""
    app_id = desk.app_ids[0]
    rows = all_pages(desk, f"/v2/transactions/{app_id}/details/change/P1M")
    (link,) = (row["link"] for row in rows if row["name"] == name)
    path = (
        link.replace("txn-report", "developers").replace("v1.0", "v2").removeprefix("http://developers.crittercism.com")
    )
    own = f"/v2/transactions/{app_id}/group/{quote(name, safe='')}"
    assert desk.data(path) == desk.data(own) == desk.data(f"/v2/transactions/{app_id}/group/{name}")
    assert desk.data(f"{path}/traces/PT60M") == desk.data(f"{own}/traces/PT60M")
    assert Grant(client_id="", scope=(f"app/{app_id}/transactions",)).covers(path, app_id)


@pytest.mark.parametrize(
    ("suffix", "status"),
    [
        ("group/Nothing", 404),
        ("group/Search / Find", 404),
        ("ranked/loved/", 400),
        ("details/change/P", 400),
        ("details/change/P0M", 400),
        ("details/change/P9999M", 400),
        ("details/change/P1M?pageNum=0", 400),
        ("details/change/P1M?sortBy=age", 400),
        ("group/Search/traces/yesterday", 400),
    ],
)
def test_what_is_wrong_about_userflows_is_refused(desk, suffix, status):
    """Unknown names are not found, unknown values are bad requests."""
    assert desk.refused(f"/v2/transactions/{desk.app_ids[0]}/{suffix}")[0] == status
