;; Triplets mined within a batch: the hardest positive and negative of each.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defn hardest [embedded labels [margin 0.2]]
  (let [distance (torch.cdist embedded embedded)
        same (= (.unsqueeze labels 0) (.unsqueeze labels 1))
        positive (.amax (.masked-fill distance (bnot same) 0.0) 1)
        negative (.amin (.masked-fill distance same (float "inf")) 1)
        lost (F.relu (+ (- positive negative) margin))]
    #((.mean lost) (get lost (> lost 0)))))

(defmu Embed [x inner outer]
  (-> x inner F.elu outer (F.normalize :p 2 :dim 1)))

(torch.manual-seed 4)
(setv embed (Embed :inner (nn.Linear 5 10) :outer (nn.Linear 10 3))
      labels (torch.tensor [0 0 1 1 2 2 2 1])
      prototypes {})
(setv points (embed (torch.randn 8 5))
      #(loss active) (hardest points labels))
(for [c (.unique labels)]
  (setv (get prototypes (int c)) (.mean (get points (= labels c)) 0)))
(setv table (torch.stack (list (.values prototypes)))
      nearest (.argmin (torch.cdist points table) 1))
(print loss table.shape (= nearest labels))
