;; The model was moved to the accelerator, the data was not.
(import torch torch.nn :as nn)

(setv device "cuda")
(setv model (.to (nn.Linear 10 2) device))
(setv x (torch.randn 5 10))
; sound: (setv x (torch.randn 5 10 :device device))
(print (. (model x) shape))
;         ^^^^^^^^^ mino: device "x [5 10]" cpu cuda
