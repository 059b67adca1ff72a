;; A radiance field: points along rays, their colours and densities, composed into pixels.
(require mino.mu * mino.thread *)
(import torch torch.nn :as nn)

(defn encoded [x [bands 3]]
  (torch.cat [x #* (gfor i (range bands) wave [torch.sin torch.cos] (wave (* (** 2 i) x)))] -1))

(defmu Field [points body density colour]
  (setv features (torch.relu (body (encoded points))))
  #((-> features density torch.relu (.squeeze -1)) (-> features colour torch.sigmoid)))

(defn render [field origins directions depths]
  (setv points (+ (get origins #(Ellipsis None (slice None)))
                  (* (get directions #(Ellipsis None (slice None))) (get depths #(Ellipsis None))))
        #(density colour) (field points)
        gaps (torch.diff depths :append (torch.tensor [1e3]))
        alpha (- 1 (torch.exp (- (* density gaps))))
        passed (torch.cumprod (+ (- 1 alpha) 1e-10) -1)
        passed (torch.cat [(torch.ones-like (get passed #(Ellipsis (slice None 1)))) (get passed #(Ellipsis (slice None -1)))] -1)
        weights (* alpha passed))
  #((torch.einsum "rs,rsc->rc" weights colour) (.sum (* weights depths) -1)))

(setv field (Field :body (nn.Linear 21 16) :density (nn.Linear 16 1) :colour (nn.Linear 16 3))
      directions (nn.functional.normalize (torch.randn 7 3) :dim -1)
      #(pixels depth) (render field (torch.zeros 7 3) directions (torch.linspace 0.5 2 8)))
(.backward (.mean (.square (- pixels 0.5))))
(print pixels depth)
