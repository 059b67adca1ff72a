;; An embedding wants whole numbers.
(import torch torch.nn :as nn)

(setv embed (nn.Embedding 50 8))
(setv tokens (torch.zeros 4 6))
; sound: (setv tokens (torch.zeros 4 6 :dtype torch.long))
(print (. (embed tokens) shape))
;         ^^^^^^^^^^^^^^ mino: dtype Embedding "tokens [4 6] float32" int64
