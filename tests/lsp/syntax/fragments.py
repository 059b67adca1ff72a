"""Texts to try: pieces of Hy and anything else, put together at random."""

from hypothesis import strategies as st

SPACES = [" ", "  ", "\n", "\n\n", "\r\n", "\t", "\f", "\v", "\r", "\n  ", "\n    "]
ATOMS = [
    *(
        "x",
        "foo-bar?",
        "->",
        "a.b.c",
        ".size",
        "..mod",
        "...",
        ".",
        "a.",
        "a..b",
        "1.a",
        "a.1",
        "None",
        "λ",
        "𝕏",
        "a\u2028b",
    ),
    *(
        "1",
        "1_000",
        "1,000",
        "0x1F",
        "0b12",
        "1e5",
        "1+2j",
        "j",
        "+j",
        "NaN",
        "nan",
        "-Inf",
        "Infinity",
        "017",
        "٣",
        "²",
        "1__",
    ),
    *(
        ":k",
        ":",
        ":a.b",
        ":a-b?",
        ":=",
        "@",
        "!",
        "|",
        "\\",
        "\x00",
        "\x85",
        "\xa0",
        "\ud800",
        "-",
        "+",
        "a#b",
        "a:b",
        "a.:b",
    ),
]
STRINGS = [
    *(
        '"s"',
        '""',
        '"a\nb"',
        '"(a"',
        '"]"',
        r'"\n\x41"',
        r'"\d"',
        r'"\x4"',
        r'"\N{DIGIT ONE}"',
        r'"\N{no}"',
        r'"\u12"',
        r'"\""',
    ),
    *(
        'b"x"',
        'b"é"',
        r'b"\u1234"',
        r'b"\xzz"',
        'r"\\d"',
        r'rb"\""',
        'br"x"',
        'foo"x"',
        'rr"x"',
        'F"x"',
        '1"x"',
        '"é\\é"',
        r'"\\"',
    ),
    *(
        "#[[a]]",
        "#[[]]]",
        "#[x[a]b]x]",
        '#[x["(]x]',
        "#[x[]x[]x]",
        "#[a b]",
        "#[",
        "#[[\n]]",
        "#[f-[x]f-]",
        "#[f x[{]f x]",
    ),
]
FSTRINGS = [
    *(
        'f"{x}"',
        'f"a{{b}}{x}"',
        'f"{x !r}"',
        'f"{x :>10}"',
        'f"{x = }"',
        'f"{x =!r :{w}}"',
        'f"{(f "a" f"{y}")}"',
        'f"{ x }"',
    ),
    *(
        'f"{}"',
        'f"{x"',
        'f"x}"',
        'f"{x y}"',
        r'f"\N{DIGIT ONE}"',
        r'f"\{x}"',
        r'rf"\{x}"',
        r'f"\\N{x}"',
        r'f"{x :\d}"',
        r'f"{x :\x}"',
    ),
    *(
        "#[f[{x}]f]",
        '#[f[a]"{(g #[[b]])}]f]',
        "#[f-a[{x}]f-a]",
        'f"{#_ a b}"',
        'f"{; c\nx}"',
        'f"{x!r}"',
        'f"{\'x}"',
        'f"{x :"}"',
    ),
    *(
        'f"{f"{f"{x}"}"}"',
        'rf"{x :{y :{z}}}"',
        't"{x}"',
        'f"{:k :a}"',
        'f"{x : {{}}"',
        'f"{x !}"',
        'f"{"a" = !s:b}"',
        'f"{(a}"',
    ),
]
MARKS = ["'", "`", "~", "~@", "#* ", "#** ", "#^ ", "#_ ", "#_", "#*", "#^", "#foo ", "#", "# ", "#'", '#"', "##"]
BRACKETS = ["(", ")", "[", "]", "{", "}", "#(", "#{"]
QUOTES = ['"', 'f"', "{", "}", "\\", "]f]", "#[f[", ";", "; note\n", "; a\r(b\n", "#!", "#!/bin/hy\n"]

SCRAPS = [*SPACES, *SPACES, *ATOMS, *STRINGS, *FSTRINGS, *MARKS, *BRACKETS, *BRACKETS, *QUOTES]


def scraps(size: int = 12) -> st.SearchStrategy[str]:
    """Any fragments in any order, now and then with arbitrary characters: mostly broken."""
    scrap = st.one_of(st.sampled_from(SCRAPS), st.sampled_from(SCRAPS), st.text(max_size=3))
    return st.lists(scrap, max_size=size).map("".join)


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(st.tuples(inner, st.sampled_from(SPACES)).map("".join), max_size=4).map("".join)
    return st.one_of(
        several.map("({})".format),
        several.map("[{}]".format),
        several.map("#({})".format),
        several.map(lambda text: "{" + text + "}"),
        several.map(lambda text: "#{" + text + "}"),
        st.tuples(st.sampled_from(["'", "`", "~ ", "~@", "#* ", "#** ", "#_ ", "#_"]), inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"#^ {two[0]} {two[1]}"),
        inner.map(lambda text: f'f"a{{{text} !r}}"'),
        inner.map(lambda text: f"#[f[{{{text} :>{{{text} }}}}]f]"),
        inner.map(lambda text: f"; note\n{text}"),
    )


def programs() -> st.SearchStrategy[str]:
    """Fragments nested as Hy nests them: mostly well formed."""
    leaf = st.sampled_from([*ATOMS, *STRINGS, *FSTRINGS])
    form = st.recursive(leaf, _grow, max_leaves=12)
    return st.lists(st.tuples(form, st.sampled_from(SPACES)).map("".join), max_size=5).map("".join)


def texts() -> st.SearchStrategy[str]:
    return st.one_of(scraps(), programs(), st.tuples(programs(), scraps(4), programs()).map("".join))
