;;; mino-mode-tests.el --- What works without any server -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; The fallback mode, the settings and the output buffer, in an Emacs that has
;; neither lsp-mode nor `hy-mode'.

;;; Code:

(require 'ert)
(require 'imenu)
(require 'cus-edit)
(require 'mino)

(defmacro mino-test-with (text &rest body)
  "Evaluate BODY in a `mino-hy-mode' buffer with TEXT, point where | is in it."
  (declare (indent 1))
  `(with-temp-buffer
     (insert ,text)
     (mino-hy-mode)
     (goto-char (point-min))
     (when (search-forward "¦" nil t) (delete-char -1))
     (syntax-propertize (point-max))
     ,@body))

;;;; Loading

(ert-deftest mino-needs-no-client ()
  (should (featurep 'mino))
  (should-not (featurep 'lsp-mode))
  (should-not (featurep 'eglot)))

(ert-deftest mino-says-how-to-get-the-server ()
  (let ((mino-server-command '("no-such-mino-lsp" "--stdio")))
    (should (string-match-p "no-such-mino-lsp.*pip install minotauro"
                            (cadr (should-error (mino--server-command) :type 'user-error))))
    (mino-test-with "(print 1)"
      (should (string-match-p "pip install minotauro"
                              (cadr (should-error (call-interactively #'mino-run) :type 'user-error))))))
  (let ((mino-server-command '("sh")))
    (mino-test-with "(print 1)"
      (should (string-match-p "no server is at work"
                              (cadr (should-error (call-interactively #'mino-expand) :type 'user-error)))))))

;;;; Which files it takes

(defun mino-test-mode-of (name &optional first-line)
  "The major mode that a file with NAME and FIRST-LINE opens in."
  (let* ((directory (make-temp-file "mino" t))
         (file (expand-file-name name directory)))
    (unwind-protect
        (progn
          (with-temp-file file (insert (or first-line "") "\n"))
          (let ((buffer (find-file-noselect file)))
            (prog1 (buffer-local-value 'major-mode buffer) (kill-buffer buffer))))
      (delete-directory directory t))))

(ert-deftest mino-hy-mode-takes-hy-files ()
  (should (eq 'mino-hy-mode (mino-test-mode-of "model.hy")))
  (should (eq 'mino-hy-mode (mino-test-mode-of "script" "#!/usr/bin/env hy")))
  (should-not (eq 'mino-hy-mode (mino-test-mode-of "model.py"))))

(ert-deftest mino-hy-mode-yields-to-hy-mode ()
  (let ((auto-mode-alist auto-mode-alist))
    (unwind-protect
        (progn
          (defalias 'hy-mode (lambda () (interactive) (setq major-mode 'hy-mode)))
          (should (eq 'hy-mode (mino-test-mode-of "model.hy")))
          ;; As hy-mode's own autoloads do, after ours were loaded.
          (add-to-list 'auto-mode-alist '("\\.hy\\'" . hy-mode))
          (should (eq 'hy-mode (mino-test-mode-of "model.hy"))))
      (fmakunbound 'hy-mode))))

(ert-deftest mino-mode-binds-its-keys ()
  (mino-test-with ""
    (should mino-mode)
    (should (eq 'mino-run (key-binding (kbd "C-c C-c"))))
    (should (eq 'mino-stop (key-binding (kbd "C-c C-k"))))
    (should (eq 'mino-expand (key-binding (kbd "C-c C-m"))))))

;;;; Syntax

(ert-deftest mino-hy-mode-knows-where-forms-end ()
  (pcase-dolist (`(,text . ,end)
                 '(("[a {b c} (d)] e" . 14)
                   ("#(a b) c" . 7)
                   ("\"a \\\" (\" b" . 9)
                   ("(a ; )\n b) c" . 11)
                   ("|->> x" . 5)
                   ("a,b c" . 4)
                   ("torch.nn.functional x" . 20)
                   ("#[[ ) \" ]] x" . 11)
                   ("#[x[ ) ]] \" ]x] y" . 16)
                   ("(f #[[\n ) \n]] 1) x" . 17)
                   ("'(a) b" . 5)
                   ("~@(a) b" . 6)))
    (mino-test-with text
      (forward-sexp)
      (should (equal (cons text end) (cons text (point)))))))

(ert-deftest mino-hy-mode-follows-a-bracket-string-that-is-edited ()
  (mino-test-with "(f #[[ ) ¦ ]] 1) x"
    (insert "\n(")
    (goto-char (point-min))
    (forward-sexp)
    (should (looking-at-p " x"))))

(defun mino-test-face (text)
  "The face that TEXT has in this buffer."
  (goto-char (point-min))
  (search-forward text)
  (get-text-property (match-beginning 0) 'face))

(ert-deftest mino-hy-mode-colours ()
  (mino-test-with "(defmu Linear [x] #_ (old) x)
(defn train [n] (when True :key 1))
(spec/def :tensor 1) ; aside
(spec/gen :tensor \"text\" #[[raw]])
#_(gone) kept"
    (font-lock-ensure)
    (pcase-dolist (`(,text . ,face)
                   '(("defmu" . font-lock-keyword-face) ("Linear" . font-lock-type-face)
                     ("defn" . font-lock-keyword-face) ("train" . font-lock-function-name-face)
                     ("when" . font-lock-keyword-face) ("True" . font-lock-constant-face)
                     (":key" . font-lock-constant-face)
                     ("spec/def" . font-lock-keyword-face) (":tensor" . font-lock-function-name-face)
                     ("spec/gen" . font-lock-builtin-face)
                     ("aside" . font-lock-comment-face) ("text" . font-lock-string-face)
                     ("raw" . font-lock-string-face)
                     ("(old)" . font-lock-comment-face) ("(gone)" . font-lock-comment-face)
                     ("kept" . nil)))
      (should (equal (cons text face) (cons text (mino-test-face text)))))))

(ert-deftest mino-hy-mode-comments ()
  (mino-test-with "(f x)\n"
    (comment-region (point-min) (point-max))
    (should (equal ";; (f x)\n" (buffer-string)))))

;;;; Indentation

(defconst mino-test-indented
  '("(defmu Linear [x weights bias]\n  (-> x (@ weights) (+ bias)))"
    "(defn f [x]\n  \"doc\"\n  x)"
    "(let [a 1\n      b 2]\n  (+ a b))"
    "(for [x xs]\n  (print x))"
    "(when x\n  y)"
    "(defmain [#* _]\n  (print 1))"
    "(-> x\n    torch.sigmoid\n    (@ w))"
    "(if a\n    b\n    c)"
    "(Linear\n  :weights w\n  :bias b)"
    "(setv model (f)\n      y 2)"
    "(import torch\n        torch.nn :as nn)"
    "(spec/def :a (fn [x] x)\n          :b (fn [x] x))"
    "(spec/defgen :a [n]\n  (f n))"
    "[a\n b\n c]"
    "{:a 1\n :b 2}"
    "#(a\n  b)"
    "#{a\n  b}"
    "((f x)\n a\n b)"
    "(cond\n  a b\n  c d)"
    "(|-> [x y]\n     [f g])"
    "(f 'a\n   #(b)\n   ~@c)"
    "(f ; why\n  a)"
    "(defn f []\n  \"a text\n that stays\n     as it is\"\n  1)"
    "(f #[[\n as\n   it is]]\n   1)"
    "(defn f []\n  ;; a remark\n  (g\n    ;; another\n    1))"
    "(mu [x w]\n  (@ x w))"
    "(with [f (open p)]\n  (.read f))"
    "(try\n  (f)\n  (except [e Error]\n    (g e)))")
  "Forms as they should be indented.")

(ert-deftest mino-hy-mode-indents ()
  (dolist (form mino-test-indented)
    (mino-test-with form
      (indent-region (point-min) (point-max))
      (should (equal form (buffer-string))))
    ;; And from the left margin, where nothing of it is in a string.
    (unless (string-match-p "\"\\|\\[\\[" form)
      (mino-test-with (replace-regexp-in-string "^ +" "" form)
        (indent-region (point-min) (point-max))
        (should (equal form (buffer-string)))))))

(ert-deftest mino-hy-mode-leaves-the-examples-alone ()
  (dolist (file (directory-files (expand-file-name "examples" (getenv "MINO_ROOT")) t "\\.hy\\'"))
    (mino-test-with (with-temp-buffer (insert-file-contents file) (buffer-string))
      (let ((text (buffer-string)))
        (indent-region (point-min) (point-max))
        (should (equal text (buffer-string)))))))

(ert-deftest mino-hy-mode-indents-what-is-typed ()
  (mino-test-with "(defn f [x]¦)"
    (newline-and-indent)
    (should (equal 2 (current-column)))
    (insert "(g x")
    (newline-and-indent)
    (should (equal 5 (current-column)))))

(ert-deftest mino-hy-mode-lists-definitions ()
  (mino-test-with "(defmu Linear [x] x)\n(defn [cache] train [n] n)\n(setv a 1)\n"
    (should (equal '("Linear" "train")
                   (mapcar #'car (funcall imenu-create-index-function))))))

;;;; Settings

(ert-deftest mino-settings-as-json ()
  (pcase-dolist (`(,settings ,json)
                 `((((mino-trust ask)) "{\"trust\":\"ask\",\"inlayHints\":{\"enabled\":true}}")
                   (((mino-trust ask) (mino-inlay-hints-of (components)))
                    ,(concat "{\"trust\":\"ask\",\"inlayHints\":{\"enabled\":true,\"steps\":false,"
                             "\"components\":true,\"bindings\":false}}"))
                   (((mino-trust full) (mino-python "/usr/bin/python3") (mino-device "cuda:1")
                     (mino-run-args ("--epochs" "3")) (mino-run-env (("A" . "b")))
                     (mino-run-directory "/tmp") (mino-preview-mode "onSave") (mino-inlay-hints nil))
                    ,(concat "{\"trust\":\"full\",\"python\":\"/usr/bin/python3\",\"device\":\"cuda:1\","
                             "\"run\":{\"args\":[\"--epochs\",\"3\"],\"env\":{\"A\":\"b\"},\"cwd\":\"/tmp\"},"
                             "\"preview\":{\"mode\":\"onSave\"},\"inlayHints\":{\"enabled\":false}}"))))
    (cl-progv (mapcar #'car settings) (mapcar #'cadr settings)
      (should (equal json (json-serialize (mino--settings) :false-object :json-false))))))

(ert-deftest mino-options-have-their-types ()
  (mapatoms
   (lambda (symbol)
     (when (and (string-prefix-p "mino-" (symbol-name symbol)) (custom-variable-p symbol))
       (should (widget-apply (widget-convert (get symbol 'custom-type)) :match
                             (eval (car (get symbol 'standard-value)) t)))))))

(ert-deftest mino-get-reads-both-clients-objects ()
  (let ((table (make-hash-table :test #'equal)))
    (puthash "a" '(:b 1 :c :json-false) table)
    (should (equal 1 (mino-get table :a :b)))
    (should-not (mino-get table :a :c))
    (should-not (mino-get table :x :y))))

;;;; Output

(defun mino-test-output (&rest texts)
  "What is to be read in *mino-run* when TEXTS have come in."
  (with-current-buffer (mino--run-buffer)
    (let ((inhibit-read-only t)) (erase-buffer))
    (setq mino-run--connection 'server mino-run--id nil mino-run--past nil)
    (dolist (text texts) (mino--on-output 'server (list :run "r" :stream "stdout" :text text)))
    (buffer-string)))

(ert-deftest mino-output-obeys-carriage-returns ()
  (pcase-dolist (`(,expected . ,texts)
                 '(("a\nb\n" "a\n" "b\n")
                   ("ab\n" "a" "b\n")
                   (" 90%\n" "\r 10%" "\r 50%" "\r 90%\n")
                   ("100%\ndone\n" "10%\r" "100%\r" "\n" "done\n")
                   ("a\nb\n" "a\r\nb\r" "\n")))
    (should (equal expected (substring-no-properties (apply #'mino-test-output texts))))))

(ert-deftest mino-output-has-colours ()
  (let ((text (mino-test-output "\e[3" "1mred\e[0m plain\n")))
    (should (equal "red plain\n" (substring-no-properties text)))
    (should (get-text-property 0 'font-lock-face text))
    (should-not (get-text-property 5 'font-lock-face text))))

(ert-deftest mino-output-keeps-to-its-limit ()
  (let* ((mino-output-limit 1000)
         (text (apply #'mino-test-output (mapcar (lambda (n) (format "line %d\n" n)) (number-sequence 1 500)))))
    (should (<= (length text) 1000))
    (should (string-prefix-p "line" text))
    (should (string-suffix-p "line 500\n" text))))

(ert-deftest mino-output-of-another-run-is-dropped ()
  (mino-test-output "first\n")
  (with-current-buffer (mino--run-buffer)
    (mino--run-state 'finished "" nil)
    (setq mino-run--id nil)
    (mino--on-output 'server '(:run "r" :text "late\n"))
    (mino--on-output 'another '(:run "s" :text "elsewhere\n"))
    (mino--on-output 'server '(:run "s" :text "second\n"))
    (should (equal "first\nsecond\n" (buffer-substring-no-properties (point-min) (point-max))))))

(ert-deftest mino-output-of-several-processes-is-marked ()
  (should (equal "[1] a\n[1] b\n" (mino--with-rank 1 "a\nb\n")))
  (should (equal "a\n" (mino--with-rank nil "a\n"))))

(ert-deftest mino-output-cannot-be-edited ()
  (mino-test-output "a\n")
  (with-current-buffer (mino--run-buffer)
    (should-error (insert "x") :type 'buffer-read-only)))

;;;; Expansions

(ert-deftest mino-expansion-is-shown-by-a-replaceable-function ()
  (let* (shown (mino-display-expansion-function (lambda (text _answer) (setq shown text))))
    (mino--show-expansion '(:text "(f x)" :problems []))
    (should (equal "(f x)" shown))
    (setq shown nil)
    (cl-letf (((symbol-function 'message) (lambda (&rest args) (setq shown (apply #'format args)))))
      (mino--show-expansion '(:text "" :problems [(:message "no macro here")])))
    (should (equal "Mino: no macro here" shown))))

(ert-deftest mino-expansion-is-read-only-hy ()
  (mino-display-expansion "(+ (@ x weights) bias)" nil)
  (mino-display-expansion "(f x)" nil)
  (with-current-buffer "*mino-expansion*"
    (should (equal "(f x)\n" (buffer-string)))
    (should (eq 'mino-hy-mode major-mode))
    (should-not mino-mode)
    (should buffer-read-only)
    (should (eq 'quit-window (key-binding "q")))))

(provide 'mino-mode-tests)
;;; mino-mode-tests.el ends here
