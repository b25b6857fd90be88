"""Answers so far, kept so that an interrupted evaluation goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from posewire_cli.evaluation.errors import JournalError


class EvaluationJournal:
    """A file of JSON lines: what was run, then one line for each image that is finished.

    `run` says what the answers depend on. A journal of another run is refused with a
    `JournalError` that tells the differences. `answers` holds the finished images' by image id.
    """

    def __init__(self, path: Path, run: Mapping[str, object]) -> None:
        self.path = path
        self.answers: dict[int, list[dict[str, Any]]] = {}
        whole = self._read(json.loads(json.dumps(run)))
        self._file = path.open("ab")
        self._file.truncate(whole)
        if whole == 0:
            self._write({"run": dict(run)})

    def add(self, image: int, answers: list[dict[str, Any]]) -> None:
        self.answers[image] = answers
        self._write({"image_id": image, "answers": answers})

    def delete(self) -> None:
        self._file.close()
        self.path.unlink()

    def __enter__(self) -> EvaluationJournal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()

    def _read(self, run: Mapping[str, object]) -> int:
        """The length in bytes of the whole lines; what follows was being written at the end."""
        content = self.path.read_bytes() if self.path.exists() else b""
        whole = content.rfind(b"\n") + 1
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                self._take(json.loads(line), run, first=number == 1)
            except (ValueError, KeyError, TypeError) as error:
                if isinstance(error, JournalError):
                    raise
                raise JournalError(
                    f"{self.path}: line {number} is damaged, delete the file to begin anew"
                ) from error
        return whole

    def _take(self, line: dict[str, Any], run: Mapping[str, object], *, first: bool) -> None:
        if first:
            self._check_run(line["run"], run)
        else:
            self.answers[line["image_id"]] = line["answers"]

    def _check_run(self, earlier: Mapping[str, object], run: Mapping[str, object]) -> None:
        differences = [
            f"{name} was {earlier.get(name)}, is {run.get(name)}"
            for name in {**earlier, **run}
            if earlier.get(name) != run.get(name)
        ]
        if differences:
            raise JournalError(
                f"{self.path} holds answers of another run: {'; '.join(differences)}. "
                "Finish that one, or delete the file"
            )
