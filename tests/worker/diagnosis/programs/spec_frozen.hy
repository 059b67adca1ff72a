;; Weights that were not made parameters cannot be learnt.
(require mino.mu * mino.thread * mino.spec *)
(import torch torch.nn :as nn)

(spec/check-asserts True)
(spec/def :learnable (fn [x] x.requires_grad)
          :Learnt (spec/components scale :learnable))

(defmu Scale [x scale]
  (-> x (* scale)))

(setv scale (torch.ones 32))
;           ^^^^^^^^^^^^^^^ mino: spec scale :learnable "[32]"
; sound: (setv scale (nn.Parameter (torch.ones 32)))
(spec/assert :Learnt (Scale :scale scale))
(print (. ((Scale :scale scale) (torch.randn 4 32)) shape) nn.__name__)
