from __future__ import annotations

from pathlib import Path

import pytest

from posewire_server.serving.errors import ResumeKeyError
from posewire_server.serving.streams.resume_key import MAX_TOKEN_BYTES, ResumeKey


def test_a_token_opens_with_its_key_and_model_alone() -> None:
    key = ResumeKey(b"a" * 32)
    token = key.seal("demo", b"state")
    assert ResumeKey(b"a" * 32).open("demo", token) == b"state"
    assert key.open("other", token) is None
    assert ResumeKey(b"b" * 32).open("demo", token) is None
    for place in range(len(token)):
        changed = bytearray(token)
        changed[place] ^= 1
        assert key.open("demo", bytes(changed)) is None
        assert key.open("demo", token[:place]) is None


def test_the_name_of_a_model_is_not_part_of_the_state() -> None:
    key = ResumeKey(b"a" * 32)
    assert key.open("demo", key.seal("dem", b"ostate")) is None


def test_random_keys_differ() -> None:
    assert ResumeKey().open("demo", ResumeKey().seal("demo", b"state")) is None


def test_a_large_token_is_not_opened() -> None:
    key = ResumeKey()
    assert key.open("demo", key.seal("demo", bytes(MAX_TOKEN_BYTES))) is None


def test_a_key_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(bytes(range(32)))
    token = ResumeKey.read(path).seal("demo", b"state")
    assert ResumeKey(bytes(range(32))).open("demo", token) == b"state"


@pytest.mark.parametrize(("size", "got"), [(0, "0"), (31, "31"), (4097, "more than 4096")])
def test_a_key_of_another_size_is_refused(tmp_path: Path, size: int, got: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(bytes(size))
    with pytest.raises(ResumeKeyError, match=f"got {got} bytes, want 32 to 4096 random bytes"):
        ResumeKey.read(path)


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResumeKeyError, match=r"key: No such file or directory; want a file"):
        ResumeKey.read(tmp_path / "key")
