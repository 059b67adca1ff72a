;; A bidirectional GRU over packed sequences of different lengths, tagging each token.
(import torch
        torch.nn :as nn
        torch.nn.functional :as F
        torch.nn.utils.rnn [pad-sequence pack-padded-sequence pad-packed-sequence])

(defclass Tagger [nn.Module]
  (defn __init__ [self words tags [width 8]]
    (.__init__ (super))
    (setv self.embed (nn.Embedding words width :padding-idx 0)
          self.gru (nn.GRU width width :bidirectional True :batch-first True)
          self.head (nn.Linear (* 2 width) tags)))
  (defn forward [self sentences lengths]
    (setv packed (pack-padded-sequence (self.embed sentences) lengths :batch-first True :enforce-sorted False)
          #(packed final) (self.gru packed)
          #(states _) (pad-packed-sequence packed :batch-first True))
    (self.head states)))

(torch.manual-seed 0)
(setv raw (lfor n [5 3 7] (torch.randint 1 20 #(n)))
      lengths (torch.tensor (list (map len raw)))
      sentences (pad-sequence raw :batch-first True)
      tags (torch.where (= sentences 0) -100 (% sentences 4))
      tagger (Tagger 20 4))
(for [step (range 2)]
  (setv scores (tagger sentences lengths)
        loss (F.cross-entropy (.transpose scores 1 2) tags :ignore-index -100))
  (.backward loss))
(print (lfor [row n] (zip (.argmax scores -1) lengths) (.tolist (cut row 0 n))))
