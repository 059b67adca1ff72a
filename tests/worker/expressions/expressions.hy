;; Tensor expressions of the usual kinds, nothing of them annotated: what stands above the first heading comes before each.
(import torch  torch [nn]  torch.nn.functional :as F  torch.nn.utils.rnn [pack-padded-sequence pad-packed-sequence])
(require mino.mu * mino.thread *)
(setv images (torch.randn 8 3 32 32)  words (torch.randn 8 20 64)  points (torch.sin (torch.arange 6000.0)))
;;; attention by hand
(defn attention [queries keys values]
  (setv scores (/ (@ queries (.transpose keys -2 -1)) (** (get queries.shape -1) 0.5)))
  (setv mask (torch.triu (torch.ones-like scores :dtype torch.bool) :diagonal 1))
  (@ (torch.softmax (.masked-fill scores mask (float "-inf")) :dim -1) values))
(defn heads [x n] (.transpose (.view x (.size x 0) (.size x 1) n -1) 1 2))
(-> (attention (heads words 4) (heads words 4) (heads (get words #(... (slice 32))) 4)) (.transpose 1 2) (.flatten 2))
;;; scaled dot product attention
(defn grouped [q k v] (F.scaled-dot-product-attention q (.repeat-interleave k 2 :dim 1) (.repeat-interleave v 2 :dim 1) :is-causal True))
(grouped (torch.randn 2 8 16 32) (torch.randn 2 4 24 32) (torch.randn 2 4 24 48))
;;; multi-head attention
(setv layer (nn.MultiheadAttention 64 8 :kdim 32 :vdim 16 :batch-first True))
(setv #(out weights) (layer words (torch.randn 8 30 32) (torch.randn 8 30 16)
                            :key-padding-mask (> (torch.rand 8 30) 2) :average-attn-weights False))
;;; recurrent cell
(defn unroll [cell x]
  (setv state (.new-zeros x (.size x 0) cell.hidden-size)  states [])
  (for [step (.unbind x :dim 1)]
    (setv state (cell step state))
    (.append states state))
  (torch.stack states :dim 1))
(unroll (nn.GRUCell 64 48) words)
;;; lstm outputs
(setv lstm (nn.LSTM 64 32 :num-layers 2 :bidirectional True :batch-first True :proj-size 12))
(setv #(out #(hidden cell)) (lstm words))
;;; packed sequence
(setv packed (pack-padded-sequence words (torch.tensor [20 18 18 11 9 9 2 1]) :batch-first True))
(setv #(out state) ((nn.GRU 64 24 :batch-first True) packed))
(setv #(padded lengths) (pad-packed-sequence out :batch-first True))
;;; einsum
(defn bilinear [a b w] (torch.einsum "bik,okl,bjl->boij" a w b))
(bilinear words (get words #((slice None) (slice 5))) (torch.randn 7 64 64))
;;; where and broadcasting
(torch.where (> (get words #((slice None) (slice None) (slice 1))) 0) (torch.zeros 64 :dtype torch.float64) (.unsqueeze words 1))
;;; nonzero
(torch.nonzero (> (.view points 60 100) 0.5))
;;; masked select
(torch.masked-select (.view points 60 100) (> (.view points 60 100) 0.9))
;;; unfold
(torch.cat [(.flatten (.unfold images 2 8 4) 1) (.flatten (F.unfold images :kernel-size #(3 5) :stride 2 :padding #(1 0)) 1)] :dim -1)
;;; vmap
(defn distance [a b] (.sum (** (- a b) 2) :dim -1))
((torch.vmap (torch.vmap distance :in-dims #(None 0)) :in-dims #(0 None)) (get words 0) (get words #(1 (slice 9))))
;;; lazy layers
(setv net (nn.Sequential (nn.LazyConv2d 12 5 :stride 2) (nn.LazyBatchNorm2d) (nn.ReLU) (nn.Flatten) (nn.LazyLinear 10)))
(net images)
;;; topk and gather
(defn beam [scores k]
  (setv #(best places) (torch.topk scores k :dim -1))
  #(best (torch.gather (.cumsum scores -1) -1 places)))
(beam words 5)
;;; convolutions and pooling
(setv down (nn.Conv2d 3 16 :kernel-size 5 :stride 3 :padding 2 :dilation 2)
      up (nn.ConvTranspose2d 16 6 :kernel-size 4 :stride 2 :padding 1 :output-padding 1 :groups 2))
(-> images down (F.max-pool2d 2 :ceil-mode True) up (F.adaptive-avg-pool2d #(5 None)))
;;; interpolate
(F.interpolate images :scale-factor #(1.7 0.5) :mode "bilinear" :align-corners False)
;;; stack, cat, split, chunk
(torch.stack [#* (.split (torch.cat (torch.chunk words 3 :dim 1) :dim 1) [32 32] :dim -1)] :dim 2)
;;; tensordot
(torch.tensordot words (torch.randn 64 20 3 2) :dims #([1 2] [1 0]))
;;; cdist
(setv nearest (.argmin (torch.cdist words (torch.randn 512 64)) :dim -1))
(get (torch.randn 512 16 :dtype torch.float64) nearest)
;;; boolean indexing
(setv labels (% (torch.arange 50) 4))
(get (torch.randn 50 300) (& (= labels 2) (> (torch.arange 50) 10)))
;;; advanced indexing
(get words #((.unsqueeze (torch.arange 8) 1) None (torch.tensor [[0 3 5]]) (slice None -4 2)))
;;; bincount and unique
(setv #(kinds places counts) (torch.unique (% (** (torch.arange 200) 2) 11) :return-inverse True :return-counts True))
(/ (torch.bincount places :minlength 3) (.sum counts))
;;; embedding bag
((nn.EmbeddingBag 1000 24 :mode "max") (torch.randint 0 1000 #(70)) (torch.tensor [0 10 10 35 69]))
;;; scatter
(-> (torch.zeros 8 20 100) (.scatter-add 2 (torch.randint 0 100 #(8 20 64)) words) (.scatter 1 (torch.zeros 8 1 100 :dtype torch.int64) 1.0) (.amax :dim 1))
;;; cumulative sums
(setv #(highest places) (torch.cummax (.flip (torch.cumsum (> words 0) :dim 1) 1) :dim 1))
(torch.diff (F.pad highest #(1 2 3 0)) :dim 1)
;;; fourier transforms
(torch.cat [(.abs (torch.stft points :n-fft 256 :hop-length 100 :window (torch.hann-window 256) :return-complex True))
            (. (torch.fft.fft2 (.view (get points (slice (* 129 20))) 129 20)) real)] :dim 1)
;;; decompositions
(setv #(left values right) (torch.linalg.svd words :full-matrices False)  #(q r) (torch.linalg.qr (. words mT)))
(torch.linalg.solve-triangular (torch.linalg.cholesky (+ (@ q (. q mT)) (* 9 (torch.eye 64)))) (@ (. right mT) (torch.diag-embed values)) :upper False)
;;; derivatives
(defn energy [x w] (torch.tanh (@ x w)))
(setv jacobian ((torch.func.jacrev energy :argnums 1) (get words #(0 0)) (torch.randn 64 4)))
(torch.autograd.functional.hessian (fn [x] (.sum (energy x (torch.ones 64 4)))) (get words #(0 1)))
