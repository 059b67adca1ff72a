;; A selective state space: what is kept and what is let in depends on the input.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu Selective [x log-rates step into out skip]
  (setv rates (- (torch.exp log-rates))
        dt (F.softplus (step x))
        [b c] (lfor f [into out] (f x))
        keep (torch.exp (* (.unsqueeze dt -1) rates))
        enter (* (.unsqueeze (* dt x) -1) (.unsqueeze b -2))
        state (torch.zeros-like (get keep #((slice None) 0)))
        found [])
  (for [#(k e r) (zip (.unbind keep 1) (.unbind enter 1) (.unbind c 1))]
    (setv state (+ (* k state) e))
    (.append found (torch.einsum "bdn,bn->bd" state r)))
  (+ (torch.stack found :dim 1) (* skip x)))

(defmu Block [x norm widen scan narrow]
  (setv #(inner gate) (.chunk (widen (norm x)) 2 -1))
  (-> (scan (F.silu inner)) (* (F.silu gate)) narrow (+ x)))

(defn block [width states]
  (Block :norm (nn.LayerNorm width)
         :widen (nn.Linear width (* 4 width))
         :scan (Selective :log-rates (nn.Parameter (.repeat (torch.log (torch.arange 1.0 (+ states 1))) (* 2 width) 1))
                          :step (nn.Linear (* 2 width) (* 2 width))
                          :into (nn.Linear (* 2 width) states)
                          :out (nn.Linear (* 2 width) states)
                          :skip (nn.Parameter (torch.ones (* 2 width))))
         :narrow (nn.Linear (* 2 width) width)))

(setv model (nn.Sequential #* (gfor _ (range 2) (block 4 3)))
      y (model (torch.randn 2 5 4)))
(.backward (.mean y))
(print y.shape)
