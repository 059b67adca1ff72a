"PyTorch modules as lambda expressions: mu, defmu and bind."

(import mino [importing procedure indexing])

(importing.install)

(defmacro defmu [_hy_compiler #* forms]
  "Defines a `torch.nn.Module` class whose forward procedure is the body.

  The list names its components, in the order in which a call takes them. A component is given by a call, or is
  bound before by keyword; an optional string before the body documents the class::

      (defmu Linear [x weights bias]
        \"A linear transformation.\"
        (-> x (@ weights) (+ bias)))

      (setv linear (Linear :weights (torch.nn.Parameter (torch.randn 10 32))
                           :bias (torch.zeros 32)))
      (linear x)
      (linear x :bias other)"
  (procedure.defmu _hy_compiler forms))

(defmacro mu [_hy_compiler #* forms]
  "An anonymous mu, with nothing bound: `(mu [component…] body…)`::

      ((mu [x w b] (-> x (@ w) (+ b))) my-x my-w my-b)"
  (procedure.mu _hy_compiler forms))

(defmacro bind [_hy_compiler #* forms]
  "A new mu with these components bound too; what was bound stays, and `m` is unchanged::

      (bind m :w (torch.nn.Parameter (torch.randn 10 32)))"
  (procedure.bind _hy_compiler forms))

(defmacro mino/apply [_hy_compiler #* forms]
  "A map-style `torch.utils.data.Dataset`: `(function (get items i))` at index `i`::

      (mino/apply (range 10) (fn [i] (torch.full #(3) i)))"
  (procedure.apply _hy_compiler forms))

(defmacro mino/live [#* forms]
  "Nothing, in a run. In an editor's preview, the forms are evaluated where they stand, apart from all that follows:
  the place to give a model an example input::

      (mino/live ((Linear) (torch.randn 5 10) (torch.randn 10 3) (torch.zeros 3)))"
  None)

(defmacro geta [_hy_compiler #* forms]
  "Indexes along several axes: `(geta x [:] [1] [a :] [a b c])` is Python's `x[:, 1, a:, a:b:c]`.

  A list with one form is an index, one with `:` or with several forms a slice; `...` and `None` pass through."
  (indexing.expansion _hy_compiler forms))

(export :objects [] :macros [defmu mu bind mino/apply mino/live geta])
