;; A perceptron for images whose second layer expects another width.
(import torch torch.nn :as nn)

(setv model (nn.Sequential (nn.Flatten)
                           (nn.Linear 784 256)
                           (nn.ReLU)
                           (nn.Linear 128 10)))
                           ; sound: (nn.Linear 256 10)))
(setv images (torch.randn 64 1 28 28))
(setv logits (model images))
;            ^^^^^^^^^^^^^^ mino: shape Linear "[64 256]" 128 256
(print (.argmax logits :dim 1))
