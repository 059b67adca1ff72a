;; One step of model-agnostic meta-learning: inner updates by `functional_call` and `grad`, batched by `vmap`.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F
        torch.func [functional-call grad vmap])

(defmu Regressor [x a b] (-> x a torch.tanh b))
(setv model (Regressor :a (nn.Linear 1 8) :b (nn.Linear 8 1))
      parameters (dict (.named-parameters model)))

(defn error [parameters x y]
  (F.mse-loss (functional-call model parameters #(x)) y))

(defn adapted [x y [rate 0.1]]
  (setv gradients ((grad error) parameters x y))
  (dfor [name p] (.items parameters) name (- p (* rate (get gradients name)))))

(defn meta-error [x y x-new y-new]
  (error (adapted x y) x-new y-new))

(setv phase (.reshape (torch.rand 4) 4 1 1)
      x (torch.randn 4 5 1)
      x-new (torch.randn 4 5 1)
      losses ((vmap meta-error) x (torch.sin (+ x phase)) x-new (torch.sin (+ x-new phase)))
      loss (.mean losses))
(.backward loss)
(print losses (lfor p (.parameters model) p.grad.shape))
