;; A method that tensors do not have.
(require mino.thread *)
(import torch)

(defn standardise [x]
  (-> x
      (- (.mean x))
      (.unsqueze 0)))
;      ^^^^^^^^^ mino: attribute unsqueze unsqueeze
      ; sound: (.unsqueeze 0)))

(print (. (standardise (torch.randn 5)) shape))
