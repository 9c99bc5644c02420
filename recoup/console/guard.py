"""Who may ask: the machine itself, or whoever knows the token; from this page alone, and by a name that is meant."""

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from models.clock import Clock, Instant
from recoup.settings import ConsoleSettings
from schemas.errors import BadInput

COOKIE = "recoup_console"
CSRF_HEADER = "X-Recoup-Csrf"
COOKIE_SECONDS = 12 * 3600
INSTANT_DIGITS = 15
"""Of the milliseconds in a cookie; a number of any length would be work for nothing."""
SHORTEST_TOKEN = 16
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the first address holds the token
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is bound to the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check(settings: ConsoleSettings) -> None:
    """Refuse to listen to other machines without a token worth the name.

    Raises:
        BadInput: there is none, or it is short.
    """
    token = settings.token.get_secret_value() if settings.token else ""
    if not token and not is_loopback(settings.host):
        raise BadInput(
            f"The console shows customers' accounts, and {settings.host} can be reached from other machines: set"
            " RECOUP_CONSOLE__TOKEN (or --token), or leave --host at 127.0.0.1."
        )
    if token and len(token) < SHORTEST_TOKEN:
        raise BadInput(f"The console's token has {len(token)} characters; it takes {SHORTEST_TOKEN} at least.")


class Guard:
    """Judges every request before anything else looks at it."""

    def __init__(self, settings: ConsoleSettings, clock: Clock) -> None:
        check(settings)
        self._token = settings.token.get_secret_value() if settings.token else ""
        # Not the token itself: a cookie that is stolen cannot be pasted into the address of another console.
        self._cookie_key = hmac.new(self._token.encode(), b"recoup console", hashlib.sha256).digest()
        self._clock = clock
        self.csrf = secrets.token_urlsafe(24)
        """What a page that was served by this process knows, and no other does."""
        self._names = self._names_of(settings)

    def _names_of(self, settings: ConsoleSettings) -> frozenset[str] | None:
        """The names that may be asked for; None = any, where nobody can list them and the token protects."""
        if settings.host in ("0.0.0.0", "::") and not settings.names:  # noqa: S104 - compared, not bound
            return None
        return frozenset(name.lower() for name in (settings.host, *settings.names, *LOOPBACK_NAMES))

    async def judge(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer, or refuse with the reason."""
        try:
            self._refuse_strangers(request)
            response = await handler(request)
        except web.HTTPException as refusal:
            refusal.headers.update(HEADERS)
            raise
        if not response.prepared:
            response.headers.update(HEADERS)
            if self._token and "token" in request.query:
                secure = request.secure or request.headers.get("X-Forwarded-Proto") == "https"
                cookie = self._cookie_until(self._clock.now() + COOKIE_SECONDS * 1000)
                response.set_cookie(
                    COOKIE, cookie, max_age=COOKIE_SECONDS, httponly=True, samesite="Strict", secure=secure
                )
        return response

    def _refuse_strangers(self, request: web.Request) -> None:
        host = request.headers.get("Host", "")
        if self._names is not None and _name_of(host) not in self._names:
            raise web.HTTPMisdirectedRequest(
                text="This console is not known by that name. RECOUP_CONSOLE__NAMES lists the names it answers to.\n"
            )
        if self._token and not self._knows_token(request):
            raise web.HTTPUnauthorized(text="This console needs its token: open it once with ?token=... at the end.\n")
        if request.method not in ("GET", "HEAD"):
            self._refuse_other_sites(request, host)
        elif request.path.startswith("/api/") and request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
            # It could read no answer; but who is shown a dead letter is recorded.
            raise web.HTTPForbidden(text="Only the console's own page may ask this.\n")

    def _knows_token(self, request: web.Request) -> bool:
        told = (
            (request.query.get("token", ""), self._token),
            (request.headers.get("Authorization", "").removeprefix("Bearer "), self._token),
        )
        known = [_same(said, right) for said, right in told]
        return any([*known, self._knows_cookie(request.cookies.get(COOKIE, ""))])  # all are compared

    def _cookie_until(self, end: Instant) -> str:
        """Signed with its end, so that a browser that keeps it longer does not come in longer."""
        return f"{end}.{hmac.new(self._cookie_key, str(end).encode(), hashlib.sha256).hexdigest()}"

    def _knows_cookie(self, said: str) -> bool:
        end, _, _ = said.partition(".")
        if not (end.isascii() and end.isdecimal()) or len(end) > INSTANT_DIGITS:
            return False
        return _same(said, self._cookie_until(int(end))) and self._clock.now() < int(end)

    def _refuse_other_sites(self, request: web.Request, host: str) -> None:
        origin = request.headers.get("Origin")
        same = (
            origin.partition("://")[2] == host
            if origin is not None
            else request.headers.get("Sec-Fetch-Site") == "same-origin"
        )
        csrf = request.headers.get(CSRF_HEADER, "")
        if not same or not _same(csrf, self.csrf):
            raise web.HTTPForbidden(text="Only the console's own page may change anything. Load it again.\n")
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="Expected application/json.\n")


def _name_of(host: str) -> str:
    """The host's name without its port; empty when it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same(said: str, right: str) -> bool:
    """In the same time for every wrong answer; headers may hold bytes that are no text."""
    return hmac.compare_digest(said.encode(errors="surrogateescape"), right.encode())
