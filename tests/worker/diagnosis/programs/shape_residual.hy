;; A residual connection around a layer that changes the width.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Residual [x inner]
  (-> x inner torch.relu (+ x)))
;                        ^^^^^ mino: shape "[4 64]" "x [4 32]" 64 32

(setv block (Residual :inner (nn.Linear 32 64)))
; sound: (setv block (Residual :inner (nn.Linear 32 32)))
(print (. (block (torch.randn 4 32)) shape))
