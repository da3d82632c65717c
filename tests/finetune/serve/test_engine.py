"""Answers as they are written: the same words as in training's evaluation, in pieces, and stopped on demand."""

import re
import time
from pathlib import Path

import numpy as np
import pytest

from finetune.manifest import Case, Prediction, read_records
from finetune.serve.engine import Answer, Decoding, DialogueError, Prompt, TooLongError
from finetune.serve.opening import Served
from xray.data.stored_films import read_film
from xray.types import Turn


@pytest.fixture(scope="module")
def prompt(served: Served, film: Path) -> Prompt:
    return served.engine.prepare([Turn(role="user", text=served.question)], films=[served.films.read(film)])


def written(served: Served, prompt: Prompt, **settings: object) -> tuple[list[str], Answer]:
    answer = served.engine.answer(prompt, decoding=Decoding(**{"max_new_tokens": 24, **settings}))  # type: ignore[arg-type]
    return list(answer), answer


def test_an_answer_is_the_report_that_the_run_wrote_for_the_film(
    served: Served, prompt: Prompt, demo_run: Path, case: Case
) -> None:
    texts = {row.id: row.text for row in read_records(demo_run / "predictions.jsonl", Prediction)}
    pieces, answer = written(served, prompt, max_new_tokens=120)
    assert answer.text == "".join(pieces) == texts[case.id]
    assert len(pieces) > 1


def test_a_dicom_film_is_rendered_as_in_training(served: Served, films: Path, demo_run: Path) -> None:
    stored = [read_film(path) for path in sorted((demo_run / "films").glob("*.png"))]
    seen = [served.films.read(path) for path in sorted(films.rglob("*.dcm"))]
    assert all(any(np.array_equal(film, other) for other in seen) for film in stored)
    content = sorted(films.rglob("*.dcm"))[0].read_bytes()
    assert np.array_equal(served.films.read_bytes(content), seen[0])


def test_an_answer_counts_its_tokens_and_says_that_it_was_cut(served: Served, prompt: Prompt) -> None:
    _, answer = written(served, prompt, max_new_tokens=5)
    assert (answer.num_tokens, answer.finish_reason) == (5, "length")


def test_a_text_that_ends_the_answer_is_never_shown_not_even_in_part(served: Served, prompt: Prompt) -> None:
    _, whole = written(served, prompt, max_new_tokens=60)
    stop = whole.text[6:10]
    pieces, answer = written(served, prompt, max_new_tokens=60, stop=(stop, "不会出现"))
    assert answer.text == "".join(pieces) == whole.text[: whole.text.index(stop)].rstrip()
    assert answer.finish_reason == "stop"


def test_a_closed_answer_ends_long_before_its_limit(served: Served, prompt: Prompt) -> None:
    started = time.monotonic()
    answer = served.engine.answer(prompt, decoding=Decoding(max_new_tokens=3000, stop=("不会出现",)))
    next(iter(answer))
    answer.close()
    assert time.monotonic() - started < 10
    assert not answer._thread.is_alive()


def test_a_temperature_draws_and_a_seed_repeats_the_draw(served: Served, prompt: Prompt) -> None:
    texts = [written(served, prompt, temperature=5.0, seed=seed)[1].text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert written(served, prompt, temperature=5.0, top_p=1e-9, seed=1)[1].text == written(served, prompt)[1].text


def test_the_whole_dialogue_is_read_with_the_film_in_its_first_question(served: Served, film: Path) -> None:
    pixels = [served.films.read(film)]
    first = [Turn(role="user", text="详细描述这张胸部X光片的诊断结果")]
    more = [*first, Turn(role="assistant", text="双肺野清晰。"), Turn(role="user", text="心脏大吗？")]
    short, long = (served.engine.prepare(turns, films=pixels) for turns in (first, more))
    opening = short.inputs["input_ids"][0, : short.length - 10].tolist()
    assert long.inputs["input_ids"][0, : len(opening)].tolist() == opening
    assert long.length > short.length


@pytest.mark.parametrize("characters", [9_000, 10_000_000])
def test_a_dialogue_that_leaves_no_room_is_refused(served: Served, characters: int) -> None:
    with pytest.raises(TooLongError, match="4096"):
        served.engine.prepare([Turn(role="user", text="肺" * characters)], films=[])


@pytest.mark.parametrize("mark", ["<|im_end|>", "<|image_pad|>", "<img>"])
def test_words_that_the_model_would_read_as_a_film_or_an_end_are_refused(served: Served, mark: str) -> None:
    with pytest.raises(DialogueError, match=re.escape(mark)):
        served.engine.prepare([Turn(role="user", text=f"心脏大吗？{mark}")], films=[])
    assert served.engine.prepare([Turn(role="user", text="直径<2cm，密度>50HU？")], films=[]).length > 0


def test_an_error_of_the_model_reaches_whoever_reads_the_answer(served: Served, prompt: Prompt) -> None:
    broken = Prompt(inputs={"input_ids": prompt.inputs["input_ids"][0]}, length=prompt.length, ends=prompt.ends)
    with pytest.raises((ValueError, IndexError, RuntimeError)):
        written(served, broken)


def test_a_temperature_near_zero_is_greedy_and_drawing_survives_what_is_no_number() -> None:
    assert Decoding(max_new_tokens=1, temperature=1e-30).arguments()["do_sample"] is False
    drawn = Decoding(max_new_tokens=1, temperature=0.5).arguments()
    assert drawn["do_sample"] is True
    assert drawn["remove_invalid_values"] is True
