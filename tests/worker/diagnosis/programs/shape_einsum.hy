;; Cross attention as an einsum: text and image embeddings differ in width.
(import torch)

(defn similarity [text image]
  (torch.einsum "btd,bsd->bts" text image))
; ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: shape "text [2 7 64]" "image [2 49 32]" "d" 64 32

(setv text (torch.randn 2 7 64)
      image (torch.randn 2 49 32))
      ; sound: image (torch.randn 2 49 64))
(print (. (similarity text image) shape))
