;; A causal mask that was made on the CPU.
(import torch)

(defn causal [scores]
  (let [size (get scores.shape -1)
        mask (torch.full #(size size) -1e9)]
        ; sound: mask (torch.full #(size size) -1e9 :device scores.device)]
    (+ scores (torch.triu mask 1))))
;   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: device "scores [2 8 8]" "[8 8]" cpu cuda

(print (. (causal (torch.randn 2 8 8 :device "cuda")) device))
