;; A small student learns from a frozen teacher's softened answers.
(require mino.mu * mino.thread * hyrule [defmain])
(import torch torch.nn :as nn torch.nn.functional :as F functools [wraps])

(defn frozen [function]
  (defn [(wraps function)] without-gradients [#* arguments]
    (with [_ (torch.no-grad)]
      (function #* arguments)))
  without-gradients)

(defmu Network [x layers]
  (for [layer layers] (setv x (-> x layer torch.relu)))
  x)

(defn network [#* sizes]
  (Network :layers (nn.ModuleList (lfor [a b] (zip sizes (cut sizes 1 None)) (nn.Linear a b)))))

(defn soft-loss [student teacher temperature]
  (-> (F.log-softmax (/ student temperature) :dim -1)
      (F.kl-div (F.softmax (/ teacher temperature) :dim -1) :reduction "batchmean")
      (* temperature temperature)))

(defmain [#* _]
  (setv teacher (network 4 32 32 3)
        student (network 4 8 3)
        optimizer (torch.optim.Adam (.parameters student)))
  (defn [frozen] answer [x] (teacher x))
  (for [_ (range 2)]
    (setv x (torch.randn 10 4)
          y (torch.randint 3 #(10))
          wanted (answer x)
          given (student x)
          hard (F.cross-entropy given y)
          soft (soft-loss given wanted 2.0)
          loss (+ (* 0.3 hard) (* 0.7 soft)))
    (.zero-grad optimizer)
    (.backward loss)
    (.step optimizer)))
