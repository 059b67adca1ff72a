;; A small convolutional classifier; the first linear layer was computed for larger images.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu Classifier [images conv1 conv2 classify]
  (-> images
      conv1 F.relu (F.max-pool2d 2)
      conv2 F.relu (F.max-pool2d 2)
      (.flatten 1)
      classify))
;     ^^^^^^^^ mino: shape "[16 256]" 400 256

(setv classifier (Classifier :conv1 (nn.Conv2d 1 6 5)
                             :conv2 (nn.Conv2d 6 16 5)
                             :classify (nn.Linear (* 16 5 5) 10)))
                             ; sound: :classify (nn.Linear (* 16 4 4) 10)))
(print (. (classifier (torch.randn 16 1 28 28)) shape))
