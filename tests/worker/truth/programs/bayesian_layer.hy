;; Weights with a mean and a spread, drawn anew at each call; the spread of the answers is the uncertainty.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F
        torch.distributions [Normal kl-divergence])

(defclass Bayesian [nn.Module]
  (defn __init__ [self inputs outputs]
    (.__init__ (super))
    (setv self.mean (nn.Parameter (* 0.1 (torch.randn outputs inputs)))
          self.spread (nn.Parameter (torch.full #(outputs inputs) -3.0))))
  (defn [property] posterior [self]
    (Normal self.mean (F.softplus self.spread)))
  (defn forward [self x]
    (F.linear x (.rsample self.posterior)))
  (defn divergence [self]
    (-> (kl-divergence self.posterior (Normal (torch.zeros-like self.mean) 1.0)) .sum)))

(setv net (nn.Sequential (Bayesian 1 8) (nn.Tanh) (Bayesian 8 1))
      x (.unsqueeze (torch.linspace -1 1 10) 1)
      y (** x 3))
(for [_ (range 2)]
  (setv fit (F.mse-loss (net x) y)
        prior (sum (gfor m net :if (isinstance m Bayesian) (.divergence m)))
        loss (+ fit (* 1e-3 prior)))
  (.backward loss))
(with [_ (torch.no-grad)]
  (setv draws (torch.stack (lfor _ (range 5) (net x)))
        #(deviation mean) (torch.std-mean draws :dim 0)))
(print (.squeeze deviation) mean.shape)
