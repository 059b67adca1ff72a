;; An embedding bag over texts of different lengths, with a collate function.
(require mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F
        torch.utils.data [DataLoader])

(setv reviews [#("a good film" 1) #("bad plot and bad cast" 0) #("good cast" 1) #("a film" 0)]
      words (sorted (sfor #(text _) reviews word (.split text) word))
      index (dfor [i word] (enumerate words) word i))

(defn collate [batch]
  (setv codes (lfor #(text _) batch (torch.tensor (lfor word (.split text) (get index word))))
        offsets (-> (torch.tensor [0 #* (map len (cut codes 0 -1))]) (.cumsum 0))
        labels (torch.tensor (lfor #(_ label) batch label)))
  #((torch.cat codes) offsets labels))

(defclass Bag [nn.Module]
  (defn __init__ [self]
    (.__init__ (super))
    (setv self.bag (nn.EmbeddingBag (len words) 5 :mode "mean")
          self.head (nn.Linear 5 2)))
  (defn forward [self tokens offsets]
    (self.head (self.bag tokens offsets))))

(setv model (Bag)
      optimizer (torch.optim.SGD (.parameters model) :lr 1.0 :momentum 0.9))
(for [#(tokens offsets labels) (DataLoader reviews :batch-size 2 :collate-fn collate)]
  (setv loss (F.cross-entropy (model tokens offsets) labels))
  (.zero-grad optimizer)
  (.backward loss)
  (.step optimizer))
(print (.item loss))
