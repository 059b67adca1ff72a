;; torch's own transformer encoder as a classifier of sequences with padding.
(import torch torch.nn :as nn torch.nn.functional :as F)
(import math)

(defn positions [length width]
  (setv place (.unsqueeze (.float (torch.arange length)) 1)
        rate (torch.exp (* (.float (torch.arange 0 width 2)) (/ (- (math.log 10000.0)) width)))
        table (torch.zeros length width))
  (setv (get table #((slice None) (slice 0 None 2))) (torch.sin (* place rate))
        (get table #((slice None) (slice 1 None 2))) (torch.cos (* place rate)))
  table)

(defclass Classifier [nn.Module]
  (defn __init__ [self vocabulary width classes]
    (.__init__ (super))
    (setv self.embed (nn.Embedding vocabulary width)
          layer (nn.TransformerEncoderLayer width 2 :dim-feedforward 32 :batch-first True :dropout 0.0)
          self.encoder (nn.TransformerEncoder layer :num-layers 2 :enable-nested-tensor False)
          self.head (nn.Linear width classes))
    (.register-buffer self "table" (positions 32 width)))
  (defn forward [self tokens]
    (setv padding (= tokens 0)
          x (+ (self.embed tokens) (cut self.table 0 (.size tokens 1)))
          x (self.encoder x :src-key-padding-mask padding)
          kept (.unsqueeze (bnot padding) -1))
    (self.head (/ (.sum (* x kept) 1) (.sum kept 1)))))

(setv tokens (torch.tensor [[5 2 9 0 0] [1 3 3 7 2] [4 0 0 0 0]])
      model (Classifier 10 8 3)
      loss (F.cross-entropy (model tokens) (torch.tensor [0 1 2]) :label-smoothing 0.1))
(.backward loss)
(.eval model)
(with [_ (torch.inference-mode)]
  (setv prediction (.argmax (model tokens) -1)))
(print (.item loss) prediction)
