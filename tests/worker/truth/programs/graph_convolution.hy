;; A graph convolution with a sparse adjacency, and one that passes messages along edges.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(setv edges (torch.tensor [[0 1 2 3 4 0] [1 2 3 4 0 2]])
      nodes 5
      both (torch.cat [edges (.flip edges 0)] 1)
      degree (.bincount (get both 0) :minlength nodes))

(defn normalised [edges]
  (let [loops (.expand (torch.arange nodes) 2 -1)
        #(source target) (torch.cat [edges loops] 1)
        scale (.rsqrt (.float (+ 1 degree)))
        values (* (get scale source) (get scale target))]
    (torch.sparse-coo-tensor (torch.stack [source target]) values #(nodes nodes))))

(defmu Convolution [x adjacency linear]
  (-> (linear x) ((fn [h] (torch.sparse.mm adjacency h)))))

(defmu Message [x edges of-pair]
  (setv [source target] edges
        pair (torch.cat [(get x source) (get x target)] -1)
        sent (torch.relu (of-pair pair)))
  (.index-add (torch.zeros (len x) (.size sent 1)) 0 target sent))

(setv adjacency (normalised both)
      layers [(Convolution :linear (nn.Linear 3 8)) (Convolution :linear (nn.Linear 8 4))]
      message (Message :of-pair (nn.Linear 8 6))
      x (torch.randn nodes 3))
(for [[i layer] (enumerate layers)]
  (setv x (layer x adjacency))
  (when (< i 1) (setv x (F.relu x))))
(setv summary (-> (message x both) (.mean 0)))
(print x.shape summary)
