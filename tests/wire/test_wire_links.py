"""A link may lead to the service and nowhere else, whatever it is made of."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apteligent_async._wire.links import safe_link, safe_path
from apteligent_async.errors import UnsafeLinkError

US = "https://developers.crittercism.com"
EU = "https://developers.eu.crittercism.com"
LOCAL = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("link", "origin", "path", "query"),
    [
        ("/v2/apps", US, "/v2/apps", ()),
        ("/v2/apps?a=1&a=2&b=", US, "/v2/apps", (("a", "1"), ("a", "2"), ("b", ""))),
        ("http://developers.crittercism.com/v2/apps", US, "/v2/apps", ()),
        ("https://developers.crittercism.com:443/v2/apps", US, "/v2/apps", ()),
        ("http://developers.crittercism.com:80/v2/apps", US, "/v2/apps", ()),
        ("HTTP://Developers.Crittercism.COM/v2/apps", US, "/v2/apps", ()),
        ("http://developers.eu.crittercism.com/v2/apps", EU, "/v2/apps", ()),
        ("http://127.0.0.1:8080/v2/apps", LOCAL, "/v2/apps", ()),
        ("http://developers.crittercism.com/v2/apps", LOCAL, "/v2/apps", ()),
        ("http://developers.eu.crittercism.com/v2/apps", LOCAL, "/v2/apps", ()),
        ("http://txn-report.crittercism.com/v1.0/a/group/A%20%26%20B", US, "/v2/transactions/a/group/A%20%26%20B", ()),
        ("https://txn-report.crittercism.com/v1.0/a/group/A%2FB", US, "/v2/transactions/a/group/A%2FB", ()),
        ("http://txn-report.crittercism.com/v1.0/transactions/a/group/A", US, "/v2/transactions/a/group/A", ()),
        ("/v2/transactions/a/summary/", US, "/v2/transactions/a/summary/", ()),
        ("/v2/x/a@b:c;d", US, "/v2/x/a%40b%3Ac%3Bd", ()),
        ("/v2/x/%252e%252e", US, "/v2/x/%252e%252e", ()),
        ("/v2/x/100%25", US, "/v2/x/100%25", ()),
    ],
)
def test_links_of_the_service_are_reduced_to_path_and_query(link, origin, path, query):
    """Own hosts by either scheme, relative links and the old host of userflows become a path of the origin."""
    assert safe_link(link, origin) == (path, query)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "v2/apps",
        "//evil.example/v2",
        "///evil.example/v2",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/v2/apps",
        "https://evil.example%2F@developers.crittercism.com/",
        "https://developers.crittercism.com@evil.example/",
        "https://user@developers.crittercism.com/v2",
        "https://user:pw@developers.crittercism.com/v2",
        "https://developers.crittercism.com:8443/v2",
        "https://developers.crittercism.com:80/v2".replace("https", "ftp"),
        "https://developers.crittercism.com:/v2\n",
        "https://developers.crittercism.com:x/v2",
        "https://developers.crittercism.com:99999999/v2",
        "https://developers.crittercism.com.evil.example/v2",
        "https://developers.crittercism.com./v2",
        "https://evil-developers.crittercism.com/v2",
        "https://crittercism.com/v2",
        "https://developers.eu.crittercism.com/v2",
        "https://developers%2ecrittercism%2ecom/v2",
        "https://developers.crittercism.com\\@evil.example/",
        "https://developers.crittercism.com#@evil.example/",
        "https://developers.crittercism.com/v2#x",
        "https:developers.crittercism.com/v2",
        "https:/developers.crittercism.com/v2",
        "https:///developers.crittercism.com/v2",
        "https://developers.crittercism.com//evil.example/v2",
        "https://developers.crittercism.com",
        "https://[::1]/v2",
        "https://[developers.crittercism.com/v2",
        "javascript:alert(1)",
        "data:,x",
        "file:///etc/passwd",
        "/v2/../token",
        "/v2/%2e%2e/token",
        "/v2/.%2E/token",
        "/v2/./token",
        "/v2//token",
        "/v2/a\tb",
        "/v2/a b",
        "/v2/a%0d%0aX-Header:%201",
        "/v2/a%00",
        "/v2/a%5cb",
        "/v2/%ff",
        "/v2/ü",
        "/v2/apps?a=%ff",
        "/v2/apps?" + "&".join(f"a{i}=1" for i in range(200)),
        "/v2/" + "a" * 5000,
        "http://txn-report.crittercism.com/v2.0/a",
        "http://txn-report.crittercism.com/v1.0/../../token",
        "http://txn-report.crittercism.com:8080/v1.0/a",
        "http://txn-report.crittercism.com/",
        "http://\uff44evelopers.crittercism.com/v2",
    ],
)
def test_everything_else_is_refused(link):
    """Other hosts, users, ports and schemes, dot segments, and whatever parsers disagree on are refused."""
    with pytest.raises(UnsafeLinkError):
        safe_link(link, US)


def test_a_refusal_names_the_host_alone():
    """The error says where the link would have led, and repeats no path or query."""
    with pytest.raises(UnsafeLinkError, match=r"evil\.example") as caught:
        safe_link("https://evil.example/secret?token=1", US)
    assert "secret" not in caught.value.message


def test_another_port_is_another_place():
    """On a stand-in with a port, only that port is the service."""
    for link in ("http://127.0.0.1/v2", "http://127.0.0.1:8081/v2", "http://localhost:8080/v2"):
        with pytest.raises(UnsafeLinkError):
            safe_link(link, LOCAL)


pieces = st.sampled_from(
    ["https://", "http://", "//", "/", "\\", "@", ":", "#", "?", "&", "=", "..", ".", "%2e", "%2F", "%5c", "%00", "%",
     "developers.crittercism.com", "evil.example", "txn-report.crittercism.com", "v2", "v1.0", "apps", "443", "80",
     "\t", "\n", " ", "ü", "[", "]", ";", "user"]
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map("".join) | st.text(max_size=40))
def test_any_text_is_refused_or_stays_with_the_service(link):
    """Whatever a link is made of, what comes out is a plain path of the origin: one host, no climbing."""
    try:
        path, query = safe_link(link, US)
    except UnsafeLinkError:
        return
    whole = urlsplit(US + path)
    assert whole.hostname == "developers.crittercism.com"
    assert (whole.port, whole.username, whole.query, whole.fragment) == (None, None, "", "")
    assert path.startswith("/")
    assert not path.startswith("//")
    assert path.isascii()
    assert not set(path) & set("\\ \t\r\n@:?#")
    assert not {unquote(segment) for segment in path.split("/")} & {".", ".."}
    assert all(len(pair) == 2 for pair in query)
    assert safe_path(path) == path


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1), min_size=1, max_size=4))
def test_honest_paths_pass_unchanged(names):
    """A path whose segments were encoded whole goes through as it is, unless it climbs or holds a backslash."""
    from urllib.parse import quote

    assume(not any(name in {".", ".."} or "\\" in name for name in names))
    path = "/" + "/".join(quote(name, safe="") for name in names)
    assert safe_path(path) == path


@pytest.mark.parametrize("path", ["", "v2", "https://developers.crittercism.com/v2", "//x", "/", "/a//b"])
def test_paths_begin_with_one_slash(path):
    """A path that is relative, absolute with a host, or empty is refused."""
    with pytest.raises(UnsafeLinkError):
        safe_path(path)
