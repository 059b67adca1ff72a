;; A regression's loss module, with targets of one dimension less.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Regress [x hidden output]
  (-> x hidden torch.relu output))

(setv regress (Regress :hidden (nn.Linear 8 16) :output (nn.Linear 16 1))
      criterion (nn.SmoothL1Loss))
(setv targets (torch.randn 32))
; sound: (setv targets (torch.randn 32 1))
(setv predictions (regress (torch.randn 32 8)))
(setv loss (criterion predictions targets))
;          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: warning "predictions [32 1]" "targets [32]" "[32 32]"
(.backward loss)
