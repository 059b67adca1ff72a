;; A modern Hopfield network: patterns are recalled from what is left of them.
(require mino.mu * mino.thread * hyrule [defmain])
(import torch torch.nn.functional :as F)

(defmu Hopfield [state patterns sharpness]
  (-> (@ state patterns.T) (* sharpness) (F.softmax :dim -1) (@ patterns)))

(defn energy [state patterns sharpness]
  (let [overlap (* sharpness (@ state patterns.T))]
    (- (* 0.5 (.sum (** state 2) -1)) (/ (torch.logsumexp overlap -1) sharpness))))

(defmain [#* _]
  (torch.manual-seed 0)
  (let [patterns (.sign (torch.randn 4 12))
        hole (torch.cat [(torch.ones 8) (torch.zeros 4)])
        memory (Hopfield :patterns patterns :sharpness 2.0)
        state (* patterns hole)
        trail [(energy state patterns 2.0)]]
    (for [turn (range 4)]
      (setv following (memory state))
      (when (torch.allclose following state :atol 1e-5)
        (break))
      (setv state following)
      (.append trail (energy state patterns 2.0)))
    (print (-> (.sign state) (= patterns) .all) (torch.stack trail))))
