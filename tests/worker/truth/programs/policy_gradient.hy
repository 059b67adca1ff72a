;; REINFORCE on a corridor, with discounted returns.
(require mino.mu * mino.thread * hyrule [defmain])
(import torch torch.nn :as nn torch.distributions [Categorical])

(defclass Corridor []
  (defn __init__ [self [length 4]] (setv self.length length  self.place 0))
  (defn reset [self] (setv self.place 0) (.observe self))
  (defn observe [self]
    (nn.functional.one-hot (torch.tensor self.place) self.length))
  (defn step [self action]
    (setv self.place (max 0 (min (- self.length 1) (+ self.place (if (= action 1) 1 -1))))
          done (= self.place (- self.length 1)))
    #((.observe self) (if done 1.0 -0.1) done)))

(defmu Policy [state inner outer] (-> state .float inner torch.tanh outer))

(defn returns [rewards [discount 0.9]]
  (setv total 0.0  found [])
  (for [reward (reversed rewards)]
    (setv total (+ reward (* discount total)))
    (.insert found 0 total))
  (torch.tensor found))

(defmain [#* _]
  (torch.manual-seed 0)
  (let [world (Corridor)
        policy (Policy :inner (nn.Linear 4 8) :outer (nn.Linear 8 2))
        optimizer (torch.optim.Adam (.parameters policy) :lr 0.01)]
    (for [episode (range 3)]
      (setv state (.reset world)  logs []  rewards []  done False)
      (while (and (not done) (< (len rewards) 10))
        (setv choice (Categorical :logits (policy state))
              action (.sample choice)
              [state reward done] (.step world (.item action)))
        (.append logs (.log-prob choice action))
        (.append rewards reward))
      (setv back (returns rewards)
            advantage (- back (.mean back))
            loss (- (.sum (* (torch.stack logs) advantage))))
      (.zero-grad optimizer)
      (.backward loss)
      (.step optimizer))))
