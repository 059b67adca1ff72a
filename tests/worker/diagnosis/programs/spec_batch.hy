;; A batch that must be float32 images of three channels.
(require mino.spec *)
(import torch)

(spec/check-asserts True)
(spec/def :images (spec/tensor [batch 3 height width] :dtype torch.float32))

(defn prepare [path]
  (torch.randint 0 256 #(4 3 32 32) :dtype torch.uint8))
; ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: spec :images uint8 float32
  ; sound: (/ (.float (torch.randint 0 256 #(4 3 32 32) :dtype torch.uint8)) 255))

(setv batch (spec/assert :images (prepare "images")))
(print batch.shape)
