from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from posewire_server.serving.access.tokens import read_tokens
from posewire_server.serving.errors import TokensError

ONE, TWO = (hashlib.sha256(each).hexdigest() for each in (b"one", b"two"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.toml"


def test_a_file_gives_names_digests_and_quotas(path: Path) -> None:
    path.write_text(f"""
        [[tokens]]
        name = "camera-7"
        sha256 = "{ONE}"
        weight = 2.5
        max_streams = 4
        max_rate = 60

        [[tokens]]
        name = "batch"
        sha256 = ["{TWO.upper()}", "{"0" * 64}"]
    """)
    camera, batch = read_tokens(path)
    assert (camera.name, camera.digests) == ("camera-7", (hashlib.sha256(b"one").digest(),))
    quota = camera.quota
    assert (quota.weight, quota.max_streams, quota.max_rate) == (2.5, 4, 60.0)
    assert batch.digests == (hashlib.sha256(b"two").digest(), bytes(32))
    assert (batch.quota.weight, batch.quota.max_streams, batch.quota.max_rate) == (1.0, None, None)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('name = "a"\ncolour = 1', r"token 1 \('a'\): key: got 'colour', want one of name, sha256"),
        ("weight = 1", "token 1: name: got None, want 1 to 64 letters"),
        ('name = "a b"', r"token 1 \('a b'\): name: got 'a b'"),
        ('name = "a"', r"sha256: got something else, want 64 hexadecimal digits"),
        ('name = "a"\nsha256 = "s3cret"', r"sha256: got something else, want 64 hexadecimal"),
        (f'name = "a"\nsha256 = ["{ONE}", 1]', "sha256: got something else, want 64"),
        ('name = "a"\nsha256 = []', r"sha256: got \[\], want that of a token"),
        (f'name = "a"\nsha256 = "{hashlib.sha256(b"").hexdigest()}"', "this one is of nothing"),
        (f'name = "a"\nsha256 = "{ONE}"\nweight = 0', "weight: got 0, want a number from 0.01"),
        (f'name = "a"\nsha256 = "{ONE}"\nweight = true', "weight: got True, want a number"),
        (f'name = "a"\nsha256 = "{ONE}"\nmax_rate = nan', "max_rate: got nan, want a number"),
        (f'name = "a"\nsha256 = "{ONE}"\nmax_streams = 1.5', "max_streams: got 1.5, want a whole"),
        (f'name = "a"\nsha256 = "{ONE}"\nmax_streams = -1', "max_streams: got -1, want a whole"),
        (f'name = "a"\nsha256 = ["{ONE}", "{ONE}"]\n[[tokens]]\nname = "b"\nsha256 = "{ONE}"',
         "sha256 of b: got one of another token"),
        (f'name = "a"\nsha256 = "{ONE}"\n[[tokens]]\nname = "a"\nsha256 = "{TWO}"',
         "name: got 'a' twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(path: Path, lines: str, fault: str) -> None:
    path.write_text(f"[[tokens]]\n{lines}\n")
    with pytest.raises(TokensError, match=rf"^tokens {path}: .*{fault}") as caught:
        read_tokens(path)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "no tokens, want a table"),
        (b"tokens = []", "no tokens, want a table"),
        (b"tokens = [1]", "token 1: : got 1, want a table"),
        (b"colour = 1\n", "unknown key 'colour'"),
        (b"[[tokens]\n", "not TOML: .*line 1"),
        (b"\xff", "not TOML"),
        (b"#" * (1 << 20) + b"\n", "got more than 1048576 bytes"),
    ],
)
def test_a_file_of_another_shape_is_refused(path: Path, content: bytes, fault: str) -> None:
    path.write_bytes(content)
    with pytest.raises(TokensError, match=rf"^tokens {path}: {fault}"):
        read_tokens(path)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(TokensError, match=f"^tokens {path}: cannot be read .No such file"):
        read_tokens(path)


def test_the_number_of_tokens_is_bounded(path: Path) -> None:
    digests = [f'"{number:064x}"' for number in range(1025)]
    path.write_text(f'[[tokens]]\nname = "a"\nsha256 = [{", ".join(digests)}]')
    with pytest.raises(TokensError, match="got 1025 tokens, want at most 1024"):
        read_tokens(path)


def test_the_example_of_the_documentation_is_read(path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    path.write_text(page.split("```toml\n# tokens.toml\n")[1].split("```")[0])
    (camera,) = read_tokens(path)
    assert (camera.name, camera.quota.max_streams, camera.quota.max_rate) == ("camera-7", 4, 60)
