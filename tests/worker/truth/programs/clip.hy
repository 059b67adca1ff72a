;; Pictures and captions in one space: a symmetric loss over their similarities.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F math)

(defmu Pictures [x body head] (-> x body (.flatten 1) head))
(defmu Captions [tokens embed lstm head]
  (setv #(_ #(h _)) (lstm (embed tokens)))
  (-> (get h -1) head))

(defmu Clip [pictures captions see read scale]
  (let [#(a b) (lfor #(encode x) [#(see pictures) #(read captions)] (F.normalize (encode x) :dim -1))]
    (* (.exp scale) (@ a b.T))))

(defn symmetric [logits]
  (setv labels (torch.arange (len logits)))
  (/ (+ (F.cross-entropy logits labels) (F.cross-entropy logits.T labels)) 2))

(torch.manual-seed 0)
(setv clip (Clip :see (Pictures :body (nn.Sequential (nn.Conv2d 3 4 3 :stride 2) (nn.ReLU)) :head (nn.LazyLinear 6))
                 :read (Captions :embed (nn.Embedding 20 5) :lstm (nn.LSTM 5 8 :batch-first True) :head (nn.Linear 8 6))
                 :scale (nn.Parameter (torch.tensor (math.log (/ 1 0.07)))))
      logits (clip (torch.rand 4 3 9 9) (torch.randint 20 #(4 7))))
(.backward (symmetric logits))
(setv [values indices] (.max (.softmax logits 1) 1))
(print values indices)
