from __future__ import annotations

import re

from posewire_server.models import errors


def test_the_printed_error_tree_is_the_real_one() -> None:
    assert errors.__doc__ is not None
    printed = re.findall(r"^ {4}([│├└─ ]*)(\w+Error)(?:\((\w+)\))?", errors.__doc__, re.MULTILINE)
    bases: dict[str, set[str]] = {}
    above: list[str] = []
    for indent, name, also in printed:
        depth = len(indent) // 4
        above[depth:] = [name]
        bases[name] = {above[depth - 1]} if depth else set()
        bases[name] |= {also} if also else set()
    real = [each for each in vars(errors).values() if isinstance(each, type)]
    assert bases == {each.__name__: {base.__name__ for base in each.__bases__} for each in real}
    assert [*bases] == [each.__name__ for each in real]
