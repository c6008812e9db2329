"""Where a link of the service may lead: to the service itself, and nowhere else.

A link is data from outside and the call that follows it carries the token, so nothing of a link but its path and query
is used, and these only if the link names the service's own host. Whatever two parsers could read in two ways is
refused rather than understood.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from apteligent_async.errors import UnsafeLinkError
from apteligent_async.models.region import Region
from apteligent_async.models.tables import printable

__all__ = ["safe_link", "safe_path"]

LONGEST_LINK = 4096
MOST_PARAMETERS = 100

OLD_HOST = "txn-report.crittercism.com"
OLD_PREFIXES, NEW_PREFIX = ("/v1.0/transactions/", "/v1.0/"), "/v2/transactions/"

# Printable ASCII without the space and the characters on which parsers disagree.
_PLAIN = re.compile(r"[!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]+")
_HOST = re.compile(r"([a-z0-9.\-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def safe_link(link: str, origin: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Reduce a link to a path and a query that can be asked of the origin.

    Links to the origin's own host may be relative (``/v2/...``) or absolute, by http or https: they are sent to the
    origin all the same. Where the origin is a stand-in for the service, such as a simulator, the service's public hosts
    are its own. Links to the old host of userflows are rewritten: host, path and version.

    Args:
        link: what the service sent.
        origin: scheme, host and perhaps port of the service that is asked.

    Returns:
        The path, every segment percent-encoded, and the query as pairs, not yet encoded.

    Raises:
        UnsafeLinkError: the link leads elsewhere, or could be read as doing so.
    """
    if len(link) > LONGEST_LINK or not _PLAIN.fullmatch(link):
        raise UnsafeLinkError("A link is too long or holds characters that do not belong there.")
    if link.startswith("//"):
        raise UnsafeLinkError("A link names a host without saying how to reach it.")
    parts = urlsplit(link)
    if link.startswith("/"):
        return safe_path(parts.path), _query(parts.query)
    host = _host(parts)
    if host == OLD_HOST:
        return safe_path(_new_path(parts.path)), _query(parts.query)
    if (host, _port(parts)) not in _own_places(origin, parts.scheme):
        raise UnsafeLinkError(f"A link leads to {printable(host)}, which is not the service; it was not followed.")
    return safe_path(parts.path), _query(parts.query)


def _new_path(old: str) -> str:
    # No link of that host was captured; some calls of the time had the family's name in their paths, others had not.
    for prefix in OLD_PREFIXES:
        if old.startswith(prefix):
            return NEW_PREFIX + old.removeprefix(prefix)
    raise UnsafeLinkError(f"A link leads to {OLD_HOST}, but not to a userflow.")


def safe_path(path: str) -> str:
    """Check a path and encode each of its segments whole.

    Raises:
        UnsafeLinkError: it is not absolute, climbs, or could be taken for a host.
    """
    if not path.startswith("/"):
        raise UnsafeLinkError("A path must begin with a slash.")
    *segments, last = path[1:].split("/")
    # Only the last segment may be empty: a trailing slash. Elsewhere two slashes could pass for a host.
    if not all(segments) or (not segments and not last):
        raise UnsafeLinkError("A path has an empty segment.")
    return "/" + "/".join(map(_segment, [*segments, last]))


def _segment(segment: str) -> str:
    try:
        plain = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise UnsafeLinkError("A path holds bytes that are no text.") from None
    if plain in {".", ".."}:
        raise UnsafeLinkError("A path climbs.")
    if any(character in "\\\x7f" or character < " " for character in plain):
        raise UnsafeLinkError("A path holds characters that do not belong there.")
    return quote(plain, safe="")


def _host(parts: SplitResult) -> str:
    match = _HOST.fullmatch(parts.netloc)
    if parts.scheme not in _DEFAULT_PORTS or not match:
        raise UnsafeLinkError("A link names no host, a user, or a way other than http.")
    host = match[1].lower()
    if host == OLD_HOST and _port(parts) not in _DEFAULT_PORTS.values():
        raise UnsafeLinkError(f"A link leads to an unusual port of {OLD_HOST}.")
    return host


def _port(parts: SplitResult) -> int:
    _, _, port = parts.netloc.partition(":")
    return int(port) if port else _DEFAULT_PORTS[parts.scheme]


def _own_places(origin: str, scheme: str) -> set[tuple[str, int]]:
    own = urlsplit(origin)
    host = (own.hostname or "").lower()
    port = own.port or _DEFAULT_PORTS.get(own.scheme, 443)
    places = {(host, port)}
    # http://host means the same place as https://host: the captured links are written so.
    if port == _DEFAULT_PORTS.get(own.scheme):
        places.add((host, _DEFAULT_PORTS[scheme]))
    public = {urlsplit(region.origin).hostname or "" for region in Region}
    return places if host in public else places | {(name, _DEFAULT_PORTS[scheme]) for name in public}


def _query(query: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS))
    except ValueError:
        raise UnsafeLinkError("The query of a link cannot be read.") from None
