;; Queries of a whole batch against the keys of half of it.
(import torch)

(setv queries (torch.randn 8 10 64)
      keys (torch.randn 4 12 64))
      ; sound: keys (torch.randn 8 12 64))
(setv scores (torch.bmm queries (.transpose keys 1 2)))
;            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: shape "queries [8 10 64]" "[4 64 12]" 8 4
(print scores.shape)
