"""Compare outcomes with the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from posewire.v1 import model_pb2, pose_service_pb2
from tests.clients.calls.table import Call

_ERROR = {"reason": "", "fields": [], "retry_after_secs": 0}


def check(call: Call, client: str, outcome: Mapping[str, Any]) -> None:
    """Assert that the client has made of the call what the table expects."""
    if client in call.refused_by:
        assert outcome == {"error": {"refused": True}}
    elif call.call == "stream":
        _check_stream(call.expect, outcome)
    else:
        _check_one(call.expect, outcome)


def _check_stream(expect: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
    assert "outcomes" in outcome, outcome
    _check_error(expect.get("end"), outcome["end"])
    outcomes = outcome["outcomes"]
    assert [each["frame"] for each in outcomes] == [*range(1, len(outcomes) + 1)]
    skipped = 0
    for each in outcomes:
        assert each["before"] == skipped
        skipped += "skipped" in each
    if "newest_of" in next(iter(expect["outcomes"]), {}):
        _check_newest(expect["outcomes"][0]["newest_of"], outcomes)
        return
    wanted = [each for spec in expect["outcomes"] for each in repeated(spec)]
    assert len(outcomes) == len(wanted)
    for each_wanted, each in zip(wanted, outcomes, strict=True):
        assert each["before"] == each_wanted.pop("before", each["before"])
        _check_one(each_wanted, each)


def repeated(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return as many expected outcomes as an entry of the table stands for."""
    one = {key: value for key, value in spec.items() if key != "times"}
    return [dict(one) for _ in range(spec.get("times", 1))]


def _check_newest(count: int, outcomes: Sequence[Mapping[str, Any]]) -> None:
    assert len(outcomes) == count
    assert "result" in outcomes[-1]
    assert all("result" in each or each["skipped"] == "SUPERSEDED" for each in outcomes)


def _check_one(expect: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
    if "poses" in expect:
        assert "result" in outcome, outcome
        _check_result(expect, response_from(outcome["result"]))
    elif "skipped" in expect:
        assert outcome["skipped"] == expect["skipped"]
    elif "models" in expect:
        models = [model_pb2.Model.FromString(bytes.fromhex(each)) for each in outcome["models"]]
        assert [each.name for each in models] == expect["models"]
    else:
        assert "error" in outcome, text_of(outcome)
        _check_error(expect, outcome["error"])


def _check_result(
    expect: Mapping[str, Any], response: pose_service_pb2.EstimatePosesResponse
) -> None:
    found = {
        "poses": len(response.poses),
        "width": response.image_width,
        "height": response.image_height,
    }
    if "tracks" in expect:
        found["tracks"] = all(pose.HasField("track_id") for pose in response.poses)
    assert found == expect


def _check_error(expect: Mapping[str, Any] | None, error: Mapping[str, Any] | None) -> None:
    if expect is None or "code" not in expect:
        assert error == expect
        return
    assert error is not None
    assert "code" in error, error
    found = {key: error[key] for key in ("code", "reason", "retry_after_secs")}
    found["fields"] = [field for field, _ in error["violations"]]
    wanted = {**_ERROR, **expect}
    metadata = wanted.pop("metadata", {})
    assert found == wanted
    assert {key: error["metadata"].get(key) for key in metadata} == metadata


def response_from(packed: str) -> pose_service_pb2.EstimatePosesResponse:
    """Return the message that the program has printed."""
    return pose_service_pb2.EstimatePosesResponse.FromString(bytes.fromhex(packed))


def text_of(outcome: Any) -> Any:
    """Return the outcome with its messages as text, every float with all its bits."""
    if isinstance(outcome, Mapping):
        return {key: _text(key, value) for key, value in outcome.items()}
    return [text_of(each) for each in outcome] if isinstance(outcome, list) else outcome


def _text(key: str, value: Any) -> Any:
    if key == "result":
        return fields_of(response_from(value))
    if key == "models":
        return [fields_of(model_pb2.Model.FromString(bytes.fromhex(each))) for each in value]
    return text_of(value)


def fields_of(message: Message) -> dict[str, Any]:
    """Return the fields that are set, whose floats are equal only if their bits are."""
    return {field.name: _value(value) for field, value in message.ListFields()}


def _value(value: Any) -> Any:
    if isinstance(value, Message):
        return fields_of(value)
    if isinstance(value, float):
        return value.hex()
    return value if isinstance(value, int | str) else [_value(each) for each in value]


def results_in(outcome: Mapping[str, Any]) -> list[Any]:
    """Return the results of the outcome, and None for others."""
    outcomes = outcome.get("outcomes", [outcome])
    return [
        fields_of(response_from(each["result"])) if "result" in each else None for each in outcomes
    ]
