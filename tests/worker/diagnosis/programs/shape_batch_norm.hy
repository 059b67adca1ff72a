;; Batch normalisation over another number of features.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Dense [x linear norm]
  (-> x linear norm torch.relu))
;              ^^^^ mino: shape BatchNorm1d "[16 48]" 64 48

(setv dense (Dense :linear (nn.Linear 20 48) :norm (nn.BatchNorm1d 64)))
; sound: (setv dense (Dense :linear (nn.Linear 20 48) :norm (nn.BatchNorm1d 48)))
(print (. (dense (torch.randn 16 20)) shape))
