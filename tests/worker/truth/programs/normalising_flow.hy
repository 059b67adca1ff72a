;; A normalising flow of affine couplings: forwards to a likelihood, backwards to samples.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.distributions [Normal Independent])

(defclass Coupling [nn.Module]
  (defn __init__ [self width flipped]
    (.__init__ (super))
    (setv self.flipped flipped
          self.net (nn.Sequential (nn.Linear 1 width) (nn.Tanh) (nn.Linear width 2))))
  (defn parts [self x]
    (let [[a b] (.chunk x 2 -1)]
      (if self.flipped #(b a) #(a b))))
  (defn joined [self a b]
    (torch.cat (if self.flipped [b a] [a b]) -1))
  (defn forward [self x]
    (setv #(a b) (self.parts x)
          #(scale shift) (.chunk (self.net a) 2 -1)
          scale (torch.tanh scale))
    #((self.joined a (+ (* b (.exp scale)) shift)) (.sum scale -1)))
  (defn inverse [self y]
    (setv #(a b) (self.parts y)
          #(scale shift) (.chunk (self.net a) 2 -1))
    (self.joined a (* (- b shift) (.exp (- (torch.tanh scale)))))))

(setv flow (nn.ModuleList (lfor i (range 4) (Coupling 8 (bool (% i 2)))))
      base (Independent (Normal (torch.zeros 2) (torch.ones 2)) 1))

(defn log-likelihood [x]
  (setv total (torch.zeros (len x)))
  (for [coupling flow]
    (setv #(x volume) (coupling x)
          total (+ total volume)))
  (+ total (.log-prob base x)))

(setv x (torch.randn 16 2)
      loss (- (.mean (log-likelihood x))))
(.backward loss)
(with [_ (torch.no-grad)]
  (setv sample (.sample base #(3)))
  (for [coupling (reversed flow)]
    (setv sample (.inverse coupling sample))))
(print loss sample)
