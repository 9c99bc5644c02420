"""Who may ask the ClickHouse endpoint: the one user, from this machine, and no web page."""

import base64
import binascii
import hmac
import ipaddress
import socket
from collections.abc import Mapping
from email.message import Message

from recoup.stack.clickhouse_errors import ClickHouseError
from schemas.errors import BadInput

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class Access:
    """The user and the password that every statement needs."""

    def __init__(self, user: str, password: str, *, remote: bool = False) -> None:
        self.user = user
        self.password = password
        self.remote = remote

    def check(self, headers: "Message[str, str]", params: Mapping[str, str]) -> None:
        """Raise unless user and password are right, and the request does not come from a web page.

        A page in the browser can send requests to loopback addresses, and a name of its own can be made to lead there.
        """
        named = headers.get("Host", "localhost")
        host = named.rpartition(":")[0] or named
        foreign = headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        if not self.remote and (foreign or host.lower() not in LOCAL_HOSTS):
            raise ClickHouseError(
                497, "ACCESS_DENIED", "This local endpoint answers no web pages, and no other host's name"
            )
        user, password = _credentials(headers, params)
        known = hmac.compare_digest(user.encode(), self.user.encode())
        if not known or not hmac.compare_digest(password.encode(), self.password.encode()):
            message = f"{user}: Authentication failed: password is incorrect, or there is no user with such name."
            raise ClickHouseError(516, "AUTHENTICATION_FAILED", message)


def _credentials(headers: "Message[str, str]", params: Mapping[str, str]) -> tuple[str, str]:
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return headers.get("X-ClickHouse-User", "default"), headers.get("X-ClickHouse-Key", "")
    kind, _, value = headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return params.get("user", "default"), params.get("password", "")
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise ClickHouseError(516, "AUTHENTICATION_FAILED", "The Authorization header cannot be read") from None
    return user, password


def check_address(host: str, *, allow_remote: bool, password: str) -> None:
    """Refuse to be reached from other machines unless that was asked for, with a password. Raises BadInput."""
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise BadInput(f"{host} is no address of this machine: {error}") from error
    if all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in addresses):
        return
    if not allow_remote:
        raise BadInput(f"{host} can be reached from other machines; use 127.0.0.1, or --allow-remote and a password")
    if not password:
        raise BadInput("--allow-remote needs a password: set RECOUP_CLICKHOUSE_PASSWORD")
