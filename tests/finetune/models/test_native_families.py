"""Every family of today's image-chat models goes through the one door: load, adapt, train, write, save, load again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from bitsandbytes.nn import Linear4bit
from PIL import Image

from finetune.batch import ChatEncoder, collate
from finetune.config import AdapterConfig, GenerateConfig, ModelConfig
from finetune.generate import write_reports
from finetune.models.loading import LoadedModel, add_adapter, load_adapter, load_base
from finetune.report_tokens import scores_some_tokens, without_prompts
from tests.finetune.models.families import FAMILIES, REPORTS, write_folder
from xray.types import Example, Turn

# Film sizes of each study: one film or two, upright, broad and square, so that the tiles of two studies differ.
STUDIES = (((64, 64),), ((64, 40), (40, 64)), ((32, 32),), ((48, 64), (32, 32)))


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A family's model after twenty QLoRA steps."""

    name: str
    settings: ModelConfig
    loaded: LoadedModel
    encoder: ChatEncoder
    losses: list[float]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    folder = tmp_path_factory.mktemp("films")
    rng = np.random.default_rng(0)
    studies = []
    for number, sizes in enumerate(STUDIES):
        films = tuple(folder / f"{number}_{film}.png" for film in range(len(sizes)))
        for place, size in zip(films, sizes, strict=True):
            Image.fromarray(rng.integers(0, 255, size, dtype=np.uint8)).save(place)
        studies.append(
            Example(
                example_id=f"e{number}",
                study_uid=f"s{number}",
                patient_key=f"p{number}",
                images=films,
                views=("frontal", "lateral")[: len(films)],
                messages=(Turn(role="user", text="请写报告。"),),
                target=REPORTS[number],
                language="zh",
                origin="radiologist",
                split="train",
            )
        )
    return studies


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, examples: list[Example]
) -> Trained:
    folder = tmp_path_factory.mktemp("models") / request.param
    write_folder(folder, request.param)
    settings = ModelConfig(model_name_or_path=str(folder))
    base = load_base(settings)
    loaded = add_adapter(base, settings=settings, adapter=AdapterConfig(lora_rank=8, lora_dropout=0.0), seed=0)
    encoder = ChatEncoder(processor=loaded.processor)
    rows = [encoder.encode(example, encoder.load_pixels(example)) for example in examples]
    batch = collate(rows, pad_token_id=loaded.processor.tokenizer.pad_token_id)
    learning = [parameter for parameter in loaded.model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=2e-2)
    losses = []
    loaded.model.train()
    for _ in range(20):
        loss = loaded.model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    loaded.model.eval()
    return Trained(name=request.param, settings=settings, loaded=loaded, encoder=encoder, losses=losses)


def test_twenty_steps_of_qlora_lower_the_loss(trained: Trained) -> None:
    assert trained.losses[-1] < 0.6 * trained.losses[0]


def test_vision_tower_projector_and_head_stay_out_of_four_bits_and_out_of_the_adapter(trained: Trained) -> None:
    model, parts = trained.loaded.model.base_model.model, trained.loaded.parts
    quantised = {name.removesuffix(".base_layer") for name, m in model.named_modules() if isinstance(m, Linear4bit)}
    assert quantised == set(parts.language_model)
    assert all(".layers." in name for name in parts.language_model)
    assert len(parts.vision_tower) >= 8
    assert all(FAMILIES[trained.name].projector in name for name in parts.projector)
    assert bool(parts.projector) == (trained.name != "gemma3")  # whose projector is one bare matrix
    assert parts.head == ("lm_head",)
    adapted = {name.split(".lora_A")[0] for name, _ in model.named_modules() if name.endswith("lora_A")}
    assert adapted == quantised


def test_reports_written_in_a_batch_are_those_written_one_by_one(trained: Trained, examples: list[Example]) -> None:
    settings = GenerateConfig(max_new_tokens=12)
    shared = {"loaded": trained.loaded, "encoder": trained.encoder, "settings": settings}
    together = [report.text for report in write_reports(examples, **shared)]
    assert together == [write_reports([example], **shared)[0].text for example in examples]
    assert any(together)


def test_a_loss_in_a_batch_is_that_of_its_studies(trained: Trained, examples: list[Example]) -> None:
    rows = [trained.encoder.encode(one, trained.encoder.load_pixels(one)) for one in examples]
    pad = trained.loaded.processor.tokenizer.pad_token_id
    with torch.no_grad():
        together = trained.loaded.model(**collate(rows, pad_token_id=pad)).loss.item()
        alone = [trained.loaded.model(**row).loss.item() for row in rows]
    counts = [int((row["labels"][:, 1:] != -100).sum()) for row in rows]
    assert together == pytest.approx(np.average(alone, weights=counts), rel=1e-3)


def test_the_films_change_what_the_model_says(trained: Trained, examples: list[Example]) -> None:
    pixels = trained.encoder.load_pixels(examples[1])
    row = trained.encoder.encode(examples[1], pixels)
    other = trained.encoder.encode(examples[1], [pixels[0], 255 - pixels[1]])
    with torch.no_grad():
        assert not torch.allclose(trained.loaded.model(**row).logits, trained.loaded.model(**other).logits, atol=1e-4)


def test_gradient_checkpointing_changes_neither_loss_nor_gradients(trained: Trained, examples: list[Example]) -> None:
    row = trained.encoder.encode(examples[1], trained.encoder.load_pixels(examples[1]))
    model = trained.loaded.model
    model.train()
    plain = _loss_and_gradients(model, row)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    try:
        checkpointed = _loss_and_gradients(model, row)
        assert any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
    finally:
        model.gradient_checkpointing_disable()
        model.eval()
    assert checkpointed[0] == plain[0]
    for ours, theirs in zip(checkpointed[1], plain[1], strict=True):  # linear attention sums in another order
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert any(gradient.abs().sum() > 0 for gradient in plain[1])


def test_scores_of_the_reports_alone_give_the_same_loss_and_gradients(
    trained: Trained, examples: list[Example]
) -> None:
    rows = [trained.encoder.encode(one, trained.encoder.load_pixels(one)) for one in examples]
    batch = collate(rows, pad_token_id=trained.loaded.processor.tokenizer.pad_token_id)
    if trained.name == "minicpmv4_6":  # scores all or nothing; training leaves its batches as they are
        assert not scores_some_tokens(trained.loaded.base)
        return
    assert scores_some_tokens(trained.loaded.base)
    fewer = without_prompts(batch)
    trained.loaded.model.train()
    expected, found = (_loss_and_gradients(trained.loaded.model, rows) for rows in (batch, fewer))
    with torch.no_grad():
        assert trained.loaded.model(**fewer).logits.shape[1] == fewer["labels"].shape[1] < batch["labels"].shape[1]
    trained.loaded.model.eval()
    assert found[0] == pytest.approx(expected[0], rel=1e-6)
    for ours, theirs in zip(found[1], expected[1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def _loss_and_gradients(model: torch.nn.Module, row: dict[str, torch.Tensor]) -> tuple[float, list[torch.Tensor]]:
    model.zero_grad()
    loss = model(**row).loss
    loss.backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
    model.zero_grad()
    return loss.item(), gradients


def test_a_saved_adapter_gives_the_same_logits_on_a_base_loaded_anew(
    trained: Trained, examples: list[Example], tmp_path: Path
) -> None:
    trained.loaded.model.save_pretrained(tmp_path)
    again = load_adapter(load_base(trained.settings), tmp_path)
    again.model.eval()
    row = trained.encoder.encode(examples[0], trained.encoder.load_pixels(examples[0]))
    with torch.no_grad():
        assert torch.equal(again.model(**row).logits, trained.loaded.model(**row).logits)
