"""Logs of `posewire serve --log-format` on stderr."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Literal

from posewire_cli.logs import TEXT
from posewire_server.serving.observation.call_log import CALLS

LogFormat = Literal["text", "json"]


class JsonFormatter(logging.Formatter):
    """Formats each record as one line of JSON, with the items of its `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
        }
        fields = getattr(record, "fields", None)
        if record.name != CALLS or fields is None:
            line["message"] = record.getMessage()
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({**line, **(fields or {})}, ensure_ascii=True)


def show_calls(log_format: LogFormat) -> None:
    """Log every call, and use this format for all log lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else logging.Formatter(TEXT))
    root = logging.getLogger()
    logging.basicConfig(handlers=[handler], level=root.level, force=True)
    logging.getLogger(CALLS).setLevel(logging.INFO)
