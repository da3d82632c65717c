"""vLLM takes merged weights, and is not pretended to be there."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from finetune.serve.vllm import become_vllm, vllm_command
from xray.errors import ConfigError


def test_a_run_is_to_be_merged_first(finished_run: Path) -> None:
    with pytest.raises(ConfigError, match="finetune merge"):
        vllm_command(str(finished_run), host="127.0.0.1", port=8000)


def test_without_vllm_one_line_says_so(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.serve.vllm.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="vLLM is not installed"):
        vllm_command(str(tiny_base), host="127.0.0.1", port=8000)


def test_the_key_is_not_in_the_command_line(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr("finetune.serve.vllm.find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setattr("os.execvpe", lambda _, command, environment: started.append((command, environment)))
    become_vllm(str(tiny_base), host="127.0.0.1", port=8000, api_key="a-key-of-this-test")
    ((command, environment),) = started
    assert command[:3] == ["vllm", "serve", str(tiny_base)]
    assert "a-key-of-this-test" not in " ".join(command)
    assert environment["VLLM_API_KEY"] == "a-key-of-this-test"
