;; Transfer learning: a head is bound to a component that the network does not have.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Network [x body head]
  (-> x body torch.relu head))

(setv trained (Network :body (nn.Linear 12 6) :head (nn.Linear 6 10)))
(defn with-head [network classes]
  (bind network :haed (nn.Linear 6 classes)))
; ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: unknown-component haed head
  ; sound: (bind network :head (nn.Linear 6 classes)))
(print (. ((with-head trained 3) (torch.randn 2 12)) shape))
