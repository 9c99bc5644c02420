"""Providers that cannot work are refused at start, by the name of the setting that is wrong."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.channels.console import Console
from connectors.channels.letters import Letters
from connectors.channels.providers import open_channels
from connectors.channels.settings import ChannelSettings
from connectors.channels.smtp import Smtp
from connectors.redis.client import connect_async
from connectors.redis.settings import RedisSettings
from models.clock import WallClock
from recoup.settings import Settings
from schemas.errors import BadInput

SID = "AC" + "0" * 32
TWILIO: dict[str, Any] = {"sms": ["twilio"]}
ACCOUNT: dict[str, Any] = {"account_sid": SID, "auth_token": "x"}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"email": ["twilio"]}, "RECOUP_CHANNELS__EMAIL: twilio makes no such contacts; there are console, smtp"),
        ({"call": ["twilio"]}, "RECOUP_CHANNELS__CALL: twilio makes no such contacts; there are console"),
        ({"email": ["smtp"]}, "RECOUP_CHANNELS__SMTP__HOST is missing"),
        ({"email": ["console", "console"]}, "RECOUP_CHANNELS__EMAIL names a provider twice"),
        (
            {"email": ["smtp"], "smtp": {"host": "mail", "username": "me"}},
            "SMTP__USERNAME and .*PASSWORD belong together",
        ),
        (
            {"email": ["smtp"], "smtp": {"host": "mail", "username": "me", "password": "x", "security": "none"}},
            "for all to read",
        ),
        ({"sms": ["twilio"]}, "TWILIO__ACCOUNT_SID is missing"),
        ({"sms": ["twilio"], "twilio": {"account_sid": SID}}, "TWILIO__AUTH_TOKEN is missing"),
        (
            {
                "sms": ["twilio"],
                "twilio": {"account_sid": SID, "api_key": "SK", "api_key_secret": "x", "callback_url": "https://a.b/c"},
            },
            "callbacks are signed with",
        ),
        ({"email": ["smtp"], "smtp": {"host": "mail", "security": "none"}}, "every message for all to read"),
        (TWILIO | {"twilio": ACCOUNT | {"base_url": "http://api.twilio.com"}}, "BASE_URL .* for all to read"),
        (TWILIO | {"twilio": ACCOUNT | {"base_url": "http://127.0.0.1@acme.com"}}, "BASE_URL .* for all to read"),
        (TWILIO | {"twilio": ACCOUNT | {"base_url": "http://localhost.acme.com"}}, "BASE_URL .* for all to read"),
        (TWILIO | {"twilio": ACCOUNT | {"callback_url": "http://acme.com/twilio"}}, "CALLBACK_URL .* for all to read"),
        ({"letter": ["letter"], "letters": {"store": "s3:///"}}, "LETTERS__STORE names no bucket"),
        ({"sms": ["carrier_pigeon"]}, "Input should be"),
    ],
)
def test_what_cannot_work_is_refused_by_name(given: dict[str, Any], fault: str):
    with pytest.raises(ValidationError, match=fault):
        ChannelSettings.model_validate(given)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_what_stays_on_this_machine_needs_no_encryption(host: str):
    settings = ChannelSettings.model_validate(
        TWILIO
        | {
            "twilio": ACCOUNT | {"base_url": f"http://{host}:8080", "callback_url": f"http://{host}/twilio"},
            "email": ["smtp"],
            "smtp": {"host": host.strip("[]"), "security": "none"},
        }
    )
    assert settings.twilio.base_url.startswith("http://")


def test_the_environment_names_providers_in_the_order_in_which_they_are_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECOUP_CHANNELS__EMAIL", '["smtp", "console"]')
    monkeypatch.setenv("RECOUP_CHANNELS__SMTP__HOST", "mail.acme.com")
    monkeypatch.setenv("RECOUP_CHANNELS__SMTP__USERNAME", "me")
    monkeypatch.setenv("RECOUP_CHANNELS__SMTP__PASSWORD", "not-to-be-seen")
    channels = Settings().channels
    assert channels.providers()["email"] == ("smtp", "console")
    assert channels.providers()["sms"] == ("console",)
    assert "not-to-be-seen" not in repr(channels)


def test_a_fault_does_not_show_what_was_given(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECOUP_CHANNELS__SMS", '["twilio"]')
    monkeypatch.setenv("RECOUP_CHANNELS__TWILIO__AUTH_TOKEN", "not-to-be-seen")
    with pytest.raises(BadInput, match="ACCOUNT_SID is missing") as refused:
        Settings()
    assert "not-to-be-seen" not in str(refused.value)


async def test_each_provider_is_opened_once_and_nobody_is_asked(tmp_path: Path):
    settings = ChannelSettings.model_validate(
        {"email": ["smtp", "console"], "letter": ["letter", "console"], "voicemail": [], "smtp": {"host": "mail"}}
    )
    redis = connect_async(RedisSettings(url="redis://127.0.0.1:1/0"))
    channels = open_channels(settings, redis=redis, prefix="test", home=tmp_path, clock=WallClock())
    assert [type(provider) for provider in channels["email"]] == [Smtp, Console]
    assert [type(provider) for provider in channels["letter"]] == [Letters, Console]
    assert channels["email"][1] is channels["letter"][1] is channels["sms"][0]
    assert channels["voicemail"] == ()
    await redis.aclose()  # type: ignore[attr-defined]
