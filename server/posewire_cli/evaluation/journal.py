"""Results so far, from which an interrupted evaluation resumes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from posewire_cli.evaluation.errors import JournalError

_START = b'{"run": '


class EvaluationJournal:
    """A file of JSON lines: the run, then one line per finished image.

    `run`: all that the results depend on. `results`: those of finished images, by image id.
    Raises `JournalError` for a journal of another run, with the differences.
    """

    def __init__(self, path: Path, run: Mapping[str, object]) -> None:
        self.path = path
        self.results: dict[int, list[dict[str, Any]]] = {}
        whole = self._read(json.loads(json.dumps(run)))
        self._file = path.open("ab")
        self._file.truncate(whole)
        if whole == 0:
            self._write({"run": dict(run)})

    def add(self, image: int, results: list[dict[str, Any]]) -> None:
        self.results[image] = results
        self._write({"image_id": image, "results": results})

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
        """Read complete lines and return their length in bytes; an unfinished one may follow."""
        content = self.path.read_bytes() if self.path.exists() else b""
        if content[: len(_START)] != _START[: len(content)]:
            raise JournalError(
                f"{self.path}: is not the journal of an evaluation, want another name of the "
                "results or no such file"
            )
        whole = content.rfind(b"\n") + 1
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                self._parse(json.loads(line), run, is_first=number == 1)
            except (ValueError, KeyError, TypeError) as error:
                if isinstance(error, JournalError):
                    raise
                raise JournalError(
                    f"{self.path}: line {number} is damaged; delete the file to start again"
                ) from error
        return whole

    def _parse(self, line: dict[str, Any], run: Mapping[str, object], *, is_first: bool) -> None:
        if is_first:
            self._check_run(line["run"], run)
        else:
            self.results[line["image_id"]] = line["results"]

    def _check_run(self, earlier: Mapping[str, object], run: Mapping[str, object]) -> None:
        differences = [
            f"{name} was {earlier.get(name)}, is {run.get(name)}"
            for name in {**earlier, **run}
            if earlier.get(name) != run.get(name)
        ]
        if differences:
            raise JournalError(
                f"{self.path} belongs to another run: {'; '.join(differences)}; "
                "finish that run or delete the file"
            )
