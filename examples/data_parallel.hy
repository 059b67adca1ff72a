;; Data-parallel training: each process has a copy of the model and a share of the data, and their gradients are averaged.
;; On two: mino run data_parallel.hy --nproc 2. On one it learns the very same.
(require mino.mu *
         mino.thread *
         hyrule [defmain])
(import torch
        torch.nn :as nn
        torch.nn.functional :as F
        torch.distributed :as dist
        torch.nn.parallel [DistributedDataParallel])

(defmu Network [x widen narrow]
  (-> x widen torch.tanh narrow))

(defn network [width]
  (Network :widen (nn.Linear 2 width)
           :narrow (nn.Linear width 1)))

;; The rows of this process: every process has as many, so that the mean of the means is the mean
(defn share [rows rank processes]
  (get rows (slice rank None processes)))

(defmain [#* _]
  (let [several (dist.is-torchelastic-launched)]
    (when several (dist.init-process-group))
    (torch.manual-seed 0)
    (let [rank (if several (dist.get-rank) 0)
          processes (if several (dist.get-world-size) 1)
          x (torch.randn 64 2)
          y (.prod x :dim 1 :keepdim True)
          model (network 16)
          trained (if several (DistributedDataParallel model) model)
          optimizer (torch.optim.SGD (.parameters model) :lr 0.2)]
      (for [epoch (range 1 31)]
        (let [loss (F.mse-loss (trained (share x rank processes)) (share y rank processes))]
          (.zero-grad optimizer)
          (.backward loss)
          (.step optimizer)
          (when (= rank 0)
            (print (.format "Epoch {}/30  Loss: {:.6f}" epoch (.item (F.mse-loss (model x) y))) :flush True)))))
    (when several (dist.destroy-process-group))))
