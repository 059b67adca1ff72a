"Specs: predicates of models and their components, named, combined, checked, and generated from."

(import mino [importing specforms])

(importing.install)

(defmacro spec/def [_hy_compiler #* forms]
  "Registers specs under keywords. A spec is a keyword, a predicate, or a form of them::

      (spec/def :tensor (fn [x] (isinstance x torch.Tensor))
                :rank2 (fn [x] (-> x .size len (= 2)))
                :matrix (spec/and :tensor :rank2))"
  (specforms.define _hy_compiler forms))

(defmacro spec/defgen [_hy_compiler #* forms]
  "Registers the generator of a spec; what it makes is checked against the spec::

      (spec/defgen :matrix [n m] (torch.randn n m))"
  (specforms.define-generator _hy_compiler forms))

(defmacro spec/gen [_hy_compiler #* forms]
  "A value from the generator of a spec: `(spec/gen :matrix 2 3)`. Raises SpecError when it does not conform."
  (specforms.use _hy_compiler "generate" forms))

(defmacro spec/and [_hy_compiler #* forms]
  "Values that conform to all of the specs, checked in order up to the first failure."
  (specforms.combination _hy_compiler "both" forms))

(defmacro spec/parameters [_hy_compiler #* forms]
  "Modules whose parameters conform: `(spec/parameters weights :matrix bias :vector)`."
  (specforms.held _hy_compiler "parameters" forms))

(defmacro spec/modules [_hy_compiler #* forms]
  "Modules whose sub-modules conform: `(spec/modules linear-to-hidden :Linear)`."
  (specforms.held _hy_compiler "modules" forms))

(defmacro spec/conform [_hy_compiler #* forms]
  "The value as its spec conforms it: `(spec/conform :matrix x)`. Raises SpecError with every problem."
  (specforms.use _hy_compiler "conform" forms))

(defmacro spec/valid? [_hy_compiler #* forms]
  "Whether a value conforms: `(spec/valid? :matrix x)`."
  (specforms.use _hy_compiler "valid" forms))

(export :objects [] :macros [spec/def spec/defgen spec/gen spec/and spec/parameters spec/modules
                             spec/conform spec/valid?])
