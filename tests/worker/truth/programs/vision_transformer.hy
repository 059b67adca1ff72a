;; A vision transformer: patches, a class token, learned positions.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu Layer [x norm1 attention norm2 mlp]
  (setv normed (norm1 x)
        [mixed weights] (attention normed normed normed)
        x (+ x mixed))
  (+ x (-> x norm2 mlp)))

(defmu Vit [images patches token positions layers norm head]
  (setv x (-> (patches images) (.flatten 2) (.transpose 1 2))
        x (torch.cat [(.expand token (len x) -1 -1) x] :dim 1)
        x (+ x positions))
  (for [layer layers] (setv x (layer x)))
  (-> x (get #((slice None) 0)) norm head))

(defn layer [width heads]
  (Layer :norm1 (nn.LayerNorm width)
         :attention (nn.MultiheadAttention width heads :batch-first True)
         :norm2 (nn.LayerNorm width)
         :mlp (nn.Sequential (nn.Linear width (* 2 width)) (nn.GELU) (nn.Linear (* 2 width) width))))

(defn vit [#** sizes]
  (let [width (get sizes "width")
        count (** (// (get sizes "image") (get sizes "patch")) 2)]
    (Vit :patches (nn.Conv2d 3 width :kernel-size (get sizes "patch") :stride (get sizes "patch"))
         :token (nn.Parameter (torch.zeros 1 1 width))
         :positions (nn.Parameter (* 0.02 (torch.randn 1 (+ 1 count) width)))
         :layers (nn.ModuleList (lfor _ (range 2) (layer width 2)))
         :norm (nn.LayerNorm width)
         :head (nn.Linear width 7))))

(setv model (vit :image 16 :patch 8 :width 8)
      images (torch.rand 2 3 16 16)
      labels (torch.tensor [3 6]))
(when (> (setx loss (F.cross-entropy (model images) labels)) 0)
  (.backward loss))
(print loss)
