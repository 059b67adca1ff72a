;; Sub-pixel convolution: three times the resolution, judged by its signal-to-noise ratio.
(require mino.mu * mino.thread * hyrule [defmain])
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu Upscale [x first body last shuffle factor]
  (setv rough (F.interpolate x :scale-factor factor :mode "bicubic" :align-corners False))
  (-> x first F.relu body F.relu last shuffle (+ rough) (.clamp 0 1)))

(defn psnr [image truth]
  (match (.item (F.mse-loss image truth))
    0.0 (float "inf")
    error (* -10 (torch.log10 (torch.tensor error)))))

(defmain [#* _]
  (let [factor 3
        net (Upscale :first (nn.Conv2d 1 8 5 :padding "same")
                     :body (nn.Conv2d 8 8 3 :padding 1)
                     :last (nn.Conv2d 8 (* factor factor) 3 :padding 1)
                     :shuffle (nn.PixelShuffle factor)
                     :factor factor)
        sharp (torch.rand 2 1 12 12)
        small (F.avg-pool2d sharp factor)]
    (setv guess (net small)
          loss (F.smooth-l1-loss guess sharp))
    (.backward loss)
    (print (psnr (.detach guess) sharp) (psnr sharp sharp)
           (. ((nn.PixelUnshuffle factor) sharp) shape))))
