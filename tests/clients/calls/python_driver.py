"""Runs the call table through Client.

python -m tests.clients.calls.python_driver TABLE FOLDER SERVERS
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import yaml

from posewire_client import Client, ImageInput, Outcome
from tests.clients.calls.outcomes import (
    CLOSED,
    ask,
    client_options,
    error_document,
    image_input,
    image_options,
    model_document,
    outcome_document,
    print_line,
    result_document,
    stream_options,
    token_credentials,
)
from tests.clients.calls.table import Call, read_calls

NAME = "python"


class Frames:
    """The source of a stream's frames; `go_on` allows a paced one the next frame."""

    def __init__(self, call: Call, folder: Path) -> None:
        self._call = call
        self._folder = folder
        self._allowed = threading.Semaphore(0)
        self._is_over = False

    def __iter__(self) -> Iterator[ImageInput]:
        for number, spec in enumerate(self._call.frames):
            if self._call.paced and number > 0:
                self._allowed.acquire()
            if self._is_over:
                return
            yield image_input(spec, self._folder)
        if self._call.ask is not None and self._call.ask.after_frames:
            ask(self._call.ask.what)

    def go_on(self) -> None:
        self._allowed.release()

    def finish(self) -> None:
        self._is_over = True
        self._allowed.release()


@contextmanager
def connected(call: Call, folder: Path, target: str) -> Iterator[Client]:
    """Yield a client; only a channel of the caller's own sends a token."""
    options = client_options(call, folder)
    if not call.token:
        with Client(target, **options) as client:
            yield client
        return
    credentials = token_credentials(call, folder)
    with (
        grpc.secure_channel(target, credentials) as channel,
        Client(channel=channel, **options) as client,
    ):
        yield client


def run(call: Call, folder: Path, target: str) -> dict[str, Any]:
    """Make one call and return its outcome."""
    with connected(call, folder, target) as client:
        try:
            if call.call == "models":
                return {"models": [model_document(each) for each in client.models()]}
            if call.call == "model":
                return {"models": [model_document(client.model(call.model))]}
            if call.call == "stream":
                return run_stream(call, folder, client)
            return estimate(call, folder, client)
        except Exception as error:  # noqa: BLE001 - raised again if it is none of the client's
            return {"error": error_document(error)}


def estimate(call: Call, folder: Path, client: Client) -> dict[str, Any]:
    if call.ask is not None:
        ask(call.ask.what)
    if call.close_when_called:
        threading.Thread(target=_close_when_called, args=(client,)).start()
    image = image_input(call.image, folder)
    return result_document(client.estimate(image, **image_options(call, call.image)))


def _close_when_called(client: Client) -> None:
    ask("wait until called")
    client.close()


def run_stream(call: Call, folder: Path, client: Client) -> dict[str, Any]:
    frames = Frames(call, folder)
    outcomes = client.stream(frames, **stream_options(call))
    documents: list[dict[str, Any]] = []
    try:
        end = take_all(call, client, frames, outcomes, documents)
    except Exception as error:  # noqa: BLE001 - raised again if it is none of the client's
        end = error_document(error)
    finally:
        frames.finish()
        outcomes.close()
    return {"outcomes": documents, "end": end}


def take_all(
    call: Call,
    client: Client,
    frames: Frames,
    outcomes: Generator[Outcome, None, None],
    documents: list[dict[str, Any]],
) -> dict[str, Any] | None:
    """Take the outcomes; return how the stream ended if the caller ended it."""
    for count, outcome in enumerate(outcomes, start=1):
        documents.append(outcome_document(outcome))
        if call.ask is not None and call.ask.after_outcomes == count:
            ask(call.ask.what)
        if call.cancel_after_outcomes == count:
            outcomes.close()
            return CLOSED
        if call.close_after_outcomes == count:
            client.close()
        frames.go_on()
    return None


def main(table: str, folder: str, servers: str) -> None:
    targets = yaml.safe_load(Path(servers).read_text())
    for call in read_calls(Path(table)):
        if NAME not in call.without:
            outcome = run(call, Path(folder), targets[call.server])
            print_line({"call": call.name, "outcome": outcome})


if __name__ == "__main__":
    main(*sys.argv[1:])
