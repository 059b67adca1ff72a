;; Components that carry their specs: weights and bias disagree on the width.
(require mino.mu * mino.thread * mino.spec *)
(import torch torch.nn :as nn)

(defmu Linear [x
               #^ (spec/tensor [n d]) weights
               #^ (spec/tensor [d]) bias]
  (-> x (@ weights) (+ bias)))

(setv weights (nn.Parameter (torch.randn 10 32)))
(setv bias (nn.Parameter (torch.zeros 64)))
;          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: spec bias "[64]" 32
; sound: (setv bias (nn.Parameter (torch.zeros 32)))
(setv layer (Linear :weights weights :bias bias))
(print (. (layer (torch.randn 4 10)) shape))
