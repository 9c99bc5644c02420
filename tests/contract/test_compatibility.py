"""A change that breaks a producer or a consumer of a released schema is found and named; any other passes."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from schemas.compatibility import all_breaches, breaches
from schemas.json_schema import json_schema
from schemas.registry import topics

Json = dict[str, Any]
TOPIC = "payment-events"


def payment(schema: Json) -> Json:
    definition: Json = schema["$defs"]["PaymentReceived"]
    return definition


def field(schema: Json, name: str) -> Json:
    found: Json = payment(schema)["properties"][name]
    return found


def change(edit: Callable[[Json], object]) -> list[str]:
    """What an edit of the present schema breaks."""
    old = json_schema(topics()[TOPIC])
    new = copy.deepcopy(old)
    edit(new)
    assert new != old, "the edit did nothing"
    return [str(breach) for breach in breaches(old, new, TOPIC)]


AT = "payment-events/payment.received"

BREAKING: dict[str, tuple[Callable[[Json], object], str]] = {
    "a removed field": (lambda new: payment(new)["properties"].pop("method"), f"{AT}.method: the field is gone"),
    "a renamed field": (
        lambda new: payment(new)["properties"].update(how=payment(new)["properties"].pop("method")),
        f"{AT}.method: the field is gone",
    ),
    "an optional field made required": (
        lambda new: payment(new)["required"].append("method"),
        f"{AT}.method: a field that could be left out is now required",
    ),
    "a new required field": (
        lambda new: (
            payment(new)["properties"].update(till={"type": "string"}),
            payment(new)["required"].append("till"),
        ),
        f"{AT}.till: a field that could be left out is now required",
    ),
    "a narrower type": (lambda new: field(new, "payment_id").update(type="integer"), f"{AT}.payment_id: was string"),
    "a field that may no longer be null": (
        lambda new: field(new, "method").update(anyOf=[field(new, "method")["anyOf"][0]]),
        f"{AT}.method: was null, is string",
    ),
    "a higher minimum": (
        lambda new: field(new, "amount_minor").update(minimum=100),
        f"{AT}.amount_minor: minimum was 1, is 100",
    ),
    "a lower maximum": (lambda new: field(new, "amount_minor").update(maximum=10), f"{AT}.amount_minor: maximum was"),
    "a shorter text": (lambda new: field(new, "payment_id").update(maxLength=20), "maxLength was 200, is 20"),
    "a new pattern": (lambda new: field(new, "payment_id").update(pattern="^p"), f"{AT}.payment_id: pattern was None"),
    "a removed enum value": (
        lambda new: new["$defs"]["PaymentReversed"]["properties"]["kind"]["enum"].remove("return"),
        "payment-events/payment.reversed.kind: the value 'return' is gone",
    ),
    "a removed currency": (
        lambda new: new["$defs"]["Currency"]["enum"].remove("USD"),
        f"{AT}.currency: the value 'USD' is gone",
    ),
    "a removed value of a field that may be null": (
        lambda new: field(new, "method")["anyOf"][0]["enum"].remove("cash"),
        f"{AT}.method: the value 'cash' is gone",
    ),
    "a narrower field in a list": (
        lambda new: new["$defs"]["Allocation"]["required"].append("note"),
        f"{AT}.allocations[].note: a field that could be left out is now required",
    ),
    "a removed type": (
        lambda new: new["discriminator"]["mapping"].pop("payment.failed"),
        "payment-events/payment.failed: the type is gone",
    ),
    "another default": (
        lambda new: field(new, "history").update(default=True),
        f"{AT}.history: the default was False, is True",
    ),
    "another key": (lambda new: new.update({"x-key": "account_id"}), "payment-events: key was tenant_id|account_id"),
    "other partitions": (lambda new: new.update({"x-partitions": 16}), "payment-events: partitions was 8, is 16"),
    "unknown fields refused": (
        lambda new: payment(new).update(additionalProperties=False),
        f"{AT}: unknown fields were ignored, now they are refused",
    ),
    "another version": (lambda new: field(new, "schema_version").update(enum=[2]), "the value 1 is gone"),
}

FINE: dict[str, Callable[[Json], object]] = {
    "a new optional field": lambda new: payment(new)["properties"].update(till={"type": "string", "default": ""}),
    "a required field made optional": lambda new: payment(new)["required"].remove("payment_id"),
    "a wider type": lambda new: field(new, "payment_id").update(type=["string", "integer"]),
    "a field that may now be null": lambda new: payment(new)["properties"].update(
        payment_id={"anyOf": [field(new, "payment_id"), {"type": "null"}]}
    ),
    "a lower minimum": lambda new: field(new, "amount_minor").update(minimum=0),
    "a higher maximum": lambda new: field(new, "amount_minor").update(maximum=10**16),
    "no maximum": lambda new: field(new, "amount_minor").pop("maximum"),
    "a longer text": lambda new: field(new, "payment_id").update(maxLength=300),
    "a new enum value": lambda new: new["$defs"]["PaymentReversed"]["properties"]["kind"]["enum"].append("recall"),
    "a new currency": lambda new: new["$defs"]["Currency"]["enum"].append("XTS"),
    "a new type": lambda new: new["discriminator"]["mapping"].update({"a.b": "#/$defs/PaymentFailed"}),
    "another description": lambda new: payment(new).update(description="Money."),
    "another name for a Struct": lambda new: (
        new["$defs"].update(PaymentTaken=new["$defs"].pop("PaymentReceived")),
        new["discriminator"]["mapping"].update({"payment.received": "#/$defs/PaymentTaken"}),
    ),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_is_named_with_its_place(name: str) -> None:
    edit, says = BREAKING[name]
    found = change(edit)
    assert any(says in breach for breach in found), found


@pytest.mark.parametrize("name", FINE)
def test_another_change_passes(name: str) -> None:
    assert change(FINE[name]) == []


def test_one_change_is_told_once_a_type() -> None:
    assert change(BREAKING["a removed field"][0]) == [f"{AT}.method: the field is gone"]


@pytest.mark.parametrize("topic", topics())
def test_nothing_breaks_itself(topic: str) -> None:
    schema = json_schema(topics()[topic])
    assert breaches(schema, schema, topic) == []


def test_a_topic_that_is_gone_breaks_and_a_new_one_does_not() -> None:
    present = {topic.name: json_schema(topic) for topic in topics().values()}
    fewer = {name: schema for name, schema in present.items() if name != "tenants"}
    assert [str(breach) for breach in all_breaches(present, fewer)] == ["tenants: the topic is gone"]
    assert all_breaches(fewer, present) == []
