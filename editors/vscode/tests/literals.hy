; SYNTAX TEST "source.hy" "strings, numbers, comments, discarded forms"

(print "a\n(b) ; c" 1)
;      ^ punctuation.definition.string.begin.hy
;        ^^ constant.character.escape.hy
;          ^^^^^^^ string.quoted.double.hy
;                   ^ constant.numeric.hy
(print r"\d" b"x\x00" rb"\d")
;      ^ storage.type.string.hy
;       ^^^ string.quoted.double.raw.hy
;            ^ storage.type.string.hy
;               ^^^^ constant.character.escape.hy
(print f"{{no}} {(+ 1 x) :.2f} {y}" z)
;        ^^ constant.character.escape.hy
;                 ^ keyword.operator.hy
;                        ^^^^ constant.other.placeholder.hy
;                               ^ variable.other.hy
;                                   ^ variable.other.hy
(print #[[a "b" ] (c]] d)
;      ^^^^^^^^^^^^^^^ string.quoted.other.bracket.hy
;                      ^ variable.other.hy
(print #[end[a ]] b]end] #[f-x[{y}]f-x])
;      ^^^^^^^^^^^^^^^^^ string.quoted.other.bracket.hy
;                               ^ string.interpolated.bracket.hy variable.other.hy
[1 -2.5 1e-5 0xFF 1_000 1,000 3j 1.5+2j NaN ...]
; <~- constant.numeric.hy
;  ^^^^ constant.numeric.hy
;       ^^^^ constant.numeric.hy
;            ^^^^ constant.numeric.hy
;                 ^^^^^ constant.numeric.hy
;                       ^^^^^ constant.numeric.hy
;                             ^^ constant.numeric.hy
;                                ^^^^^^ constant.numeric.hy
;                                       ^^^ constant.language.hy
;                                           ^^^ constant.language.hy
[:a-b :c x1 1x - +]
;^^^^ constant.other.keyword.hy
;        ^^ variable.other.hy
;           ^^ variable.other.hy
;              ^ variable.other.hy
(f #_(g "x)" [1]) h #_ i j)
;  ^^^^^^^^^^^^^^ comment.block.discard.hy
;                 ^ variable.other.hy
;                   ^^^^ comment.block.discard.hy
;                        ^ variable.other.hy
(f) ; said (so
;   ^^^^^^^^^^ comment.line.semicolon.hy
