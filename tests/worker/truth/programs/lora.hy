;; Low-rank adaptation: a frozen layer with a small learned product beside it, merged at the end.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu Lora [x base down up scale]
  (+ (base x) (* scale (-> x (F.linear down) (F.linear up)))))

(defn adapt [linear [rank 2] [alpha 4]]
  (for [p (.parameters linear)] (.requires-grad_ p False))
  (Lora :base linear
        :down (nn.Parameter (* 0.01 (torch.randn rank linear.in-features)))
        :up (nn.Parameter (torch.zeros linear.out-features rank))
        :scale (/ alpha rank)))

(defn merged [lora]
  (setv linear (nn.Linear lora.base.in-features lora.base.out-features))
  (with [_ (torch.no-grad)]
    (.copy_ linear.weight (+ lora.base.weight (* lora.scale (@ lora.up lora.down))))
    (.copy_ linear.bias lora.base.bias))
  linear)

(setv network (nn.Sequential (nn.Linear 6 8) (nn.ReLU) (nn.Linear 8 3)))
(for [[name module] (list (.named-children network))]
  (when (isinstance module nn.Linear)
    (setattr network name (adapt module))))
(setv learned (lfor p (.parameters network) :if p.requires-grad p)
      x (torch.randn 4 6)
      optimizer (torch.optim.AdamW learned :lr 0.1))
(for [_ (range 2)]
  (setv loss (F.mse-loss (network x) (torch.zeros 4 3)))
  (.backward loss)
  (.step optimizer)
  (.zero-grad optimizer))
(setv whole (nn.Sequential #* (gfor m network (if (hasattr m "base") (merged m) m)))
      gap (.max (.abs (- (whole x) (network x)))))
(print (len learned) gap)
