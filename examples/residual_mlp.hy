;; A deep residual network: `*->` sends a value through a layer and past it, and adds the two.
(require mino.mu *
         mino.thread *
         hyrule [defmain])
(import torch
        torch.nn :as nn
        torch.nn.functional :as F
        torch.optim [Adam])

(defmu Layer [x norm widen narrow]
  (-> x norm widen F.gelu narrow))

;; The list spreads as the arguments of +
(defmu Residual [x layer]
  (*-> [(layer x) x] +))

(defmu Network [x embed blocks head]
  (-> x embed blocks head))

(defn residual [width]
  (Residual
    :layer (Layer :norm (nn.LayerNorm width)
                  :widen (nn.Linear width (* 2 width))
                  :narrow (nn.Linear (* 2 width) width))))

(defn network [inputs width depth outputs]
  (Network :embed (nn.Linear inputs width)
           :blocks (nn.Sequential #* (lfor _ (range depth) (residual width)))
           :head (nn.Linear width outputs)))

(defmain [#* _]
  (torch.manual-seed 0)
  (let [x (.unsqueeze (torch.linspace -3 3 128) 1)
        y (* (torch.sin (* 3 x)) (torch.exp (- (* 0.2 x x))))
        model (network 1 32 6 1)
        optimizer (Adam (.parameters model) :lr 0.003)]
    (for [epoch (range 60)]
      (let [loss (F.mse-loss (model x) y)]
        (.zero-grad optimizer)
        (.backward loss)
        (.step optimizer)
        (print (.format "Epoch: {} Loss: {:.4f}" epoch (.item loss)))))))
