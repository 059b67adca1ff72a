"Threading macros: the value of each form is handed to the next."

(import mino [importing steps])

(importing.install)

(defmacro -> [_hy_compiler #* forms]
  "Threads a value through steps, as the *first* argument of each.

  A step is a name, which is called with the value, or a form, into which the value is put::

      (-> x (@ weights) (+ bias))   ; (+ (@ x weights) bias)
      (-> x torch.sigmoid .size)    ; (.size (torch.sigmoid x))"
  (steps.simple _hy_compiler "->" forms))

(defmacro ->> [_hy_compiler #* forms]
  "Threads a value through steps, as the *last* argument of each::

      (->> xs (map f) (filter g) list)   ; (list (filter g (map f xs)))"
  (steps.simple _hy_compiler "->>" forms))

(defmacro *-> [_hy_compiler #* forms]
  "Broadcasts: a list spreads as the first arguments of the next step; a value before a list is given to each.

  What is given to several steps is evaluated once::

      (*-> [x y] +)        ; (+ x y)
      (*-> x [inc dec])    ; [(inc x) (dec x)]
      (*-> x [f g] +)      ; (+ (f x) (g x))"
  (steps.broadcast _hy_compiler "*->" forms))

(defmacro *->> [_hy_compiler #* forms]
  "Broadcasts as `*->` does, into the *last* places::

      (*->> [x y] (f a))   ; (f a x y)"
  (steps.broadcast _hy_compiler "*->>" forms))

(defmacro |-> [_hy_compiler #* forms]
  "Threads lists in parallel, branch by branch; a single step after a list goes along each branch::

      (|-> [x y] [inc dec])     ; [(inc x) (dec y)]
      (|-> [x y] (f a) [g h])   ; [(g (f x a)) (h (f y a))]

  A value before a list is given to each branch. All lists of a thread have one width."
  (steps.inline _hy_compiler "|->" forms))

(defmacro |->> [_hy_compiler #* forms]
  "Threads lists in parallel as `|->` does, into the *last* places::

      (|->> [x y] [(f a) g])   ; [(f a x) (g y)]"
  (steps.inline _hy_compiler "|->>" forms))

(defmacro =-> [_hy_compiler #* forms]
  "Threads as `->` does, and stores each step in one fresh variable, so that no call is nested in another."
  (steps.set-thread _hy_compiler "=->" forms))

(defmacro =->> [_hy_compiler #* forms]
  "Threads as `->>` does, and stores each step in one fresh variable, so that no call is nested in another."
  (steps.set-thread _hy_compiler "=->>" forms))

(defmacro cond-> [_hy_compiler #* forms]
  "Threads a value through the steps whose tests hold; each test is independent of the others::

      (cond-> x  train? dropout  norm (norm 1))

  A step whose test is false is passed over."
  (steps.conditional _hy_compiler "cond->" forms))

(defmacro cond->> [_hy_compiler #* forms]
  "Threads as `cond->` does, into the *last* places."
  (steps.conditional _hy_compiler "cond->>" forms))

(export :objects [] :macros [-> ->> *-> *->> |-> |->> =-> =->> cond-> cond->>])
