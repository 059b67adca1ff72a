;; Class labels that are floats.
(import torch torch.nn :as nn torch.nn.functional :as F)

(setv model (nn.Sequential (nn.Linear 4 16) (nn.Tanh) (nn.Linear 16 3)))
(setv labels (torch.tensor [0.0 1.0 2.0 1.0 0.0]))
; sound: (setv labels (torch.tensor [0 1 2 1 0]))
(setv loss (F.cross-entropy (model (torch.randn 5 4)) labels))
;          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: dtype "labels [5] float32" int64
(.backward loss)
