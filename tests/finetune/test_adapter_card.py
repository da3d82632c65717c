"""An adapter is only used with the base, the film size and the rendering that it was trained with."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from finetune.adapter_card import AdapterCard, card_of_run, check_render, read_card, render_settings
from finetune.config import ModelConfig, RunConfig
from finetune.config_file import load_config
from finetune.manifest import RunManifest, read_json
from finetune.models.loading import load_adapter, load_base
from finetune.systems import generate_systems
from tests.finetune.conftest import quiet_screen
from xray.dicom.render import RenderSettings
from xray.dicom.site_profile import DeviceRule, SiteProfile
from xray.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def card(finished_run: Path) -> AdapterCard:
    found = read_card(finished_run / "adapter")
    assert found is not None
    return found


def test_the_card_of_a_run_says_what_its_adapter_expects(finished_run: Path, card: AdapterCard) -> None:
    config = load_config(finished_run / "config.resolved.yaml")
    assert card.run_id == finished_run.name
    assert card.image_size == 64
    assert (card.question, card.system) == (config.data.question, None)
    assert card.max_new_tokens == 120
    assert card.base == read_json(finished_run / "manifest.json", RunManifest).base_model
    assert render_settings(card) == config.data.render_settings()


def test_the_manifest_names_the_card(finished_run: Path) -> None:
    named = {item.path for item in read_json(finished_run / "manifest.json", RunManifest).artefacts}
    assert "adapter/adapter_card.json" in named


def test_a_rendering_with_rules_of_a_site_comes_back_from_the_card(card: AdapterCard) -> None:
    site = SiteProfile(devices=(DeviceRule(manufacturer="Acme*", polarity="presentation_lut_shape"),))
    settings = RenderSettings(size=96, deep=True, site=site)
    fields = {"deep": True, "site": site, "digest": settings.digest()}
    changed = card.model_copy(update={"render": card.render.model_copy(update=fields)})
    assert render_settings(AdapterCard.model_validate_json(changed.model_dump_json())) == settings


def test_another_rendering_is_refused_with_both_values(card: AdapterCard) -> None:
    check_render(card, settings=RenderSettings(size=96))
    with pytest.raises(ConfigError, match=r"image_size 96.*image_size 128"):
        check_render(card, settings=RenderSettings(size=128))


def test_a_rendering_of_another_version_of_the_kit_is_refused(card: AdapterCard) -> None:
    old = card.model_copy(update={"render": card.render.model_copy(update={"digest": "0" * 64})})
    with pytest.raises(ConfigError, match="digest 00000000"):
        render_settings(old)


def test_an_adapter_is_not_put_on_another_base(finished_run: Path, card: AdapterCard, tmp_path: Path) -> None:
    config = load_config(finished_run / "config.resolved.yaml")
    other = shutil.copytree(config.model.model_name_or_path, tmp_path / "other")
    content = json.loads((other / "generation_config.json").read_text(encoding="utf-8"))
    (other / "generation_config.json").write_text(json.dumps({**content, "top_k": 7}), encoding="utf-8")
    base = load_base(config.model.model_copy(update={"model_name_or_path": str(other)}))
    with pytest.raises(ConfigError, match=f"{card.base.sha256[:12]}.*{other.name}.*is now") as caught:
        load_adapter(base, finished_run / "adapter")
    assert "\n" not in str(caught.value)


def test_an_adapter_is_not_shown_films_of_another_size(finished_run: Path) -> None:
    config = load_config(finished_run / "config.resolved.yaml")
    settings: ModelConfig = config.model.model_copy(update={"image_size": 96})
    with pytest.raises(ConfigError, match="image_size 64, not 96"):
        load_adapter(load_base(settings), finished_run / "adapter")


@pytest.mark.parametrize("change", ["data.image_size=128", "model.image_size=32", "data.render_profile=mimic_jpg"])
def test_a_run_whose_settings_were_changed_writes_no_reports(finished_run: Path, tmp_path: Path, change: str) -> None:
    copy = shutil.copytree(finished_run, tmp_path / finished_run.name)
    (copy / "predictions.jsonl").unlink()
    with pytest.raises(ConfigError, match=change.partition("=")[2]):
        generate_systems(copy, config=load_config(copy / "config.resolved.yaml", [change]), screen=quiet_screen())
    assert not (copy / "predictions.jsonl").exists()


def test_a_run_without_an_adapter_says_what_to_do(make_config: Callable[..., RunConfig], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="finetune run"):
        card_of_run(tmp_path, config=make_config(tmp_path))
