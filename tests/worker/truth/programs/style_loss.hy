;; A picture is optimised until features and Gram matrices of a frozen network fit: hooks gather the features.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defn gram [features]
  (setv #(b c h w) features.shape
        flat (.view features b c (* h w)))
  (/ (torch.bmm flat (.transpose flat 1 2)) (* c h w)))

(setv net (nn.Sequential (nn.Conv2d 3 4 3 :padding 1) (nn.ReLU) (nn.AvgPool2d 2) (nn.Conv2d 4 8 3 :padding 1) (nn.ReLU))
      seen {})
(for [p (.parameters net)] (setv p.requires-grad False))

(defn watch [name]
  (fn [module inputs output] (setv (get seen name) output)))
(setv hooks (lfor [i m] (enumerate net) :if (isinstance m nn.ReLU) (.register-forward-hook m (watch i))))

(defn features [image]
  (net image)
  (dict seen))

(setv content (features (torch.rand 1 3 8 8))
      style (dfor [k v] (.items (features (torch.rand 1 3 8 8))) k (gram v))
      picture (.requires-grad_ (torch.rand 1 3 8 8))
      optimizer (torch.optim.LBFGS [picture] :max-iter 2))
(defn closure []
  (.zero-grad optimizer)
  (setv found (features picture)
        loss (+ (F.mse-loss (get found 4) (get content 4))
                (sum (lfor [k g] (.items style) (* 10 (F.mse-loss (gram (get found k)) g))))))
  (.backward loss)
  loss)
(setv final (.step optimizer closure))
(for [hook hooks] (.remove hook))
(print final picture.grad.shape)
