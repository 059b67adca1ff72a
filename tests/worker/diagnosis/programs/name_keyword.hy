;; An argument that a function of torch's does not take.
(import torch torch.nn.functional :as F)

(defn drop [x]
  (F.dropout x :prob 0.5))
; ^^^^^^^^^^^^^^^^^^^^^^^ mino: unknown-argument prob
  ; sound: (F.dropout x :p 0.5))

(print (. (drop (torch.randn 4 4)) shape))
