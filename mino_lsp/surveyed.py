"""What the macro calls of a document are known to expand to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mino_lsp.types import SurveyedCall


@dataclass(frozen=True, eq=False, slots=True)
class Calls:
    """The surveyed calls by the text of their top-level form, with places from its start."""

    by_form: Mapping[str, tuple[SurveyedCall, ...]] = field(default_factory=dict)
