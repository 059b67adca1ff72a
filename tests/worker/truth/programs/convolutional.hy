;; A convolutional network of plain torch layers, with a loader and an evaluation in no-grad.
(import torch
        torch.nn :as nn
        torch.nn.functional :as F
        torch.utils.data [DataLoader TensorDataset])

(defclass Net [nn.Module]
  (defn __init__ [self [classes 10]]
    (.__init__ (super))
    (setv self.conv1 (nn.Conv2d 1 4 3 :padding 1)
          self.conv2 (nn.Conv2d 4 8 3 :stride 2)
          self.norm (nn.BatchNorm2d 8)
          self.dropout (nn.Dropout 0.1)
          self.head (nn.Linear (* 8 3 3) classes)))
  (defn forward [self x]
    (setv x (F.relu (self.conv1 x))
          x (F.max-pool2d x 2)
          x (F.relu (self.norm (self.conv2 x))))
    (self.head (self.dropout (torch.flatten x 1)))))

(defn epoch [model loader [optimizer None]]
  (setv total 0.0  right 0)
  (for [#(images labels) loader]
    (setv logits (model images)
          loss (F.cross-entropy logits labels))
    (when (is-not optimizer None)
      (.zero-grad optimizer)
      (.backward loss)
      (.step optimizer))
    (+= total (.item loss))
    (+= right (int (.sum (= (.argmax logits :dim 1) labels)))))
  #((/ total (len loader)) right))

(torch.manual-seed 0)
(setv data (TensorDataset (torch.randn 24 1 14 14) (torch.randint 0 10 #(24)))
      loader (DataLoader data :batch-size 8 :shuffle True)
      model (Net)
      optimizer (torch.optim.AdamW (.parameters model) :lr 1e-3))
(for [_ (range 2)]
  (.train model)
  (setv [loss right] (epoch model loader optimizer))
  (.eval model)
  (with [_ (torch.no-grad)]
    (setv [held-out _] (epoch model loader))))
(print loss held-out right)
