from __future__ import annotations

from typing import Any

import pytest

from posewire_cli.command import main, serve


@pytest.mark.parametrize(
    ("value", "streams", "trailers"),
    [
        (None, False, False),
        ("none", False, False),
        ("stream", True, False),
        ("trailers", False, True),
        ("all", True, True),
    ],
)
def test_load_reports_are_chosen_by_name(
    monkeypatch: pytest.MonkeyPatch, value: str | None, streams: bool, trailers: bool
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(serve, "serve", lambda _, options, **others: served.append(options))
    chosen = [] if value is None else ["--load-reports", value]
    assert main(["serve", "--model", "demo", *chosen]) == 0
    (options,) = served
    assert (options.load_reports, options.load_trailers) == (streams, trailers)
