;; Weights as nn.Linear stores them, [out in], multiplied without a transpose.
(import torch)

(defn project [x weights]
  (torch.matmul x weights))
; ^^^^^^^^^^^^^^^^^^^^^^^^ mino: shape "x [32 10]" "weights [64 10]" transpose
  ; sound: (torch.matmul x weights.T))

(setv x (torch.randn 32 10)
      weights (torch.randn 64 10))
(print (. (project x weights) shape))
