;; A padding mask without the dimensions of heads and queries.
(require mino.thread *)
(import torch)

(setv scores (torch.randn 4 8 20 20)
      lengths (torch.tensor [20 11 7 3])
      padding (>= (torch.arange 20) (.unsqueeze lengths 1)))
(setv weights (-> scores
                  (.masked-fill padding (float "-inf"))
;                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: shape "scores [4 8 20 20]" "padding [4 20]" 20 4
                  ; sound: (.masked-fill (.reshape padding 4 1 1 20) (float "-inf"))
                  (.softmax -1)))
(print weights.shape)
