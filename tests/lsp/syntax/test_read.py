"""Reading a few programs whole: nodes, problems and paths."""

from mino_lsp.syntax import Kind, read


def test_nodes_of_a_form() -> None:
    tree = read("(-> x 'y) ; end")
    assert [(start, end, form.kind) for start, end, form in tree.walk()] == [
        (0, 9, Kind.LIST),
        (1, 3, Kind.SYMBOL),
        (4, 5, Kind.SYMBOL),
        (6, 8, Kind.QUOTE),
        (7, 8, Kind.SYMBOL),
        (10, 15, Kind.COMMENT),
    ]
    assert [form.head_name for form in tree.forms] == ["->"]


def test_path_prefers_what_starts() -> None:
    tree = read("(a b)c")
    paths = [[form.text for form in tree.path_at(offset)] for offset in range(7)]
    inner = ["(a b)", "b"]
    assert paths == [["(a b)"], ["(a b)", "a"], ["(a b)", "a"], inner, inner, ["c"], ["c"]]
