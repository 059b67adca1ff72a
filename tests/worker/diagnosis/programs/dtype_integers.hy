;; Whole numbers from a range, multiplied with weights of floats.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Line [x slope offset]
  (-> x (@ slope) (+ offset)))
;       ^^^^^^^^^ mino: dtype "x [10 1] int64" "slope [1 1] float32"

(setv line (Line :slope (nn.Parameter (torch.randn 1 1))
                 :offset (nn.Parameter (torch.zeros 1))))
(setv x (.reshape (torch.arange 10) 10 1))
; sound: (setv x (.reshape (torch.arange 10.0) 10 1))
(print (. (line x) shape))
