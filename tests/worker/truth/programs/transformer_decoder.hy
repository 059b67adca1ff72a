;; A decoder with cross attention that is asked greedily, token by token.
(require mino.mu * mino.thread * hyrule [defmain])
(import torch torch.nn :as nn)

(defmu FeedForward [x up down] (-> x up nn.functional.gelu down (+ x)))

(defmu Decoder [tokens memory embed layer norm feed head]
  (setv x (embed tokens)
        mask (nn.Transformer.generate-square-subsequent-mask (.size tokens 1))
        x (layer x memory :tgt-mask mask :tgt-is-causal True))
  (-> x norm feed head))

(defn greedy [model memory [begin 1] [length 4]]
  (setv tokens (torch.full #((.size memory 0) 1) begin))
  (for [_ (range length)]
    (setv following (-> (model tokens memory) (get #((slice None) -1)) (.argmax -1 :keepdim True))
          tokens (torch.cat [tokens following] 1)))
  tokens)

(defmain [#* _]
  (torch.manual-seed 2)
  (let [width 12
        model (Decoder :embed (nn.Embedding 9 width)
                       :layer (nn.TransformerDecoderLayer width 3 :dim-feedforward 24 :batch-first True)
                       :norm (nn.LayerNorm width)
                       :feed (FeedForward :up (nn.Linear width 24) :down (nn.Linear 24 width))
                       :head (nn.Linear width 9))
        memory (torch.randn 2 6 width)]
    (.eval model)
    (with [guard (torch.no-grad)]
      (print (greedy model memory)))))
