import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from finetune.batch import IGNORED, ChatEncoder, collate
from finetune.config import ModelConfig
from finetune.models.loading import LoadedModel, load_base
from xray.errors import ConfigError, DataError
from xray.types import Example, Turn


@pytest.fixture(scope="module")
def loaded(tiny_base: Path) -> LoadedModel:
    return load_base(ModelConfig(model_name_or_path=str(tiny_base), quantization_bit=None))


@pytest.fixture(scope="module")
def encoder(loaded: LoadedModel) -> ChatEncoder:
    return ChatEncoder(processor=loaded.processor, image_size=64)


@pytest.fixture
def example(tmp_path: Path) -> Example:
    paths = []
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (96, 96), dtype=np.uint8)
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels).save(paths[-1])
    return Example(
        example_id="e1",
        study_uid="s1",
        patient_key="p1",
        images=tuple(paths),
        views=("frontal", "lateral"),
        messages=(Turn(role="system", text="你是放射科医生。"), Turn(role="user", text="请写报告。")),
        target="左侧胸腔少量积液。",
        language="zh",
        origin="radiologist",
        split="train",
    )


def test_only_the_report_and_its_end_count_in_the_loss(encoder: ChatEncoder, example: Example) -> None:
    row = encoder.encode(example, encoder.load_pixels(example))
    counted = row["input_ids"][row["labels"] != IGNORED]
    assert encoder.processor.tokenizer.decode(counted) == "左侧胸腔少量积液。<|im_end|>"
    assert torch.equal(row["labels"][row["labels"] != IGNORED], counted)


def test_each_film_of_a_study_becomes_its_own_image_tokens(encoder: ChatEncoder, example: Example) -> None:
    both = encoder.encode(example, encoder.load_pixels(example))
    one = replace(example, images=example.images[:1], views=("frontal",))
    single = encoder.encode(one, encoder.load_pixels(one))
    token = encoder.processor.image_token_id
    assert int((both["input_ids"] == token).sum()) == 2 * int((single["input_ids"] == token).sum()) > 0
    assert both["image_grid_thw"].shape[0] == 2


def test_the_films_stand_before_the_question(encoder: ChatEncoder, example: Example) -> None:
    prompt = encoder.prompt(example)
    assert prompt.index("你是放射科医生") < prompt.index("<|image_pad|>") < prompt.index("请写报告")
    assert prompt.count("<|image_pad|>") == 2


def test_a_study_that_is_too_long_is_refused_by_name_and_never_cut(encoder: ChatEncoder, example: Example) -> None:
    short = ChatEncoder(processor=encoder.processor, image_size=64, cutoff_len=20)
    with pytest.raises(DataError, match=r"study s1 .* train\.cutoff_len"):
        short.encode(example, short.load_pixels(example))


def test_a_missing_film_is_an_error_and_never_a_blank_image(encoder: ChatEncoder, example: Example) -> None:
    example.images[0].unlink()
    with pytest.raises(DataError, match=r"0\.png is missing"):
        encoder.load_pixels(example)


def test_films_are_shrunk_by_area_averaging_to_the_models_size(encoder: ChatEncoder, example: Example) -> None:
    checkerboard = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)
    Image.fromarray(checkerboard).save(example.images[0])
    shrunk = encoder.load_pixels(example)[0]
    assert shrunk.shape == (64, 64)
    assert set(np.unique(shrunk)) <= {127, 128}  # any sampling without averaging would leave 0 and 255


def test_padding_is_on_the_right_for_training_and_on_the_left_for_generation(
    encoder: ChatEncoder, example: Example
) -> None:
    long = encoder.encode(example, encoder.load_pixels(example))
    brief = replace(example, target="正常。")
    short = encoder.encode(brief, encoder.load_pixels(brief))
    right = collate([long, short], pad_token_id=0)
    left = collate([long, short], pad_token_id=0, side="left")
    assert right["attention_mask"][1].tolist() == sorted(right["attention_mask"][1].tolist(), reverse=True)
    assert left["attention_mask"][1].tolist() == sorted(left["attention_mask"][1].tolist())
    assert (right["labels"][1][right["attention_mask"][1] == 0] == IGNORED).all()


def test_a_batch_gives_the_same_loss_as_its_examples_one_by_one(
    loaded: LoadedModel, encoder: ChatEncoder, example: Example
) -> None:
    brief = replace(example, target="正常。", images=example.images[:1], views=("frontal",))
    rows = [encoder.encode(one, encoder.load_pixels(one)) for one in (example, brief)]
    pad = loaded.processor.tokenizer.pad_token_id
    loaded.model.eval()
    with torch.no_grad():
        together = loaded.model(**collate(rows, pad_token_id=pad)).loss
        alone = [loaded.model(**row).loss for row in rows]
    tokens = [int((row["labels"][:, 1:] != IGNORED).sum()) for row in rows]
    expected = sum(loss * count for loss, count in zip(alone, tokens, strict=True)) / sum(tokens)
    assert together.item() == pytest.approx(expected.item(), rel=1e-4)


def with_template(encoder: ChatEncoder, old: str, new: str, *, token: str = "") -> ChatEncoder:
    """Return an encoder with another chat template, and with `token` added to its tokenizer."""
    processor = copy.copy(encoder.processor)
    processor.tokenizer = copy.deepcopy(processor.tokenizer)
    if token:
        processor.tokenizer.add_tokens([token])
    assert old in processor.chat_template
    processor.chat_template = processor.chat_template.replace(old, new)
    return ChatEncoder(processor=processor, image_size=64)


def test_a_template_without_an_end_token_still_teaches_the_model_to_stop(
    encoder: ChatEncoder, example: Example
) -> None:
    endless = with_template(encoder, "<|im_end|>\n{% endfor %}", "\n{% endfor %}")
    tokenizer = endless.processor.tokenizer
    row = endless.encode(example, endless.load_pixels(example))
    counted = row["input_ids"][row["labels"] != IGNORED]
    assert tokenizer.decode(counted[:-1]) == "左侧胸腔少量积液。"
    assert int(counted[-1]) == tokenizer.eos_token_id
    assert endless.closing_id(example) is None


def test_a_turn_that_ends_with_another_token_than_the_tokenizers_is_left_as_it_is(
    encoder: ChatEncoder, example: Example
) -> None:
    other = with_template(encoder, "<|im_end|>\n{% endfor %}", "<end_of_turn>\n{% endfor %}", token="<end_of_turn>")
    closing = other.processor.tokenizer.convert_tokens_to_ids("<end_of_turn>")
    tokens = other.target_ids(example)[0].tolist()
    assert tokens[-1] == closing == other.closing_id(example) != other.processor.tokenizer.eos_token_id
    assert tokens.count(closing) == 1


def test_a_token_that_the_report_itself_ends_with_does_not_end_the_turn(encoder: ChatEncoder, example: Example) -> None:
    endless = with_template(encoder, "<|im_end|>\n{% endfor %}", "\n{% endfor %}", token="积液")
    tokens = endless.target_ids(replace(example, target="左侧胸腔积液"))[0].tolist()
    assert tokens[-1] == endless.processor.tokenizer.eos_token_id


def test_an_empty_report_is_refused_by_the_name_of_its_study(encoder: ChatEncoder, example: Example) -> None:
    with pytest.raises(DataError, match="study s1 has an empty report"):
        encoder.encode(replace(example, target=" \n"), encoder.load_pixels(example))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<|vision_start|><|image_pad|><|vision_end|>", "", "image_pad"),
        ("{% for message", "{{ raise_exception('System role not supported') }}{% for message", "System role not"),
        ("{% for message", "{{ messages[0].content + '' }}{% for message", "data.system"),
        ("{{ part.text }}", "{{ part.text[::-1] }}", "rewrites the report"),
        ("{% for message", "{{ messages|length }}{% for message", "rewrites the prompt"),
    ],
)
def test_a_chat_template_that_does_not_fit_is_refused_in_one_line_with_the_models_name(
    encoder: ChatEncoder, example: Example, tiny_base: Path, old: str, new: str, said: str
) -> None:
    misfit = with_template(encoder, old, new)
    with pytest.raises(ConfigError) as caught:
        misfit.encode(example, misfit.load_pixels(example))
    assert said in str(caught.value)
    assert str(tiny_base) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"input_ids": torch.ones(1, 9, dtype=torch.long)}, "0 image tokens for 2 films"),
        ({"input_ids": torch.ones(1, 9), "cross_attention_mask": torch.ones(1, 9, 2, 4)}, "cross_attention_mask"),
        ({"input_ids": torch.ones(1, 9), "image_bound": [[1, 2]]}, "image_bound"),
    ],
)
def test_films_that_reach_no_token_and_inputs_of_other_families_are_refused(
    encoder: ChatEncoder, example: Example, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object], said: str
) -> None:
    monkeypatch.setattr(type(encoder.processor), "__call__", lambda self, **_: answer)
    with pytest.raises(ConfigError, match=said):
        encoder.encode_prompt(example, encoder.load_pixels(example))
