;; A small U-Net that segments: skip connections through a list, a Dice loss.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu Twice [x a b] (-> x a torch.relu b torch.relu))

(defn twice [f-in f-out]
  (Twice :a (nn.Conv2d f-in f-out 3 :padding 1) :b (nn.Conv2d f-out f-out 3 :padding 1)))

(defmu UNet [x down bottom up rise head]
  (setv skips [])
  (for [stage down]
    (setv x (stage x))
    (.append skips x)
    (setv x (F.max-pool2d x 2)))
  (setv x (bottom x))
  (for [#(lift stage skip) (zip rise up (reversed skips))]
    (setv x (stage (torch.cat [(lift x) skip] :dim 1))))
  (head x))

(defn dice [probabilities mask]
  (setv overlap (.sum (* probabilities mask) #(1 2 3)))
  (- 1 (/ (* 2 overlap) (+ (.sum probabilities #(1 2 3)) (.sum mask #(1 2 3)) 1e-6))))

(setv unet (UNet :down (nn.ModuleList [(twice 1 4) (twice 4 8)])
                 :bottom (twice 8 16)
                 :rise (nn.ModuleList [(nn.ConvTranspose2d 16 8 2 :stride 2) (nn.ConvTranspose2d 8 4 2 :stride 2)])
                 :up (nn.ModuleList [(twice 16 8) (twice 8 4)])
                 :head (nn.Conv2d 4 1 1)))
(let [image (torch.rand 2 1 16 16)
      mask (.float (> image 0.5))
      guess (torch.sigmoid (unet image))
      loss (.mean (dice guess mask))]
  (.backward loss)
  (print (.item loss)))
