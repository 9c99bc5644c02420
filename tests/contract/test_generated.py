"""What is checked in is what the registry makes, and the AsyncAPI document is sound."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import asyncapi, json_schema
from schemas.generated import generated, stale
from schemas.registry import dead_letter_topic, topics

DOCUMENT = yaml.safe_load(asyncapi.ASYNCAPI_FILE.read_text("utf-8"))


def test_every_generated_file_is_up_to_date() -> None:
    assert stale() == [], "run `recoup schemas generate`"


def test_a_missing_a_changed_and_an_orphaned_file_are_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in generated():
        if path.parent == json_schema.JSON_DIR:
            (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(json_schema, "JSON_DIR", tmp_path)
    generated.cache_clear()
    try:
        assert stale() == []
        (tmp_path / "tenants.v1.schema.json").unlink()
        (tmp_path / "crm-events.v1.schema.json").write_text("{}")
        (tmp_path / "nonesuch.v1.schema.json").write_text("{}")
        (tmp_path / "tenants.v0.schema.json").write_text("{}")  # an older version of a topic: kept
        names = [path.name for path in stale()]
        assert names == ["crm-events.v1.schema.json", "tenants.v1.schema.json", "nonesuch.v1.schema.json"]
    finally:
        generated.cache_clear()


def test_every_field_of_a_schema_that_is_an_amount_says_what_it_counts() -> None:
    schema = json_schema.json_schema(topics()["payment-events"])
    amount = schema["$defs"]["InvoiceIssued"]["properties"]["amount_minor"]
    assert "Minor units" in amount["description"]
    assert amount["minimum"] == 1


def test_a_note_under_a_field_is_its_description_also_in_a_struct_that_inherits_it() -> None:
    schema = json_schema.json_schema(topics()["payment-events"])
    history = schema["$defs"]["InvoiceIssued"]["properties"]["history"]
    assert history["description"] == "Folded into the state, but never a reason to decide."


def test_asyncapi_has_a_channel_for_every_topic_and_its_dead_letters() -> None:
    refused = {dead_letter_topic(topic.name) for topic in topics().values() if topic.dead_letters}
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert set(DOCUMENT["channels"]) == {*topics(), *refused}
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == set(DOCUMENT["channels"])


def test_asyncapi_has_a_message_for_every_type() -> None:
    for topic in topics().values():
        assert set(DOCUMENT["channels"][topic.name]["messages"]) == set(topic.types)


def test_every_reference_of_asyncapi_leads_somewhere() -> None:
    references = list(_references(DOCUMENT))
    assert len(references) > 100
    for reference in references:
        file, _, pointer = reference.partition("#")
        target: Any = DOCUMENT
        if file:
            target = json.loads((asyncapi.ASYNCAPI_FILE.parent / file).read_text("utf-8"))
        for step in pointer.strip("/").split("/"):
            target = target[step]
        assert target


def test_every_operation_of_asyncapi_sends_or_receives_on_a_channel() -> None:
    operations = DOCUMENT["operations"].values()
    assert {operation["action"] for operation in operations} == {"send", "receive"}
    assert {operation["channel"]["$ref"].removeprefix("#/channels/") for operation in operations} == set(
        DOCUMENT["channels"]
    )


def _references(node: Any) -> Any:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
