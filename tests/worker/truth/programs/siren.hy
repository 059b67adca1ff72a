;; A sinusoidal network that is an image, and its gradient with respect to where one looks.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Sine [x linear frequency] (-> x linear (* frequency) torch.sin))

(defn sine [inputs outputs [frequency 30.0] [is-first False]]
  (setv linear (nn.Linear inputs outputs)
        bound (if is-first (/ 1 inputs) (/ (** (/ 6 inputs) 0.5) frequency)))
  (with [_ (torch.no-grad)]
    (.uniform_ linear.weight (- bound) bound))
  (Sine :linear linear :frequency frequency))

(setv siren (nn.Sequential (sine 2 16 :is-first True) (sine 16 16) (nn.Linear 16 1))
      axis (torch.linspace -1 1 6)
      grid (-> (torch.meshgrid axis axis :indexing "ij") (torch.stack -1) (.reshape -1 2) (.requires-grad_ True))
      picture (torch.exp (- (.sum (* (.detach grid) (.detach grid)) -1 :keepdim True)))
      value (siren grid)
      [slope] (torch.autograd.grad (.sum value) grid :create-graph True)
      loss (+ (.mean (** (- value picture) 2)) (* 1e-4 (.mean (.norm slope :dim -1)))))
(.backward loss)
(print (.view value 6 6) slope.shape)
