;; Capsules that agree by routing.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defn squash [s]
  (let [norm (.norm s :dim -1 :keepdim True)
        square (* norm norm)]
    (* (/ square (+ 1 square)) (/ s (+ norm 1e-8)))))

(defmu Route [u weights turns]
  (setv votes (torch.einsum "bni,nmij->bnmj" u weights)
        logits (.new-zeros votes (cut votes.shape 0 3)))
  (for [turn (range turns)]
    (setv share (.softmax logits 2)
          out (squash (.sum (* (.unsqueeze share -1) votes) 1)))
    (when (< turn (- turns 1))
      (+= logits (.sum (* votes (.unsqueeze out 1)) -1))))
  out)

(defmu Capsules [images conv route]
  (-> images conv torch.relu (.unflatten 1 #(2 -1)) (.permute 0 1 3 4 2) (.flatten 1 3) squash route))

(setv net (Capsules :conv (nn.Conv2d 1 8 5 :stride 3)
                    :route (Route :weights (nn.Parameter (* 0.1 (torch.randn 18 3 4 6))) :turns 3))
      caps (net (torch.rand 2 1 12 12))
      length (.norm caps :dim -1)
      wanted (torch.eye 3)
      loss (.mean (torch.where (> (get wanted [0 2]) 0)
                               (.square (torch.relu (- 0.9 length)))
                               (* 0.5 (.square (torch.relu (- length 0.1)))))))
(.backward loss)
(print caps.shape loss)
