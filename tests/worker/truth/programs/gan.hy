;; One step of each player of a generative adversarial network.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F functools [partial])

(defmu Generator [noise inner outer]
  (-> noise inner (F.leaky-relu 0.2) outer torch.tanh))

(defmu Critic [x inner outer]
  (-> x inner (F.leaky-relu 0.2) outer (.squeeze -1)))

(setv generator (Generator :inner (nn.Linear 4 16) :outer (nn.Linear 16 6))
      critic (Critic :inner (nn.utils.parametrizations.spectral-norm (nn.Linear 6 16)) :outer (nn.Linear 16 1))
      adam (partial torch.optim.Adam :lr 2e-4 :betas #(0.5 0.999))
      players {"generator" (adam (.parameters generator))  "critic" (adam (.parameters critic))})

(defn judged [x truth]
  (F.binary-cross-entropy-with-logits (critic x) (torch.full #((len x)) (float truth))))

(for [_ (range 2)]
  (setv real (+ 0.5 (torch.randn 8 6))
        noise (torch.randn 8 4)
        fake (generator noise)
        loss (+ (judged real True) (judged (.detach fake) False)))
  (.zero-grad (get players "critic"))
  (.backward loss)
  (.step (get players "critic"))
  (setv loss (judged fake True))
  (.zero-grad (get players "generator"))
  (.backward loss)
  (.step (get players "generator")))
(print (.item loss))
