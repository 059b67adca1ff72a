;; Residual blocks as nested mus, with a projection where the width changes.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defmu Block [x conv1 norm1 conv2 norm2 shortcut]
  (-> x conv1 norm1 torch.relu conv2 norm2 (+ (shortcut x)) torch.relu))

(defn block [before after [stride 1]]
  (Block :conv1 (nn.Conv2d before after 3 :stride stride :padding 1 :bias False)
         :norm1 (nn.BatchNorm2d after)
         :conv2 (nn.Conv2d after after 3 :padding 1 :bias False)
         :norm2 (nn.BatchNorm2d after)
         :shortcut (if (and (= stride 1) (= before after))
                       (nn.Identity)
                       (nn.Conv2d before after 1 :stride stride :bias False))))

(defmu ResNet [x stem stages pool head]
  (-> x stem stages pool (torch.flatten 1) head))

(setv net (ResNet :stem (nn.Conv2d 3 4 3 :padding 1)
                  :stages (nn.Sequential (block 4 4) (block 4 8 2) (block 8 16 :stride 2))
                  :pool (nn.AdaptiveAvgPool2d 1)
                  :head (nn.Linear 16 5)))
(setv images (torch.randn 2 3 16 16)
      logits (net images)
      probabilities (.softmax logits -1))
(.backward (-> probabilities (torch.log) .mean))
(setv gradients (lfor p (.parameters net) :if (is-not p.grad None) (.norm p.grad)))
(print (len gradients) (max gradients))
