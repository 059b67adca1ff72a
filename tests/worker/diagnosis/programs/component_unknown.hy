;; A component by another name.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Gate [x weights]
  (-> x (@ weights) torch.sigmoid))

(setv gate (Gate :wieghts (nn.Parameter (torch.randn 8 8))))
;                ^^^^^^^^ mino: unknown-component wieghts weights
; sound: (setv gate (Gate :weights (nn.Parameter (torch.randn 8 8))))
(print (. (gate (torch.randn 2 8)) shape))
