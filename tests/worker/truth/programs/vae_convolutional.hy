;; A convolutional variational auto-encoder, with reparametrisation in a method.
(import torch torch.nn :as nn torch.nn.functional :as F)

(defclass VAE [nn.Module]
  (setv code 3)
  (defn __init__ [self]
    (.__init__ (super))
    (setv self.encoder (nn.Sequential (nn.Conv2d 1 4 4 2 1) (nn.ReLU) (nn.Conv2d 4 8 4 2 1) (nn.ReLU) (nn.Flatten))
          self.mean (nn.Linear 128 self.code)
          self.log-var (nn.Linear 128 self.code)
          self.decoder (nn.Sequential (nn.Linear self.code 128) (nn.Unflatten 1 #(8 4 4))
                                      (nn.ConvTranspose2d 8 4 4 2 1) (nn.ReLU)
                                      (nn.ConvTranspose2d 4 1 4 2 1) (nn.Sigmoid))))
  (defn encode [self x]
    (setv h (self.encoder x))
    #((self.mean h) (self.log-var h)))
  (defn [staticmethod] sample [mean log-var]
    (+ mean (* (torch.exp (* 0.5 log-var)) (torch.randn-like mean))))
  (defn forward [self x]
    (setv #(mean log-var) (self.encode x)
          z (self.sample mean log-var))
    {"image" (self.decoder z)  "mean" mean  "log-var" log-var}))

(defn elbo [x * image mean log_var]
  (setv error (F.binary-cross-entropy image x :reduction "sum")
        divergence (* -0.5 (.sum (- (+ 1 log_var) (.pow mean 2) (.exp log_var)))))
  #(error divergence))

(torch.manual-seed 0)
(setv vae (VAE)
      x (torch.rand 4 1 16 16)
      told (vae x)
      #(error divergence) (elbo x #** (dfor #(k v) (.items told) (.replace k "-" "_") v)))
(.backward (+ error divergence))
(print (.item error) (.item divergence))
