;; Dilated causal convolutions with gates, skips and quantised audio.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn torch.nn.functional :as F math)

(defn quantised [audio [levels 16]]
  (setv compressed (* (.sign audio) (/ (torch.log1p (* (- levels 1) (.abs audio))) (math.log levels))))
  (.long (.clamp (* (+ 1 compressed) 0.5 levels) 0 (- levels 1))))

(defmu Layer [x filter gate out skip dilation]
  (setv padded (F.pad x #(dilation 0))
        h (* (torch.tanh (filter padded)) (torch.sigmoid (gate padded))))
  #((+ x (out h)) (skip h)))

(defn layer [width dilation]
  (let [conv (fn [] (nn.Conv1d width width 2 :dilation dilation))]
    (Layer :filter (conv) :gate (conv) :out (nn.Conv1d width width 1) :skip (nn.Conv1d width width 1)
           :dilation dilation)))

(defmu WaveNet [codes embed layers end]
  (setv x (. (embed codes) mT)
        total 0)
  (for [one layers]
    (setv #(x skip) (one x)
          total (+ total skip)))
  (-> total torch.relu end))

(setv wavenet (WaveNet :embed (nn.Embedding 16 6)
                       :layers (nn.ModuleList (lfor i (range 3) (layer 6 (** 2 i))))
                       :end (nn.Conv1d 6 16 1))
      audio (torch.sin (torch.linspace 0 20 33))
      codes (.unsqueeze (quantised audio) 0)
      before (get codes #(Ellipsis (slice None -1)))
      after (get codes #(Ellipsis (slice 1 None)))
      logits (wavenet before)
      loss (F.cross-entropy logits after))
(.backward loss)
(print logits.shape loss)
