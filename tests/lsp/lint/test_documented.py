"""Every code is documented, and every documented code is one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
_PAGE = (ROOT / "docs" / "diagnostics.md").read_text("utf-8")


def test_codes() -> None:
    sources = [path for folder in ("lint", "syntax", "worker") for path in (ROOT / "mino_lsp" / folder).glob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    listed = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", _PAGE, re.MULTILINE)
    documented = {code for cell in listed for code in re.findall(r"`([a-z-]+)`", cell)}
    assert len(documented) > 50
    assert {code for code in documented if f'"{code}"' not in text} == set()
    used = set(re.findall(r'(?:at|at_head|Finding|problem)\((?:[^"()]|\([^()]*\))*"([a-z]+(?:-[a-z]+)+)"', text))
    assert len(used) > 30 and used - documented - {"hy-mode"} == set()
