;; A recurrent cell: the weights were made for the hidden size twice.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Cell [x h weights bias]
  (-> (torch.cat [x h] :dim -1)
      (@ weights)
;     ^^^^^^^^^^^ mino: shape "[4 24]" "weights [32 16]" 24 32
      (+ bias)
      torch.tanh))

(setv cell (Cell :weights (nn.Parameter (torch.randn 32 16))
     ; sound: (setv cell (Cell :weights (nn.Parameter (torch.randn 24 16))
                 :bias (nn.Parameter (torch.zeros 16))))
(setv h (torch.zeros 4 16))
(for [x (torch.randn 7 4 8)]
  (setv h (cell x h)))
(print h.shape)
