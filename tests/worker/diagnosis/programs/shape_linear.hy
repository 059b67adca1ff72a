;; A linear transformation as a mu; its weights do not fit the data.
(require mino.mu * mino.thread * hyrule [defmain])
(import torch torch.nn :as nn)

(defmu Linear [x weights bias]
  (-> x (@ weights) (+ bias)))
;       ^^^^^^^^^^^ mino: shape "x [100 10]" "weights [12 32]"

(defmain [#* _]
  (setv layer (Linear :weights (nn.Parameter (torch.randn 12 32))
              ; sound: (setv layer (Linear :weights (nn.Parameter (torch.randn 10 32))
                      :bias (nn.Parameter (torch.zeros 32))))
  (print (layer (torch.randn 100 10))))
