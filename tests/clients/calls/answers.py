"""The answers of the server itself, which those of all clients must equal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posewire.v1 import estimate_pb2, image_pb2, pose_pb2
from posewire.v1.pose_service_pb2 import EstimatePosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.clients.calls.expectations import fields_of, repeated
from tests.clients.calls.table import Call

_SERVERS_OF_DEMO = ("real", "tls", "mtls", "tokens")
_TIMEOUT_SECS = 120


class ServerAnswers:
    """Requests each answer once, with a generated stub and no client."""

    def __init__(self, stub: PoseServiceStub, folder: Path) -> None:
        self._stub = stub
        self._folder = folder
        self._answers: dict[str, dict[str, Any]] = {}

    def results(self, call: Call) -> list[dict[str, Any] | None]:
        """Return the answer to each image of a call of the real server; None for an error."""
        if call.server not in _SERVERS_OF_DEMO or call.call not in ("estimate", "stream"):
            return []
        if call.call == "estimate":
            specs, expected = (call.image,), [call.expect]
        else:
            specs, expected = call.frames, call.expect["outcomes"]
        is_result = ["poses" in each for entry in expected for each in repeated(entry)]
        if expected and "newest_of" in expected[0]:
            is_result = [True] * len(specs)
        return [
            self._answer(call, spec) if has_poses else None
            for spec, has_poses in zip(specs, is_result, strict=False)
        ]

    def _answer(self, call: Call, spec: Any) -> dict[str, Any]:
        key = repr((call.model, call.options, spec))
        if key not in self._answers:
            request = EstimatePosesRequest(
                model=call.model, options=_options(call), image=_image(spec, self._folder)
            )
            response = self._stub.EstimatePoses(request, timeout=_TIMEOUT_SECS)
            response.ClearField("stage_times")
            self._answers[key] = fields_of(response)
        return self._answers[key]


def _options(call: Call) -> estimate_pb2.EstimateOptions | None:
    if not call.options:
        return None
    options = dict(call.options)
    region = options.pop("region_of_interest", None)
    message = estimate_pb2.EstimateOptions(**options)
    if region is not None:
        x_min, y_min, x_max, y_max = region
        box = pose_pb2.Box(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)
        message.region_of_interest.CopyFrom(box)
    return message


def _image(spec: Any, folder: Path) -> image_pb2.Image:
    if isinstance(spec, Mapping) and "raw" in spec:
        raw = image_pb2.RawImage(
            data=(folder / spec["raw"]).read_bytes(),
            width=spec["width"],
            height=spec["height"],
            pixel_format=f"PIXEL_FORMAT_{spec['format']}",
            row_stride_bytes=spec.get("row_stride_bytes"),
        )
        return image_pb2.Image(raw=raw)
    is_stored = isinstance(spec, Mapping) and spec["as_stored"]
    encoded = image_pb2.EncodedImage(
        data=(folder / (spec if isinstance(spec, str) else spec["file"])).read_bytes(),
        orientation_policy=(
            image_pb2.ORIENTATION_POLICY_IGNORE if is_stored else image_pb2.ORIENTATION_POLICY_APPLY
        ),
    )
    return image_pb2.Image(encoded=encoded)
