"""The dialogue in the terminal, through a pipe."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from finetune.manifest import Case, Prediction, read_records
from finetune.notice import AI_NOTICE
from finetune.serve.chat import HELP, chat
from finetune.serve.opening import Served, opened
from xray.errors import ConfigError, DataError


def said(served: Served, *lines: str, images: tuple[Path, ...] = ()) -> list[str]:
    out = io.StringIO()
    chat(served, images=images, lines=lines, out=out)
    return out.getvalue().splitlines()


def test_an_empty_line_asks_for_the_report_and_the_answer_says_who_wrote_it(
    served: Served, film: Path, demo_run: Path, case: Case
) -> None:
    texts = {row.id: row for row in read_records(demo_run / "predictions.jsonl", Prediction)}
    lines = said(served, "", images=(film,))
    assert lines[0] == "1 film on show, a new dialogue."
    assert "\n".join(lines[1:-1]).startswith(texts[case.id].text)
    assert lines[-1] == f"（{AI_NOTICE}）"


def test_a_second_question_is_answered_in_the_light_of_the_first(
    served: Served, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []
    prepare = served.engine.prepare
    monkeypatch.setattr(
        served.engine, "prepare", lambda turns, films: lengths.append(len(turns)) or prepare(turns, films=films)
    )
    said(
        served,
        "详细描述这张胸部X光片的诊断结果",
        "心脏大吗？",
        "clear",
        "再说一遍",
        f"image {film}",
        "还有吗",
        images=(film,),
    )
    assert lengths == [1, 3, 1, 1]


def test_a_line_that_names_a_file_shows_it(served: Served, film: Path) -> None:
    assert said(served, str(film), f"image '{film}' '{film}'") == [
        "1 film on show, a new dialogue.",
        "2 films on show, a new dialogue.",
    ]


def test_a_film_that_cannot_be_read_is_one_line_and_the_dialogue_goes_on(
    served: Served, film: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(film.read_bytes()[:200])
    lines = said(served, f"image {broken}", "image /nowhere/film.dcm", f"image '{film}", f"image {film}")
    assert "corrupt_pixels" in lines[0]
    assert "unreadable" in lines[1]
    assert "unreadable" in lines[2]
    assert lines[2].endswith("No film is on show.")
    assert lines[3] == "1 film on show, a new dialogue."
    assert said(served, "image /nowhere/film.dcm", images=(film,))[1].endswith("The film before stays on show.")


def test_no_question_is_answered_about_a_film_that_was_named_and_cannot_be_read(served: Served, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.png is not shown"):
        said(served, "你好", images=(tmp_path / "none.png",))


def test_the_word_image_alone_tells_how_to_name_one(served: Served) -> None:
    assert said(served, "image") == [HELP]


def test_a_question_beyond_what_the_model_reads_is_refused_and_forgotten(served: Served, film: Path) -> None:
    lines = said(served, "肺" * 9000, images=(film,))
    assert "`clear` begins a new dialogue" in lines[1]
    assert len(lines) == 2


def test_the_command_speaks_through_a_pipe_and_ends_with_stop(demo_run: Path, film: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(demo_run, tmp_path / demo_run.name)
    done = subprocess.run(
        [sys.executable, "-c", "from finetune.cli import main; main()", "chat", str(moved), str(film)],
        input="详细描述这张胸部X光片的诊断结果\nimage nowhere.png\nstop\nnever asked\n",
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(AI_NOTICE) == 1
    assert "\x1b" not in done.stdout
    assert "nowhere.png is not shown" in done.stdout.splitlines()[-1]
    assert "The film before stays on show." in done.stdout.splitlines()[-1]


def test_a_plain_model_is_opened_by_its_folder_and_a_run_takes_no_bits(tiny_base: Path, demo_run: Path) -> None:
    with opened(str(tiny_base), quantization_bit=4) as model:
        assert (model.name, model.max_new_tokens) == (tiny_base.name, 256)
    with pytest.raises(ConfigError, match="is a run"), opened(str(demo_run), quantization_bit=4):
        pass
    with pytest.raises(ConfigError, match="5 bits"), opened(str(tiny_base), quantization_bit=5):
        pass
