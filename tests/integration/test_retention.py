"""Rows leave, or move to a cold volume, when they have landed long enough; on the real engine, with two volumes."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from connectors.clickhouse.migrate import files
from connectors.clickhouse.retention import changes, check, ttl
from connectors.clickhouse.settings import ClickHouseSettings
from schemas.errors import BadInput
from tests.configured_engine import ask_the_engine

SHIPPED = Path(__file__).parents[2] / "deploy" / "clickhouse" / "storage.xml"
DEFAULT = {"default": ["default"]}
TIERED = {**DEFAULT, "tiered": ["default", "cold"]}
MOVES = ClickHouseSettings(cold_after_days=30, ttl_days=365)
PLAIN_ENGINE = "MergeTree ORDER BY x SETTINGS index_granularity = 8192"


def shipped(folder: Path) -> str:
    """The example that is shipped, with a folder in place of S3."""
    storage = ET.parse(SHIPPED).getroot().find("storage_configuration")  # noqa: S314 - our own file
    assert storage is not None
    (disk,) = storage.findall("disks/cold_s3")
    disk.clear()
    ET.SubElement(disk, "type").text = "local_blob_storage"
    ET.SubElement(disk, "path").text = f"{folder}/cold/"
    return "".join(ET.tostring(part, "unicode") for part in storage)


def test_old_rows_move_to_the_cold_volume_and_can_still_be_read(tmp_path: Path) -> None:
    (made,) = (migration.statements for migration in files() if migration.name == "tenants")
    answers = ask_the_engine(
        tmp_path,
        [
            "CREATE DATABASE recoup",
            "USE recoup",
            *made,
            "INSERT INTO tenants (name, _block_at) VALUES ('landed before the change', now() - INTERVAL 40 DAY)",
            *changes(MOVES, "tenants", PLAIN_ENGINE),
            "INSERT INTO tenants (name, _block_at) VALUES ('new', now())",
            (
                "SELECT count() FROM system.parts WHERE table = 'tenants' AND active AND disk_name = 'cold_s3_cached'",
                "1",
            ),
            "SELECT arrayStringConcat(arraySort(groupArray(name)), ', ') FROM tenants",
            "SELECT engine_full FROM system.tables WHERE name = 'tenants'",
            (
                "SELECT arrayStringConcat(groupArray(volume_name), ',') FROM"
                " (SELECT * FROM system.storage_policies WHERE policy_name = 'tiered' ORDER BY volume_priority)"
            ),
        ],
        storage=shipped(tmp_path),
    )
    *done, moved, names, engine, volumes = answers
    assert set(done) == {""}, done
    assert moved == "1"
    check(MOVES, {**DEFAULT, MOVES.storage_policy: volumes.split(",")})
    assert names == "landed before the change, new"
    assert changes(MOVES, "tenants", engine) == []
    assert changes(ClickHouseSettings(), "tenants", engine) == ["ALTER TABLE `recoup`.`tenants` REMOVE TTL"]


def test_a_policy_that_the_server_does_not_have_is_refused_before_anything_is_changed() -> None:
    check(MOVES, TIERED)
    for policies in (
        DEFAULT,
        {**DEFAULT, "tiered": ["default"]},
        {**DEFAULT, "tiered": ["hot", "cold"]},
        {**DEFAULT, "tiered": ["cold", "default"]},
    ):
        with pytest.raises(BadInput, match=r"needs a storage policy 'tiered' with the volumes default and cold"):
            check(MOVES, policies)
    check(ClickHouseSettings(ttl_days=3), DEFAULT)


def test_single_tables_may_keep_their_rows_longer_or_for_ever() -> None:
    settings = ClickHouseSettings(ttl_days=30, ttl_days_of={"audit_logs": 0, "agent_metrics": 7}, cold_after_days=10)
    assert ttl(settings, "audit_logs") == "toDateTime(_block_at) + toIntervalDay(10) TO VOLUME 'cold'"
    assert ttl(settings, "agent_metrics") == "toDateTime(_block_at) + toIntervalDay(7)"
    assert ttl(settings, "tenants").endswith("TO VOLUME 'cold', toDateTime(_block_at) + toIntervalDay(30)")
    with pytest.raises(BadInput, match=r"TTL_DAYS_OF names payments, and no topic lands there"):
        check(ClickHouseSettings(ttl_days_of={"payments": 1}), DEFAULT)
