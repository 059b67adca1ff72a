;; Reading a component by a name it does not have.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Auto [x encoder decoder]
  (-> x encoder torch.relu decoder))

(setv auto (Auto :encoder (nn.Linear 16 4) :decoder (nn.Linear 4 16)))
(defn code [x] (auto.encodr x))
;               ^^^^^^^^^^^ mino: attribute encodr encoder
; sound: (defn code [x] (auto.encoder x))
(print (. (code (torch.randn 3 16)) shape))
