;; A network that was given one of its two layers.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Network [x hidden output]
  (-> x hidden torch.relu output))

(setv network (Network :hidden (nn.Linear 10 32)))
; sound: (setv network (Network :hidden (nn.Linear 10 32) :output (nn.Linear 32 1)))
(print (network (torch.randn 5 10)))
;      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: missing-component Network output
