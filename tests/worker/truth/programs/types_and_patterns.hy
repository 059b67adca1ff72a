;; Mixed precisions, patterns, nested mus, annotations and memory: what a notebook of experiments looks like.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn contextlib [contextmanager] dataclasses [dataclass])

(defclass [dataclass] Batch []
  #^ torch.Tensor inputs
  #^ torch.Tensor labels)

(defn [contextmanager] doubled [module]
  (.double module)
  (try
    (yield (next (.parameters module)))
    (finally (.float module))))

(defn described [value]
  (match value
    (Batch :inputs x :labels y) (+ (.mean x) (.mean (.float y)))
    [first #* others] (+ first (sum others))
    (torch.Tensor) (.sum value)
    None 0))

(setv batch (Batch (torch.randn 4 3) (torch.arange 4))
      inner (mu [x w] (-> x (@ w) (.to torch.bfloat16)))
      outer (bind (mu [x inner scale] (-> x inner .float (* scale) .half)) :inner (bind inner :w (torch.ones 3 2)) :scale 0.5))
(with [weight (doubled (setx linear (nn.Linear 3 2)))]
  (setv y (linear (.double batch.inputs))))
(setv #^ torch.Tensor half (outer batch.inputs)
      #(least #* others) (.unbind batch.inputs 0)
      sums (lfor value [batch [(torch.ones 2) (torch.ones 2)] half None] (described value))
      masks (sfor b [True False] (torch.tensor b :dtype torch.bool))
      average (-> (torch.stack others) (.mean :dim 0 :dtype torch.float64))
      complex-numbers (torch.view-as-complex (.reshape (torch.arange 8.0) 4 2))
      quantiles (torch.quantile average (torch.tensor [0.1 0.9] :dtype torch.float64)))
(print y.dtype half.dtype weight.dtype sums (len masks) complex-numbers quantiles)
