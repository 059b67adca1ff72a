"""The invariants of docs/architecture.md, each a rule that reads a source tree and names what breaks it; and for each
rule a violation that it has to notice in a copy of the tree."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("mino", "mino_lsp", "docs", "editors", "tests/lsp", "pyproject.toml")

Rule = Callable[[Path], list[str]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """The modules that a file imports, at its top level or within a function; and whether at the top."""
    tree = ast.parse(file.read_text("utf-8"))
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            for name in node.names:
                yield f"{node.module}.{name.name}", id(node) in top
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield ast.unparse(node.args[0]).strip("'"), False


def files(folder: Path, *without: str) -> Iterator[tuple[str, Path]]:
    """The Python files below a folder, by their path in it."""
    for file in sorted(folder.rglob("*.py")):
        name = file.relative_to(folder).as_posix()
        if not name.startswith(without) and "node_modules" not in name:
            yield name, file


def importing(folder: Path, forbidden: Callable[[str], bool], *without: str) -> list[str]:
    """What is imported below a folder and is forbidden there."""
    return [
        f"{name} imports {module}"
        for name, file in files(folder, *without)
        for module, _ in imports(file)
        if forbidden(module)
    ]


def among(*packages: str) -> Callable[[str], bool]:
    return lambda module: any(module == package or module.startswith(package + ".") for package in packages)


@rule
def types_import_the_standard_library_only(root: Path) -> list[str]:
    return [
        f"types imports {module}"
        for module, _ in imports(root / "mino_lsp" / "types.py")
        if module.partition(".")[0] not in sys.stdlib_module_names
    ]


@rule
def the_server_and_the_worker_share_types_only(root: Path) -> list[str]:
    folder = root / "mino_lsp"
    allowed = among("mino_lsp.types", "mino_lsp.worker")
    return [
        *importing(folder / "worker", lambda module: module.startswith("mino_lsp") and not allowed(module)),
        *importing(folder, among("mino_lsp.worker"), "worker/"),
    ]


@rule
def lsp_is_known_to_the_server_and_the_edge_only(root: Path) -> list[str]:
    forbidden = among("pygls", "lsprotocol", "mino_lsp.edge", "mino_lsp.server")
    return importing(root / "mino_lsp", forbidden, "server.py", "protocol.py", "client.py", "edge.py", "__main__.py")


@rule
def the_server_imports_nothing_of_what_users_run(root: Path) -> list[str]:
    """`bytecode` is the command `mino setup`, which the server never loads."""
    forbidden = among("torch", "hy", "hyrule", "mino", "numpy")
    found = importing(root / "mino_lsp", forbidden, "worker/", "bytecode.py")
    loading = importing(root / "mino_lsp", among("mino_lsp.bytecode"), "cli.py")
    at_the_top = [module for module, top in imports(root / "mino_lsp" / "cli.py") if top and "bytecode" in module]
    return [*found, *loading, *at_the_top]


@rule
def mino_knows_nothing_of_the_server(root: Path) -> list[str]:
    found = importing(root / "mino", among("mino_lsp", "pygls", "lsprotocol"))
    return found + [file.name for file in (root / "mino").rglob("*.hy") if "mino_lsp" in file.read_text("utf-8")]


@rule
def features_know_no_other_feature(root: Path) -> list[str]:
    return importing(root / "mino_lsp" / "features", among("mino_lsp.features", "mino_lsp.workspace", "mino_lsp.live"))


BROAD = {
    "mino_lsp/server.py": {"_listen"},
    "mino_lsp/worker/child.py": {"enter"},
    "mino_lsp/worker/reused.py": {"_do"},
    "mino_lsp/worker/session.py": {"_guarded"},
    "mino_lsp/worker/evaluate.py": {"problems_of"},
    "mino_lsp/worker/run.py": {"_evaluate"},
    "mino_lsp/worker/expand.py": {"stepwise", "_walked", "python"},
    "mino_lsp/worker/macros.py": {"evaluate"},
    "mino_lsp/worker/lexical.py": {"compile_watched"},
    "mino_lsp/worker/spare.py": {"attend"},
}
"""Where anything may be caught: at the request boundary, at the end of a process, and where the worker calls a user's
forms, or what a user's code may have replaced. The library may have one function that calls what is foreign."""


@rule
def broad_excepts_stand_where_foreign_code_is_called(root: Path) -> list[str]:
    found, in_the_library = [], set()
    for package in ("mino", "mino_lsp"):
        for name, file in files(root / package):
            for function in _catching(ast.parse(file.read_text("utf-8"))):
                if package == "mino":
                    in_the_library.add(f"mino/{name} {function}")
                elif function not in BROAD.get(f"mino_lsp/{name}", set()):
                    found.append(f"mino_lsp/{name} {function}")
    return found + (sorted(in_the_library) if len(in_the_library) > 1 else [])


def _catching(tree: ast.AST) -> Iterator[str]:
    """The functions that catch everything, by `except` or by `suppress`."""
    broad = {"Exception", "BaseException", ""}
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for node in ast.walk(function):
            caught: list[ast.expr | None] = []
            if isinstance(node, ast.ExceptHandler):
                caught = list(node.type.elts) if isinstance(node.type, ast.Tuple) else [node.type]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
                caught = list(node.args)
            if any((ast.unparse(kind) if kind is not None else "") in broad for kind in caught):
                yield function.name


@rule
def a_feature_is_one_file_one_registration_and_one_test(root: Path) -> list[str]:
    there = {file.stem for file in (root / "mino_lsp" / "features").glob("*.py")} - {"__init__"}
    server = root / "mino_lsp" / "server.py"
    registered = {name.split(".")[2] for name, _ in imports(server) if name.startswith("mino_lsp.features.")}
    tested = {file.stem.removeprefix("test_") for file in (root / "tests" / "lsp").glob("test_*.py")}
    return [
        *(f"{name} is not registered" for name in sorted(there - registered)),
        *(f"{name} has no file" for name in sorted(registered - there)),
        *(f"{name} has no test" for name in sorted(there - tested)),
    ]


@rule
def files_are_named_for_what_they_are(root: Path) -> list[str]:
    vague = {"util", "utils", "helper", "helpers", "manager", "handler", "handlers", "misc", "common"}
    sources = [file for package in ("mino", "mino_lsp") for file in (root / package).rglob("*.*")]
    return [file.name for file in sources if file.suffix in (".py", ".hy") and set(file.stem.split("_")) & vague]


@rule
def the_wire_is_the_same_in_code_and_documents_and_editors(root: Path) -> list[str]:
    text = (root / "docs" / "protocol.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `(mino[./]\w+)` \|", text, re.M))
    code = set(re.findall(r'^    "(mino\.\w+)": _\w+,$', (root / "mino_lsp" / "commands.py").read_text("utf-8"), re.M))
    code |= set(re.findall(r'notify\("(mino/\w+)"', (root / "mino_lsp" / "server.py").read_text("utf-8")))
    vscode = "".join(file.read_text("utf-8") for file in sorted((root / "editors" / "vscode" / "src").glob("*.ts")))
    used = set(re.findall(r'(?:execute(?:<[^>]*>)?\(|command === )"(mino\.\w+)"|onNotification\("(mino/\w+)"', vscode))
    emacs = (root / "editors" / "emacs" / "mino.el").read_text("utf-8")
    editors = {name for pair in used for name in pair if name} | set(re.findall(r'"(mino[./]\w+)"', emacs))
    return [
        *(f"{name} is in docs/protocol.md and not in the code" for name in sorted(documented - code)),
        *(f"{name} is in the code and not in docs/protocol.md" for name in sorted(code - documented)),
        *(f"{name} is used by an editor and not in docs/protocol.md" for name in sorted(editors - documented)),
        *(f"{name} is used by no editor" for name in sorted(documented - editors)),
    ]


@rule
def settings_are_documented(root: Path) -> list[str]:
    text = (root / "docs" / "protocol.md").read_text("utf-8")
    documented = {
        name for row in re.findall(r"^\| (`[^|]*`) \|", text, re.M) for name in re.findall(r"`([\w.]+)`", row)
    }
    code = (root / "mino_lsp" / "settings.py").read_text("utf-8")
    known = set(re.findall(r'"((?:\w+\.)?\w+)": \(?"\w+"', code)) | {"preview.debounce"}
    return [f"{name} is not in docs/protocol.md" for name in sorted(known - documented)]


@pytest.mark.parametrize("name", RULES)
def test_holds(name: str) -> None:
    assert RULES[name](ROOT) == []


PLANTED = {
    "types_import_the_standard_library_only": [("mino_lsp/types.py", "\nimport lsprotocol\n")],
    "the_server_and_the_worker_share_types_only": [
        ("mino_lsp/live.py", "\nfrom mino_lsp.worker import blame\n"),
        ("mino_lsp/worker/job.py", "\nimport mino_lsp.snapshot\n"),
    ],
    "lsp_is_known_to_the_server_and_the_edge_only": [
        ("mino_lsp/features/hover.py", "\ndef f():\n    from lsprotocol import types\n"),
        ("mino_lsp/commands.py", "\nimport pygls.server\n"),
        ("mino_lsp/worker/child.py", "\nimport pygls\n"),
    ],
    "the_server_imports_nothing_of_what_users_run": [
        ("mino_lsp/values.py", "\nimport torch.nn\n"),
        ("mino_lsp/features/hover.py", "\ndef f():\n    import hy\n"),
        ("mino_lsp/snapshot.py", "\nimport importlib\nimportlib.import_module('hyrule')\n"),
        ("mino_lsp/workspace.py", "\nfrom mino_lsp.bytecode import compile_modules\n"),
    ],
    "mino_knows_nothing_of_the_server": [
        ("mino/module.py", "\nfrom mino_lsp import types\n"),
        ("mino/thread.hy", "\n(import mino_lsp)\n"),
    ],
    "features_know_no_other_feature": [("mino_lsp/features/hover.py", "\nimport mino_lsp.features.diagnostics\n")],
    "broad_excepts_stand_where_foreign_code_is_called": [
        ("mino_lsp/live.py", "\ndef f():\n    try:\n        pass\n    except (OSError, Exception):\n        pass\n"),
        ("mino_lsp/live.py", "\ndef f():\n    try:\n        pass\n    except:\n        pass\n"),
        ("mino_lsp/worker/child.py", "\ndef f():\n    with suppress(BaseException):\n        pass\n"),
        (
            "mino/module.py",
            "".join(f"\ndef f{i}():\n    try:\n        pass\n    except Exception:\n        pass\n" for i in (1, 2)),
        ),
    ],
    "a_feature_is_one_file_one_registration_and_one_test": [
        ("mino_lsp/features/new.py", '"""New."""\n'),
        ("mino_lsp/server.py", "\nfrom mino_lsp.features.other import other\n"),
    ],
    "files_are_named_for_what_they_are": [("mino_lsp/text_utils.py", ""), ("mino/helpers.hy", "")],
    "the_wire_is_the_same_in_code_and_documents_and_editors": [
        ("docs/protocol.md", "\n| `mino.invented` | `{}` | |\n"),
        ("mino_lsp/commands.py", '\nX = {\n    "mino.invented": _run,\n}\n'),
        ("mino_lsp/server.py", '\ndef f(server):\n    server.protocol.notify("mino/invented", {})\n'),
        ("editors/vscode/src/run.ts", '\nserver.execute("mino.invented", {});\n'),
        ("editors/vscode/src/run.ts", '\nclient.onNotification("mino/invented", f);\n'),
        ("editors/emacs/mino.el", '\n(mino--request c "mino.invented" nil)\n'),
    ],
    "settings_are_documented": [("mino_lsp/settings.py", '\nX = {"preview.invented": ("x", str)}\n')],
}


@pytest.mark.parametrize(("name", "file", "text"), [(n, *planted) for n in RULES for planted in PLANTED[n]])
def test_a_violation_is_noticed(name: str, file: str, text: str, copy: Path) -> None:
    planted = copy / file
    before = planted.read_bytes() if planted.exists() else None
    try:
        planted.write_bytes((before or b"") + text.encode())
        found = [problem for problem in RULES[name](copy) if problem not in RULES[name](ROOT)]
        assert found, f"{name} did not notice {text!r} in {file}"
    finally:
        if before is None:
            planted.unlink()
        else:
            planted.write_bytes(before)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, which tests leave as they found it."""
    folder = tmp_path_factory.mktemp("tree")
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "out", "dist", "*.vsix")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder


# ---- what runs

BLOCKED = """\
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "hy", "hyrule", "mino", "numpy"):
            print("THE SERVER IMPORTS", name, file=sys.stderr)
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
PLANTED
from mino_lsp.__main__ import main
main()
"""


def served(tmp_path: Path, planted: str) -> str:
    """What a server says that is not allowed to import what users run, and is used for all it has."""
    from tests.lsp.raw import Raw

    program = tmp_path / "program.py"
    program.write_text(BLOCKED.replace("PLANTED", planted), "utf-8")
    server = Raw(tmp_path, command=[sys.executable, str(program), "--trust"])
    file = tmp_path / "main.hy"
    file.write_text("(require mino.thread *)\n(import torch)\n(setv x (-> (torch.ones 3) (+ 1)))")
    document = {"textDocument": {"uri": file.as_uri()}}
    server.initialize()
    server.open(file.as_uri(), file.read_text())
    for command in ("preview", "run", "devices", "expand"):
        told = {"uri": file.as_uri(), "position": {"line": 2, "character": 9}}
        answer = server.ask(command, "workspace/executeCommand", {"command": f"mino.{command}", "arguments": [told]})
        assert "result" in answer, answer
    hover = server.ask("hover", "textDocument/hover", {**document, "position": {"line": 2, "character": 6}})
    assert "[3]" in hover["result"]["contents"]["value"]
    assert server.end() == 0
    return server.stderr


def test_a_server_that_cannot_import_what_users_run_serves_all_the_same(tmp_path: Path) -> None:
    assert "THE SERVER IMPORTS" not in served(tmp_path, "")


def test_an_import_in_the_server_is_noticed(tmp_path: Path) -> None:
    planted = "import contextlib\nwith contextlib.suppress(ImportError):\n    import torch.nn\n"
    assert "THE SERVER IMPORTS torch" in served(tmp_path, planted)


@pytest.mark.parametrize(
    ("text", "loaded"),
    [
        ("import mino", False),
        ("import hy; hy.eval(hy.read('(require mino.mu * mino.thread * mino.spec *)'))", False),
        ("import hy; hy.eval(hy.read('(require mino.mu *)')); hy.eval(hy.read('(mu [x] x)'))", True),
    ],
)
def test_torch_is_imported_by_the_first_mu(text: str, loaded: bool) -> None:
    program = f"import sys\n{text}\nprint('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert told.stdout == f"{loaded}\n"
