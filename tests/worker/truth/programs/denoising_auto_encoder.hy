;; A denoising auto-encoder with tied weights and a Polyak average of its parameters.
(require mino.mu * mino.thread * hyrule [defmain])
(import torch torch.nn :as nn torch.nn.functional :as F copy [deepcopy])

(defmu Tied [x weights bias-in bias-out]
  (setv code (-> x (F.linear weights bias-in) torch.sigmoid))
  (-> code (F.linear weights.T bias-out)))

(defn corrupt [x [p 0.3]]
  (let [keep (> (torch.rand-like x) p)]
    (* x keep)))

(defn average [into of decay]
  (with [_ (torch.no-grad)]
    (for [[old new] (zip (.parameters into) (.parameters of))]
      (.lerp_ old new (- 1 decay)))))

(defmain [#* _]
  (torch.manual-seed 0)
  (setv model (Tied :weights (nn.Parameter (nn.init.xavier-uniform_ (torch.empty 5 12)))
                    :bias-in (nn.Parameter (torch.zeros 5))
                    :bias-out (nn.Parameter (torch.zeros 12)))
        slow (deepcopy model)
        optimizer (torch.optim.RMSprop (.parameters model) :lr 0.01)
        scheduler (torch.optim.lr-scheduler.CosineAnnealingLR optimizer 3))
  (for [step (range 3)]
    (setv x (torch.rand 10 12)
          loss (F.mse-loss (model (corrupt x)) x))
    (.zero-grad optimizer)
    (.backward loss)
    (.step optimizer)
    (.step scheduler)
    (average slow model 0.9))
  (print (.norm (- (slow x) x))))
