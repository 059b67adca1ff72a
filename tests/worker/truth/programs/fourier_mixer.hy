;; Tokens mixed by Fourier transforms, and a layer that learns a filter in frequency.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu Mix [x norm1 norm2 up down]
  (setv mixed (. (torch.fft.fft2 x :dim #(-2 -1)) real)
        x (norm1 (+ x mixed)))
  (norm2 (+ x (-> x up F.gelu down))))

(defmu Spectral [x weights modes]
  (setv spectrum (torch.fft.rfft x :dim 1)
        kept (torch.einsum "bmi,mio->bmo" (get spectrum #((slice None) (slice modes))) weights)
        padded (F.pad kept #(0 0 0 (- (.size spectrum 1) modes))))
  (torch.fft.irfft padded :n (.size x 1) :dim 1))

(setv mix (Mix :norm1 (nn.LayerNorm 6) :norm2 (nn.LayerNorm 6) :up (nn.Linear 6 12) :down (nn.Linear 12 6))
      spectral (Spectral :weights (nn.Parameter (torch.randn 3 6 6 :dtype torch.cfloat)) :modes 3)
      x (torch.randn 2 10 6)
      y (-> x mix spectral)
      power (.square (.abs (torch.fft.rfft (cut y 0 1) :dim 1))))
(.backward (.mean y))
(print y.shape power.shape (. spectral.weights.grad dtype))
