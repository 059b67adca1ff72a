;; A sequence classifier: the embedding is narrower than what the LSTM expects.
(require mino.mu *)
(import torch torch.nn :as nn)

(defmu Classifier [tokens embed lstm head]
  (setv [states _] (lstm (embed tokens)))
;                  ^^^^^^^^^^^^^^^^^^^^^ mino: shape LSTM 16 32
  (head (get states #((slice None) -1))))

(setv classifier (Classifier :embed (nn.Embedding 1000 16)
      ; sound: (setv classifier (Classifier :embed (nn.Embedding 1000 32)
                             :lstm (nn.LSTM 32 64 :batch-first True)
                             :head (nn.Linear 64 2)))
(print (. (classifier (torch.randint 0 1000 #(5 7))) shape))
