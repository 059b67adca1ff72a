;; Logits of a whole batch, labels of half of it.
(import torch torch.nn :as nn torch.nn.functional :as F torch.optim [SGD])

(setv model (nn.Linear 20 10)
      optimizer (SGD (.parameters model) :lr 0.1)
      inputs (torch.randn 16 20)
      labels (torch.randint 0 10 #(8)))
      ; sound: labels (torch.randint 0 10 #(16)))
(for [epoch (range 3)]
  (setv loss (F.cross-entropy (model inputs) labels))
;            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: shape "[16 10]" "labels [8]" 16 8
  (.zero-grad optimizer)
  (.backward loss)
  (.step optimizer))
