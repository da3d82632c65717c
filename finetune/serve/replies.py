"""What the HTTP interface says, as JSON in OpenAI's shapes. Each reply names the model and who wrote it."""

import json
import time
from dataclasses import dataclass
from typing import Any

from finetune.notice import AI_NOTICE
from finetune.serve.engine import Answer, Prompt
from finetune.serve.schema import RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The reply to one request, whole or in pieces. `key` is its id; `model` the run or folder that writes it."""

    key: str
    model: str

    def whole(self, answer: Answer, prompt: Prompt) -> str:
        """Return a whole answer."""
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason, "logprobs": None}
        return self._json("chat.completion", choices=[choice], usage=_usage(answer, prompt))

    def opening(self) -> str:
        """Return the first piece of a stream."""
        return self._piece({"role": "assistant", "content": ""})

    def piece(self, text: str) -> str:
        """Return a piece of a stream."""
        return self._piece({"content": text})

    def end(self, finish_reason: str) -> str:
        """Return the piece that says why the answer ended."""
        return self._piece({}, finish_reason=finish_reason)

    def usage(self, answer: Answer, prompt: Prompt) -> str:
        """Return the piece with the numbers of tokens, for whoever asked for it."""
        return self._json("chat.completion.chunk", choices=[], usage=_usage(answer, prompt))

    def _piece(self, delta: dict[str, str], *, finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return self._json("chat.completion.chunk", choices=[choice])

    def _json(self, kind: str, **content: Any) -> str:
        head = {"id": self.key, "object": kind, "created": int(time.time()), "model": self.model}
        return _text({**head, "system_fingerprint": self.model, "notice": AI_NOTICE, **content})


def error_reply(error: RequestError) -> str:
    """Return a refusal."""
    kind = "server_error" if error.status >= 500 else "invalid_request_error"
    return _text({"error": {"message": str(error), "type": kind, "param": None, "code": error.code}})


def models_reply(model: str) -> str:
    """Return the list of the one model."""
    return _text({"object": "list", "data": [_entry(model)]})


def model_reply(model: str) -> str:
    """Return the one model."""
    return _text(_entry(model))


def health_reply(model: str) -> str:
    """Return that the model is loaded."""
    return _text({"status": "ok", "model": model})


def _entry(model: str) -> dict[str, object]:
    return {"id": model, "object": "model", "created": 0, "owned_by": "xray-report-kit"}


def _usage(answer: Answer, prompt: Prompt) -> dict[str, int]:
    """Return the numbers of tokens; those of the films are the prompt's."""
    counts = {"prompt_tokens": prompt.length, "completion_tokens": answer.num_tokens}
    return {**counts, "total_tokens": sum(counts.values())}


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False)
