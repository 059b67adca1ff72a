;; A character model with an LSTM whose state goes from window to window, and sampling from it.
(import torch
        torch.nn :as nn
        torch.nn.functional :as F)

(setv text "the quick brown fox jumps over the lazy dog "
      letters (sorted (set text))
      number (dfor [i c] (enumerate letters) c i)
      codes (torch.tensor (lfor c text (get number c))))

(defclass Model [nn.Module]
  (defn __init__ [self vocabulary width]
    (.__init__ (super))
    (setv self.embed (nn.Embedding vocabulary width)
          self.lstm (nn.LSTM width width :num-layers 2 :batch-first True)
          self.head (nn.Linear width vocabulary)))
  (defn forward [self tokens [state None]]
    (setv #(out state) (self.lstm (self.embed tokens) state))
    #((self.head out) state)))

(defn detached [state]
  (let [#(h c) state]
    #((.detach h) (.detach c))))

(torch.manual-seed 0)
(setv model (Model (len letters) 12)
      optimizer (torch.optim.Adam (.parameters model))
      state None)
(for [start (range 0 32 8)]
  (setv window (.unsqueeze (cut codes start (+ start 9)) 0)
        #(logits state) (model (cut (get window 0) 0 -1) (when state (lfor s state (.squeeze s 1))))
        state (lfor s state (.unsqueeze s 1))
        state (detached state)
        loss (F.cross-entropy logits (cut (get window 0) 1 None)))
  (.zero-grad optimizer)
  (.backward loss)
  (nn.utils.clip-grad-norm_ (.parameters model) 1.0)
  (.step optimizer))

(setv written [0])
(while (< (len written) 6)
  (setv [logits _] (model (torch.tensor [written]))
        chances (F.softmax (/ (get logits #(0 -1)) 0.8) :dim -1))
  (.append written (.item (torch.multinomial chances 1))))
(print (.join "" (gfor i written (get letters i))))
