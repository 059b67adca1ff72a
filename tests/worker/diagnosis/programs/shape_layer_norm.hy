;; A transformer's feed-forward block whose normalisation has another width.
(import torch torch.nn :as nn)

(setv norm (nn.LayerNorm 64)
; sound: (setv norm (nn.LayerNorm 32)
      widen (nn.Linear 32 128)
      narrow (nn.Linear 128 32))

(defn feed-forward [x]
  (+ x (narrow (torch.relu (widen (norm x))))))
;                                 ^^^^^^^^ mino: shape LayerNorm "x [2 10 32]" 64

(print (. (feed-forward (torch.randn 2 10 32)) shape))
