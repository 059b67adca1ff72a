"""The values that analysis speaks in. Offsets are those of the text they were found in: of a piece of the tree inside
`analysis`, of the document in everything that `Names` gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DefinitionKind(StrEnum):
    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"
    MU = "mu"
    MACRO = "macro"
    READER = "reader macro"
    COMPONENT = "component"
    PARAMETER = "parameter"
    VARIABLE = "variable"
    LOCAL = "local"  # bound by `let` or a comprehension
    FIELD = "field"  # a variable of a class
    MODULE = "module"
    IMPORT = "import"  # a name out of a module
    TYPE = "type"
    SPEC = "spec"


class ScopeKind(StrEnum):
    MODULE = "module"
    FUNCTION = "function"
    CLASS = "class"
    LET = "let"
    COMPREHENSION = "comprehension"


class ParameterKind(StrEnum):
    POSITIONAL_ONLY = "positional only"
    POSITIONAL = "positional"
    REST = "rest"  # #* name
    KEYWORD_ONLY = "keyword only"
    REST_KEYWORDS = "rest of keywords"  # #** name


class Role(StrEnum):
    """What a reference does with its name."""

    READ = "read"
    CALL = "call"  # the head of a list
    WRITE = "write"
    MACRO = "macro"  # the head of a macro call, or a macro's name where one is named
    READER = "reader"  # `#name`
    DATA = "data"  # in a quoted form: a symbol, which a macro may put anywhere
    MEMBER = "member"  # an attribute, or a component named in `spec/parameters` and its kin


class Resolution(StrEnum):
    RESOLVED = "resolved"  # to a definition of the document
    KNOWN = "known"  # to Python's builtins, hy's core, or what a form around it always binds (`it`, `%1`)
    UNRESOLVED = "unresolved"  # certainly nothing binds it
    UNCERTAIN = "uncertain"  # something that cannot be seen through may bind it


class KeywordRole(StrEnum):
    ARGUMENT = "argument"  # `:name value` in a call
    SPEC = "spec"  # a spec, named
    DEFINES_SPEC = "defines spec"
    GENERATES_SPEC = "generates spec"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as written; `default` and `annotation` are source text, empty where there is none."""

    name: str
    kind: ParameterKind = ParameterKind.POSITIONAL
    default: str = ""
    annotation: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    parameters: tuple[Parameter, ...] = ()

    @property
    def least(self) -> int:
        """How many arguments a call needs by position."""
        places = (ParameterKind.POSITIONAL, ParameterKind.POSITIONAL_ONLY)
        return sum(one.kind in places and not one.optional for one in self.parameters)

    @property
    def most(self) -> int | None:
        """How many arguments a call takes by position; None for any number."""
        if any(one.kind is ParameterKind.REST for one in self.parameters):
            return None
        places = (ParameterKind.POSITIONAL, ParameterKind.POSITIONAL_ONLY)
        return sum(one.kind in places for one in self.parameters)

    @property
    def takes_any_keyword(self) -> bool:
        return any(one.kind is ParameterKind.REST_KEYWORDS for one in self.parameters)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an import or a require takes a name from: `name` is empty for the module itself."""

    module: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A name and what it is bound by. `start` to `end` is the name, `form_start` to `form_end` the form that defines it
    (for a parameter, the parameter). `scope` is an index into the scopes of its piece, 0 the module's. A name may have
    several definitions in one scope (`setv` twice); they are one symbol."""

    name: str
    mangled: str
    kind: DefinitionKind
    start: int
    end: int
    form_start: int
    form_end: int
    scope: int
    signature: Signature | None = None
    doc: str = ""
    value: str = ""  # the mangled head of the call whose value it is: `(setv m (Linear …))` has "Linear"
    source: Source | None = None
    visible_from: int = 0  # in a `let`, where the binding begins to hold
    decorated: bool = False

    def shifted(self, by: int) -> Definition:
        return Definition(
            self.name,
            self.mangled,
            self.kind,
            self.start + by,
            self.end + by,
            self.form_start + by,
            self.form_end + by,
            self.scope,
            self.signature,
            self.doc,
            self.value,
            self.source,
            self.visible_from + by,
            self.decorated,
        )


@dataclass(frozen=True, slots=True)
class Reference:
    """A name where it is used. Of a dotted name, the first part; `path` is the rest, without the first dot.
    ``certain`` is False in templates and in calls of macros that cannot be seen through. `node` is the index of the
    symbol in its piece. `owner` of a member: the name it is a member of, where that is a name."""

    name: str
    mangled: str
    start: int
    end: int
    scope: int
    role: Role
    node: int
    path: str = ""
    owner: str = ""
    certain: bool = True

    def shifted(self, by: int) -> Reference:
        return Reference(
            self.name,
            self.mangled,
            self.start + by,
            self.end + by,
            self.scope,
            self.role,
            self.node,
            self.path,
            self.owner,
            self.certain,
        )


@dataclass(frozen=True, slots=True)
class KeywordUse:
    """A keyword; `name` is without the colon. `call` is the mangled head of the call it is an argument of."""

    name: str
    mangled: str
    start: int
    end: int
    role: KeywordRole
    call: str = ""
    scope: int = 0
    certain: bool = True

    def shifted(self, by: int) -> KeywordUse:
        start, end = self.start + by, self.end + by
        return KeywordUse(self.name, self.mangled, start, end, self.role, self.call, self.scope, self.certain)


@dataclass(frozen=True, slots=True)
class ImportedName:
    """One name in the brackets of an import: as it is in the module, and as it is here, each with its place."""

    name: str
    start: int
    end: int
    alias: str
    alias_start: int
    alias_end: int

    def shifted(self, by: int) -> ImportedName:
        start, end = self.alias_start + by, self.alias_end + by
        return ImportedName(self.name, self.start + by, self.end + by, self.alias, start, end)


@dataclass(frozen=True, slots=True)
class Import:
    """One module of an `import` or a `require`. `start` to `end` is the module's name, `entry_end` where all that
    belongs to it ends, and the form's span that of the whole `(import …)`. `names` None: none are listed."""

    module: str
    start: int
    end: int
    entry_end: int
    form_start: int
    form_end: int
    requires: bool
    alias: str = ""
    names: tuple[ImportedName, ...] | None = None
    readers: tuple[ImportedName, ...] | None = None
    star: bool = False
    star_readers: bool = False
    scope: int = 0

    @property
    def prefix(self) -> str:
        """What its names are called by, `np` or `os.path`; empty where names are listed or all are taken."""
        if self.star or self.names is not None or (self.requires and (self.readers is not None or self.star_readers)):
            return ""
        return self.alias or self.module

    def shifted(self, by: int) -> Import:
        return Import(
            self.module,
            self.start + by,
            self.end + by,
            self.entry_end + by,
            self.form_start + by,
            self.form_end + by,
            self.requires,
            self.alias,
            tuple(one.shifted(by) for one in self.names) if self.names is not None else None,
            tuple(one.shifted(by) for one in self.readers) if self.readers is not None else None,
            self.star,
            self.star_readers,
            self.scope,
        )


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """What all occurrences of one name have in common. `space` is "value", "macro", "reader" or "spec" for names of the
    module, and "local" for one that belongs to a scope within; then `piece` and `index` say which."""

    space: str
    mangled: str
    piece: int = 0
    index: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """A reference, what it is to, and how sure that is. `definition` is the first of the symbol's."""

    reference: Reference
    symbol: Symbol | None
    definition: Definition | None
    resolution: Resolution


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """A place where a symbol stands: its name only, without a colon or what comes after a dot."""

    start: int
    end: int
    role: Role | None  # None where it is defined
    certain: bool = True
