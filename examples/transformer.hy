;; A small transformer that learns to reverse sequences: attention as threads that run side by side.
(require mino.mu *
         mino.thread *
         hyrule [defmain])
(import torch
        torch.nn :as nn
        torch.nn.functional :as F
        torch.optim [Adam])

;; [batch length width] → [batch heads length width/heads], and back
(defn split [x heads]
  (-> x (.unflatten -1 #(heads -1)) (.transpose 1 2)))
(defn merge [x]
  (-> x (.transpose 1 2) (.flatten 2)))

;; The three projections of x thread in parallel, and are the arguments of the attention
(defmu Attention [x heads query key value output]
  (-> (F.scaled-dot-product-attention #* (|-> x [query key value] (split heads)))
      merge
      output))

(defmu FeedForward [x widen narrow]
  (-> x widen F.gelu narrow))

;; Two steps with a way past each
(defmu Block [x attention feed-forward norm-1 norm-2]
  (setv x (+ x (-> x norm-1 attention)))
  (+ x (-> x norm-2 feed-forward)))

(defmu Transformer [tokens embedding positions blocks norm head]
  (-> tokens embedding (+ positions) blocks norm head))

(defn block [width heads]
  (Block :attention (Attention :heads heads
                               :query (nn.Linear width width)
                               :key (nn.Linear width width)
                               :value (nn.Linear width width)
                               :output (nn.Linear width width))
         :feed-forward (FeedForward :widen (nn.Linear width (* 4 width))
                                    :narrow (nn.Linear (* 4 width) width))
         :norm-1 (nn.LayerNorm width)
         :norm-2 (nn.LayerNorm width)))

(defn transformer [vocabulary length width heads depth]
  (Transformer :embedding (nn.Embedding vocabulary width)
               :positions (nn.Parameter (* 0.1 (torch.randn length width)))
               :blocks (nn.Sequential #* (lfor _ (range depth) (block width heads)))
               :norm (nn.LayerNorm width)
               :head (nn.Linear width vocabulary)))

(defmain [#* _]
  (torch.manual-seed 0)
  (let [vocabulary 8  length 4
        model (transformer vocabulary length 32 4 1)
        optimizer (Adam (.parameters model) :lr 0.01)]
    (for [step (range 100)]
      (let [tokens (torch.randint 0 vocabulary #(64 length))
            loss (-> tokens
                     model
                     (.flatten 0 1)
                     (F.cross-entropy (-> tokens (.flip 1) .flatten)))]
        (.zero-grad optimizer)
        (.backward loss)
        (.step optimizer)
        (print (.format "Step: {} Loss: {:.4f}" step (.item loss)))))
    (print "Reversed:" (-> (torch.tensor [[1 2 3 4]]) model (.argmax -1) .tolist))))
