import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import tiktoken
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tiktoken.load import load_tiktoken_bpe

from finetune.models.processing import load_processor
from finetune.models.qwen_vl.processing import QwenVLProcessor
from tests.finetune.models import qwen_vl_folder
from xray.errors import ConfigError

FILM = {"type": "image"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qwen_vl")
    qwen_vl_folder.build(path)
    return path


@pytest.fixture(scope="module")
def processor(folder: Path) -> QwenVLProcessor:
    return load_processor(folder)


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def test_films_are_numbered_through_the_whole_conversation(processor: QwenVLProcessor) -> None:
    turns = [
        {"role": "user", "content": [FILM, FILM, text("比较。")]},
        {"role": "assistant", "content": [text("无变化。")]},
        {"role": "user", "content": [FILM, text("这张呢？")]},
    ]
    assert processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False) == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        "<|im_start|>user\nPicture 1: <img><imgpad></img>\nPicture 2: <img><imgpad></img>\n比较。<|im_end|>\n"
        "<|im_start|>assistant\n无变化。<|im_end|>\n"
        "<|im_start|>user\nPicture 3: <img><imgpad></img>\n这张呢？<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_system_prompt_of_ones_own_replaces_the_default(processor: QwenVLProcessor) -> None:
    turns = [{"role": "system", "content": [text("你是放射科医生。")]}, {"role": "user", "content": "请写报告。"}]
    written = processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    assert written.startswith("<|im_start|>system\n你是放射科医生。<|im_end|>\n<|im_start|>user\n请写报告。")
    assert "helpful" not in written


def test_the_base_that_is_no_chat_model_continues_a_plain_text(tmp_path: Path) -> None:
    qwen_vl_folder.build(tmp_path, chat_format="raw")
    base = load_processor(tmp_path)
    turns = [{"role": "user", "content": [FILM, text("报告：")]}]
    assert base.apply_chat_template(turns, add_generation_prompt=True, tokenize=False) == (
        "Picture 1: <img><imgpad></img>\n报告：\n"
    )
    answered = [*turns, {"role": "assistant", "content": [text("清晰。")]}]
    assert base.apply_chat_template(answered, tokenize=False).endswith("报告：\n清晰。<|endoftext|>\n")
    assert base.tokenizer.eos_token == "<|endoftext|>"


def test_each_film_takes_its_places_and_is_resized_as_pil_does(processor: QwenVLProcessor) -> None:
    films = [Image.fromarray(np.random.default_rng(n).integers(0, 255, (90, 70, 3), dtype=np.uint8)) for n in range(2)]
    prompt = "Picture 1: <img><imgpad></img>\nPicture 2: <img><imgpad></img>\n"
    inputs = processor(text=[prompt], images=films, return_tensors="pt")
    assert set(inputs) == {"input_ids", "attention_mask", "pixel_values"}
    start = processor.tokenizer.convert_tokens_to_ids("<img>")
    row = inputs["input_ids"][0].tolist()
    for place in (place for place, token in enumerate(row) if token == start):
        assert row[place : place + 6] == [start, *[start + 2] * 4, start + 1]
    mean, deviation = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    for film, pixels in zip(films, inputs["pixel_values"], strict=True):
        resized = np.asarray(film.resize((56, 56), Image.Resampling.BICUBIC), dtype=np.float64) / 255
        np.testing.assert_allclose(pixels.numpy().transpose(1, 2, 0), (resized - mean) / deviation, atol=1e-5)


def test_films_without_a_place_in_the_text_are_an_error(processor: QwenVLProcessor) -> None:
    film = Image.fromarray(np.zeros((9, 9, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="imgpad"):
        processor(text=["请写报告。"], images=[film], return_tensors="pt")


def test_a_saved_folder_needs_neither_the_published_vocabulary_nor_tiktoken(
    processor: QwenVLProcessor, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor.save_pretrained(tmp_path)
    for name in ("config.json", "generation_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    for module in ("tiktoken", "tiktoken.load"):
        monkeypatch.setitem(sys.modules, module, None)
    again = load_processor(tmp_path)
    sample = "Picture 1: <img><imgpad></img>\n双肺野清晰。é<box>(1,2),(3,4)</box><|im_end|>"
    assert again.tokenizer(sample).input_ids == processor.tokenizer(sample).input_ids
    assert again.chat_template == processor.chat_template
    assert again.num_image_tokens == 4
    film = Image.fromarray(np.full((9, 12, 3), 77, dtype=np.uint8))
    inputs = {"text": ["<img><imgpad></img>"], "images": [film], "return_tensors": "pt"}
    assert torch.equal(again(**inputs)["pixel_values"], processor(**inputs)["pixel_values"])


def test_a_processor_reaches_another_process_whole(processor: QwenVLProcessor) -> None:
    copy = pickle.loads(pickle.dumps(processor))
    assert copy.tokenizer("清晰").input_ids == processor.tokenizer("清晰").input_ids
    assert (copy.num_image_tokens, copy.chat_template) == (4, processor.chat_template)


@given(st.text(alphabet=[*qwen_vl_folder.TEXT, *" \n\r\t'sdABé12３ﬁ　𠀀"], max_size=40))
def test_any_text_becomes_the_ids_that_tiktoken_gives(folder: Path, processor: QwenVLProcessor, words: str) -> None:
    import unicodedata

    from finetune.models.qwen_vl.tokenization import _PATTERN

    ranks = load_tiktoken_bpe(str(folder / "qwen.tiktoken"))
    original = tiktoken.Encoding("qwen", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens={})
    expected = original.encode_ordinary(unicodedata.normalize("NFC", words))
    assert processor.tokenizer(words).input_ids == expected


def test_the_marks_of_regions_stay_in_a_decoded_answer_and_those_of_turns_do_not(processor: QwenVLProcessor) -> None:
    answer = "<ref>心影</ref><box>(1,2),(30,40)</box>"
    ids = processor.tokenizer(answer + "<|im_end|><|endoftext|>").input_ids
    assert processor.tokenizer.decode(ids, skip_special_tokens=True) == answer
    assert len(set(processor.tokenizer.convert_tokens_to_ids(["<ref>", "</box>", "<quad>"]))) == 3


@pytest.mark.parametrize(("content", "message"), [(None, "has no qwen.tiktoken"), (b"what?\n", "no tiktoken vocab")])
def test_a_vocabulary_that_is_missing_or_broken_is_one_clear_error(
    folder: Path, tmp_path: Path, content: bytes | None, message: str
) -> None:
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    if content:
        (tmp_path / "qwen.tiktoken").write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        load_processor(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_size_of_a_film_comes_from_the_models_own_settings(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    settings = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    settings["visual"]["image_size"] = 84
    (tmp_path / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    film = Image.fromarray(np.zeros((9, 9, 3), dtype=np.uint8))
    inputs = load_processor(tmp_path)(text=["<img><imgpad></img>"], images=[film], return_tensors="pt")
    assert inputs["pixel_values"].shape == (1, 3, 84, 84)
