import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import InternVLConfig, PreTrainedTokenizerFast
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

from finetune.models.processing import load_processor
from finetune.models.tiny import CHAT_TEMPLATE, build_tokenizer
from xray.errors import ConfigError

IMAGE_TOKENS = {
    "start_image_token": "<|vision_start|>",
    "end_image_token": "<|vision_end|>",
    "context_image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
}


@pytest.fixture
def internvl(tmp_path: Path) -> Path:
    """The files of another family's processor, as older repositories hold them: its template is in a JSON file."""
    base = build_tokenizer(["双肺野清晰。"] * 20, vocab_size=400)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=base.backend_tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=IMAGE_TOKENS,
    )
    tokenizer.save_pretrained(tmp_path)
    InternVLConfig().save_pretrained(tmp_path)
    GotOcr2ImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    saved = {"processor_class": "InternVLProcessor", "image_seq_length": 4}
    (tmp_path / "processor_config.json").write_text(json.dumps(saved), encoding="utf-8")
    template = CHAT_TEMPLATE.replace("<|vision_start|><|image_pad|><|vision_end|>", "<|image_pad|>")
    (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": template}), encoding="utf-8")
    return tmp_path


def test_a_processors_saved_settings_and_its_older_kind_of_template_are_read(internvl: Path) -> None:
    processor = load_processor(internvl)
    assert processor.image_seq_length == 4
    film = Image.fromarray(np.zeros((32, 32), dtype=np.uint8)).convert("RGB")
    text = processor.apply_chat_template([{"role": "user", "content": [{"type": "image"}]}], tokenize=False)
    inputs = processor(text=[text], images=[film], return_tensors="pt", crop_to_patches=False)
    assert int((inputs["input_ids"] == processor.image_token_id).sum()) == 4


def test_a_model_without_a_chat_template_is_refused(internvl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.models.processing.DEFAULT_TEMPLATES", {})
    (internvl / "chat_template.json").unlink()
    with pytest.raises(ConfigError, match="no chat template"):
        load_processor(internvl)


def test_a_processor_without_video_can_be_saved_and_loaded(tiny_base: Path, tmp_path: Path) -> None:
    shutil.copy(tiny_base / "config.json", tmp_path)
    processor = load_processor(tiny_base)
    processor.save_pretrained(tmp_path)
    again = load_processor(tmp_path)
    assert str(again.image_processor) == str(processor.image_processor)
    assert again.chat_template == processor.chat_template


def test_a_processor_reaches_another_process_whole(tiny_base: Path) -> None:
    processor = load_processor(tiny_base)
    copy = pickle.loads(pickle.dumps(processor))
    assert type(copy) is type(processor) is type(load_processor(tiny_base))
    film = Image.fromarray(np.arange(64 * 64, dtype=np.uint32).reshape(64, 64).astype(np.uint8)).convert("RGB")
    inputs = {"text": ["<|image_pad|>清晰"], "images": [film], "return_tensors": "pt"}
    before, after = processor(**inputs), copy(**inputs)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
