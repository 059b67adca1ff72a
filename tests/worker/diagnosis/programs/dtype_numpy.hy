;; Numpy's floats are doubles, a layer's are not.
(import numpy :as np torch torch.nn :as nn)

(setv data (np.random.rand 30 4)
      layer (nn.Linear 4 2))
(setv x (torch.from-numpy data))
; sound: (setv x (.float (torch.from-numpy data)))
(print (. (layer x) shape))
;         ^^^^^^^^^ mino: dtype "x [30 4] float64" Linear float32
