;; Predictions [100 1] against targets [100]: every prediction meets every target.
(import torch torch.nn :as nn torch.nn.functional :as F torch.optim [Adam])

(setv model (nn.Linear 10 1)
      optimizer (Adam (.parameters model) :lr 1e-3)
      x (torch.randn 100 10)
      y (torch.randn 100))
      ; sound: y (torch.randn 100 1))
(for [epoch (range 5)]
  (setv loss (F.mse-loss (model x) y))
;            ^^^^^^^^^^^^^^^^^^^^^^^^ mino: warning "[100 1]" "y [100]" "[100 100]"
  (.zero-grad optimizer)
  (.backward loss)
  (.step optimizer))
