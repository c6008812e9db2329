"""How an origin is reached: through which proxy if any, and with which TLS context."""

from __future__ import annotations

import ipaddress
import os
import ssl
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

import httpx

from apteligent_async._connections.stack import ConnectionStack
from apteligent_async._wire.secret import Secret
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["has_proxy", "is_loopback", "open_stack", "tls_context"]


def open_stack(
    origin: httpx.URL, *, proxy: str | None, ssl_context: ssl.SSLContext | None, most_free: int
) -> ConnectionStack:
    """Make the pool for one origin, through a proxy if one was given or the environment names one.

    Raises:
        ConfigurationError: the proxy's address cannot be used.
    """
    address = None if is_loopback(origin.host) else proxy or _environment_proxy(origin)
    chosen = None if address is None else _proxy(address)
    verify = _verifier(origin, chosen, ssl_context)
    return ConnectionStack(origin, verify=verify, proxy=chosen, most_free=most_free)


def is_loopback(host: str) -> bool:
    """Whether a host name stands for this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def has_proxy(origin: str) -> bool:
    """Whether the environment names a proxy for an origin."""
    url = httpx.URL(origin)
    return not is_loopback(url.host) and _environment_proxy(url) is not None


def _environment_proxy(origin: httpx.URL) -> str | None:
    proxies = getproxies_environment()
    if proxy_bypass_environment(origin.netloc.decode("ascii"), proxies):
        return None
    address = proxies.get(origin.scheme) or proxies.get("all")
    if not address:
        return None
    return Secret(address if "://" in address else f"http://{address}")


class _Proxy(httpx.Proxy):
    """A proxy that shows where it is and nothing else: for some, the user's name is the secret."""

    def __repr__(self) -> str:
        return f"<Proxy at {self.url.host}>"


def _proxy(address: str) -> httpx.Proxy:
    proxy = None
    with suppress(ValueError, httpx.InvalidURL):
        proxy = _reachable(_Proxy(str(address)))
    if proxy is None:  # raised out here to stand alone: the cause may quote the proxy's password
        raise ConfigurationError("The proxy's address cannot be used: it must be like http://host:port.")
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigurationError("A SOCKS proxy needs one more package: pip install 'httpx[socks]'.")
    return proxy


def _reachable(proxy: httpx.Proxy) -> httpx.Proxy | None:
    """Give a proxy to which a connection could be tried at all; a host that is no name is a `ValueError`."""
    return proxy if proxy.url.host.encode("idna") and 0 < (proxy.url.port or 80) < 65_536 else None


def _verifier(
    origin: httpx.URL, proxy: httpx.Proxy | None, ssl_context: ssl.SSLContext | None
) -> Callable[[], ssl.SSLContext]:
    """Say how to get the TLS context: reading the authorities takes 20 ms and more, so only where there is TLS."""
    if ssl_context is not None:
        return lambda: ssl_context
    if origin.scheme == "https" or (proxy is not None and proxy.url.scheme == "https"):
        return tls_context
    return _no_tls


def tls_context() -> ssl.SSLContext:
    """Give the context of every connection that is not passed one; it honours SSL_CERT_FILE and SSL_CERT_DIR."""
    return _tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _tls(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:  # noqa: ARG001  httpx reads them itself
    return httpx.create_ssl_context()


@cache
def _no_tls() -> ssl.SSLContext:
    """Make a context that trusts nobody, for connections without TLS."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
