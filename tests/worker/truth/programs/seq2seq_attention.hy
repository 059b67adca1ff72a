;; A sequence-to-sequence model with additive attention and teacher forcing.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F random)

(defmu Additive [query keys of-query of-key score]
  (setv energy (torch.tanh (+ (.unsqueeze (of-query query) 1) (of-key keys)))
        weights (-> (score energy) (.squeeze -1) (.softmax -1)))
  #((.squeeze (torch.bmm (.unsqueeze weights 1) keys) 1) weights))

(defmu Seq2Seq [source target forcing embed encoder attend cell head]
  (setv #(keys state) (encoder (embed source))
        state (.squeeze state 0)
        token (get target #(Ellipsis 0))
        logits [])
  (for [step (range 1 (.size target 1))]
    (setv #(context weights) (attend state keys)
          state (cell (torch.cat [(embed token) context] -1) state))
    (.append logits (head state))
    (setv token (if (< (.random random) forcing)
                    (get target #(Ellipsis step))
                    (.argmax (get logits -1) -1))))
  (torch.stack logits 1))

(setv width 8
      model (Seq2Seq :embed (nn.Embedding 11 width)
                     :encoder (nn.GRU width width :batch-first True)
                     :attend (Additive :of-query (nn.Linear width width) :of-key (nn.Linear width width)
                                       :score (nn.Linear width 1 :bias False))
                     :cell (nn.GRUCell (* 2 width) width)
                     :head (nn.Linear width 11)))
(random.seed 0)
(setv source (torch.randint 11 #(3 6))
      target (.flip source [1])
      logits (model source target 0.5)
      loss (F.cross-entropy (.flatten logits 0 1) (.flatten (get target #(Ellipsis (slice 1 None))))))
(.backward loss)
(print logits.shape loss)
