;; Torch's own attention, with queries of another width than it was made for.
(import torch torch.nn :as nn)

(setv attention (nn.MultiheadAttention 64 8 :batch-first True))
(setv states (torch.randn 2 10 48))
; sound: (setv states (torch.randn 2 10 64))
(setv [out weights] (attention states states states))
;                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: shape MultiheadAttention "states [2 10 48]" 64 48
(print out.shape weights.shape)
