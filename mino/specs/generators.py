"""Values made of specs."""

from __future__ import annotations

from typing import Any

from hy.models import Keyword

from mino.specs import registry
from mino.specs.engine import Failed
from mino.specs.names import keyword_text
from mino.specs.problems import NoGenerator


def generate(definition: Any, *arguments: Any, **options: Any) -> Any:
    """A value from the generator of a spec, which it is checked against."""
    from mino import check

    keyword = keyword_text(definition) if isinstance(definition, str | Keyword) else "this"
    generator = registry.generator(keyword)
    if generator is None:
        registry.lookup(keyword)
        raise NoGenerator(f"{keyword} has no generator: define one with (spec/defgen {keyword} [argument…] body…)")
    value = generator.function(*arguments, **options)
    result = check._checked(definition, value, None)
    if type(result) is Failed:
        sentence = f"{check.summary(value)}, made by the generator of {keyword}, does not conform to {keyword}."
        raise check.error(sentence, result, value)
    return value
