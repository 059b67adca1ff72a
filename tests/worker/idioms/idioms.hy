;; Training idioms as people write them, each a program by itself: what stands above the first heading comes before each.
(import os io json csv copy math random time logging argparse collections functools itertools warnings)
(import pathlib [Path])
(import numpy :as np)
(import torch  torch [nn optim]  torch.nn.functional :as F)
(import torch.utils.data [DataLoader Dataset TensorDataset Subset random-split WeightedRandomSampler])
(require mino.mu * mino.thread * hyrule [unless])
(setv model (nn.Linear 10 1)  x (torch.randn 8 10)  y (torch.randn 8 1))
(setv device (torch.device (if (torch.cuda.is-available) "cuda" "cpu")))
;;; running loss
(setv total 0.0)
(for [_ (range 3)] (+= total (.item (F.mse-loss (model x) y))))
(print f"loss {(/ total 3) :.4f}")
;;; best so far
(setv best (float "inf")  loss (.item (.mean (model x))))
(when (< loss best) (setv best loss))
;;; accuracy
(setv correct (.item (.sum (= (.argmax (torch.randn 8 5) :dim 1) (torch.randint 0 5 #(8))))))
(print f"{(* 100 (/ correct 8)) :.1f}%" (round (/ correct 8) 2))
;;; gradient clipping
(.backward (.mean (model x)))
(setv norm (nn.utils.clip-grad-norm- (.parameters model) 1.0))
(print f"{norm :.3f}")
;;; fused optimizer
(setv opt (optim.AdamW (.parameters model) :fused True))
(.backward (.mean (model x)))
(.step opt)
;;; lbfgs
(setv opt (optim.LBFGS (.parameters model) :max-iter 3))
(defn closure [] (.zero-grad opt) (setv loss (F.mse-loss (model x) y)) (.backward loss) loss)
(.step opt closure)
;;; scaler on the cpu
(setv opt (optim.SGD (.parameters model) :lr 0.1)  scaler (torch.amp.GradScaler "cpu"))
(with [_ (torch.autocast "cpu" :dtype torch.bfloat16)] (setv loss (.mean (model x))))
(.backward (.scale scaler loss)) (.step scaler opt) (.update scaler)
;;; scaler on cuda
(setv model (nn.Linear 10 1 :device "cuda")  x (torch.randn 8 10 :device "cuda"))
(setv opt (optim.SGD (.parameters model) :lr 0.1)  scaler (torch.amp.GradScaler "cuda"))
(with [_ (torch.autocast "cuda" :dtype torch.float16)] (setv out (model x)))
(assert (= out.dtype torch.float16))
(.backward (.scale scaler (.mean out))) (.unscale- scaler opt) (.step scaler opt) (.update scaler)
;;; module to cuda
(setv model (.cuda model))
(model (.cuda x))
;;; to the device that is there
(setv model (.to model device))
(model (.to x device))
;;; synchronize and memory
(torch.cuda.synchronize)
(print (/ (torch.cuda.max-memory-allocated) 1e9))
;;; seeds
(random.seed 0) (np.random.seed 0) (torch.manual-seed 0) (torch.cuda.manual-seed-all 0)
(setv torch.backends.cudnn.deterministic True  torch.backends.cudnn.benchmark False)
;;; from numpy
(model (torch.from-numpy (.astype (np.random.randn 8 10) "float32")))
;;; numpy file
(np.save "x.npy" (.astype (np.random.randn 5 10) "float32"))
(model (torch.from-numpy (np.load "x.npy")))
;;; to numpy
(setv out (.numpy (.cpu (.detach (model x)))))
(print out.shape (.mean out))
;;; tensor from lists
(model (torch.tensor (* [(* [1.0] 10)] 4)))
;;; to list
(for [row (.tolist (model x))] (print row))
;;; load a tensor
(torch.save (torch.randn 5 10) "x.pt")
(model (torch.load "x.pt"))
;;; checkpoint
(setv opt (optim.Adam (.parameters model)))
(torch.save {"model" (.state-dict model) "opt" (.state-dict opt) "epoch" 3} "c.pt")
(setv saved (torch.load "c.pt" :map-location device))
(.load-state-dict model (get saved "model"))
(.load-state-dict opt (get saved "opt"))
(print (get saved "epoch"))
;;; checkpoint in a folder
(.mkdir (Path "checkpoints") :parents True :exist-ok True)
(setv path (/ (Path "checkpoints") "best.pt"))
(torch.save (.state-dict model) path)
(when (.exists path) (.load-state-dict model (torch.load path :weights-only True)))
;;; mask
(model (get x (> (get x #((slice None) 0)) 0)))
;;; packed sequences
(import torch.nn.utils.rnn [pack-padded-sequence pad-packed-sequence])
(setv rnn (nn.LSTM 10 5 :batch-first True))
(setv [out state] (rnn (pack-padded-sequence (torch.randn 3 7 10) (torch.tensor [7 5 2]) :batch-first True)))
(setv [padded lengths] (pad-packed-sequence out :batch-first True))
;;; padded batch
(import torch.nn.utils.rnn [pad-sequence])
(setv padded (pad-sequence [(torch.ones 3 2) (torch.ones 5 2)] :batch-first True))
;;; transformer in evaluation
(setv model (.eval (nn.TransformerEncoder (nn.TransformerEncoderLayer 16 4 :batch-first True) 2)))
(with [_ (torch.no-grad)]
  (model (torch.randn 2 5 16) :src-key-padding-mask (torch.zeros 2 5 :dtype torch.bool)))
;;; sampling a token
(setv next-token (.item (torch.multinomial (torch.softmax (torch.randn 10) 0) 1)))
(print (get (list (range 10)) next-token))
;;; generation
(setv tokens (torch.zeros 1 1 :dtype torch.long)  embed (nn.Embedding 20 8)  head (nn.Linear 8 20))
(for [_ (range 4)]
  (setv logits (get (head (embed tokens)) #((slice None) -1)))
  (setv tokens (torch.cat [tokens (.argmax logits -1 :keepdim True)] :dim 1)))
;;; distributions
(setv d (torch.distributions.Normal (model x) (torch.ones 8 1)))
(.mean (.log-prob d (.rsample d)))
(torch.distributions.kl-divergence d (torch.distributions.Normal (torch.zeros 8 1) (torch.ones 8 1)))
;;; categorical
(setv d (torch.distributions.Categorical :logits (torch.randn 8 4)))
(.log-prob d (.sample d))
;;; moving average
(setv average (copy.deepcopy model))
(with [_ (torch.no-grad)]
  (for [[a b] (zip (.parameters average) (.parameters model))] (.add- (.mul- a 0.99) b :alpha 0.01)))
;;; averaged model
(import torch.optim.swa-utils [AveragedModel])
(setv average (AveragedModel model))
(.update-parameters average model)
(average x)
;;; a range of a tensor
(for [i (range (torch.tensor 5))] (print i))
;;; sizes from tensors
(setv n (torch.tensor [3 4]))
(torch.zeros (int (get n 0)) (int (get n 1)))
;;; recomputation
(import torch.utils.checkpoint [checkpoint])
(.backward (.sum (checkpoint model (.requires-grad- x) :use-reentrant False)))
;;; patches
(.transpose (F.unfold (torch.randn 1 3 8 8) 3) 1 2)
;;; attention
(setv q (torch.randn 1 2 5 8))
(F.scaled-dot-product-attention q q q :is-causal True)
;;; progress
(defn progress [items [size None]] (for [[i item] (enumerate items)] (print f"\r{i}" :end "") (yield item)))
(for [_ (progress (range 3))] (setv shown {"loss" f"{(.item (.mean (model x))) :.3f}"}))
;;; confusion
(setv shown (torch.bincount (+ (* 3 (torch.randint 0 3 #(20))) (torch.randint 0 3 #(20))) :minlength 9))
(.view shown 3 3)
;;; top k
(setv [values indices] (torch.topk (torch.randn 8 10) 3))
(.any (= indices (torch.zeros 8 1 :dtype torch.long)) :dim 1)
;;; scripted
(setv scripted (torch.jit.script (nn.Linear 3 3)))
(scripted (torch.randn 2 3))
;;; compiled
(setv fast (torch.compile model))
(fast x)
;;; random state
(setv state (torch.get-rng-state))
(torch.rand 3)
(torch.set-rng-state state)
;;; plateau
(setv opt (optim.SGD (.parameters model) :lr 0.1)  scheduler (optim.lr-scheduler.ReduceLROnPlateau opt :patience 1))
(for [_ (range 3)] (.step scheduler (F.mse-loss (model x) y)))
(print (get (get opt.param-groups 0) "lr"))
;;; cosine schedule
(setv opt (optim.AdamW (.parameters model))  scheduler (optim.lr-scheduler.CosineAnnealingLR opt :T-max 10))
(for [_ (range 3)] (.zero-grad opt) (.backward (F.mse-loss (model x) y)) (.step opt) (.step scheduler))
(print (.get-last-lr scheduler))
;;; warm up
(setv opt (optim.Adam (.parameters model)))
(setv scheduler (optim.lr-scheduler.LambdaLR opt (fn [step] (min 1.0 (/ (+ step 1) 10)))))
(.step opt) (.step scheduler)
;;; accumulation
(setv opt (optim.SGD (.parameters model) :lr 0.1))
(for [step (range 4)]
  (.backward (/ (F.mse-loss (model x) y) 2))
  (when (= (% (+ step 1) 2) 0) (.step opt) (.zero-grad opt :set-to-none True)))
;;; early stopping
(setv best (float "inf") patience 0)
(for [epoch (range 5)]
  (setv loss (.item (F.mse-loss (model x) y)))
  (if (< loss (- best 1e-4)) (setv best loss patience 0) (+= patience 1))
  (when (>= patience 2) (print "stopped at" epoch) (break)))
;;; weight tying
(defclass Tied [nn.Module]
  (defn __init__ [self]
    (.__init__ (super))
    (setv self.embed (nn.Embedding 20 8)  self.head (nn.Linear 8 20 :bias False)  self.head.weight self.embed.weight))
  (defn forward [self tokens] (self.head (self.embed tokens))))
((Tied) (torch.randint 0 20 #(2 5)))
;;; dataset
(defclass Numbers [Dataset]
  (defn __len__ [self] 12)
  (defn __getitem__ [self i] #((torch.full #(10) (float i)) (% i 3))))
(for [[batch labels] (DataLoader (Numbers) :batch-size 4 :shuffle True)] (F.one-hot labels 3) (model batch))
;;; collate
(defn collate [items] (torch.stack (lfor item items (get item 0))))
(for [batch (DataLoader (TensorDataset x) :batch-size 3 :collate-fn collate :drop-last True)] (model batch))
;;; loader workers
(for [[a b] (DataLoader (TensorDataset x y) :batch-size 4 :shuffle True :num-workers 2 :pin-memory True)]
  (F.mse-loss (model a) b))
;;; split
(setv [train test] (random-split (TensorDataset x y) [6 2] :generator (.manual-seed (torch.Generator) 0)))
(for [[a b] (DataLoader train 2)] (model a))
;;; weighted sampler
(setv sampler (WeightedRandomSampler (torch.ones 8) 8))
(for [[a b] (DataLoader (TensorDataset x y) 4 :sampler sampler)] (model a))
;;; hooks
(setv seen {})
(setv handle (.register-forward-hook model (fn [m i o] (setv (get seen "out") (.detach o)))))
(model x) (.remove handle)
(get seen "out")
;;; vmap
((torch.vmap (fn [row] (.sum (* row row)))) x)
;;; per sample gradients
(setv params (dict (.named-parameters model)))
(defn one-loss [params a b] (F.mse-loss (torch.func.functional-call model params #(a)) b))
((torch.vmap (torch.func.grad one-loss) :in-dims #(None 0 0)) params x y)
;;; distributed if it is
(import torch.distributed :as dist)
(setv rank (if (and (dist.is-available) (dist.is-initialized)) (dist.get-rank) 0))
(when (= rank 0) (print "main"))
;;; arguments
(setv parser (argparse.ArgumentParser))
(.add-argument parser "--epochs" :type int :default 2)
(setv args (.parse-args parser))
(for [_ (range args.epochs)] (model x))
;;; logging
(logging.basicConfig :filename "train.log" :level logging.INFO)
(logging.info "loss %.4f" (.item (.mean (model x))))
;;; a table of metrics
(with [f (open "metrics.csv" "w" :newline "")]
  (setv writer (csv.DictWriter f ["epoch" "loss"]))
  (.writeheader writer)
  (.writerow writer {"epoch" 0 "loss" (.item (.mean (model x)))}))
(print (.read (open "metrics.csv")))
;;; json metrics
(with [f (open "metrics.json" "w")] (json.dump {"loss" (.item (.mean (model x))) "n" (len x)} f))
(get (json.load (open "metrics.json")) "n")
;;; nan guard
(setv loss (F.mse-loss (model x) y))
(when (or (torch.isnan loss) (math.isinf (.item loss))) (raise (RuntimeError "diverged")))
(assert (torch.isfinite loss))
;;; ctc
(setv scores (.log-softmax (torch.randn 12 2 5 :requires-grad True) 2))
(.backward (F.ctc-loss scores (torch.randint 1 5 #(2 4)) (torch.tensor [12 12]) (torch.tensor [4 3])))
;;; allclose
(setv a (model x))
(assert (torch.allclose a (F.linear x model.weight model.bias) :atol 1e-5))
;;; initialisation
(defn init [m] (when (isinstance m nn.Linear) (nn.init.xavier-uniform- m.weight) (nn.init.zeros- m.bias)))
(.apply model init)
(model x)
;;; rearranging
(setv images (torch.randn 2 3 8 8))
(-> images (.view 2 3 4 2 4 2) (.permute 0 2 4 1 3 5) (.flatten 3) (.flatten 1 2))
;;; evaluation
(.eval model)
(with [_ (torch.inference-mode)]
  (setv losses (lfor [a b] (DataLoader (TensorDataset x y) 4) (.item (F.mse-loss (model a) b)))))
(print (/ (sum losses) (len losses)))
(.train model)
