;;; mino-hy-mode.el --- A small major mode for Hy -*- lexical-binding: t; -*-

;; Copyright (c) 2026 The Mino authors

;; Author: The Mino authors
;; Keywords: languages, lisp
;; SPDX-License-Identifier: MIT

;; This file is not part of GNU Emacs.

;;; Commentary:

;; A major mode for Hy 1.x for people who have no `hy-mode': brackets, strings,
;; comments, colours and indentation, and nothing else.  Where `hy-mode' is
;; installed, .hy files open in that: see `mino-auto-mode'.

;;; Code:

(require 'lisp-mode)
(require 'subr-x)

(defgroup mino-hy nil
  "A small major mode for Hy."
  :group 'languages
  :prefix "mino-hy-")

(defcustom mino-hy-body-forms
  '("when" "unless" "while" "for" "except" "except*" "match" "case"
    "mu" "spec/defgen" "spec/defun" "do-n" "list-n" "loop" "block" "ap-each" "ap-dotimes"
    "eval-and-compile" "eval-when-compile" "do-mac")
  "Forms whose further lines are a body, indented by two.
Forms whose names begin as in `mino-hy-body-prefixes' are, too."
  :type '(repeat string))

(defcustom mino-hy-body-prefixes '("def" "fn" "let" "with")
  "Beginnings of the names of forms whose further lines are a body."
  :type '(repeat string))

;;;; Syntax

(defvar mino-hy-mode-syntax-table
  (let ((table (make-syntax-table lisp-data-mode-syntax-table)))
    (modify-syntax-entry ?\{ "(}" table)
    (modify-syntax-entry ?\} "){" table)
    (modify-syntax-entry ?~ "'" table)
    ;; Parts of names in Hy, whatever they are in other Lisps.
    (modify-syntax-entry ?, "_" table)
    (modify-syntax-entry ?| "_" table)
    table)
  "The syntax table of `mino-hy-mode'.")

(defun mino-hy--propertize (start end)
  "Mark bracket strings, such as #[[text]] and #[x[text]x], between START and END.
What is between the outer brackets has the syntax of a string."
  (goto-char start)
  (when (eq t (nth 3 (syntax-ppss)))
    (save-excursion (goto-char (nth 8 (syntax-ppss)))
                    (looking-at "\\[\\([^][\n]*\\)\\["))
    (mino-hy--propertize-end (match-string 1) end))
  (while (re-search-forward "#\\(\\[\\)\\([^][\n]*\\)\\[" end t)
    (let ((opening (match-beginning 1))
          (delimiter (match-string 2)))
      (unless (nth 8 (save-excursion (syntax-ppss (match-beginning 0))))
        (mino-hy--fence opening)
        (mino-hy--propertize-end delimiter end)))))

(defun mino-hy--propertize-end (delimiter end)
  "Mark where the bracket string with DELIMITER ends, and go there, or to END."
  (if (search-forward (concat "]" delimiter "]") end t)
      (mino-hy--fence (1- (point)))
    (goto-char end)))

(defun mino-hy--fence (position)
  "Let the character at POSITION begin or end a string."
  (put-text-property position (1+ position) 'syntax-table (string-to-syntax "|")))

;;;; Indentation

(defun mino-hy-indent-line ()
  "Indent the current line as Hy is written."
  (interactive)
  (let ((column (mino-hy--indentation)))
    (if (null column)
        'noindent
      (if (<= (current-column) (current-indentation))
          (indent-line-to column)
        (save-excursion (indent-line-to column))))))

(defun mino-hy--indentation ()
  "The column that the current line should begin at; nil within a string.
A line in a list or after a head that is no symbol stands under the
first element; in a call, under the first argument, or two columns in
where that is on no line of the head's or the form has a body."
  (save-excursion
    (let* ((state (save-excursion (syntax-ppss (line-beginning-position))))
           (open (nth 1 state)))
      (cond ((nth 3 state) nil)
            ((null open) 0)
            (t (goto-char open)
               (let ((outer (current-column))
                     (call (and (eq ?\( (char-after)) (not (eq ?# (char-before))))))
                 (forward-char 1)
                 (skip-chars-forward " \t")
                 (cond ((mino-hy--end-of-code-p) (1+ outer))
                       ((not (and call (looking-at-p "\\(?:\\sw\\|\\s_\\)") (not (looking-at-p "[:0-9]"))))
                        (current-column))
                       ((mino-hy--body-form-p) (+ outer lisp-body-indent))
                       (t (forward-sexp 1)
                          (skip-chars-forward " \t")
                          (if (mino-hy--end-of-code-p)
                              (+ outer lisp-body-indent)
                            (current-column))))))))))

(defun mino-hy--end-of-code-p ()
  "Whether nothing but a comment follows point on its line."
  (looking-at-p "[ \t]*\\(?:;\\|$\\)"))

(defun mino-hy--body-form-p ()
  "Whether the symbol after point is the head of a form with a body."
  (let ((head (buffer-substring-no-properties
               (point) (save-excursion (skip-syntax-forward "w_") (point)))))
    (or (member head mino-hy-body-forms)
        (seq-some (lambda (prefix) (string-prefix-p prefix head)) mino-hy-body-prefixes))))

;;;; Colours

(defconst mino-hy--special-forms
  '("and" "assert" "await" "break" "chainc" "cond" "cond->" "cond->>" "continue" "cut" "del" "dfor" "do"
    "do-mac" "doto" "else" "except" "except*" "export" "finally" "fn" "fn/a" "for" "get" "gfor" "global" "if"
    "import" "in" "is" "is-not" "let" "lfor" "match" "nonlocal" "not" "not-in" "or" "pragma" "py" "pys"
    "quasiquote" "quote" "raise" "require" "return" "setv" "setx" "sfor" "try" "unless" "unquote"
    "unquote-splice" "when" "while" "with" "with/a" "yield"
    "mu" "bind" "geta" "->" "->>" "*->" "*->>" "|->" "|->>" "=->" "=->>" "as->" "some->")
  "Heads of forms that are shown as keywords.")

(defun mino-hy--match-discarded (limit)
  "Find a form that #_ discards, before LIMIT, for `font-lock-keywords'."
  (let (found)
    (while (and (not found) (search-forward "#_" limit t))
      (let ((start (match-beginning 0)))
        (unless (nth 8 (save-excursion (syntax-ppss start)))
          (ignore-errors (forward-sexp 1))
          (set-match-data (list start (point)))
          (setq found t))))
    found))

(defconst mino-hy--font-lock-keywords
  `((,(rx "(" (group (or "defclass" "defmu")) symbol-end
          (* (any " \t")) (? "[" (* (not (any "]"))) "]") (* (any " \t"))
          (group (+ (or (syntax word) (syntax symbol)))))
     (1 font-lock-keyword-face) (2 font-lock-type-face))
    (,(rx "(" (group (? "spec/") "def" (* (or (syntax word) (syntax symbol))))
          (* (any " \t")) (? "[" (* (not (any "]"))) "]") (* (any " \t"))
          (? (group (+ (or (syntax word) (syntax symbol))))))
     (1 font-lock-keyword-face) (2 font-lock-function-name-face nil t))
    (,(rx-to-string `(seq "(" (group (or ,@mino-hy--special-forms)) symbol-end) t)
     (1 font-lock-keyword-face))
    (,(rx "(" (group (or "spec" "mino") "/" (+ (or (syntax word) (syntax symbol)))))
     (1 font-lock-builtin-face))
    (,(rx symbol-start ":" (+ (or (syntax word) (syntax symbol)))) (0 font-lock-constant-face))
    (,(rx symbol-start (or "True" "False" "None" "NotImplemented") symbol-end)
     (0 font-lock-constant-face))
    (mino-hy--match-discarded (0 font-lock-comment-face t)))
  "What `mino-hy-mode' colours beside strings and comments.")

(defconst mino-hy--imenu
  `((nil ,(rx line-start (* blank) "(" (or "defn" "defn/a" "defmu" "defclass" "defmacro" "defreader" "spec/defgen")
              (+ blank) (? "[" (* (not (any "]"))) "]" (+ blank))
              (group (+ (or (syntax word) (syntax symbol)))))
         1))
  "The definitions that `imenu' lists.")

;;;; The modes

;;;###autoload
(define-derived-mode mino-hy-mode lisp-data-mode "Hy"
  "Major mode for Hy, where no `hy-mode' is installed."
  (setq-local indent-line-function #'mino-hy-indent-line)
  (setq-local indent-region-function nil)
  (setq-local indent-tabs-mode nil)
  (setq-local comment-add 1)
  (setq-local comment-indent-function #'comment-indent-default)
  (setq-local syntax-propertize-function #'mino-hy--propertize)
  (setq-local imenu-generic-expression mino-hy--imenu)
  (setq-local prettify-symbols-alist nil)
  (setq-local font-lock-defaults '(mino-hy--font-lock-keywords nil nil nil))
  (when (fboundp 'mino-mode) (mino-mode 1)))

;; What older releases of eglot look for to name the language.
(put 'mino-hy-mode 'eglot-language-id "hy")
(put 'hy-mode 'eglot-language-id "hy")

;;;###autoload
(defun mino-auto-mode ()
  "The major mode for Hy: `hy-mode' where it is installed, else `mino-hy-mode'."
  (interactive)
  (if (fboundp 'hy-mode) (funcall 'hy-mode) (mino-hy-mode)))

;; At the end of the lists, so that any other mode for Hy comes first,
;; whichever of the two packages was loaded before the other.
;;;###autoload
(add-to-list 'auto-mode-alist '("\\.hy\\'" . mino-auto-mode) t)
;;;###autoload
(add-to-list 'interpreter-mode-alist '("hy[23]?" . mino-auto-mode) t)

(provide 'mino-hy-mode)
;;; mino-hy-mode.el ends here
