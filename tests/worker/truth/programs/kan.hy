;; A Kolmogorov-Arnold network: a learned B-spline on each edge.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F)

(defn spline-basis [x knots [order 2]]
  "The B-splines of `order` on `knots`, of each element of x."
  (setv x (.unsqueeze x -1)
        basis (.float (& (>= x (cut knots 0 -1)) (< x (cut knots 1 None)))))
  (for [k (range 1 (+ order 1))]
    (setv left (/ (- x (cut knots 0 (- (+ k 1)))) (- (cut knots k -1) (cut knots 0 (- (+ k 1)))))
          right (/ (- (cut knots (+ k 1) None) x) (- (cut knots (+ k 1) None) (cut knots 1 (- k))))
          basis (+ (* left (get basis #(Ellipsis (slice None -1))))
                   (* right (get basis #(Ellipsis (slice 1 None)))))))
  basis)

(defmu Edges [x knots coefficients base]
  (+ (F.linear (F.silu x) base)
     (torch.einsum "bik,oik->bo" (spline-basis x knots) coefficients)))

(defn edges [inputs outputs [count 5]]
  (setv knots (torch.linspace -2 2 (+ count 3)))
  (Edges :knots knots
         :coefficients (nn.Parameter (* 0.1 (torch.randn outputs inputs count)))
         :base (nn.Parameter (torch.randn outputs inputs))))

(setv kan (nn.Sequential (edges 2 4) (edges 4 1))
      x (- (* 2 (torch.rand 12 2)) 1)
      y (torch.exp (+ (torch.sin (get x #(Ellipsis 0))) (** (get x #(Ellipsis 1)) 2)))
      loss (F.mse-loss (.squeeze (kan x) -1) y))
(.backward loss)
(print loss)
