; SYNTAX TEST "source.hy" "definitions, heads and brackets"

(require mino.mu *
;^^^^^^^ keyword.control.import.hy
         hyrule [defmain])
(defmu LinearTransformation [x weights bias]
;^^^^^ storage.type.mu.hy
;      ^^^^^^^^^^^^^^^^^^^^ entity.name.type.mu.hy
  (-> x (@ weights) (+ bias)))
;  ^^ keyword.control.threading.hy
;        ^ keyword.operator.hy
;          ^^^^^^^ variable.other.hy
(spec/def :rank1 (fn [x] (-> x .size len (= 1)))
;^^^^^^^^ storage.type.spec.hy
;         ^^^^^^ entity.name.tag.spec.hy
;                 ^^ storage.type.function.hy
          :rank2 (fn [x] True))
;         ^^^^^^ constant.other.keyword.hy
;                        ^^^^ constant.language.hy
(spec/defgen :LearnableLinear [f-in f-out] 1)
;^^^^^^^^^^^ storage.type.spec.hy
;            ^^^^^^^^^^^^^^^^ entity.name.tag.spec.hy
(defn :async fetch-all [#* urls #** options] None)
;^^^^ storage.type.function.hy
;     ^^^^^^ storage.modifier.async.hy
;            ^^^^^^^^^ entity.name.function.hy
;                       ^^ keyword.operator.unpack.hy
;                               ^^^ keyword.operator.unpack.hy
(defn predict? [model] (model.linear-to-hidden 1))
;     ^^^^^^^^ entity.name.function.hy
;                       ^^^^^^^^^^^^^^^^^^^^^^ entity.name.function.call.hy
(defn [decorated] plain [] 1)
;     ^ punctuation.section.vector.begin.hy
(defclass Net [nn.Module] 1)
;^^^^^^^^ storage.type.class.hy
;         ^^^ entity.name.type.class.hy
(defmain [#* _] 1)
;^^^^^^^ storage.type.function.hy
;            ^ variable.language.hy
(if (in a b) (setv x 1) (spec/valid? :rank1 x))
;^^ keyword.control.hy
;    ^^ keyword.control.hy
;             ^^^^ keyword.other.binding.hy
;                        ^^^^^^^^^^^ support.function.mino.hy
(iffy 1)
;^^^^ entity.name.function.call.hy
`(do ~x ~@body 'y)
; <- keyword.operator.quote.hy
;    ^ keyword.operator.quote.hy
;       ^^ keyword.operator.quote.hy
;              ^ keyword.operator.quote.hy
#(1 [2 {3 4}] #{5})
; <- punctuation.section.tuple.begin.hy
;   ^ punctuation.section.vector.begin.hy
;      ^ punctuation.section.dict.begin.hy
;             ^^ punctuation.section.dict.begin.hy
(f #^ int x #mymacro 1)
;  ^^ keyword.operator.annotation.hy
;           ^^^^^^^^ entity.name.function.reader.hy
