;; A set transformer: attention among elements by way of a few inducing points, and pooling by a seed.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Attend [x y attention norm1 feed norm2]
  (let [[out _] (attention x y y :need-weights False)
        h (norm1 (+ x out))]
    (norm2 (+ h (torch.relu (feed h))))))

(defn attend [width heads]
  (Attend :attention (nn.MultiheadAttention width heads :batch-first True)
          :norm1 (nn.LayerNorm width) :feed (nn.Linear width width) :norm2 (nn.LayerNorm width)))

(defmu Induced [x points gather spread]
  (->> (gather (.expand points (len x) -1 -1) x) (spread x)))

(defmu Pool [x seeds attend]
  (attend (.expand seeds (len x) -1 -1) x))

(setv width 8
      points (fn [n] (nn.Parameter (torch.randn 1 n width)))
      model (nn.Sequential (nn.Linear 2 width)
                           (Induced :points (points 3) :gather (attend width 2) :spread (attend width 2))
                           (Pool :seeds (points 1) :attend (attend width 2))
                           (nn.Flatten)
                           (nn.Linear width 4)))
(for [n [6 9]]
  (setv out (model (torch.randn 3 n 2)))
  (assert (= (tuple out.shape) #(3 4))))
