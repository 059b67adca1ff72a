;; A convolutional classifier of images of horizontal and vertical bars: modules of torch.nn as the components of a mu.
(require mino.mu *
         mino.thread *
         hyrule [defmain])
(import torch
        torch.nn :as nn
        torch.nn.functional :as F
        torch.optim [Adam])

;; Convolution, activation and pooling halve the image
(defmu Block [x convolution]
  (-> x convolution F.relu (F.max-pool2d 2)))

;; The features of an image, flattened and classified
(defmu Classifier [images first-block second-block head]
  (-> images
      first-block
      second-block
      (torch.flatten :start-dim 1)
      head))

(defn block [channels-in channels-out]
  (Block :convolution (nn.Conv2d channels-in channels-out 3 :padding 1)))

;; A classifier of images of 8 × 8 pixels
(defn classifier [classes]
  (Classifier :first-block (block 1 8)
              :second-block (block 8 16)
              :head (nn.Linear (* 16 2 2) classes)))

;; Images with noise and one bar each; the label says whether it is vertical
(defn bars [count]
  (let [images (* 0.3 (torch.randn count 1 8 8))
        labels (torch.randint 0 2 #(count))]
    (for [i (range count)]
      (let [at (int (torch.randint 0 8 #()))]
        (if (get labels i)
            (+= (get images #(i 0 (slice None) at)) 1)
            (+= (get images #(i 0 at)) 1))))
    #(images labels)))

(defmain [#* _]
  (torch.manual-seed 0)
  (let [#(images labels) (bars 256)
        model (classifier 2)
        optimizer (Adam (.parameters model) :lr 0.01)]
    (print model)
    (for [epoch (range 20)]
      (let [scores (model images)
            loss (F.cross-entropy scores labels)]
        (.zero-grad optimizer)
        (.backward loss)
        (.step optimizer)
        (print (.format "Epoch: {} Loss: {:.4f}" epoch (.item loss)))))
    (let [#(images labels) (bars 100)
          right (-> images model (.argmax 1) (.eq labels) .sum .item)]
      (print (.format "Right: {} of 100" right)))))
