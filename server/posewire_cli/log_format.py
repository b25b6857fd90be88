"""Logs of `posewire serve --log-format` on stderr."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Literal

from posewire_cli.logs import text_format
from posewire_server.serving.observation.call_log import CALLS

LogFormat = Literal["text", "json"]


class JsonFormatter(logging.Formatter):
    """Formats each record as one line of JSON, with the items of its `fields`.

    `process`: the number of one of several processes.
    """

    def __init__(self, process: int | None = None) -> None:
        super().__init__()
        self._process = {} if process is None else {"process": process}

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            **self._process,
        }
        fields = getattr(record, "fields", None)
        if record.name != CALLS or fields is None:
            line["message"] = record.getMessage()
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({**line, **(fields or {})}, ensure_ascii=True)


def show_calls(log_format: LogFormat, *, process: int | None = None) -> None:
    """Log every call, and use this format for all log lines."""
    handler = logging.StreamHandler(sys.stderr)
    is_json = log_format == "json"
    text = logging.Formatter(text_format(process))
    handler.setFormatter(JsonFormatter(process) if is_json else text)
    root = logging.getLogger()
    logging.basicConfig(handlers=[handler], level=root.level, force=True)
    logging.getLogger(CALLS).setLevel(logging.INFO)
