;; A data set of sentences of unequal lengths, collated without padding.
(import torch torch.utils.data [DataLoader])

(defn collate [rows]
  (torch.stack (lfor row rows (torch.tensor row))))
; ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: shape "[5]" "[3]"

(setv sentences [[1 2 3 4 5] [6 7 8]])
; sound: (setv sentences [[1 2 3 4 5] [6 7 8 0 0]])
(for [batch (DataLoader sentences :batch-size 2 :collate-fn collate)]
  (print batch.shape))
