"""How to call a peer; its program prints this as its first line and then serves."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass

SIDE = 256


@dataclass(frozen=True, slots=True)
class PeerRequest:
    """A request with a raw frame. `path`: of HTTP with `content_type`, or of gRPC without."""

    address: str
    path: str
    body: bytes
    content_type: str = ""

    def announce(self) -> None:
        fields = self.address, self.path, b64encode(self.body).decode(), self.content_type
        print(json.dumps(fields), flush=True)

    @classmethod
    def announced(cls, line: str) -> PeerRequest:
        address, path, body, content_type = json.loads(line)
        return cls(address, path, b64decode(body), content_type)


def frame() -> bytes:
    """Return the bytes of a frame of `SIDE` x `SIDE` pixels, channels B, G, R."""
    import cv2

    from posewire_server.sample import STILL

    still: bytes = cv2.resize(cv2.imread(str(STILL)), (SIDE, SIDE)).tobytes()
    return still
