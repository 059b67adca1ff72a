;; A multi-layer perceptron on two moons, mini-batches by hand.
(require mino.mu * mino.thread * hyrule [defmain])
(import torch
        torch.nn :as nn
        torch.nn.functional :as F)

(defmu Layer [x weights bias]
  (-> x (@ weights) (+ bias) torch.relu))

(defmu Perceptron [x layers head]
  (for [layer layers]
    (setv x (layer x)))
  (head x))

(defn layer [f-in f-out]
  (Layer :weights (nn.Parameter (* 0.1 (torch.randn f-in f-out)))
         :bias (nn.Parameter (torch.zeros f-out))))

(defn moons [n]
  (let [angles (* torch.pi (torch.rand n))
        upper (torch.stack [(torch.cos angles) (torch.sin angles)] 1)
        lower (- (torch.tensor [1.0 0.5]) upper)]
    #((torch.cat [upper lower])
      (torch.cat [(torch.zeros n :dtype torch.long) (torch.ones n :dtype torch.long)]))))

(defmain [#* _]
  (torch.manual-seed 1)
  (setv #(points labels) (moons 40)
        widths [2 16 16]
        model (Perceptron :layers (nn.ModuleList (lfor #(a b) (zip widths (cut widths 1 None)) (layer a b)))
                          :head (nn.Linear 16 2))
        optimizer (torch.optim.SGD (.parameters model) :lr 0.1))
  (for [epoch (range 3)
        batch (.split (torch.randperm 80) 32)]
    (setv logits (model (get points batch))
          loss (F.cross-entropy logits (get labels batch)))
    (.zero-grad optimizer)
    (.backward loss)
    (.step optimizer))
  (with [_ (torch.no-grad)]
    (setv accuracy (-> (model points) (.argmax 1) (.eq labels) .float .mean)))
  (print f"accuracy {accuracy :.3f}"))
