;; A function that torch does not have.
(require mino.mu * mino.thread *)
(import torch)

(defmu Activate [x]
  (-> x (* 2) torch.sigmod))
;             ^^^^^^^^^^^^ mino: attribute sigmod sigmoid
  ; sound: (-> x (* 2) torch.sigmoid))

(print ((Activate) (torch.randn 3)))
