;; A learnable linear layer by its spec: the bias has a rank too many.
(require mino.mu * mino.thread * mino.spec *)
(import torch torch.nn :as nn)

(spec/def :learnable (fn [x] x.requires_grad)
          :rank1 (fn [x] (= (len x.shape) 1))
          :rank2 (fn [x] (= (len x.shape) 2)))

(defmu Linear [x weights bias]
  (-> x (@ weights) (+ bias)))

(spec/def :Layer (spec/parameters weights (spec/and :learnable :rank2)
                                  bias (spec/and :learnable :rank1)))

(spec/defgen :Layer [f-in f-out]
  (Linear :weights (nn.Parameter (torch.randn f-in f-out))
          :bias (nn.Parameter (torch.zeros 1 f-out))))
          ; sound: :bias (nn.Parameter (torch.zeros f-out))))
;               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: spec bias :rank1 "[1 32]"

(print (. ((spec/gen :Layer 10 32) (torch.randn 4 10)) shape))
