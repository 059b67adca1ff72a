;; A U-Net's skip connection: the way down lost two pixels of border.
(import torch torch.nn :as nn torch.nn.functional :as F)

(defclass UNet [nn.Module]
  (defn __init__ [self]
    (.__init__ (super))
    (setv self.down (nn.Conv2d 3 16 3)
    ; sound: (setv self.down (nn.Conv2d 3 16 3 :padding 1)
          self.deep (nn.Conv2d 16 16 3 :padding 1)
          self.up (nn.Conv2d 19 3 3 :padding 1)))

  (defn forward [self x]
    (let [low (self.deep (F.max-pool2d (self.down x) 2))
          high (F.interpolate low :scale-factor 2.0)]
      (self.up (torch.cat [x high] :dim 1)))))
;              ^^^^^^^^^^^^^^^^^^^^^^^^^^^ mino: shape "x [1 3 32 32]" "high [1 16 30 30]" 32 30

(print (. ((UNet) (torch.randn 1 3 32 32)) shape))
