"""Hover: what passed at a component or an expression, on what evidence; where nothing is known, why."""

from __future__ import annotations

from dataclasses import dataclass

from mino_lsp import values
from mino_lsp.analysis.describe import described_at
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.python_targets import Python, Unknown, python_at
from mino_lsp.snapshot import Snapshot
from mino_lsp.syntax import Form, Kind
from mino_lsp.types import Fact, ModuleValue, OtherValue, Problem, Span


@dataclass(frozen=True, slots=True)
class Hover:
    span: Span
    markdown: str


_VALUELESS = {Kind.COMMENT, Kind.KEYWORD, Kind.NUMBER, Kind.STRING, Kind.BRACKET_STRING, Kind.DISCARD, Kind.SHEBANG}


def hover(snapshot: Snapshot, offset: int, python: Python | None = None) -> Hover | None:
    """What passed here, then the documentation of the name that is here; where nothing passed, after it why."""
    path = snapshot.tree.path_at(offset)
    if not path:
        return None
    live, spec = _live(snapshot, path), _spec(snapshot, path)
    if live is not None and spec:
        live = Hover(live.span, f"{live.markdown}\n\n{spec}")
    told = described_at(snapshot.document, offset, snapshot.index) if path[-1].kind not in _TEXT else None
    if told is None or not (told.doc or told.parameters):
        told = python_at(snapshot.document, python or Unknown(), offset) or told
    if live is not None:
        more = told is not None and (told.doc or told.parameters is not None)
        return Hover(live.span, f"{live.markdown}\n\n---\n\n{told.markdown}") if told is not None and more else live
    why = _why(snapshot, path)
    shown = "\n\n".join(filter(None, (told.markdown if told is not None else "", spec, why)))
    return Hover(Span(path[-1].start, path[-1].end), shown) if shown else None


_TEXT = {Kind.COMMENT, Kind.STRING, Kind.BRACKET_STRING, Kind.BYTES, Kind.DISCARD, Kind.SHEBANG}


def _live(snapshot: Snapshot, path: tuple[Form, ...]) -> Hover | None:
    """What passed."""
    form, call = path[-1], _call(path)
    if form.kind in _VALUELESS:
        return None
    for candidate in (form, call):
        if candidate is not None:
            span = Span(candidate.start, candidate.end)
            # What a run told of this very text is what really was; a preview only tried.
            fact = snapshot.ran.facts.get(span) or snapshot.live.facts.get(span)
            if fact is not None and (candidate is call or _telling(fact) or call is None):
                return Hover(span, _markdown(snapshot, span, fact))
    return None


def _spec(snapshot: Snapshot, path: tuple[Form, ...]) -> str:
    """The spec that a component carries in the list of its mu, and whether what was bound to it conforms."""
    if len(path) < 4 or path[-1].kind is not Kind.SYMBOL or path[-2].kind is not Kind.ANNOTATION:
        return ""
    name, mu = path[-1], path[-4]
    spec, target = path[-2].forms if len(path[-2].forms) == 2 else (name, None)
    if target != name or mu.head_name not in ("defmu", "mu") or snapshot.live.version is None:
        return ""
    shown = f"Spec `{' '.join(spec.text.split())}`: "
    named = [one for one in snapshot.live.problems if one.code == "spec" and _names(one, name)]
    broken = [one for one in named if _breaks(snapshot, one, spec)]
    if named:  # of another mu's component of that name, where it is not broken here
        return f"{shown}**broken**: {broken[0].message}" if broken else ""
    key, kind = mangle(name.text), mu.forms[1].text if mu.head_name == "defmu" else ""
    seen = (value for fact in snapshot.live.facts.values() for value in fact.values)
    bound = any(
        isinstance(value, ModuleValue)
        and value.name == mangle(kind)
        and key in {mangle(part) for part, _ in value.components}
        for value in seen
    )
    return shown + ("what was bound conforms" if bound else "not checked, nothing was bound to it")


def _names(problem: Problem, name: Form) -> bool:
    return mangle(problem.message.partition(":")[0]) == mangle(name.text)


def _breaks(snapshot: Snapshot, problem: Problem, spec: Form) -> bool:
    """Whether the predicate that is not met stands in the spec, or, of one that is a name, in a `spec/def`."""
    defined = [form for form in snapshot.tree.forms if form.head_name == "spec/def" and spec.kind is Kind.KEYWORD]
    return any(
        form.start <= related.span.start and related.span.end <= form.end
        for form in (spec, *defined)
        for related in problem.related
    )


def _why(snapshot: Snapshot, path: tuple[Form, ...]) -> str:
    call = _call(path)
    if path[-1].kind in _VALUELESS:
        return ""
    if call is not None or path[-1].kind == Kind.LIST:
        form = call or path[-1]
        reached = snapshot.trusted and snapshot.live.reached(Span(form.start, form.end))
        return _why_not_called(snapshot, form) if reached else "" if call is not None else _why_nothing(snapshot, form)
    return _why_nothing(snapshot, path[-1])


def _why_not_called(snapshot: Snapshot, call: Form) -> str:
    """Of a call in a form that was evaluated, at which nothing passed: a sentence, unless it may have no value."""
    head = call.forms[0].text if call.forms else ""
    if not head or snapshot.live.within(Span(call.start, call.end)):
        return ""
    if head.strip("+-*/%@&|^<>=") and snapshot.names.macros.head(mangle(head)) is not None:
        return ""
    return _never_reached(snapshot, call)


def _never_reached(snapshot: Snapshot, form: Form) -> str:
    around = next((one for one in form.ancestors if one.head_name in ("defmu", "defn")), None)
    named = next((one for one in around.forms[1:] if one.kind == Kind.SYMBOL), None) if around is not None else None
    if around is not None and named is not None and not snapshot.live.within(Span(named.end, around.end)):
        name, example = named.text, ""
        if around.head_name == "defmu":
            example = f" `(mino/live (({name} …) …))` gives it an example input."
        return f"*Never reached: nothing in the preview calls `{name}`.{example}*"
    return "*Never reached in the preview, or within a macro that keeps no place for it.*"


def _call(path: tuple[Form, ...]) -> Form | None:
    """The call whose head is hovered."""
    return path[-2] if len(path) > 1 and _is_head(path[-1], path[-2]) else None


def _is_head(form: Form, parent: Form) -> bool:
    return parent.kind == Kind.LIST and bool(parent.forms) and parent.forms[0] == form


def _telling(fact: Fact) -> bool:
    return not all(isinstance(value, OtherValue) for value in fact.values)


def _markdown(snapshot: Snapshot, span: Span, fact: Fact) -> str:
    source = snapshot.text.source[span.start : span.end]
    title = source if len(source) <= 60 and "\n" not in source else source.split("\n")[0][:60] + " …"
    lines = [f"```hy\n{title}\n```"]
    for value in fact.values:
        lines.append("- " + values.line(value))
        if isinstance(value, ModuleValue):
            lines += [f"  - `{name}`: {told}" for name, told in value.components]
    if fact.distinct > len(fact.values):
        lines.append(f"- … {fact.distinct - len(fact.values)} more")
    if fact.statistics is not None:
        which = "" if _was_run(snapshot, fact) else "first: "
        lines.append("- " + ("last: " if fact.passes > 1 else which) + values.statistics(fact.statistics))
    if fact.passes > 1:
        lines.append(f"- passed {fact.passes:,} times")
    return "\n".join([*lines, "", f"*{_evidence(snapshot, fact)}*"])


_RESTS_ON = {
    "preview": "",
    "shapes only": ", shapes only",
    "assumed": ", assumed: a branch or a loop above was decided without its values",
}


def _was_run(snapshot: Snapshot, fact: Fact) -> bool:
    return snapshot.ran.facts.get(fact.span) is fact


def _evidence(snapshot: Snapshot, fact: Fact) -> str:
    if _was_run(snapshot, fact):
        return f"from {snapshot.ran.source}"
    live = snapshot.live
    told = _RESTS_ON[fact.evidence]
    if fact.span in live.origins:
        return f"preview of {live.origins[fact.span]}{told}"
    if not live.finished:
        return f"preview, still going on{told}"
    if live.current:
        return f"preview{told}"
    return f"preview of version {live.version}; other forms have changed since{told}"


def _why_nothing(snapshot: Snapshot, form: Form) -> str:
    """A sentence where a user may wonder that nothing is shown; empty where nobody would expect a value."""
    if form.kind not in (Kind.SYMBOL, Kind.LIST):
        return ""
    live, span = snapshot.live, Span(form.start, form.end)
    if not snapshot.trusted:
        return "*No shapes: this folder is not trusted to run (command `mino.trust`).*"
    if snapshot.unavailable:
        return f"*No shapes: {snapshot.unavailable}*"
    if snapshot.settings.preview == "off":
        return "*No shapes: previews are switched off (setting `mino.preview.mode`).*"
    if snapshot.previews_off and live.version is None:
        return "*No shapes: this file switches its previews off (`mino: preview off`).*"
    if snapshot.paused:
        waiting = " It has changed since." if live.version is not None and not live.current else ""
        return f"*No shapes: previews are paused (command `mino.pause`).{waiting}*"
    if live.version is None:
        if snapshot.tree.problems:
            return "*No shapes yet: the text cannot be read. It is previewed when that is mended.*"
        if snapshot.settings.preview == "onSave":
            return "*No shapes yet: the preview comes when the file is saved (setting `mino.preview.mode`).*"
        return "*No shapes yet: the first preview has not ended.*"
    if live.reached(span):
        return "" if form.kind == Kind.LIST else _never_reached(snapshot, form)
    if any(unreached.contains(span) for unreached in live.unreached):
        return _why_not_reached(snapshot)
    if snapshot.tree.problems:
        return "*Changed since the last preview. The next one comes when the text can be read.*"
    if snapshot.settings.preview == "onSave":
        return "*Changed since the last preview. The next one comes when the file is saved.*"
    return "*Changed since the last preview.*"


def _why_not_reached(snapshot: Snapshot) -> str:
    live = snapshot.live
    if not live.finished:
        return "*Not reached yet: the preview goes on.*"
    at = next((problem.span.start for problem in live.problems if problem.message == live.stopped), None)
    if at is None:
        return f"*No shapes: {live.stopped or 'the preview did not come so far.'}*"
    line = snapshot.document.line(at)
    why = live.stopped.replace("The preview stopped here: ", "")
    return f"*Not reached: the preview stopped at {line}: {why}*"
