"""The names of a Hy document, without running anything: what is defined, what is used, and what cannot be known.

``names_of(tree, modules=KNOWN) -> Names``, one for each tree; what is found out of a top-level piece is kept with it,
so an edit costs the piece it touches. All offsets are the document's. ::

    names.definitions   tuple[Definition, ...]: name, mangled, kind, start..end (the name), form_start..form_end,
                        signature (with arity) | None, doc, source (of imports), value (the call that made it)
    names.references    tuple[Use, ...]: reference (name, start, end, role, path after the first dot, certain),
                        symbol, definition | None, resolution
    names.imports       tuple[Import, ...]: each module of an `import` or `require`, with names, readers, alias, star
    names.keywords      tuple[KeywordUse, ...]: each keyword with its role: an argument (of which call), a spec, …
    names.unresolved()  the references that certainly nothing binds
    names.certain       False where something may bind names that cannot be seen (a macro of somebody's own,
                        `(import unknown *)`, `eval`); functions have a scope of their own that may be uncertain
    names.macros        which heads are macros: names.macros.head(mangled) -> "hy:let", "mino:defmu", "?" or None

    names.visible(offset)          -> {mangled: Definition} of the values in scope
    names.symbol_at(offset)        -> (Symbol, Occurrence) | None;  names.use_at(offset) -> Use | None
    names.definitions_of(symbol)   -> [Definition];  names.occurrences(symbol) -> [Occurrence], definitions included
    names.components(definition)   -> the components of a mu;  names.mu_of(name, offset) -> the mu behind a name
    names.scopes_at(offset)        -> [Scope], innermost first;  names.form_of(use) -> Form

A ``Resolution`` is RESOLVED (to a definition here), KNOWN (a builtin, a core macro, a name that a known module's `*`
brings), UNRESOLVED (nothing binds it, for certain) or UNCERTAIN. Report nothing but what is UNRESOLVED. A ``Symbol`` is
what the occurrences of one name share; mangling is honoured throughout.

``Index`` holds the files of a workspace; ``links`` follows names from one to another. A snapshot has ``snapshot.names``
and ``snapshot.document``.

``known.packages()`` and ``known.core()`` hold the names and documentation of hyrule, mino and Hy itself.
"""

from mino_lsp.analysis.document import Names, names_of
from mino_lsp.analysis.environment import KNOWN, OPAQUE, Macros, Modules
from mino_lsp.analysis.index import Document, Index, Indexed
from mino_lsp.analysis.mangling import mangle
from mino_lsp.analysis.model import (
    Definition,
    DefinitionKind,
    Import,
    ImportedName,
    KeywordRole,
    KeywordUse,
    Occurrence,
    Parameter,
    ParameterKind,
    Reference,
    Resolution,
    Role,
    ScopeKind,
    Signature,
    Source,
    Symbol,
    Use,
)
from mino_lsp.analysis.piece_names import Scope

__all__ = [
    "KNOWN",
    "OPAQUE",
    "Definition",
    "DefinitionKind",
    "Document",
    "Import",
    "ImportedName",
    "Index",
    "Indexed",
    "KeywordRole",
    "KeywordUse",
    "Macros",
    "Modules",
    "Names",
    "Occurrence",
    "Parameter",
    "ParameterKind",
    "Reference",
    "Resolution",
    "Role",
    "Scope",
    "ScopeKind",
    "Signature",
    "Source",
    "Symbol",
    "Use",
    "mangle",
    "names_of",
]
