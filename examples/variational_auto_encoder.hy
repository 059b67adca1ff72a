;; A variational auto-encoder of points on a circle: several values along one thread, and noise as a component.
(require mino.mu *
         mino.thread *
         hyrule [defmain])
(import torch
        torch.nn :as nn
        torch.nn.functional :as F
        torch.optim [Adam])

(defmu Encoder [x hidden to-mu to-log-var]
  "The mean and the logarithm of the variance of the code of x."
  (*-> (-> x hidden torch.tanh) [to-mu to-log-var]))

;; `mu` is a component here, although it is a macro too: it is used as a value
(defmu Sample [mu log-var noise]
  (-> log-var (* 0.5) torch.exp (* noise) (+ mu)))

(defmu Decoder [code hidden output]
  (-> code hidden torch.tanh output))

(defmu AutoEncoder [x noise encode sample decode]
  "The reconstruction of x, and the mean and log-variance of its code."
  (setv #(mean log-var) (encode x))
  #((-> mean (sample log-var noise) decode) mean log-var))

(defn auto-encoder [inputs hidden code]
  (AutoEncoder :encode (Encoder :hidden (nn.Linear inputs hidden)
                                :to-mu (nn.Linear hidden code)
                                :to-log-var (nn.Linear hidden code))
               :sample (Sample)
               :decode (Decoder :hidden (nn.Linear code hidden)
                                :output (nn.Linear hidden inputs))))

;; The error of the reconstruction, and how far the codes are from a standard normal distribution
(defn evidence-bound [x reconstruction mean log-var]
  (+ (-> reconstruction (F.mse-loss x :reduction "sum"))
     (* 0.01 -0.5 (-> (+ 1 log-var) (- (* mean mean)) (- (torch.exp log-var)) .sum))))

(defn circle [count]
  (let [angles (* 2 torch.pi (torch.rand count))]
    (torch.stack (*-> angles [torch.cos torch.sin]) 1)))

(defmain [#* _]
  (torch.manual-seed 0)
  (let [x (circle 256)
        model (auto-encoder 2 32 2)
        optimizer (Adam (.parameters model) :lr 0.01)]
    (for [epoch (range 60)]
      (let [loss (evidence-bound x #* (model x (torch.randn 256 2)))]
        (.zero-grad optimizer)
        (.backward loss)
        (.step optimizer)
        (print (.format "Epoch: {} Loss: {:.4f}" epoch (.item loss)))))
    (print "Made:" (-> (torch.randn 3 2) model.decode .tolist))))
