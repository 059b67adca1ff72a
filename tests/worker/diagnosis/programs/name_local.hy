;; A variable by another name than it was bound to.
(import torch torch.nn :as nn)

(defn train [model inputs targets]
  (let [predictions (model inputs)
        loss (.mean (** (- predictons targets) 2))]
;                          ^^^^^^^^^^ mino: undefined-name predictions
        ; sound: loss (.mean (** (- predictions targets) 2))]
    (.backward loss)
    (.item loss)))

(print (train (nn.Linear 3 1) (torch.randn 8 3) (torch.randn 8 1)))
