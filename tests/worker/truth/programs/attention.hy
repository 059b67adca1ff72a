;; Multi-head attention by einsum, causal, with a helper that makes the mask and rotary positions.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defn causal [n] (.tril (torch.ones n n :dtype torch.bool)))

(defn rotate [x]
  (let [#(_ _ n d) x.shape
        half (// d 2)
        rates (torch.pow 10000.0 (/ (- (torch.arange half)) half))
        angles (torch.outer (torch.arange n) rates)
        [first second] (.chunk x 2 :dim -1)]
    (torch.cat [(- (* first (.cos angles)) (* second (.sin angles)))
                (+ (* first (.sin angles)) (* second (.cos angles)))]
               -1)))

(defmu Attention [x query key value out heads]
  (setv split (fn [t] (.transpose (.unflatten t -1 #(heads -1)) 1 2))
        [q k v] (lfor project [query key value] (split (project x)))
        q (rotate q)
        k (rotate k)
        scores (/ (torch.einsum "bhqd,bhkd->bhqk" q k) (** (get q.shape -1) 0.5))
        scores (.masked-fill scores (bnot (causal (.size x 1))) (float "-inf"))
        mixed (torch.einsum "bhqk,bhkd->bhqd" (.softmax scores -1) v))
  (-> mixed (.transpose 1 2) (.flatten 2) out))

(setv attend (Attention :query (nn.Linear 16 16) :key (nn.Linear 16 16) :value (nn.Linear 16 16)
                        :out (nn.Linear 16 16) :heads 4))
(for [n [3 5]]
  (setv y (attend (torch.randn 2 n 16)))
  (print y.shape))
