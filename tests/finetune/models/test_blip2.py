import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from transformers import (
    PreTrainedTokenizerFast,
)

from finetune.batch import ChatEncoder, collate
from finetune.check import show_loss_mask
from finetune.checkpoints import read_history
from finetune.config import ModelConfig, RunConfig
from finetune.dataset import prepare_data
from finetune.models.loading import LoadedModel, add_adapter, load_base
from finetune.train import train
from tests.finetune.conftest import TEXTS
from tests.finetune.models.blip2_folder import QUERIES, write_opt, write_t5
from tests.finetune.models.path import LORA, REPORTS, batch_of, four_examples, walk
from xray.errors import ConfigError

WORDS = (*REPORTS, *TEXTS)


@pytest.fixture(scope="module")
def opt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opt")
    write_opt(folder, WORDS)
    return folder


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("t5")
    write_t5(folder, WORDS)
    return folder


def settings(folder: Path, **changes: object) -> ModelConfig:
    return ModelConfig.model_validate({"model_name_or_path": str(folder), "compute_dtype": "float32", **changes})


@pytest.fixture(scope="module")
def opt_loaded(opt: Path) -> LoadedModel:
    return load_base(settings(opt))


@pytest.fixture(scope="module")
def t5_loaded(t5: Path) -> LoadedModel:
    return load_base(settings(t5))


def quantised(loaded: LoadedModel) -> set[str]:
    return {name for name, module in loaded.model.named_modules() if isinstance(module, Linear4bit)}


def test_blip2_with_opt_learns_generates_saves_and_merges_in_four_bits(opt: Path, tmp_path: Path) -> None:
    walk(settings(opt), tmp_path)


def test_blip2_with_t5_learns_generates_saves_and_merges_in_four_bits(t5: Path, tmp_path: Path) -> None:
    walk(settings(t5), tmp_path)


def test_a_frozen_tower_and_query_former_blur_no_film_while_the_adapter_learns(opt: Path, tmp_path: Path) -> None:
    tuned = add_adapter(load_base(settings(opt)), settings=settings(opt), adapter=LORA, seed=0)
    batch = batch_of(tuned, four_examples(tmp_path))
    assert tuned.base.config.qformer_config.hidden_dropout_prob > 0
    films = []
    for learning in (False, True):
        tuned.model.train(learning)
        with torch.no_grad():
            films.append(tuned.base.get_image_features(batch["pixel_values"]).pooler_output)
    assert torch.equal(*films)
    assert tuned.base.language_model.training


def test_only_the_language_models_own_layers_are_held_in_four_bits(
    opt_loaded: LoadedModel, t5_loaded: LoadedModel
) -> None:
    assert quantised(opt_loaded) == set(opt_loaded.parts.language_model)
    # T5 hands its `wo` whatever type that layer's weights have: in 4 bits it would be handed bytes.
    whole = {name for name in t5_loaded.parts.language_model if name.endswith(".wo")}
    assert quantised(t5_loaded) == set(t5_loaded.parts.language_model) - whole


def test_the_query_former_and_its_projection_are_the_projector_and_the_inner_head_is_the_head(
    opt_loaded: LoadedModel, t5_loaded: LoadedModel
) -> None:
    for loaded in (opt_loaded, t5_loaded):
        assert loaded.parts.head == ("language_model.lm_head",)
        assert {name.split(".")[0] for name in loaded.parts.projector} == {"qformer", "language_projection"}
        assert {name.split(".")[0] for name in loaded.parts.vision_tower} == {"vision_model"}
        assert {name.split(".")[0] for name in loaded.parts.language_model} == {"language_model"}


def test_the_films_stand_before_the_token_that_begins_a_text(opt_loaded: LoadedModel, tmp_path: Path) -> None:
    example = four_examples(tmp_path)[0]
    processor = opt_loaded.processor
    encoder = ChatEncoder(processor=processor)
    both = replace(example, images=example.images * 2, views=("frontal", "lateral"))
    tokens = encoder.encode_prompt(both, encoder.load_pixels(both))["input_ids"][0].tolist()
    assert tokens[: 2 * QUERIES] == [len(processor.tokenizer)] * 2 * QUERIES
    assert processor.tokenizer.decode(tokens[2 * QUERIES :]) == "</s>Question: 请写报告。 Answer:"


def test_a_decoder_of_its_own_gets_the_report_and_never_the_prompt(t5_loaded: LoadedModel, tmp_path: Path) -> None:
    long, short, *_ = four_examples(tmp_path)
    short = replace(short, target="ok.")
    tokenizer = t5_loaded.processor.tokenizer
    encoder = ChatEncoder(processor=t5_loaded.processor)
    rows = [encoder.encode(example, encoder.load_pixels(example)) for example in (long, short)]
    batch = collate(rows, pad_token_id=tokenizer.pad_token_id)
    assert tokenizer.decode(batch["input_ids"][0, QUERIES:]) == "Question: 请写报告。 Answer:</s>"
    assert tokenizer.decode(batch["labels"][0]) == " lungs clear.</s>"
    kept = batch["labels"][1][batch["labels"][1] != -100]
    assert tokenizer.decode(kept) == " ok.</s>"
    assert batch["labels"].shape[1] < batch["input_ids"].shape[1]


def test_the_loss_mask_is_shown_with_a_decoder_of_its_own_too(
    t5_loaded: LoadedModel, opt_loaded: LoadedModel, tmp_path: Path
) -> None:
    example = four_examples(tmp_path)[0]
    shown = [show_loss_mask(example, encoder=ChatEncoder(processor=it.processor)) for it in (t5_loaded, opt_loaded)]
    assert shown[0] == "  (Question: 请写报告。 Answer:</s>)\n  [ lungs clear.</s>]"
    assert shown[1] == "  (</s>Question: 请写报告。 Answer:)\n  [ lungs clear.</s>]"


def test_a_tokenizer_without_the_letters_of_the_reports_is_refused(t5_loaded: LoadedModel, tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    processor = copy.copy(t5_loaded.processor)
    inner = Tokenizer(WordLevel({"<unk>": 0, "lungs clear.": 1}, unk_token="<unk>"))
    processor.tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", eos_token="<unk>")
    encoder = ChatEncoder(processor=processor)
    with pytest.raises(ConfigError, match="no letters for zh reports"):
        encoder.target_ids(replace(four_examples(tmp_path)[0], target="双肺野清晰。"))


def test_accumulated_batches_count_as_their_mean_with_a_decoder_of_its_own(
    t5: Path, tmp_path: Path, make_config: Callable[..., RunConfig]
) -> None:
    changes = (f"model.model_name_or_path={t5}", "model.image_size=32", "train.gradient_accumulation_steps=2")
    brief = ("train.max_steps=1", "train.logging_steps=1", "generate.max_new_tokens=4", "train.max_eval_examples=4")
    config = make_config(tmp_path, *changes, *brief)
    data = prepare_data(config.data)
    loaded = add_adapter(load_base(config.model), settings=config.model, adapter=config.adapter, seed=0)
    train(loaded, config=config, train_examples=data.train, val_examples=data.val, folder=tmp_path)
    history = read_history(tmp_path / "checkpoints")
    learned, judged = ([row.values[name] for row in history if name in row.values] for name in ("loss", "eval_loss"))
    # A sum over the accumulated batches in place of their mean would be twice the loss.
    assert learned == pytest.approx(judged, rel=0.3)
    assert len(learned) == 1
