;; A training step and the sampling loop of a denoising diffusion model with sinusoidal times.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F math)

(setv STEPS 5
      betas (torch.linspace 1e-4 0.2 STEPS)
      alphas (- 1 betas)
      kept (torch.cumprod alphas 0))

(defn time-code [t width]
  (setv half (// width 2)
        rates (torch.exp (* (- (math.log 1000)) (/ (torch.arange half) half)))
        angles (* (.unsqueeze (.float t) 1) rates))
  (torch.cat [(torch.sin angles) (torch.cos angles)] -1))

(defmu Denoise [x t lift time middle lower]
  (setv h (+ (lift x) (time (time-code t 8))))
  (-> h F.silu middle F.silu lower))

(setv denoise (Denoise :lift (nn.Linear 2 16) :time (nn.Linear 8 16) :middle (nn.Linear 16 16)
                       :lower (nn.Linear 16 2)))

(defn noised [x t noise]
  (let [share (.unsqueeze (get kept t) -1)]
    (+ (* (.sqrt share) x) (* (.sqrt (- 1 share)) noise))))

(defn loss-of [x]
  (setv t (torch.randint STEPS #((len x)))
        noise (torch.randn-like x))
  (F.mse-loss (denoise (noised x t noise) t) noise))

(defn [(torch.no-grad)] sample [n]
  (setv x (torch.randn n 2))
  (for [t (reversed (range STEPS))]
    (setv guess (denoise x (torch.full #(n) t))
          scale (/ (get betas t) (.sqrt (- 1 (get kept t))))
          x (/ (- x (* scale guess)) (.sqrt (get alphas t))))
    (when (> t 0)
      (+= x (* (.sqrt (get betas t)) (torch.randn-like x)))))
  x)

(.backward (loss-of (torch.randn 16 2)))
(print (sample 3))
