"""A server of LitServe, which frames are uploaded to as files of a form."""
# ruff: noqa: I002 - LitServe needs the annotation of `decode_request` itself, not its text

import os

import litserve
from fastapi import Response, UploadFile

from tests.bench.peers.answers import answers
from tests.bench.peers.request import PeerRequest, frame
from tests.reference.ports import free_port

PROCESSES = os.cpu_count() or 1
_BOUNDARY = "frame-boundary"


class Poses(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self._answer = answers(processes=PROCESSES)

    def decode_request(self, request: UploadFile) -> bytes:
        data: bytes = request.file.read()
        return data

    def predict(self, data: bytes) -> bytes:
        return self._answer(data)

    def encode_response(self, output: bytes) -> Response:
        return Response(output, media_type="application/octet-stream")


def main() -> None:
    port = free_port()
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="request"; filename="frame"\r\n'
    body = f"{head}\r\n".encode() + frame() + f"\r\n--{_BOUNDARY}--\r\n".encode()
    PeerRequest(
        f"127.0.0.1:{port}", "/predict", body, f"multipart/form-data; boundary={_BOUNDARY}"
    ).announce()
    server = litserve.LitServer(Poses(), accelerator="cpu", workers_per_device=PROCESSES)
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)


if __name__ == "__main__":
    main()
