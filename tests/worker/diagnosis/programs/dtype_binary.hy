;; Targets of a binary cross-entropy that are whole numbers.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu Score [x linear]
  (-> x linear (.squeeze -1)))

(setv score (Score :linear (nn.Linear 6 1))
      targets (torch.randint 0 2 #(9)))
      ; sound: targets (.float (torch.randint 0 2 #(9))))
(print (F.binary-cross-entropy-with-logits (score (torch.randn 9 6)) targets))
;      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: dtype "targets [9] int64" float32
