;; A bias for each example where one for each feature is meant.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Shift [x bias]
  (-> x (+ bias) torch.relu))
;       ^^^^^^^^ mino: shape "x [100 32]" "bias [100]" 32 100

(setv shift (Shift :bias (nn.Parameter (torch.zeros 100))))
; sound: (setv shift (Shift :bias (nn.Parameter (torch.zeros 32))))
(print (. (shift (torch.randn 100 32)) shape))
