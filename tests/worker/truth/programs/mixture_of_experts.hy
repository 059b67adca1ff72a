;; A sparse mixture of experts: each token goes to its two best.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defmu Expert [x up down] (-> x up F.silu down))

(defmu Mixture [x gate experts]
  (setv tokens (.flatten x 0 1)
        scores (F.softmax (gate tokens) :dim -1)
        #(best which) (.topk scores 2 :dim -1)
        best (/ best (.sum best -1 :keepdim True))
        out (torch.zeros-like tokens))
  (for [[i expert] (enumerate experts)]
    (setv #(token place) (torch.where (= which i)))
    (when (.numel token)
      (setv share (.unsqueeze (get best #(token place)) -1))
      (.index-add_ out 0 token (* share (expert (get tokens token))))))
  (setv balance (* (len experts) (.sum (* (.mean scores 0) (.mean (.float (F.one-hot (get which #((slice None) 0)) (len experts))) 0)))))
  #((.view-as out x) balance))

(torch.manual-seed 0)
(setv moe (Mixture :gate (nn.Linear 6 3 :bias False)
                   :experts (nn.ModuleList (gfor _ (range 3) (Expert :up (nn.Linear 6 12) :down (nn.Linear 12 6)))))
      #(y balance) (moe (torch.randn 2 5 6)))
(.backward (+ (.mean y) (* 0.01 balance)))
(print y.shape balance)
