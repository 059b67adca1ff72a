"Specs: what has to hold of models, tensors and other values; checked, explained, and generated from."

(import mino [check importing specforms])

(importing.install)

;; Registering

(defmacro spec/def [_hy_compiler #* forms]
  "Registers specs under keywords. A spec is a keyword, a predicate, a class, a set, or a form of specs::

      (spec/def :tensor (fn [x] (isinstance x torch.Tensor))
                :rank2 (fn [x] (-> x .size len (= 2)))
                :matrix (spec/and :tensor :rank2))"
  (specforms.define _hy_compiler forms))

(defmacro spec/undef [_hy_compiler #* forms]
  "Removes specs and their generators from the registry: `(spec/undef :matrix)`."
  (specforms.keywords _hy_compiler "undefine" forms))

(defmacro spec/registry [_hy_compiler #* forms]
  "Every registered spec by its keyword, as a mapping; or the spec of one keyword: `(spec/registry :matrix)`."
  (specforms.keywords _hy_compiler "registered" forms))

(defmacro spec/defgen [_hy_compiler #* forms]
  "Registers the generator of a spec; what it makes is checked against the spec::

      (spec/defgen :matrix [n m] (torch.randn n m))"
  (specforms.define-generator _hy_compiler forms))

(defmacro spec/defun [_hy_compiler #* forms]
  "Registers the specs of a function's arguments and result, checked while it is instrumented::

      (spec/defun linear
        :args (spec/cat :x (spec/tensor [b n]) :w (spec/tensor [n m]))
        :ret (spec/tensor [b m])
        :fn (fn [call] (is (. (:ret call) dtype) (. (:x (:args call)) dtype))))

  With a list of parameters after the name, and a body after the specs, it defines the function too."
  (specforms.define-function _hy_compiler forms))

;; Combining

(defmacro spec/and [_hy_compiler #* forms]
  "Values that conform to all of the specs, checked in order up to the first failure."
  (specforms.combination _hy_compiler "and-" forms))

(defmacro spec/or [_hy_compiler #* forms]
  "Values that conform to one of the specs: `(spec/or :size int :sizes :shape)` conforms to `#(:size 3)`.

  Plain specs, without tags, conform a value to itself: `(spec/or :matrix :vector :scalar)`. Two forms are two specs."
  (specforms.alternatives _hy_compiler forms))

(defmacro spec/not [_hy_compiler #* forms]
  "Values that do not conform."
  (specforms.combination _hy_compiler "not-" forms 1 1))

(defmacro spec/nand [_hy_compiler #* forms]
  "Values that do not conform to all of the specs."
  (specforms.combination _hy_compiler "nand" forms))

(defmacro spec/nilable [_hy_compiler #* forms]
  "None, and values that conform."
  (specforms.combination _hy_compiler "nilable" forms 1 1))

(defmacro spec/enum [_hy_compiler #* values]
  "One of the values: `(spec/enum \"relu\" \"tanh\")`."
  (specforms.enumeration _hy_compiler values))

(defmacro spec/coll-of [_hy_compiler #* forms]
  "Collections whose items conform: `(spec/coll-of :Linear :min-count 1)`.

  Options: `:kind` (a class or a predicate), `:count`, `:min-count`, `:max-count`, `:distinct`."
  (specforms.collection _hy_compiler "coll-of" 1 forms))

(defmacro spec/dict-of [_hy_compiler #* forms]
  "Mappings whose keys and values conform: `(spec/dict-of str :Linear)`.

  Options: `:kind`, `:count`, `:min-count`, `:max-count`."
  (specforms.collection _hy_compiler "dict-of" 2 forms))

(defmacro spec/keys [_hy_compiler #* forms]
  "Mappings with these keys, and objects with these attributes: `(spec/keys lr :rate momentum float)`.

  As in Clojure, `:req [:adam/lr]` names keys that are specs too, `:req-un` those whose key is what follows the `/`,
  and `:opt` and `:opt-un` keys that may be missing."
  (specforms.keys _hy_compiler forms))

(defmacro spec/tuple [_hy_compiler #* forms]
  "Sequences of exactly these items: `(spec/tuple int int)`."
  (specforms.combination _hy_compiler "tuple-" forms 0))

(defmacro spec/cat [_hy_compiler #* forms]
  "Sequences of named items: `(spec/cat :x :matrix :n int)` conforms to `{\"x\" … \"n\" …}`.

  A `spec/cat` in it takes its items from the same sequence."
  (specforms.tagged _hy_compiler "cat" forms))

;; Tensors and modules

(defmacro spec/tensor [_hy_compiler #* forms]
  "Tensors by shape, dtype, device: `(spec/tensor [batch 10 …] :dtype :float)`.

  An axis is a size, a name, which has one size throughout a check, `_` for any size, `…` for any number of axes,
  or `~expression` for a size that is computed. Options: `:dtype` (a dtype, a kind of `:float` `:int` `:bool`
  `:complex` `:number`, or a list), `:device`, `:requires-grad`, `:min`, `:max`, `:finite`."
  (specforms.tensor _hy_compiler forms))

(defmacro spec/parameters [_hy_compiler #* forms]
  "Modules whose parameters conform: `(spec/parameters weights :matrix bias :vector)`."
  (specforms.held _hy_compiler "parameters" forms))

(defmacro spec/modules [_hy_compiler #* forms]
  "Modules whose sub-modules conform: `(spec/modules linear-to-hidden :Linear)`."
  (specforms.held _hy_compiler "modules" forms))

(defmacro spec/buffers [_hy_compiler #* forms]
  "Modules whose buffers conform: `(spec/buffers running-mean :vector)`."
  (specforms.held _hy_compiler "buffers" forms))

(defmacro spec/components [_hy_compiler #* forms]
  "Modules whose components conform, be they parameters, buffers, modules or attributes."
  (specforms.held _hy_compiler "components" forms))

(defmacro spec/module [_hy_compiler #* forms]
  "Modules of a class, by their attributes: `(spec/module torch.nn.Linear :in-features 10 :bias None)`."
  (specforms.module _hy_compiler forms))

;; Using

(defmacro spec/valid? [_hy_compiler #* forms]
  "Whether a value conforms: `(spec/valid? :matrix x)`."
  (specforms.use _hy_compiler "valid" forms))

(defmacro spec/conform [_hy_compiler #* forms]
  "The value as its spec conforms it: `(spec/conform :matrix x)`. Raises SpecError with every problem."
  (specforms.use _hy_compiler "conform" forms))

(defmacro spec/explain [_hy_compiler #* forms]
  "Prints what about a value does not conform: `(spec/explain :matrix x)`. In colour on a terminal."
  (specforms.use _hy_compiler "explain" forms))

(defmacro spec/explain-data [_hy_compiler #* forms]
  "The problems of a value, a tuple of data, empty if it conforms: `(spec/explain-data :matrix x)`."
  (specforms.use _hy_compiler "explain-data" forms))

(defmacro spec/assert [_hy_compiler #* forms]
  "The value, which is checked while assertions are on: `(spec/assert :matrix x)`. Raises SpecError."
  (specforms.assertion _hy_compiler forms))

(defmacro spec/check-asserts [#* on]
  "Switches assertions on or off, `(spec/check-asserts True)`; whether they are on, `(spec/check-asserts)`."
  `(_mino_check.check-asserts ~@on))

(defmacro spec/form [_hy_compiler #* forms]
  "The form that makes a spec; of a keyword, of what is registered under it: `(spec/form :matrix)`."
  (specforms.use _hy_compiler "form" forms 1))

(defmacro spec/describe [_hy_compiler #* forms]
  "The form of a spec with its predicates shown by what they compute: `(spec/describe :matrix)`."
  (specforms.use _hy_compiler "describe" forms 1))

(defmacro spec/gen [_hy_compiler #* forms]
  "A value of a spec, from its generator or made by construction: `(spec/gen :matrix 2 3)`.

  What is made is checked, and SpecError raised if it does not conform. `:seed 0` makes it repeatable."
  (specforms.use _hy_compiler "generate" forms None))

(defmacro spec/exercise [_hy_compiler #* forms]
  "Calls a function on ten lots of generated arguments and checks the results: `(spec/exercise linear)`.

  Gives pairs of arguments and result; of a spec, pairs of a value and what it conforms to. `(spec/exercise linear 3
  :seed 0)` makes three, repeatably."
  (specforms.passed _hy_compiler "exercise" forms 1))

(defmacro spec/instrument [_hy_compiler #* forms]
  "Checks calls from now on, of all that has specs of its calls, or by function, class, name or pattern::

      (spec/instrument linear \"layers.*\")

  Gives the names; in `with` the checks end with the block."
  (specforms.passed _hy_compiler "instrument" forms))

(defmacro spec/unstrument [_hy_compiler #* forms]
  "Ends what `spec/instrument` began, of all or by name: `(spec/unstrument linear)`."
  (specforms.passed _hy_compiler "unstrument" forms))

;; Code as data

(defmacro spec/search [_hy_compiler #* forms]
  "The sub-forms of a quoted form, or of a mu's form, that conform: `(spec/search :relu '(+ x (F.relu y)))`."
  (specforms.use _hy_compiler "search" forms None))

(defmacro spec/replace [_hy_compiler #* forms]
  "The form with sub-forms that conform replaced, by a form or by a function of each::

      (spec/replace :relu '(+ x (F.relu y)) '(F.gelu y))"
  (specforms.use _hy_compiler "replace" forms None))

(export :objects [] :macros [spec/def spec/undef spec/registry spec/defgen spec/defun
                             spec/and spec/or spec/not spec/nand spec/nilable spec/enum
                             spec/coll-of spec/dict-of spec/keys spec/tuple spec/cat
                             spec/tensor spec/parameters spec/modules spec/buffers spec/components spec/module
                             spec/valid? spec/conform spec/explain spec/explain-data
                             spec/assert spec/check-asserts spec/form spec/describe spec/gen spec/exercise
                             spec/instrument spec/unstrument spec/search spec/replace])
