;; A siamese network with a contrastive loss over pairs that a helper draws.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu Encoder [x body] (-> x body (F.normalize :dim -1)))
(defmu Siamese [left right encoder]
  (let [#(a b) (lfor side [left right] (encoder side))]
    (F.pairwise-distance a b)))

(defn contrastive [distance same [margin 1.0]]
  (setv pull (* same (.square distance))
        push (* (- 1 same) (.square (.clamp (- margin distance) :min 0))))
  (.mean (+ pull push)))

(defn pairs [x y]
  (setv first (torch.randint (len x) #(12))
        second (torch.randint (len x) #(12))
        same (.float (= (get y first) (get y second))))
  #((get x first) (get x second) same))

(torch.manual-seed 0)
(setv x (torch.randn 20 6)
      y (torch.randint 3 #(20))
      model (Siamese :encoder (Encoder :body (nn.Sequential (nn.Linear 6 8) (nn.ReLU) (nn.Linear 8 4))))
      #(left right same) (pairs x y)
      distance (model left right)
      loss (contrastive distance same))
(.backward loss)
(setv [gradients] (lfor m (.modules model) :if (isinstance m nn.Sequential) [(lfor p (.parameters m) p.grad)]))
(print (.item loss) (len gradients))
