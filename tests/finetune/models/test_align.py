from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertModel, BertTokenizerFast
from typer.testing import CliRunner

from finetune.align import Aligner, AlignRow
from finetune.batch import collate
from finetune.config import AdapterConfig, RunConfig
from finetune.manifest import read_records
from finetune.model_commands import app
from finetune.models.composed.compose import compose_qformer, read_bridge, read_parts
from finetune.models.composed.first_stage import Reports, draw_rivals
from finetune.models.loading import load_base
from tests.finetune.conftest import TEXTS, write_config
from tests.finetune.models.part_folders import write_qwen, write_siglip
from tests.finetune.models.path import REPORTS, four_examples, walk
from tests.finetune.models.test_compose import settings, write
from xray.errors import ConfigError
from xray.types import Example


def write_bert(folder: Path) -> None:
    """A BERT that reads Chinese characters one by one, as bert-base-chinese does."""
    characters = sorted({*"".join([*TEXTS, *REPORTS]).replace(" ", "")})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{it}" for it in characters)]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    shape |= {"initializer_range": 0.2}
    BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=128, **shape)).save_pretrained(folder)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tower, a BERT and a language model."""
    folder = tmp_path_factory.mktemp("parts")
    for name, make in (("vision", write_siglip), ("bert", write_bert), ("language", write_qwen)):
        write(make, folder / name)
    return folder


@pytest.fixture
def aligner(parts: Path) -> Aligner:
    config = RunConfig(name="align", train={"learning_rate": 3e-3, "warmup_steps": 0, "per_device_train_batch_size": 4})
    return Aligner(config=config, vision=parts / "vision", text=parts / "bert", num_query_tokens=4)


def different_patients(folder: Path) -> list[Example]:
    return [replace(example, patient_key=f"p{number}") for number, example in enumerate(four_examples(folder))]


def batch_of(aligner: Aligner, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
    rows = [aligner.encoder.encode(example, aligner.encoder.load_pixels(example)) for example in examples]
    return collate(rows, pad_token_id=aligner.tokenizer.pad_token_id)


def test_every_loss_falls_and_each_film_finds_its_own_report(aligner: Aligner, tmp_path: Path) -> None:
    examples = different_patients(tmp_path)
    aligner.config = aligner.config.model_copy(
        update={"train": aligner.config.train.model_copy(update={"max_steps": 60})}
    )
    before = aligner.judge(examples, step=0)
    *_, step = aligner.train(examples, progress=lambda *_: None)
    after = aligner.judge(examples, step=step)
    assert after.step == 60
    assert after.contrast < 0.5 * before.contrast
    assert after.matching < 0.8 * before.matching
    assert after.writing < 0.7 * before.writing
    batch = batch_of(aligner, examples)
    reports = Reports(ids=batch["input_ids"], mask=batch["attention_mask"], writer=0)
    with torch.inference_mode():
        seen = aligner.tower(pixel_values=batch["pixel_values"]).last_hidden_state
        assert aligner.stage.similarity(seen, reports).argmax(dim=1).tolist() == [0, 1, 2, 3]


def test_a_wrong_answer_is_never_of_the_same_patient_or_of_the_same_words(aligner: Aligner, tmp_path: Path) -> None:
    one, other, third, fourth = different_patients(tmp_path)
    examples = [one, replace(other, patient_key="p0"), replace(third, target=one.target), fourth]
    seen: list[torch.Tensor] = []

    def listen(similarity: torch.Tensor, **rest: torch.Tensor) -> None:
        seen.append(rest["rivals"])

    stage_losses = aligner.stage.losses
    aligner.stage.losses = lambda *inputs, **rest: listen(inputs[0], **rest) or stage_losses(*inputs, **rest)
    aligner.losses(batch_of(aligner, examples), generator=torch.Generator().manual_seed(0))
    assert seen[0].int().tolist() == [[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 0]]


def test_wrong_answers_are_drawn_among_rivals_alone_and_the_most_similar_most_often() -> None:
    similarity = torch.tensor([[9.0, 2.0, 0.0, 9.0], [0.0, 9.0, 0.0, 0.0]])
    rivals = torch.tensor([[False, True, True, False], [False, False, False, False]])
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack([draw_rivals(similarity, rivals=rivals, generator=generator) for _ in range(300)])
    counts = torch.bincount(drawn[:, 0], minlength=4).tolist()
    assert counts[0] == counts[3] == 0
    assert counts[1] > 4 * counts[2] > 0
    assert (drawn[:, 1] == -1).all()


def test_a_batch_of_one_patient_has_nothing_to_match_and_still_learns_to_write(
    aligner: Aligner, tmp_path: Path
) -> None:
    losses = aligner.losses(batch_of(aligner, four_examples(tmp_path)), generator=torch.Generator())
    assert losses.matching.item() == 0
    assert losses.contrast.item() == 0
    losses.total.backward()
    assert aligner.stage.query_tokens.grad.abs().sum() > 0


def test_the_text_branch_starts_as_the_bert_it_came_from(aligner: Aligner, parts: Path) -> None:
    bert = BertModel.from_pretrained(parts / "bert", add_pooling_layer=False).eval()
    ids = torch.tensor([[2, 9, 12, 7, 3], [2, 8, 3, 0, 0]])
    stage = aligner.stage.eval()
    with torch.inference_mode():
        expected = bert(input_ids=ids, attention_mask=(ids > 0).long()).last_hidden_state
        ours = stage.qformer(
            query_embeds=stage.embeddings(input_ids=ids), query_length=0, attention_mask=(ids > 0).long()
        ).last_hidden_state
    torch.testing.assert_close(ours[0], expected[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(ours[1, :3], expected[1, :3], atol=1e-5, rtol=0)


def test_a_word_is_written_from_the_film_and_the_words_before_it_alone(aligner: Aligner, tmp_path: Path) -> None:
    example, stage = four_examples(tmp_path)[0], aligner.stage.eval()
    films = [example.images[0], example.images[0], four_examples(tmp_path)[1].images[0]]
    reports = ["lungs clear.", "lungs clean.", "lungs clear."]
    examples = [
        replace(example, images=(film,), target=text, patient_key=text + str(film))
        for film, text in zip(films, reports, strict=True)
    ]
    inputs: list[torch.Tensor] = []
    stage.writing_head.register_forward_pre_hook(lambda module, args: inputs.append(args[0]))
    batch = batch_of(aligner, examples)
    with torch.inference_mode():
        aligner.losses(batch, generator=torch.Generator())
    ids = batch["input_ids"]
    apart = int((ids[0] != ids[1]).nonzero()[0])  # where the two reports part
    same_film, other_report, other_film = inputs[0]
    torch.testing.assert_close(same_film[:apart], other_report[:apart], atol=1e-5, rtol=0)
    assert (same_film[apart] - other_report[apart]).abs().max() > 1e-3
    assert (same_film[:apart] - other_film[:apart]).abs().max() > 1e-3


def test_a_trained_bridge_joins_its_tower_to_a_language_model(
    parts: Path, tmp_path: Path, tiny_base: Path, films: Path
) -> None:
    config = write_config(tmp_path, base=tiny_base, films=films)
    places = ["--vision", str(parts / "vision"), "--text", str(parts / "bert")]
    brief = ["train.max_steps=10", "train.cutoff_len=64"]
    told = CliRunner().invoke(app, ["align", str(config), str(tmp_path / "bridge"), *places, *brief])
    rows = read_records(tmp_path / "bridge" / "history.jsonl", AlignRow)
    assert [row.step for row in rows] == sorted({row.step for row in rows})
    assert rows[-1].step == 10
    assert f"step 10: contrast {rows[-1].contrast:.3f}" in told.output
    bridge = read_bridge(tmp_path / "bridge")
    joined = read_parts(parts / "vision", parts / "language")
    compose_qformer(joined, bridge=bridge, folder=tmp_path / "joined", seed=0)
    learnt = load_file(tmp_path / "bridge" / "model.safetensors")
    state = load_base(settings(tmp_path / "joined", quantization_bit=None)).model.state_dict()
    taken = {name for name in learnt if name in state}
    assert all(torch.equal(state[name], learnt[name]) for name in taken)
    assert {name for name in state if name.startswith(("qformer.", "query_tokens"))} == taken
    adapter = AdapterConfig(lora_target="none", modules_to_save=("language_projection",))
    walk(settings(tmp_path / "joined"), tmp_path, adapter=adapter, steps=40)


def test_a_bridge_of_another_tower_and_a_folder_without_one_are_refused(parts: Path, tmp_path: Path) -> None:
    config = RunConfig(name="align")
    Aligner(config=config, vision=parts / "vision", text=parts / "bert").save(tmp_path / "bridge")
    wide = read_parts(write(write_wide, tmp_path / "wide"), parts / "language")
    with pytest.raises(ConfigError, match="another vision tower"):
        compose_qformer(wide, bridge=read_bridge(tmp_path / "bridge"), folder=tmp_path / "joined", seed=0)
    for wrong, said in ((parts / "language", "no Q-Former"), (tmp_path / "nowhere", "is no folder")):
        with pytest.raises(ConfigError, match=said):
            read_bridge(wrong)


def write_wide(folder: Path) -> None:
    from transformers import SiglipVisionConfig, SiglipVisionModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    shape = {"image_size": 28, "patch_size": 14, "num_hidden_layers": 1, "num_attention_heads": 2}
    SiglipVisionModel(SiglipVisionConfig(hidden_size=64, intermediate_size=64, **shape)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 28, "width": 28}).save_pretrained(folder)


def test_what_is_no_bert_is_refused(parts: Path) -> None:
    for wrong, said in (("language", "no BERT"), ("vision", "holds no tokenizer")):
        with pytest.raises(ConfigError, match=said):
            Aligner(config=RunConfig(name="align"), vision=parts / "vision", text=parts / wrong)
