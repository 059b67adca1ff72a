;; Splitting an embedding into heads that do not divide it.
(import torch torch.nn :as nn)

(defclass SelfAttention [nn.Module]
  (defn __init__ [self width heads]
    (.__init__ (super))
    (setv self.heads heads
          self.qkv (nn.Linear width (* 3 width))))

  (defn forward [self x]
    (let [#(b t d) x.shape
          #(q k v) (.chunk (self.qkv x) 3 :dim -1)
          split (fn [z] (.view z b t self.heads (// d self.heads)))]
;                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: shape "z [2 10 100]" "[2 10 8 12]" "2,000" "1,920"
      (@ (split q) (.transpose (split k) -2 -1)))))

(setv block (SelfAttention :width 100 :heads 8))
; sound: (setv block (SelfAttention :width 96 :heads 8))
(print (. (block (torch.randn 2 10 (. block qkv in-features))) shape))
