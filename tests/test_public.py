"""The public face: every name of `consult` is there, documented, loaded late, and agrees with what type checkers see."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import consult

SOURCE = Path(consult.__file__)


def declared() -> dict[str, str]:
    """Names and homes as the TYPE_CHECKING block imports them."""
    tree = ast.parse(SOURCE.read_text("utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    imports = [n for n in block.body if isinstance(n, ast.ImportFrom)]
    return {alias.name: str(n.module) for n in imports for alias in n.names}


@pytest.mark.parametrize("name", consult.__all__)
def test_members_are_there_and_documented(name: str) -> None:
    member = getattr(consult, name)
    assert member is getattr(import_module(declared()[name]), name)
    assert inspect.getdoc(member), f"{name} has no docstring"
    if isinstance(member, type):
        shown = {k: v for k, v in vars(member).items() if not k.startswith("_")}
        own = [k for k, v in shown.items() if inspect.isfunction(v) or isinstance(v, property)]
        assert [k for k in own if not inspect.getdoc(shown[k])] == []
    else:
        assert callable(member)
        assert inspect.signature(member).return_annotation is not inspect.Signature.empty


def test_dir_lists_exactly_the_members() -> None:
    assert dir(consult) == sorted(consult.__all__) == sorted(declared())


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'simulate'"):
        _ = consult.simulate  # type: ignore[attr-defined]
    with pytest.raises(ImportError):
        from consult import simulate  # type: ignore[attr-defined]  # noqa: F401


def test_importing_costs_nothing_and_one_name_loads_only_its_home() -> None:
    code = (
        "import sys, consult\n"
        "ours = lambda: sorted(m for m in sys.modules if m.startswith('consult.'))\n"
        "before = ours(); consult.ConsultError; print(before, ours(), 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] ['consult.errors'] False"


def test_the_star_gives_all_names() -> None:
    space: dict[str, object] = {}
    exec("from consult import *", space)
    assert set(consult.__all__) <= set(space)
