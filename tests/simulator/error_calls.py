"""The calls about errors, as tests make them of the service."""

from __future__ import annotations


def summaries(desk, app_id, kind="crash", **params):
    """Return the list of groups."""
    return desk.data(f"/v2/app/{kind}/summaries/{app_id}", **params)


def details(desk, app_id, fault_hash, kind="crash", **params):
    """Return one group in full."""
    return desk.data(f"/v2/{kind}/{app_id}/{fault_hash}", **params)


def table(desk, app_id, kind="crash", **params):
    """Return the rows of all pages."""
    rows, page, pages = [], 0, 1
    while page < pages:
        page += 1
        data = desk.data(f"/v2/{kind}/paginatedtable/{app_id}", pageNum=page, **params)
        pages = data["pagination"]["totalPages"]
        assert data["pagination"]["pageNum"] == page
        rows += data["errors"]
    return rows
