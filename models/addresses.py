"""Tells a contact point that can be reached from one that is no address or number; nobody is asked about it."""

import re
from functools import lru_cache
from urllib.parse import quote

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from schemas.envelope import Channel

E164 = re.compile(r"^\+[1-9][0-9]{6,14}$")
TEST_NUMBER = "+999"
"""A country code that the ITU keeps free: numbers under it reach nobody."""
TEST_DOMAINS = ("example", "example.com", "example.net", "example.org", "test", "invalid", "localhost")
"""Kept free for tests by RFC 2606 and RFC 6761: mail to them reaches nobody."""
MOST_LINES = 10
"""Of a letter's address, the customer's name included: what an envelope's window shows in letters that a machine reads."""


def reachable(channel: Channel, address: str, *, tests: bool = False) -> bool:
    """Whether a contact point may be handed to a provider of its channel.

    Args:
        tests: numbers and domains that are kept free for tests pass as well, as a channel that reaches nobody takes
            them.
    """
    match channel:
        case "email":
            return valid_email(address, tests=tests)
        case "letter":
            return valid_postal_address(address)
        case _:
            return valid_number(address, tests=tests)


@lru_cache(maxsize=4_096)
def valid_number(number: str, *, tests: bool = False) -> bool:
    """Whether this is a telephone number in E.164 that its country's plan knows, such as +4930123456."""
    if not E164.match(number) or number != number.strip():
        return False
    if number.startswith(TEST_NUMBER):
        return tests
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=4_096)
def valid_email(address: str, *, tests: bool = False) -> bool:
    """Whether this is one e-mail address whose domain can exist; no name server is asked."""
    try:
        found = validate_email(address, check_deliverability=False, test_environment=tests)
    except EmailNotValidError:
        return False
    if tests:
        return True
    domain = found.ascii_domain.lower()
    return not any(domain == kept or domain.endswith(f".{kept}") for kept in TEST_DOMAINS)


def unsubscribe_address(wanted: str, contact_id: str) -> str:
    """Where an opt-out from e-mail goes, with whose it is in the place of `{contact_id}`: never more than one address."""
    return wanted.replace("{contact_id}", quote(contact_id, safe=":"))


def valid_postal_address(address: str) -> bool:
    """Whether a postman has something to go by: a street and a place, on lines or with commas between them."""
    lines = postal_lines(address)
    return 2 <= len(lines) <= MOST_LINES and all(line.isprintable() for line in lines)


def postal_lines(address: str) -> list[str]:
    """The lines of a postal address; commas stand for line breaks where it has none."""
    parts = address.splitlines() if "\n" in address.strip() else address.split(",")
    return [line for part in parts if (line := part.strip())]
