;; Scaled dot-product attention by hand: the keys are not transposed.
(import math torch)

(defn attention [q k v]
  (let [scores (/ (torch.matmul q k)
       ; sound: (let [scores (/ (torch.matmul q (.transpose k -2 -1))
;                 ^^^^^^^^^^^^^^^^^^ mino: shape "q [2 4 20 16]" "k [2 4 20 16]" 16 20
                  (math.sqrt (get q.shape -1)))]
    (torch.matmul (torch.softmax scores :dim -1) v)))

(setv q (torch.randn 2 4 20 16)
      k (torch.randn 2 4 20 16)
      v (torch.randn 2 4 20 16))
(print (. (attention q k v) shape))
