;; A loss for each example, and no mean over them.
(import torch torch.nn :as nn torch.optim [Adam])

(setv model (nn.Linear 5 1)
      optimizer (Adam (.parameters model))
      x (torch.randn 12 5)
      y (torch.randn 12 1))
(for [step (range 2)]
  (setv loss (** (- (model x) y) 2))
  ; sound: (setv loss (.mean (** (- (model x) y) 2)))
  (.zero-grad optimizer)
  (.backward loss)
; ^^^^^^^^^^^^^^^^ mino: shape "loss [12 1]" scalar
  (.step optimizer))
