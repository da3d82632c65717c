from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2QFormerConfig,
    Blip2VisionConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    SiglipVisionModel,
)
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from typer.testing import CliRunner

from finetune.batch import ChatEncoder
from finetune.config import AdapterConfig, ModelConfig
from finetune.model_commands import app
from finetune.models.composed.compose import Bridge, compose_mlp, compose_qformer, read_bridge, read_parts
from finetune.models.loading import load_base
from tests.finetune.models.part_folders import (
    TEXT,
    TOWER,
    write_clip,
    write_dinov2,
    write_llama,
    write_qwen,
    write_siglip,
    write_vit,
)
from tests.finetune.models.path import four_examples, walk
from xray.errors import ConfigError

QFORMER = Blip2QFormerConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, encoder_hidden_size=32
)
BRIDGE = Bridge(config=QFORMER, num_query_tokens=4)


def write(make: Callable[[Path], None], folder: Path) -> Path:
    folder.mkdir()
    make(folder)
    return folder


def settings(folder: Path, **changes: object) -> ModelConfig:
    return ModelConfig.model_validate({"model_name_or_path": str(folder), "compute_dtype": "float32", **changes})


@pytest.mark.parametrize(
    ("tower", "language"), [(write_clip, write_qwen), (write_siglip, write_llama), (write_dinov2, write_qwen)]
)
def test_a_tower_and_a_language_model_joined_by_queries_go_the_whole_way(
    tower: Callable[[Path], None], language: Callable[[Path], None], tmp_path: Path
) -> None:
    parts = read_parts(write(tower, tmp_path / "vision"), write(language, tmp_path / "text"))
    compose_qformer(parts, bridge=BRIDGE, folder=tmp_path / "joined", seed=1)
    align = AdapterConfig(lora_target="none", modules_to_save=("qformer", "language_projection"))
    walk(settings(tmp_path / "joined"), tmp_path, adapter=align, steps=30)


@pytest.mark.parametrize(("tower", "language"), [(write_clip, write_llama), (write_siglip, write_qwen)])
def test_a_tower_and_a_language_model_joined_by_two_layers_go_the_whole_way(
    tower: Callable[[Path], None], language: Callable[[Path], None], tmp_path: Path
) -> None:
    parts = read_parts(write(tower, tmp_path / "vision"), write(language, tmp_path / "text"))
    compose_mlp(parts, folder=tmp_path / "joined", seed=1)
    align = AdapterConfig(lora_target="none", modules_to_save=("multi_modal_projector",))
    walk(settings(tmp_path / "joined"), tmp_path, adapter=align, steps=30)


def test_the_parts_are_copied_unchanged_and_the_bridge_depends_on_the_seed(tmp_path: Path) -> None:
    vision, text = write(write_siglip, tmp_path / "vision"), write(write_llama, tmp_path / "text")
    states = []
    for number, seed in enumerate((1, 1, 2)):
        compose_qformer(read_parts(vision, text), bridge=BRIDGE, folder=tmp_path / str(number), seed=seed)
        states.append(load_base(settings(tmp_path / str(number), quantization_bit=None)).model.state_dict())
    tower, language = SiglipVisionModel.from_pretrained(vision), LlamaForCausalLM.from_pretrained(text)
    assert all(torch.equal(states[0][f"vision_model.{name}"], it) for name, it in tower.state_dict().items())
    assert all(torch.equal(states[0][f"language_model.{name}"], it) for name, it in language.state_dict().items())
    assert all(torch.equal(states[0][name], it) for name, it in states[1].items())
    for name in (
        "query_tokens",
        "language_projection.weight",
        "qformer.encoder.layer.0.attention.attention.query.weight",
    ):
        assert not torch.equal(states[0][name], states[2][name])
        assert 0.01 < states[0][name].std() < 0.03
    assert torch.equal(states[0]["qformer.layernorm.weight"], torch.ones(32))


def test_a_film_stands_in_the_language_models_own_chat(tmp_path: Path) -> None:
    parts = read_parts(write(write_clip, tmp_path / "vision"), write(write_qwen, tmp_path / "text"))
    example = four_examples(tmp_path)[0]
    for join in (
        lambda folder: compose_qformer(parts, bridge=BRIDGE, folder=folder, seed=1),
        lambda folder: compose_mlp(parts, folder=folder, seed=1),
    ):
        join(tmp_path / "joined")
        encoder = ChatEncoder(processor=load_base(settings(tmp_path / "joined")).processor)
        row = encoder.encode(example, encoder.load_pixels(example))
        tokens = row["input_ids"][0].tolist()
        assert tokens.count(parts.place_id) == 4  # queries, and patches without the class token
        text = [token for token in tokens if token != parts.place_id]
        told = "<|im_start|>user\n\n请写报告。<|im_end|>\n<|im_start|>assistant\nlungs clear.<|im_end|>"
        assert encoder.processor.tokenizer.decode(text) == told
        assert row["pixel_values"].shape == (1, 3, 28, 28)


def test_a_folder_that_is_no_part_is_one_clear_error(tmp_path: Path) -> None:
    vision, text = write(write_siglip, tmp_path / "vision"), write(write_llama, tmp_path / "text")
    for wrong in ((text, text), (vision, vision), (vision, tmp_path / "nowhere")):
        with pytest.raises(ConfigError) as caught:
            read_parts(*wrong)
        assert "\n" not in str(caught.value)


def test_a_film_size_that_the_tower_does_not_take_is_refused(tmp_path: Path) -> None:
    vision, text = write(write_siglip, tmp_path / "vision"), write(write_llama, tmp_path / "text")
    SiglipImageProcessorPil(size={"height": 56, "width": 56}).save_pretrained(vision)
    with pytest.raises(ConfigError, match="28 x 28"):
        read_parts(vision, text)


def write_words(folder: Path, *, spare: int) -> None:
    """A language model whose tokenizer has no token to spare, and `spare` free rows in its embedding table."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0, "b": 1}, unk_token="a")))
    LlamaForCausalLM(LlamaConfig(vocab_size=2 + spare, **TEXT)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def test_a_free_row_of_the_embedding_table_becomes_the_place_of_a_film(tmp_path: Path) -> None:
    vision = write(write_vit, tmp_path / "vision")
    parts = read_parts(vision, write(partial(write_words, spare=1), tmp_path / "text"))
    assert (parts.place, parts.place_id) == ("<image>", 2)
    with pytest.raises(ConfigError, match="no spare token"):
        read_parts(vision, write(partial(write_words, spare=0), tmp_path / "full"))


def test_the_command_joins_two_folders_and_never_writes_over_one(tmp_path: Path) -> None:
    vision, text = write(write_vit, tmp_path / "vision"), write(write_qwen, tmp_path / "text")
    told = ["compose", "--vision", str(vision), "--language", str(text), "--bridge", "mlp", str(tmp_path / "joined")]
    result = CliRunner().invoke(app, told)
    assert "compose_align.yaml" in result.output
    assert load_base(settings(tmp_path / "joined")).parts.projector
    assert "is there already" in str(CliRunner().invoke(app, told).exception)


def test_the_q_former_of_a_blip2_can_be_the_bridge(tmp_path: Path) -> None:
    vision, text = write(write_siglip, tmp_path / "vision"), write(write_llama, tmp_path / "text")
    config = Blip2Config(
        vision_config=Blip2VisionConfig(**TOWER), qformer_config=QFORMER, text_config=LlamaConfig(**TEXT)
    )
    torch.manual_seed(3)
    other = Blip2ForConditionalGeneration(config)
    other.query_tokens.data.normal_()
    other.save_pretrained(tmp_path / "blip2")
    compose_qformer(
        read_parts(vision, text), bridge=read_bridge(tmp_path / "blip2"), folder=tmp_path / "joined", seed=0
    )
    state = load_base(settings(tmp_path / "joined", quantization_bit=None)).model.state_dict()
    assert torch.equal(state["query_tokens"], other.query_tokens)
    assert all(torch.equal(state[f"qformer.{name}"], tensor) for name, tensor in other.qformer.state_dict().items())


@pytest.mark.parametrize(
    ("part", "damage", "said"),
    [
        ("text", "tokenizer.json", "holds no tokenizer"),
        ("vision", "preprocessor_config.json", "lacks preprocessor_config.json"),
        ("vision", "model.safetensors", "holds no weights"),
        ("text", "config.json", "holds no config.json"),
    ],
)
def test_a_part_without_one_of_its_files_is_refused_by_its_name(
    part: str, damage: str, said: str, tmp_path: Path
) -> None:
    vision, text = write(write_clip, tmp_path / "vision"), write(write_qwen, tmp_path / "text")
    for path in (tmp_path / part).glob(f"{damage.split('.')[0]}*"):
        path.unlink()
    with pytest.raises(ConfigError, match=f"{part} {said}"):
        read_parts(vision, text)


def test_a_part_that_is_cut_off_missing_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    vision, text = write(write_clip, tmp_path / "vision"), write(write_qwen, tmp_path / "text")
    with pytest.raises(ConfigError, match="is no folder"):
        read_parts(vision, tmp_path / "none")
    with pytest.raises(ConfigError, match=r"'clip\w*' is no causal language model"):
        read_parts(vision, write_tokenizer(vision, of=text))
    weights = text / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ConfigError, match="is not whole"):
        read_parts(vision, text)


def write_tokenizer(folder: Path, *, of: Path) -> Path:
    (folder / "tokenizer.json").write_bytes((of / "tokenizer.json").read_bytes())
    return folder
