;; A gated recurrent cell, written out as mus, that learns to add up the numbers of a sequence that are marked.
(require mino.mu *
         mino.thread *
         hyrule [defmain])
(import torch
        torch.nn :as nn
        torch.nn.functional :as F
        torch.optim [Adam])

;; What an input and a state make of each other
(defmu Mix [x state of-input of-state]
  (+ (of-input x) (of-state state)))

;; The new state: the old one where the gate is open, a candidate where it is closed
(defmu Cell [x state gate candidate]
  (setv keep (torch.sigmoid (gate x state)))
  (torch.lerp (torch.tanh (candidate x state)) state keep))

;; The cell goes along the sequence; the head reads the last state
(defmu Recurrent [sequence cell head start]
  (setv state (.expand start (.size sequence 0) -1))
  (for [x (.unbind sequence 1)]
    (setv state (cell x state)))
  (head state))

(defn mix [inputs width]
  (Mix :of-input (nn.Linear inputs width)
       :of-state (nn.Linear width width)))

(defn recurrent [inputs width outputs]
  (Recurrent :cell (Cell :gate (mix inputs width) :candidate (mix inputs width))
             :head (nn.Linear width outputs)
             :start (torch.zeros 1 width)))

;; Sequences of numbers with marks beside them, and the sums of the marked ones
(defn sums [count length]
  (let [numbers (torch.rand count length)
        marks (.float (> (torch.rand count length) 0.7))]
    #((torch.stack [numbers marks] -1)
      (.sum (* numbers marks) 1 :keepdim True))))

(defmain [#* _]
  (torch.manual-seed 0)
  (let [#(x y) (sums 128 6)
        model (recurrent 2 16 1)
        optimizer (Adam (.parameters model) :lr 0.02)]
    (for [epoch (range 50)]
      (let [loss (F.mse-loss (model x) y)]
        (.zero-grad optimizer)
        (.backward loss)
        (.step optimizer)
        (print (.format "Epoch: {} Loss: {:.4f}" epoch (.item loss)))))))
