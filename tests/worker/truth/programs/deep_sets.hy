;; A function of a set: each element by itself, their sum, the sum; sets of different sizes by masks.
(require mino.mu * mino.thread * hyrule [defmain])
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu DeepSet [x mask of-each of-all]
  (-> x of-each (* (.unsqueeze mask -1)) (.sum :dim 1) of-all (.squeeze -1)))

(defn batch [sizes]
  (setv longest (max sizes)
        mask (torch.stack (lfor n sizes (.float (< (torch.arange longest) n))))
        x (* (torch.rand (len sizes) longest) mask))
  #((.unsqueeze x -1) mask (.amax x 1)))

(defmain [#* _]
  (setv perceptron (fn [a b c] (nn.Sequential (nn.Linear a b) (nn.ReLU) (nn.Linear b c)))
        model (DeepSet :of-each (perceptron 1 8 8) :of-all (perceptron 8 8 1))
        optimizer (torch.optim.Adam (.parameters model)))
  (for [epoch (range 2)  sizes [[3 1 4] [2 2 5]]]
    (let [#(x mask y) (batch sizes)
          loss (F.l1-loss (model x mask) y)]
      (.zero-grad optimizer)
      (.backward loss)
      (.step optimizer)))
  (setv order (torch.randperm 4)
        #(x mask _) (batch [4])
        same (torch.allclose (model x mask) (model (get x #((slice None) order)) mask) :atol 1e-5))
  (print "order does not matter:" same))
