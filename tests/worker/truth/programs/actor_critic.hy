;; An actor and a critic on one body, with generalised advantages and the clipped objective of PPO.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F torch.distributions [Normal])

(defmu ActorCritic [state body mean log-std value]
  (setv features (torch.tanh (body state)))
  #((Normal (mean features) (.exp log-std)) (.squeeze (value features) -1)))

(setv net (ActorCritic :body (nn.Linear 3 16) :mean (nn.Linear 16 2)
                       :log-std (nn.Parameter (torch.zeros 2)) :value (nn.Linear 16 1)))

(defn advantages [rewards values [discount 0.99] [trace 0.95]]
  (setv running 0  found (torch.zeros-like rewards))
  (for [t (range (- (len rewards) 1) -1 -1)]
    (setv following (if (< (+ t 1) (len values)) (get values (+ t 1)) 0)
          delta (- (+ (get rewards t) (* discount following)) (get values t))
          running (+ delta (* discount trace running))
          (get found t) running))
  found)

(torch.manual-seed 0)
(setv states (torch.randn 6 3)
      rewards (torch.rand 6))
(with [_ (torch.no-grad)]
  (setv #(policy values) (net states)
        actions (.sample policy)
        before (.sum (.log-prob policy actions) -1)
        gains (advantages rewards values)
        targets (+ gains values)))
(for [_ (range 2)]
  (setv #(policy values) (net states)
        ratio (torch.exp (- (.sum (.log-prob policy actions) -1) before))
        clipped (.clamp ratio 0.8 1.2)
        loss (+ (- (.mean (torch.min (* ratio gains) (* clipped gains))))
                (* 0.5 (F.mse-loss values targets))
                (* -0.01 (.mean (.entropy policy)))))
  (.backward loss))
(print loss)
