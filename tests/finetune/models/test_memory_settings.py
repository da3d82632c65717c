"""Vision tower in 8 bits, word embeddings in host memory, frozen towers out of the graph: less memory, same model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import AutoModelForImageTextToText

from finetune.config import AdapterConfig, ModelConfig, RunConfig
from finetune.models.host_embedding import HostEmbedding
from finetune.models.int8_linear import Int8Linear
from finetune.models.loading import LoadedModel, add_adapter, build_on_meta, load_base
from finetune.models.parts import find_parts
from finetune.models.placement import plan_placement, reading, settle
from tests.finetune.conftest import TEXTS
from tests.finetune.models.families import write_folder as write_native
from tests.finetune.models.path import batch_of, four_examples, learn, logits_of, reports_of, walk
from tests.finetune.models.visualglm_folder import write_folder as write_visualglm
from xray.errors import ConfigError
from xray.types import Example

SMALL_CARD = {"vision_tower_bit": 8, "offload_embedding": True}
FAMILIES = ("visualglm", "qwen2_5_vl", "llava")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model of each family; none shares its word embeddings with its head."""
    parent = tmp_path_factory.mktemp("models")
    for name in FAMILIES[1:]:
        write_native(parent / name, name)
    write_visualglm(
        parent / "visualglm", [*TEXTS, "<img></img>问：请写报告。\n答：lungs clear. nodule effusion heart"] * 2
    )
    return {name: parent / name for name in FAMILIES}


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    return four_examples(tmp_path)


def settings(folder: Path, **changes: object) -> ModelConfig:
    return ModelConfig.model_validate({"model_name_or_path": str(folder), **changes})


def tuned(chosen: ModelConfig, **changes: object) -> LoadedModel:
    adapter = AdapterConfig.model_validate({"lora_rank": 4, "lora_dropout": 0.0, **changes})
    return add_adapter(load_base(chosen), settings=chosen, adapter=adapter, seed=0)


@pytest.mark.parametrize("name", ["visualglm", "qwen2_5_vl"])
def test_embeddings_in_host_memory_change_no_number(
    folders: dict[str, Path], examples: list[Example], name: str
) -> None:
    offloaded, plain = (tuned(settings(folders[name], offload_embedding=offload)) for offload in (True, False))
    table = offloaded.base.get_input_embeddings()
    assert isinstance(table, HostEmbedding)
    assert torch.equal(table.weight, plain.base.get_input_embeddings().weight)
    for loaded in (offloaded, plain):
        loaded.model.gradient_checkpointing_enable({"use_reentrant": False})
    assert learn(offloaded, examples, steps=3) == learn(plain, examples, steps=3)
    assert torch.equal(logits_of(offloaded, examples[0]), logits_of(plain, examples[0]))
    assert reports_of(offloaded, examples[:2], batch_size=2) == reports_of(plain, examples[:2], batch_size=2)


def test_embeddings_in_host_memory_stay_there_and_are_saved_under_their_name(folders: dict[str, Path]) -> None:
    chosen = settings(folders["visualglm"], quantization_bit=None)
    offloaded, plain = (load_base(chosen.model_copy(update={"offload_embedding": on})).model for on in (True, False))
    assert offloaded.state_dict().keys() == plain.state_dict().keys()
    offloaded.to("meta")  # a device that a CPU has
    table = offloaded.get_input_embeddings()
    assert table.weight.device.type == "cpu"
    assert offloaded.device.type == "meta"
    assert table.to(torch.bfloat16).weight.dtype == torch.bfloat16
    with pytest.raises(TypeError, match=r"not an instance of .*Embedding"):
        offloaded.resize_token_embeddings(700)


def test_ids_of_another_device_bring_their_rows_there() -> None:
    device = "lazy"  # the one that a torch without GPUs imitates; as on a GPU, tensors of two places do not mix
    with FakeTensorMode():
        table, ids = HostEmbedding(torch.zeros(10, 4)).to(device), torch.zeros(2, 3, dtype=torch.long, device=device)
        rows = table(ids).requires_grad_()
        assert (rows.device.type, tuple(rows.shape), table.weight.device.type) == (device, (2, 3, 4), "cpu")
        with pytest.raises(RuntimeError, match="device"):
            nn.functional.embedding(ids, table.weight)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_device_never_holds_the_table_nor_the_tower_in_full(folders: dict[str, Path], name: str) -> None:
    chosen = settings(folders[name], quantization_bit=None, **SMALL_CARD)
    empty = build_on_meta(str(folders[name]))
    placement = plan_placement(empty, parts=find_parts(empty), settings=chosen)
    with reading(placement):
        model = AutoModelForImageTextToText.from_pretrained(folders[name], device_map={"": "meta"})
    weights = dict(model.named_parameters())
    assert {key for key, weight in weights.items() if weight.device.type == "cpu"} == set(placement.weights_on_host)
    assert len(placement.in_int8) >= 8
    read = weights[f"{placement.embedding}.weight"]
    settle(model, placement)
    held = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    assert [key for key, weight in held.items() if weight.device.type == "cpu"] == [f"{placement.embedding}.weight"]
    assert held[f"{placement.embedding}.weight"].data_ptr() == read.data_ptr()
    with reading(plan_placement(empty, parts=find_parts(empty), settings=settings(folders[name]))):
        whole = AutoModelForImageTextToText.from_pretrained(folders[name], device_map={"": "meta"})
    assert {weight.device.type for weight in whole.parameters()} == {"meta"}


def test_a_layer_in_eight_bits_is_within_half_a_level_of_itself_and_lets_gradients_through() -> None:
    draw = torch.Generator().manual_seed(0)
    linear = nn.Linear(300, 40)
    with torch.no_grad():
        linear.weight.copy_(torch.randn(40, 300, generator=draw))
        linear.weight[3] = 0
        linear.weight[4, 0] = 50  # one large value costs its own row its precision, and no other
    held = Int8Linear(linear, device=torch.device("cpu"))
    unpacked = held.weight * held.scale
    assert ((unpacked - linear.weight).abs() <= linear.weight.abs().amax(1, keepdim=True) / 254 * 1.001).all()
    states = torch.randn(2, 5, 300, generator=draw, requires_grad=True)
    ours, theirs = held(states), linear(states)
    others = [row for row in range(40) if row != 4]
    assert (ours - theirs)[..., others].norm() < 0.01 * theirs[..., others].norm()
    torch.testing.assert_close(torch.autograd.grad(ours.sum(), states)[0], unpacked.sum(0).expand_as(states))
    half = Int8Linear(linear.bfloat16(), device=torch.device("cpu"))
    assert half(states.detach().bfloat16()).dtype == torch.bfloat16
    assert held.weight.element_size() == 1


@pytest.mark.parametrize("name", FAMILIES)
def test_a_tower_in_eight_bits_says_nearly_the_same(
    folders: dict[str, Path], examples: list[Example], name: str
) -> None:
    held, plain = (load_base(settings(folders[name], vision_tower_bit=bits)) for bits in (8, None))
    layers = {key for key, module in held.model.named_modules() if isinstance(module, Int8Linear)}
    assert layers == set(held.parts.vision_tower)
    seen = [features(loaded, examples) for loaded in (held, plain)]
    assert 0 < (seen[0] - seen[1]).norm() < 0.02 * seen[1].norm()


def features(loaded: LoadedModel, examples: list[Example]) -> torch.Tensor:
    """Return what the vision tower itself hands over, without a projector's last norm."""
    seen: list[torch.Tensor] = []
    tower = loaded.model.get_encoder("image")
    hook = tower.register_forward_hook(lambda _module, _inputs, output: seen.append(output.last_hidden_state))
    with torch.inference_mode():
        loaded.model(**batch_of(loaded, examples))
    hook.remove()
    return seen[0]


def test_a_model_for_a_small_card_goes_the_whole_way(folders: dict[str, Path], tmp_path: Path) -> None:
    trained = walk(settings(folders["visualglm"], **SMALL_CARD), tmp_path)
    kinds = [type(module) for module in trained.model.modules()]
    assert kinds.count(HostEmbedding) == 1
    assert kinds.count(Int8Linear) == len(trained.parts.vision_tower)


@pytest.mark.parametrize("name", ["visualglm", "qwen2_5_vl"])
def test_no_step_goes_back_through_a_frozen_tower(folders: dict[str, Path], examples: list[Example], name: str) -> None:
    loaded = tuned(settings(folders[name]))
    loaded.model.gradient_checkpointing_enable({"use_reentrant": False})
    loaded.model.train()
    claimed: list[bool] = []
    tower = loaded.base.get_encoder("image")
    tower.register_forward_hook(lambda _module, _inputs, out: claimed.append(out.last_hidden_state.requires_grad))
    loaded.model(**batch_of(loaded, examples)).loss.backward()
    assert claimed == [False]
    opened = tuned(settings(folders[name], freeze_vision_tower=False))
    opened.model.gradient_checkpointing_enable({"use_reentrant": False})
    opened.model.train()
    opened.model(**batch_of(opened, examples)).loss.backward()
    learning = {key: p for key, p in opened.model.named_parameters() if "lora_B" in key}
    in_tower = [p for key, p in learning.items() if any(f".{layer}." in key for layer in opened.parts.vision_tower)]
    assert in_tower
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in in_tower)


def test_what_cannot_be_held_so_is_refused_in_one_line(folders: dict[str, Path], tiny_base: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"embed_tokens.weight, lm_head.weight share one table.*offload_embedding=false"
    ):
        load_base(settings(tiny_base, offload_embedding=True))
    with pytest.raises(ValidationError, match="a vision tower in 8 bits does not learn"):
        settings(tiny_base, vision_tower_bit=8, freeze_vision_tower=False)
    chosen = settings(folders["visualglm"], quantization_bit=None, **SMALL_CARD)
    for module, advice in (("word_embeddings", "offload_embedding=false"), ("vision_model", "vision_tower_bit=null")):
        with pytest.raises(ConfigError, match=advice):
            tuned(chosen, modules_to_save=[module])


def test_where_embeddings_lie_is_no_part_of_what_a_run_is() -> None:
    plain = RunConfig(name="run")
    moved, rounded = (
        replace_model(plain, **change) for change in ({"offload_embedding": True}, {"vision_tower_bit": 8})
    )
    assert moved.digest() == plain.digest() != rounded.digest()


def replace_model(config: RunConfig, **changes: object) -> RunConfig:
    return config.model_copy(update={"model": config.model.model_copy(update=changes)})
