;; Grey images for a network that expects colours.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Block [x conv norm]
  (-> x conv norm torch.relu))
;       ^^^^ mino: shape "[8 1 32 32]" "3 channels" "1"

(setv block (Block :conv (nn.Conv2d 3 16 3 :padding 1)
                   :norm (nn.BatchNorm2d 16)))
(setv images (torch.randn 8 1 32 32))
; sound: (setv images (torch.randn 8 3 32 32))
(print (. (block images) shape))
