# SPDX-License-Identifier: Apache-2.0
"""Requests that end: after a time in all, and after so many bytes.

All that this project asks of others goes through the connections here: its own requests by
:func:`session`, those of os-collect-config's collectors because :mod:`heat_config.collect.upstream`
puts the :class:`Adapter` in the place of requests' own, the websocket by :func:`connected`. So it
ends, whether another side drips its headers, its chunks or its TLS records byte by byte, sends
without an end, or packs 600 MB into 0.3.
"""

from __future__ import annotations

import io
import socket
import ssl
import zlib
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ContentDecodingError
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
)
from urllib3.response import HTTPResponse
from urllib3.util import make_headers, parse_url
from urllib3.util.ssl_ import create_urllib3_context, resolve_cert_reqs

from heat_config import settings
from heat_config.cloud import limits

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from heat_config.cloud.trust import Trust

LARGEST = 8 << 20
"""Bytes that an answer may have, packed and unpacked. A page of Zaqar has at most 5 MB as that is
set up, and is asked for in smaller parts where it has more."""

_PIECE = 1 << 16
# What zlib needs to know to read gzip as well as its own format.
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_PACKED = ("gzip", "x-gzip", "deflate")


def session() -> requests.Session:
    """A session of requests whose requests end."""
    made = requests.Session()
    for scheme in ("http://", "https://"):
        made.mount(scheme, Adapter())
    return made


def connected(url: str, trust: Trust) -> socket.socket:
    """A connection for a ``ws`` or ``wss`` URL, by the environment's proxy where it has one.

    :raises OSError: there is none; :exc:`ssl.SSLError` is one.
    :raises urllib3.exceptions.HTTPError: there is none.
    :raises CloudError: the file of certificates cannot be read.
    """
    where = parse_url(url)
    secure = where.scheme == "wss"
    host, port = where.host or "", where.port or (443 if secure else 80)
    as_http = f"{'https' if secure else 'http'}://{host}:{port}/"
    found = select_proxy(as_http, get_environ_proxies(as_http))
    proxy = parse_url(found) if found else None
    to = (proxy.host or "", proxy.port or 80) if proxy else (host, port)
    made = _TlsConnection(*to, **_verifying(trust)) if secure else _Connection(*to)
    if proxy:
        headers = make_headers(proxy_basic_auth=proxy.auth) if proxy.auth else None
        made.set_tunnel(host, port, headers)
    made.connect()
    assert made.sock is not None  # noqa: S101 - for the type checker
    return made.sock


def _verifying(trust: Trust) -> dict[str, Any]:
    verify = trust.verify()
    if verify is False:
        return {"cert_reqs": "CERT_NONE"}
    return {"cert_reqs": "CERT_REQUIRED", "ca_certs": None if verify is True else verify}


class Adapter(HTTPAdapter):
    """What a session hands its requests to: each answer is here, as a whole, in time."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the connections that are kept."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The connections to a proxy; those to one for SOCKS are PySocks' own."""
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def add_headers(self, request: PreparedRequest, **_: Any) -> None:
        """Ask for nothing that could not be unpacked within bounds."""
        request.headers["Accept-Encoding"] = "gzip, deflate"

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Send a request, and read the answer.

        :raises requests.RequestException: no answer came, not in time, or too large a one.
        """
        with limits.within(settings.load().deadline, LARGEST):
            response = super().send(request, *args, **options)
            try:
                response.raw = _at_hand(response.raw, _body(response))
            except ReadTimeoutError as error:
                raise requests.ReadTimeout(error, request=request) from None
            except HTTPError as error:
                raise requests.ConnectionError(error, request=request) from None
        return response


def _body(response: Response) -> bytes:
    """All of an answer's body, unpacked."""
    raw = response.raw
    try:
        body = b"".join(raw.stream(_PIECE, decode_content=False))
        raw.release_conn()
    except BaseException:
        raw.close()
        raise
    packed_as = response.headers.get("Content-Encoding", "").strip().lower()
    if packed_as in ("", "identity") or not body:
        return body
    if packed_as not in _PACKED:
        raise ContentDecodingError(f"the answer is packed as {packed_as[:40]!r}")
    return _unpacked(body)


def _at_hand(raw: Any, body: bytes) -> HTTPResponse:
    """The same answer, whose body is here."""
    return HTTPResponse(
        io.BytesIO(body),
        status=raw.status,
        version=raw.version,
        reason=raw.reason,
        preload_content=False,
    )


def _unpacked(body: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        found = stream.decompress(body, LARGEST + 1)
    except zlib.error:
        raise ContentDecodingError("the answer cannot be unpacked") from None
    if len(found) > LARGEST:
        raise ContentDecodingError(
            limits.TooLargeError(f"more than {LARGEST} bytes were packed in it")
        )
    if not stream.eof:
        raise ContentDecodingError("the answer is cut off")
    return found


class _Socket(socket.socket):
    """A socket that asks for what is left of the time before each use, and counts what comes."""

    _given: float | None = None

    def settimeout(self, value: float | None) -> None:
        """Seconds that one use may take at most."""
        self._given = value
        super().settimeout(value)

    def connect(self, address: Any) -> None:
        self._limit()
        super().connect(address)

    def recv(self, *args: Any) -> bytes:
        self._limit()
        found = super().recv(*args)
        limits.took(len(found))
        return found

    def recv_into(self, *args: Any, **options: Any) -> int:
        self._limit()
        count = super().recv_into(*args, **options)
        limits.took(count)
        return count

    def send(self, *args: Any) -> int:
        self._limit()
        return super().send(*args)

    def sendall(self, *args: Any) -> None:
        self._limit()
        super().sendall(*args)

    def _limit(self) -> None:
        """What OpenSSL and a ``sendall`` do at one go ends as a whole within this."""
        given = limits.UNLIMITED if self._given is None else self._given
        seconds = min(limits.left(), given)
        super().settimeout(None if seconds == limits.UNLIMITED else seconds)


class _TlsSocket(_Socket, ssl.SSLSocket):
    """The same behind TLS."""

    def do_handshake(self, block: bool = False) -> None:
        self._limit()
        super().do_handshake(block)


class _Connection(HTTPConnection):
    """urllib3's connection, on such a socket."""

    def _new_conn(self) -> socket.socket:
        """Connect to the first of the host's addresses that takes it; all share the time."""
        try:
            return self._to_any(
                socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
            )
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time") from error
        except OSError as error:  # among them the resolver's
            raise NewConnectionError(self, f"no connection: {error}") from error

    def _to_any(self, addresses: list[Any]) -> socket.socket:
        failed: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            try:
                return self._to(_Socket(family, kind, protocol), address)
            except OSError as error:
                failed = error
        raise failed or OSError("the host has no address")

    def _to(self, made: _Socket, address: Any) -> socket.socket:
        try:
            for option in self.socket_options or ():
                made.setsockopt(*option)
            made.settimeout(self.timeout if isinstance(self.timeout, int | float) else None)
            made.connect(address)
        except BaseException:
            made.close()
            raise
        return made


class _TlsConnection(_Connection, HTTPSConnection):
    """The same behind TLS."""

    def connect(self) -> None:
        """Connect, and shake hands."""
        if self.ssl_context is None:
            self.ssl_context = create_urllib3_context(cert_reqs=resolve_cert_reqs(self.cert_reqs))
            if not (self.ca_certs or self.ca_cert_dir or self.ca_cert_data):
                self.ssl_context.load_default_certs()
        self.ssl_context.sslsocket_class = _TlsSocket
        super().connect()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}
