"""The demo's home and the installation around it find each other's models, and lines to paste name the home."""

import pytest

from connectors.model_store.settings import ModelSettings
from connectors.model_store.store import Store
from recoup.calling import command
from recoup.demo.show import share_models
from tests.trained_model import put


def test_the_demo_finds_the_models_of_the_installation(tmp_path):
    home = tmp_path / "demo"
    share_models(home)
    share_models(home)
    around, within = (Store(ModelSettings(), folder) for folder in (tmp_path, home))
    model_id = put(around)
    assert within.find(model_id[:4]) == model_id
    assert [item.model_id for item in within.list()] == [model_id]
    assert within.load(model_id)[0].model_id == model_id
    assert within.location(model_id) == around.location(model_id)


def test_models_that_the_demo_has_already_stay_where_they_are(tmp_path):
    home = tmp_path / "demo"
    (home / "models" / "0123456789abcdef").mkdir(parents=True)
    share_models(home)
    assert not (home / "models").is_symlink()
    assert (home / "models" / "0123456789abcdef").is_dir()


@pytest.mark.parametrize("home", [None, "elsewhere/demo"])
def test_a_line_to_paste_names_the_home(home, monkeypatch, tmp_path):
    monkeypatch.delenv("RECOUP_HOME", raising=False)
    assert "RECOUP_HOME" not in command()
    assert command(tmp_path).startswith(f"RECOUP_HOME={tmp_path} ")
    if home:
        monkeypatch.setenv("RECOUP_HOME", home)
        assert command().startswith(f"RECOUP_HOME={home} ")
