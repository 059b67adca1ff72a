;; A vocabulary of a hundred words, and one word more.
(import torch torch.nn :as nn)

(setv embed (nn.Embedding 100 16)
      tokens (torch.tensor [[3 14 100] [9 26 53]]))
      ; sound: tokens (torch.tensor [[3 14 99] [9 26 53]]))
(print (. (embed tokens) shape))
;         ^^^^^^^^^^^^^^ mino: shape Embedding "tokens [2 3]" 100
