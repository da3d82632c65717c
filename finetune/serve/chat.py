"""`finetune chat`: a dialogue about a film in the terminal, or through a pipe."""

import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from finetune.notice import AI_NOTICE
from finetune.serve.engine import Decoding, DialogueError, TooLongError
from finetune.serve.opening import Served
from xray.errors import ConfigError, DataError, Rejected
from xray.types import Turn

HELP = (
    "Ask about the film. Enter alone asks for a report; `image PATH ...` shows another film, `clear` begins a new "
    "dialogue, `stop` ends."
)


class Dialogue:
    """The films on show and what was said about them."""

    def __init__(self, served: Served, *, out: TextIO) -> None:
        self.served = served
        self.out = out
        self.films: list[NDArray[np.uint8]] = []
        self.turns: list[Turn] = list(served.opening())

    def help(self) -> None:
        """Tell what can be typed."""
        self._say(HELP)

    def clear(self) -> None:
        """Begin a new dialogue about the same films."""
        self.turns = list(self.served.opening())
        self._say("A new dialogue.")

    def show(self, paths: Sequence[Path]) -> None:
        """Show other films in place of those before, in a new dialogue. Raises DataError where one cannot be read."""
        try:
            films = [self.served.films.read(path) for path in paths]
        except Rejected as refusal:
            name = paths[0] if len(paths) == 1 else "a film"
            raise DataError(f"{name} is not shown: {refusal}") from None
        self.films, self.turns = films, list(self.served.opening())
        self._say(f"{len(films)} film{'s' if len(films) > 1 else ''} on show, a new dialogue.")

    def show_instead(self, paths: Sequence[Path]) -> None:
        """Show other films; what cannot be read is told, and changes nothing."""
        try:
            self.show(paths)
        except DataError as error:
            left = "The film before stays on show" if self.films else "No film is on show"
            self._say(f"{error} {left}.")

    def ask(self, question: str) -> None:
        """Answer a question, word by word; what cannot be answered is not remembered."""
        turns = [*self.turns, Turn(role="user", text=question)]
        try:
            prompt = self.served.engine.prepare(turns, films=self.films)
        except TooLongError as error:
            self._say(f"{error}. `clear` begins a new dialogue.")
            return
        except DialogueError as error:
            self._say(f"{error}.")
            return
        except ConfigError as error:
            self._say(str(error))
            return
        limit = min(self.served.max_new_tokens, self.served.engine.room(prompt))
        answer = self.served.engine.answer(prompt, decoding=Decoding(max_new_tokens=limit))
        try:
            for piece in answer:
                self.out.write("".join(sign for sign in piece if sign.isprintable() or sign in "\n\t"))
                self.out.flush()
        finally:
            answer.close()
        cut = "" if answer.finish_reason == "stop" else f" [cut after {limit} tokens]"
        self._say(f"{cut}\n（{AI_NOTICE}）")
        self.turns = [*turns, Turn(role="assistant", text=answer.text)]

    def _say(self, text: str) -> None:
        self.out.write(text + "\n")
        self.out.flush()


def chat(served: Served, *, images: Sequence[Path], lines: Iterable[str], out: TextIO) -> None:
    """Hold a dialogue: each of `lines` is a question or a command. It ends with `stop` or the last line.

    Raises DataError where one of `images` cannot be read: nobody wants answers about a film that is not there.
    """
    dialogue = Dialogue(served, out=out)
    if images:
        dialogue.show(images)
    for line in lines:
        words = line.strip()
        if words == "stop":
            return
        if words == "clear":
            dialogue.clear()
        elif words == "image":
            dialogue.help()
        elif paths := _named_films(words):
            dialogue.show_instead(paths)
        else:
            dialogue.ask(words or served.question)


def typed_lines() -> Iterator[str]:
    """Yield what is typed at a terminal, with its editing keys, or what comes through a pipe."""
    if not sys.stdin.isatty():
        yield from sys.stdin
        return
    import readline  # noqa: F401  # gives `input` its editing keys

    while True:
        try:
            yield input("> ")
        except EOFError:
            return


def _named_films(line: str) -> list[Path]:
    """Return the files of `image PATH ...`, or the file that a line of nothing else names."""
    if line.startswith("image "):
        try:
            return [Path(name).expanduser() for name in shlex.split(line)[1:]]
        except ValueError:  # an open quotation mark
            return [Path(line.removeprefix("image ").strip())]
    return [Path(line)] if line and _is_file(line) else []


def _is_file(line: str) -> bool:
    try:
        return Path(line).is_file()
    except (OSError, ValueError):  # a question may be longer than any name, or hold what none can hold
        return False
