"""Servers for the tests of the language server: real ones, on their standard streams, one event loop for all."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from .client_can import CLIENTS
from .editor import Editor, launch

FEATURES = Path(__file__).parents[2] / "mino_lsp" / "features"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--laws", type=int, metavar="N", help="only what hypothesis tests, each with N cases")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A server that several tests share needs a loop that they share."""
    cases = config.getoption("laws", default=None)
    if cases:
        items[:] = [item for item in items if getattr(getattr(item, "function", None), "is_hypothesis_test", False)]
        for item in items:
            _with_cases(item.function, cases)  # type: ignore[attr-defined]
    for item in items:
        function = getattr(item, "function", None)
        if item.path.is_relative_to(Path(__file__).parent) and inspect.iscoroutinefunction(function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def _with_cases(law: Any, cases: int) -> None:
    """A profile would not do: most laws say themselves how many cases the usual run has."""
    usual = getattr(law, "_hypothesis_internal_use_settings", settings.default)
    law._hypothesis_internal_use_settings = settings(
        usual, max_examples=cases, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the user's state is."""
    return tmp_path_factory.mktemp("state")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def editors(root: Path, state: Path) -> AsyncIterator[Callable[..., Awaitable[Editor]]]:
    """Starts servers, by default in the trusted workspace; ends them all, and looks that each ended well."""
    started: list[Editor] = []

    async def start(root: Path = root, state: Path = state, trust: str = "full", **options: Any) -> Editor:
        settings = {"trust": trust, **options.pop("settings", {})}
        editor = await launch(root, state, settings=settings, **options)
        started.append(editor)
        return editor

    yield start
    for editor in started:
        if not editor.stopped and editor._server is not None and editor._server.returncode is None:
            assert await editor.leave() == 0
        assert "Traceback" not in editor.stderr, editor.stderr


@pytest.fixture(scope="module")
def client(request: pytest.FixtureRequest) -> str:
    """Whose capabilities the server is told: those of a client that can everything, unless a test says otherwise."""
    return getattr(request, "param", "everything")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def editor(client: str, root: Path, state: Path) -> AsyncIterator[Editor]:
    """The trusted server that a module's tests share; in the tests of features, one for each client in turn."""
    editor = await launch(root, state, settings={"trust": "full"}, can=CLIENTS[client]())
    yield editor
    await _end(editor)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The tests of each feature are replayed under what each real client can."""
    name = metafunc.module.__name__.rpartition(".")[2].removeprefix("test_")
    if "editor" in metafunc.fixturenames and (FEATURES / f"{name}.py").exists():
        metafunc.parametrize("client", CLIENTS, indirect=True, scope="module")


async def _end(editor: Editor) -> None:
    if not editor.stopped and editor._server is not None and editor._server.returncode is None:
        assert await editor.leave() == 0
    assert "Traceback" not in editor.stderr, editor.stderr
