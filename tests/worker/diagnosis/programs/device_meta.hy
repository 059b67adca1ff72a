;; A model that was laid out without memory, and one part of it that never got any.
(import torch torch.nn :as nn)

(setv layout (torch.device "meta"))
(setv positions (nn.Parameter (torch.zeros 20 32 :device layout)))
; sound: (setv positions (nn.Parameter (torch.zeros 20 32)))
(setv embed (nn.Embedding 100 32))
(defn encode [tokens]
  (+ (embed tokens) positions))
; ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: device "[3 20 32]" "positions [20 32]" meta cpu
(print (. (encode (torch.zeros 3 20 :dtype torch.long)) device))
