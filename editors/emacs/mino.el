;;; mino.el --- Live PyTorch models as S-expressions in Hy -*- lexical-binding: t; -*-

;; Copyright (c) 2026 The Mino authors

;; Author: The Mino authors
;; Version: 0.2.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: languages, tools, lisp
;; SPDX-License-Identifier: MIT

;; This file is not part of GNU Emacs.

;;; Commentary:

;; Mino shows PyTorch models, written in Hy, while they are being written:
;; the shapes that flow through each step, the spec that a component breaks,
;; what a macro expands to, and a way to run the program on a torch device.
;;
;; All of that is the work of the language server `mino-lsp', which comes with
;; the Python package: pip install minotauro.  This file introduces the server
;; to lsp-mode and to eglot, whichever you use, and adds what the protocol of
;; language servers has no word for: a buffer for the output of a run, one for
;; an expansion, and a few commands.
;;
;;   (require 'mino)
;;   (add-hook 'mino-hy-mode-hook #'eglot-ensure)   ; or #'lsp-deferred
;;
;; Hy files open in `hy-mode' where you have it.  Where you don't, they open in
;; `mino-hy-mode', which knows Hy's brackets, strings and indentation.
;;
;; Nothing here decides anything about Hy, torch or a model: that is the
;; server's, and the same in every editor.

;;; Code:

(require 'ansi-color)
(require 'cl-lib)
(require 'comint)
(require 'compile)
(require 'eieio)
(require 'mino-hy-mode)
(require 'seq)
(require 'subr-x)

;;;; Settings

(defgroup mino nil
  "PyTorch models as S-expressions in Hy, shown live."
  :group 'tools
  :prefix "mino-")

(defcustom mino-server-command '("mino-lsp" "--stdio")
  "The program that is the language server, and its arguments.
A relative name is looked for in the variable `exec-path'.  An
environment inside a project is never searched: it would be started
before you could say whether you trust the project."
  :type '(repeat string)
  :risky t)

(defcustom mino-trust 'ask
  "Whether the code of a project may be evaluated so as to preview it.
A preview runs a file's top-level code and its `defmain' in a
confined process.  With `ask', the server asks once per project."
  :type '(choice (const :tag "Ask" ask)
                 (const :tag "Always" full)
                 (const :tag "Never" none))
  :risky t)

(defcustom mino-python nil
  "The Python interpreter whose Hy and torch evaluate your programs.
Nil means that of a project's own .venv, once the project is trusted,
and the one that the server itself runs under where there is none."
  :type '(choice (const :tag "The project's or the server's own" nil) file)
  :risky t)

(defcustom mino-device nil
  "The torch device that programs run on, such as \"cuda:1\".
Nil leaves the choice to the server: the accelerator that there is,
else the CPU.  With \"asWritten\", torch's default device is left alone."
  :type '(choice (const :tag "The server's choice" nil)
                 (const "auto") (const "cpu") (const "cuda") (const "mps") (const "xpu")
                 (const "asWritten") string)
  :safe #'string-or-null-p)

(defcustom mino-run-args nil
  "Arguments that a program finds in `sys.argv'."
  :type '(repeat string)
  :risky t)

(defcustom mino-run-env nil
  "Environment variables of a program, as (NAME . VALUE)."
  :type '(alist :key-type string :value-type string)
  :risky t)

(defcustom mino-run-directory nil
  "The directory that a program runs in.  Nil means the root of its project."
  :type '(choice (const :tag "The root of the project" nil) directory)
  :risky t)

(defcustom mino-run-processes nil
  "How many processes a run has.  Nil means one.
More than one are started by torch's own launcher."
  :type '(choice (const :tag "One" nil) natnum)
  :risky t)

(defcustom mino-run-torchrun nil
  "Further options of torch's launcher, torch.distributed.run."
  :type '(repeat string)
  :risky t)

(defcustom mino-run-prefix nil
  "A command in front of the program's, such as (\"srun\" \"--gres=gpu:1\").
No shell reads it."
  :type '(repeat string)
  :risky t)

(defcustom mino-preview-mode nil
  "When a document is previewed.  Nil leaves that to the server: while typing."
  :type '(choice (const :tag "The server's choice" nil)
                 (const :tag "While typing" "onType")
                 (const :tag "After saving" "onSave")
                 (const :tag "Never" "off"))
  :safe #'string-or-null-p)

(defcustom mino-inlay-hints t
  "Whether shapes are shown at the end of lines.
This needs an lsp-mode or an eglot that can show inlay hints: lsp-mode
9 or eglot 1.12, which Emacs 29 and later has."
  :type 'boolean
  :safe #'booleanp)

(defcustom mino-inlay-hints-of '(steps)
  "Where sizes are shown, if `mino-inlay-hints' is on.
After the steps of threads, at the ends of lines; after the names of a
mu's components; after the names that setv binds."
  :type '(set (const :tag "Steps of threads" steps)
              (const :tag "Components" components)
              (const :tag "Bindings" bindings)))

(defcustom mino-output-limit 2000000
  "How many characters of a run's output are kept.  The oldest lines go first."
  :type 'natnum)

(defcustom mino-display-expansion-function #'mino-display-expansion
  "The function that shows a macro's expansion.
It is called with the expansion's text and the server's whole answer."
  :type 'function)

(defcustom mino-status-functions nil
  "Functions called when the server says what it is doing.
Each is called with the parameters of the notification, a plist or a
hash table as the client in use makes them; `mino-get' reads both."
  :type 'hook)

(defcustom mino-report-functions nil
  "Functions called when a document has been previewed.
Each is called with the document's URI and the version that was previewed."
  :type 'hook)

(defun mino--settings ()
  "Return the settings for the server, as a plist that becomes JSON."
  (append
   (list :trust (symbol-name mino-trust))
   (and mino-python (list :python (expand-file-name mino-python)))
   (and mino-device (list :device mino-device))
   (when-let* ((run (append (and mino-run-args (list :args (vconcat mino-run-args)))
                           (and mino-run-env (list :env (mino--object mino-run-env)))
                           (and mino-run-processes (list :nproc mino-run-processes))
                           (and mino-run-torchrun (list :torchrun (vconcat mino-run-torchrun)))
                           (and mino-run-prefix (list :prefix (vconcat mino-run-prefix)))
                           (and mino-run-directory
                                (list :cwd (expand-file-name mino-run-directory))))))
     (list :run run))
   (and mino-preview-mode (list :preview (list :mode mino-preview-mode)))
   (list :inlayHints
         (append (list :enabled (if mino-inlay-hints t :json-false))
                 (unless (equal mino-inlay-hints-of '(steps))
                   (mapcan (lambda (place)
                             (list (intern (format ":%s" place))
                                   (if (memq place mino-inlay-hints-of) t :json-false)))
                           (list 'steps 'components 'bindings)))))))

(defun mino--object (alist)
  "A hash table with the keys and values of ALIST: how JSON has any key at all."
  (let ((table (make-hash-table :test #'equal)))
    (pcase-dolist (`(,key . ,value) alist table)
      (puthash key value table))))

(defun mino--server-command ()
  "Return `mino-server-command', or signal an error: how to get the server."
  (pcase-let ((`(,program . ,arguments) mino-server-command))
    (when (and program (file-name-directory program))
      (setq program (expand-file-name program)))
    (unless (and program (executable-find program t))
      (user-error "Mino: the server `%s' is not found; `pip install minotauro' brings it (see `mino-server-command')"
                  (or program "")))
    (cons program arguments)))

;;;; Connections
;;
;; A connection is lsp-mode's workspace or eglot's server.  What follows is all
;; that the commands need to know of either.

(declare-function eglot-current-server "eglot")
(declare-function eglot--lsp-position-to-point "eglot")
(declare-function eglot--TextDocumentPositionParams "eglot")
(declare-function eglot--signal-textDocument/didChange "eglot")
(declare-function eglot-managed-p "eglot")
(declare-function jsonrpc-async-request "jsonrpc")
(declare-function jsonrpc-running-p "jsonrpc")
(declare-function lsp--client-server-id "lsp-mode")
(declare-function lsp--position-to-point "lsp-mode")
(declare-function lsp--text-document-position-params "lsp-mode")
(declare-function lsp--workspace-client "lsp-mode")
(declare-function lsp--workspace-status "lsp-mode")
(declare-function lsp-request-async "lsp-mode")
(declare-function lsp-workspaces "lsp-mode")
(defvar lsp--cur-workspace)

(defun mino-get (object &rest keys)
  "The value in OBJECT, an answer of the server, under KEYS, one inside another.
OBJECT is a plist or a hash table; a KEY is a keyword such as `:exitCode'."
  (dolist (key keys object)
    (setq object (cond ((hash-table-p object)
                        (gethash (substring (symbol-name key) 1) object))
                       ((listp object) (plist-get object key))))
    (when (memq object '(:json-false :json-null :null)) (setq object nil))))

(defun mino--eglot-p (connection)
  "Whether CONNECTION is eglot's to a server of Mino's."
  (eq (type-of connection) 'mino-eglot-server))

(defun mino--find-connection ()
  "The connection of the current buffer to a server of Mino's, or nil."
  (or (when-let* ((server (and (fboundp 'eglot-current-server) (eglot-current-server))))
        (and (mino--eglot-p server) (jsonrpc-running-p server) server))
      (when (bound-and-true-p lsp-mode)
        (seq-find (lambda (workspace)
                    (eq 'mino-lsp (lsp--client-server-id (lsp--workspace-client workspace))))
                  (lsp-workspaces)))
      (bound-and-true-p mino-run--connection)))

(defun mino--connection ()
  "Return the connection of the current buffer, or signal an error: what to do."
  (or (mino--find-connection)
      (and (mino--server-command) nil)
      (user-error "Mino: no server is at work for this buffer; start one with %s"
                  (cond ((fboundp 'lsp) (substitute-command-keys "\\[lsp]"))
                        ((fboundp 'eglot) (substitute-command-keys "\\[eglot]"))
                        (t "lsp-mode or eglot, of which neither is installed")))))

(defun mino--location (connection)
  "Where point is, as CONNECTION's server knows it: a plist of :uri and :position."
  (let ((params (if (mino--eglot-p connection)
                    (progn (eglot--signal-textDocument/didChange)
                           (eglot--TextDocumentPositionParams))
                  (lsp--text-document-position-params))))
    (list :uri (mino-get params :textDocument :uri) :position (mino-get params :position))))

(defun mino--request (connection command argument success failure)
  "Have CONNECTION's server execute COMMAND with ARGUMENT, and do not wait.
One of two is called later: SUCCESS with the answer, or FAILURE with a
sentence.  ARGUMENT is a plist, or what the server itself sent."
  (let ((params (list :command command
                      :arguments (vector (or argument (make-hash-table)))))
        (fail (lambda (problem) (funcall failure (or (mino-get problem :message) "no answer")))))
    (if (mino--eglot-p connection)
        (jsonrpc-async-request connection :workspace/executeCommand params
                               :success-fn success :error-fn fail :timeout nil)
      (let ((lsp--cur-workspace connection))
        (lsp-request-async "workspace/executeCommand" params success
                           :error-handler fail :mode 'detached)))))

(defun mino--complain (sentence)
  "Show SENTENCE, the server's reason for not doing something."
  (message "Mino: %s" sentence))

(defun mino--buffer-of (uri)
  "The buffer that visits URI, if there is one."
  (let ((file (decode-coding-string (url-unhex-string (string-remove-prefix "file://" uri)) 'utf-8)))
    (when (string-match-p "\\`/[a-zA-Z]:/" file) (setq file (substring file 1)))
    (find-buffer-visiting file)))

;;;; Running

(defvar mino-run-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "g") #'mino-run-again)
    (define-key map (kbd "C-c C-k") #'mino-stop)
    map)
  "Keys for `mino-run-mode'.")

(defvar-local mino-run--connection nil "The connection that this run was asked of.")
(defvar-local mino-run--argument nil "What the server was given: a :uri, and options.")
(defvar-local mino-run--id nil "The name that the server gave to the run; nil before its first output.")
(defvar-local mino-run--state nil "Symbol `running' or `finished'.")
(defvar-local mino-run--past nil "The names of earlier runs in this buffer: late words of theirs are dropped.")
(defvar-local mino-run-answer nil "The server's answer at the end of the run.")

(define-derived-mode mino-run-mode compilation-mode "Mino-Run"
  "Major mode for the output of a program that Mino runs.
Places in tracebacks can be visited, as in `compilation-mode'."
  (setq-local compilation-error-regexp-alist
              '(("^ *File \"\\([^\"\n<]+\\)\", line \\([0-9]+\\)" 1 2)))
  (setq-local truncate-lines nil)
  ;; A window that follows the output is to be full of it.
  (setq-local scroll-conservatively 101)
  (buffer-disable-undo))

(defun mino--run-buffer ()
  "The one buffer for output."
  (or (get-buffer "*mino-run*")
      (with-current-buffer (get-buffer-create "*mino-run*")
        (mino-run-mode)
        (current-buffer))))

(defun mino-run (&optional device)
  "Save this buffer and run its program, with its output in *mino-run*.
DEVICE, for which a prefix argument asks, is the torch device for this
run; without it, it is the configured one."
  (interactive (list (and current-prefix-arg (mino--read-device))))
  (let* ((connection (mino--connection))
         (uri (plist-get (mino--location connection) :uri)))
    (mino--run connection (append (list :uri uri) (and device (list :device device))))))

(defun mino-run-and-observe (&optional device)
  "Run this buffer's program as `mino-run' does, and probe every expression.
Hovering then shows what passed there, and the first step that made a
NaN is marked.  DEVICE is as for `mino-run'."
  (interactive (list (and current-prefix-arg (mino--read-device))))
  (let* ((connection (mino--connection))
         (uri (plist-get (mino--location connection) :uri)))
    (mino--run connection (append (list :uri uri :observe t) (and device (list :device device))))))

(defun mino-run-again ()
  "Run again the program of the output in this buffer."
  (interactive)
  (unless mino-run--argument (user-error "Mino: nothing has been run here"))
  (let ((source (mino--buffer-of (mino-get mino-run--argument :uri))))
    (mino--run (if source (with-current-buffer source (mino--connection)) mino-run--connection)
               mino-run--argument)))

(defun mino--run (connection argument)
  "Have CONNECTION's server run the program of ARGUMENT."
  (let ((source (mino--buffer-of (mino-get argument :uri)))
        (output (mino--run-buffer)))
    (when (eq 'running (buffer-local-value 'mino-run--state output))
      (user-error "Mino: a program is running; `mino-stop' ends it"))
    (when (and source (buffer-modified-p source))
      (with-current-buffer source (save-buffer)))
    (with-current-buffer output
      (let ((inhibit-read-only t)) (erase-buffer))
      (compilation-forget-errors)
      (when source (setq default-directory (buffer-local-value 'default-directory source)))
      ;; Another server begins to count its runs anew.
      (unless (eq connection mino-run--connection) (setq mino-run--past nil))
      (setq ansi-color-context nil
            mino-run--connection connection
            mino-run--argument argument
            mino-run--id nil
            mino-run-answer nil)
      (mino--run-state 'running ":run" 'compilation-mode-line-run))
    (display-buffer output '(nil (allow-no-window . t)))
    (mino--request connection "mino.run" argument
                   (lambda (answer) (mino--run-finished output answer))
                   (lambda (sentence) (mino--run-failed output sentence)))))

(defun mino--run-state (state text face)
  "Make STATE that of this buffer's run, and show TEXT with FACE in the mode line."
  (setq mino-run--state state
        mode-line-process (list (propertize text 'face face)))
  (when (and (eq state 'finished) mino-run--id)
    (push mino-run--id mino-run--past)
    (setq mino-run--past (seq-take mino-run--past 100)))
  (force-mode-line-update))

(defun mino--run-finished (buffer answer)
  "Say in BUFFER and in the echo area how the run ended, according to ANSWER."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (let* ((code (mino-get answer :exitCode))
             (sentence (format "%s%s%s"
                               (cond ((mino-get answer :stopped) (format "stopped, exit code %s" code))
                                     ((eql code 0) "finished, exit code 0")
                                     (t (format "exited abnormally with code %s" code)))
                               (if-let* ((device (mino-get answer :device))) (format " on %s" device) "")
                               (if-let* ((seconds (mino-get answer :seconds)))
                                   (format ", %.2f seconds" seconds)
                                 ""))))
        (setq mino-run-answer answer)
        (mino--run-say sentence)
        (mino--run-state 'finished (format ":exit [%s]" code)
                         (if (eql code 0) 'compilation-mode-line-exit 'compilation-mode-line-fail))
        (message "Mino: the program %s" sentence)))))

(defun mino--run-failed (buffer sentence)
  "Say in BUFFER and in the echo area SENTENCE, why there was no run."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (mino--run-say sentence)
      (mino--run-state 'finished ":failed" 'compilation-mode-line-fail)
      (message "Mino: %s" sentence))))

(defun mino--run-say (sentence)
  "Append SENTENCE to the output as a paragraph of its own."
  (mino--insert-output
   (concat (unless (save-excursion (goto-char (point-max)) (bolp)) "\n")
           "\nMino: " sentence "\n")))

(defun mino--on-output (connection params)
  "Append PARAMS, a mino/output notification of CONNECTION, to the run's buffer."
  (with-current-buffer (mino--run-buffer)
    (let ((run (mino-get params :run)))
      (when (and (eq connection mino-run--connection) (not (member run mino-run--past)))
        (unless mino-run--id (setq mino-run--id run))
        (mino--insert-output
         (mino--with-rank (mino-get params :rank) (or (mino-get params :text) "")))))))

(defun mino--with-rank (rank text)
  "TEXT with each line marked as RANK's, where several processes write."
  (if rank (replace-regexp-in-string "^\\(?:.\\)" (format "[%s] \\&" rank) text) text))

(defun mino--insert-output (text)
  "Append TEXT to this buffer as a terminal would.
Colours and carriage returns have their effect, and windows at the
end of the buffer stay there."
  (let* ((inhibit-read-only t)
         (end (point-max))
         (following (seq-filter (lambda (window) (= (window-point window) end))
                                (get-buffer-window-list nil nil t)))
         (follow (= (point) end)))
    (save-excursion
      (goto-char end)
      (insert (ansi-color-apply text))
      (comint-carriage-motion end (point))
      (mino--trim-output))
    (when follow (goto-char (point-max)))
    (dolist (window following) (set-window-point window (point-max)))))

(defun mino--trim-output ()
  "Delete the oldest lines where this buffer has outgrown `mino-output-limit'."
  (when (> (buffer-size) mino-output-limit)
    (goto-char (- (point-max) (* 9 (/ mino-output-limit 10))))
    (forward-line 1)
    (delete-region (point-min) (point))))

(defun mino-stop ()
  "Stop the program that is running."
  (interactive)
  (pcase-let ((`(,connection . ,run)
               (with-current-buffer (mino--run-buffer)
                 (and (eq mino-run--state 'running) (cons mino-run--connection mino-run--id)))))
    (mino--request (or connection (mino--connection)) "mino.stop" (and run (list :run run))
                   (lambda (answer)
                     (message (if (seq-empty-p (mino-get answer :stopped))
                                  "Mino: nothing is running"
                                "Mino: stopped")))
                   #'mino--complain)))

(defun mino--connection-lost (connection)
  "Mark the run that was asked of CONNECTION, which has ended, as ended too."
  (when-let* ((buffer (get-buffer "*mino-run*")))
    (with-current-buffer buffer
      (when (and (eq mino-run--connection connection) (eq mino-run--state 'running))
        (mino--run-failed buffer "the server ended, and the program with it")))))

;;;; Expanding macros

(defvar mino-expansion--source nil
  "What *mino-expansion* shows: a marker in a program, and how deep to expand.")

(defvar mino-expansion--tick nil
  "The state of the program's text that *mino-expansion* shows.")

(defvar mino-expansion--map nil
  "The server's map from the tokens in *mino-expansion* to those of the program.")

(defvar mino-expansion--timer nil
  "Refreshes *mino-expansion* while the program is being edited.")

(defun mino-expand (&optional once)
  "Show the full expansion of the macro call at point, and again after each edit.
With a prefix argument, ONCE, expand by one step only.
In the expansion, RET goes to where a token comes from."
  (interactive "P")
  (mino--connection)
  (setq mino-expansion--source (cons (point-marker) (if once "step" "all"))
        mino-expansion--tick nil)
  (unless mino-expansion--timer
    (setq mino-expansion--timer (run-with-idle-timer 0.3 t #'mino-expansion--refresh)))
  (mino-expansion--request #'mino--show-expansion #'mino--complain))

(defun mino-expansion--request (success failure)
  "Ask for the expansion that is shown; call SUCCESS with it or FAILURE."
  (pcase-let ((`(,marker . ,depth) mino-expansion--source))
    (with-current-buffer (marker-buffer marker)
      (setq mino-expansion--tick (buffer-chars-modified-tick))
      (save-excursion
        (goto-char marker)
        (let ((connection (mino--connection)))
          (mino--request connection "mino.expand"
                         (append (mino--location connection) (list :depth depth))
                         success failure))))))

(defun mino-expansion--refresh ()
  "Expand anew where the program was edited while its expansion is in sight."
  (let ((buffer (get-buffer "*mino-expansion*"))
        (source (and mino-expansion--source (marker-buffer (car mino-expansion--source)))))
    (cond ((not (and buffer source))
           (when mino-expansion--timer (cancel-timer mino-expansion--timer))
           (setq mino-expansion--timer nil))
          ((and (get-buffer-window buffer t)
                (not (eql mino-expansion--tick (buffer-chars-modified-tick source)))
                (with-current-buffer source (mino--find-connection)))
           ;; Half-typed text has no expansion; the last one stays until there is a new one.
           (mino-expansion--request #'mino--show-expansion #'ignore)))))

(defun mino-expansion-visit ()
  "Go to the place in the program that the token at point comes from."
  (interactive)
  (let* ((here (mino-expansion--position))
         (entry (seq-find (lambda (entry)
                            (let ((from (mino-get entry :from)))
                              (and (mino-expansion--not-after (mino-get from :start) here)
                                   (mino-expansion--not-after here (mino-get from :end)))))
                          mino-expansion--map)))
    (unless entry (user-error "Mino: a macro made this; it stands nowhere in the program"))
    (let ((start (mino-get (mino-get entry :to) :start)))
      (pop-to-buffer (marker-buffer (car mino-expansion--source)))
      (goto-char (point-min))
      (forward-line (mino-get start :line))
      (forward-char (mino-get start :character)))))

(defun mino-expansion--position ()
  "The line and character of point, from 0."
  (cons (1- (line-number-at-pos nil t)) (- (point) (line-beginning-position))))

(defun mino-expansion--not-after (one other)
  "Whether the position ONE is not after OTHER; either may be the server's."
  (pcase-let* ((plain (lambda (place)
                        (if (numberp (car-safe place)) place
                          (cons (mino-get place :line) (mino-get place :character)))))
               (`(,line . ,column) (funcall plain one))
               (`(,other-line . ,other-column) (funcall plain other)))
    (or (< line other-line) (and (= line other-line) (<= column other-column)))))

(defun mino-show-python ()
  "Show the Python that the region, or the form at point, compiles to."
  (interactive)
  (let* ((connection (mino--connection))
         (place (lambda (where)
                  (save-excursion (goto-char where)
                                  (plist-get (mino--location connection) :position))))
         (start (if (use-region-p) (region-beginning) (point)))
         (end (if (use-region-p) (region-end) (point))))
    (mino--request connection "mino.showPython"
                   (list :uri (plist-get (mino--location connection) :uri)
                         :range (list :start (funcall place start) :end (funcall place end)))
                   #'mino--show-python
                   #'mino--complain)))

(defun mino--show-python (answer)
  "Show ANSWER, the server's to mino.showPython."
  (let ((problem (mino--first-problem answer)))
    (if problem (mino--complain problem)
      (with-current-buffer (get-buffer-create "*mino-python*")
        (let ((inhibit-read-only t))
          (erase-buffer)
          (insert (mino-get answer :text) "\n")
          (goto-char (point-min)))
        (delay-mode-hooks (python-mode))
        (font-lock-ensure)
        (setq buffer-read-only t)
        (local-set-key (kbd "q") #'quit-window)
        (display-buffer (current-buffer))))))

;;;; Models and specs

(defun mino-show-models ()
  "Show the models that live when the document has been evaluated."
  (interactive)
  (mino--inspect "mino.model" nil
                 (lambda (answer)
                   (let ((text (mino-get answer :text)))
                     (if (string-empty-p text)
                         (mino--complain (or (mino--first-problem answer) "no model lives in this document"))
                       (mino--show-text text #'special-mode))))))

(defun mino-show-expression (name)
  "Show the model NAME as an S-expression: a top-level name, or a class."
  (interactive (list (read-string "Model: " (thing-at-point 'symbol t))))
  (mino--inspect "mino.asExpression" (list :name name)
                 (lambda (answer) (mino--show-text (mino-get answer :text) #'mino-auto-mode))))

(defun mino-show-spec (keyword)
  "Show the spec of KEYWORD, and what breaks it."
  (interactive (list (read-string "Spec: " (thing-at-point 'symbol t))))
  (mino--inspect "mino.spec" (list :keyword keyword)
                 (lambda (answer)
                   (let ((form (mino-get answer :form)) (short (mino-get answer :describe)))
                     (mino--show-text
                      (concat (format "(spec/def %s %s)\n" (mino-get answer :keyword) form)
                              (unless (equal short form) (format "\n;; in short\n%s\n" short))
                              (mapconcat (lambda (problem)
                                           (replace-regexp-in-string "^" ";; " (mino-get problem :message)))
                                         (mino-get answer :problems) "\n"))
                      #'mino-auto-mode)))))

(defun mino--inspect (command arguments show)
  "Have COMMAND with ARGUMENTS look at this document, and SHOW what it answers."
  (let ((connection (mino--connection)))
    (mino--request connection command
                   (append (list :uri (plist-get (mino--location connection) :uri)) arguments)
                   show #'mino--complain)))

(defun mino--show-text (text mode)
  "Show TEXT in the buffer *mino-inspection*, in MODE."
  (with-current-buffer (get-buffer-create "*mino-inspection*")
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert text "\n")
      (goto-char (point-min)))
    (delay-mode-hooks (funcall mode))
    (mino-mode -1)
    (font-lock-ensure)
    (setq buffer-read-only t)
    (set-buffer-modified-p nil)
    (local-set-key (kbd "q") #'quit-window)
    (display-buffer (current-buffer))))

(defun mino--show-expansion (answer)
  "Show ANSWER, the server's to mino.expand, or why there is nothing to show."
  (let ((text (mino-get answer :text)))
    (if (and (stringp text) (not (string-empty-p text)))
        (progn
          (setq mino-expansion--map (mino-get answer :map))
          (funcall mino-display-expansion-function text answer))
      (mino--complain (or (mino--first-problem answer) "there is no macro call at point")))))

(defun mino--first-problem (answer)
  "The message of the first problem in ANSWER, or nil."
  (let ((problems (mino-get answer :problems)))
    (unless (seq-empty-p problems) (mino-get (seq-first problems) :message))))

(defun mino-display-expansion (text _answer)
  "Show TEXT, the expansion of a macro call, in the buffer *mino-expansion*."
  (with-current-buffer (get-buffer-create "*mino-expansion*")
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert text)
      (unless (bolp) (insert "\n"))
      (goto-char (point-min)))
    ;; The hooks of the mode start servers and checkers: this is no file of theirs.
    (delay-mode-hooks (mino-auto-mode))
    (mino-mode -1)
    (font-lock-ensure)
    (setq buffer-read-only t)
    (set-buffer-modified-p nil)
    (local-set-key (kbd "q") #'quit-window)
    (local-set-key (kbd "RET") #'mino-expansion-visit)
    (display-buffer (current-buffer)
                    '((display-buffer-reuse-window display-buffer-below-selected)
                      (window-height . fit-window-to-buffer)))))

;;;; Evaluating

(defvar-local mino--value-overlay nil "The overlay that shows the last value.")

(defun mino-eval-form ()
  "Show the value of the region, or of the form at point or right before it."
  (interactive)
  (mino--eval "form"))

(defun mino-eval-defun ()
  "Show the value of the top-level form around point."
  (interactive)
  (mino--eval "top"))

(defun mino-eval-to-here ()
  "Evaluate everything above point, and show the last value."
  (interactive)
  (mino--eval "toHere"))

(defun mino--eval (scope)
  "Have the server evaluate the region or what SCOPE means at point."
  (let* ((connection (mino--connection))
         (here (mino--location connection))
         (position (lambda (at) (save-excursion (goto-char at) (plist-get (mino--location connection) :position))))
         (place (if (use-region-p)
                    (list :range (list :start (funcall position (region-beginning))
                                       :end (funcall position (region-end))))
                  (list :position (plist-get here :position))))
         (buffer (current-buffer))
         (tick (buffer-chars-modified-tick)))
    (mino--request connection "mino.eval"
                   (append (list :uri (plist-get here :uri) :scope scope) place)
                   (lambda (answer)
                     (when (and (buffer-live-p buffer) (= tick (buffer-chars-modified-tick buffer)))
                       (with-current-buffer buffer (mino--show-value connection answer))))
                   #'mino--complain)))

(defun mino--show-value (connection answer)
  "Show ANSWER, CONNECTION's to mino.eval, after its form and in the echo area."
  (let* ((text (mino-get answer :text))
         (value (if (string-empty-p text) (or (mino--first-problem answer) "") text))
         (end (mino--point-at connection (mino-get answer :range :end))))
    (mino--clear-value)
    (setq mino--value-overlay (make-overlay end end))
    (overlay-put mino--value-overlay 'after-string
                 (propertize (concat " ⇒ " (truncate-string-to-width
                                            (replace-regexp-in-string "[ \t\n]+" " " value) 100 nil nil "…"))
                             'face 'shadow 'cursor t))
    (add-hook 'pre-command-hook #'mino--clear-value nil t)
    (message "%s" (concat (mino-get answer :stdout) value))))

(defun mino--clear-value ()
  "Take away the value that is shown in this buffer."
  (when mino--value-overlay (delete-overlay mino--value-overlay))
  (setq mino--value-overlay nil)
  (remove-hook 'pre-command-hook #'mino--clear-value t))

(defun mino--point-at (connection position)
  "The place in the current buffer of POSITION, as CONNECTION's server knows it."
  (if (mino--eglot-p connection)
      (eglot--lsp-position-to-point position)
    (lsp--position-to-point position)))

;;;; Trust and devices

(defun mino-trust-workspace (&optional revoke)
  "Let the server evaluate the code of this project, so as to preview it.
With a prefix argument, REVOKE, no longer let it."
  (interactive "P")
  (let* ((connection (mino--connection))
         (uri (plist-get (mino--location connection) :uri)))
    (when (or revoke
              (yes-or-no-p "Run this project's code, its imports and macros included, to preview it? "))
      (mino--request connection "mino.trust"
                     (list :uri uri :trusted (if revoke :json-false t))
                     (lambda (_)
                       (message (if revoke
                                    "Mino: this project is no longer trusted; nothing of it is run"
                                  "Mino: this project is trusted; its files are previewed")))
                     #'mino--complain))))

(defun mino-devices ()
  "Show the torch devices of the server's machine, and which one is configured."
  (interactive)
  (mino--request (mino--connection) "mino.devices" nil
                 (lambda (answer) (message "%s" (mino--devices-text answer)))
                 #'mino--complain))

(defun mino-set-device (device)
  "Preview and run on DEVICE until the server ends, in place of `mino-device'."
  (interactive (list (mino--read-device)))
  (mino--request (mino--connection) "mino.setDevice" (list :device device)
                 (lambda (answer) (message "Mino: programs run on %s" (mino-get answer :resolved)))
                 #'mino--complain))

(defun mino--devices-text (answer)
  "The devices in ANSWER, the server's to mino.devices, for the echo area."
  (let ((chosen (mino-get answer :resolved)))
    (mapconcat (lambda (device)
                 (let ((name (mino-get device :name))
                       (memory (mino-get device :memoryBytes)))
                   (string-join (delq nil (list name
                                                (mino-get device :description)
                                                (and memory (file-size-human-readable memory 'iec " "))
                                                (and (equal name chosen) "programs run here")))
                                ", ")))
               (mino-get answer :devices) "\n")))

(defun mino--read-device ()
  "Ask for a torch device."
  (completing-read "Run on device: " '("cpu" "cuda" "mps" "xpu" "asWritten") nil nil nil nil mino-device))

;;;; The minor mode

(defvar mino-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-c") #'mino-run)
    (define-key map (kbd "C-c C-o") #'mino-run-and-observe)
    (define-key map (kbd "C-c C-k") #'mino-stop)
    (define-key map (kbd "C-c C-m") #'mino-expand)
    (define-key map (kbd "C-c C-e") #'mino-eval-form)
    (define-key map (kbd "C-M-x") #'mino-eval-defun)
    (define-key map (kbd "C-c C-j") #'mino-eval-to-here)
    (define-key map (kbd "C-c C-t") #'mino-trust-workspace)
    (define-key map (kbd "C-c C-d") #'mino-devices)
    map)
  "Keys of `mino-mode'.")

(defvar-local mino--status nil
  "What the server of this buffer is doing, for the mode line.")

;;;###autoload
(define-minor-mode mino-mode
  "Keys for running and expanding a Hy program with Mino's server.
It is turned on in buffers that the server looks after."
  :lighter (" Mino" mino--status)
  :keymap mino-mode-map)

(defun mino--on-status (connection params)
  "Show PARAMS, a mino/status notification of CONNECTION, in the mode line."
  (let* ((state (mino-get params :state))
         (line (mino-get params :line))
         (status (unless (member state '(nil "idle"))
                   (format "[%s%s]" state (if line (format " %s" line) "")))))
    (dolist (buffer (buffer-list))
      (with-current-buffer buffer
        (when (and mino-mode (eq connection (mino--find-connection)))
          (setq mino--status status))))
    (force-mode-line-update t)
    (when (equal state "untrusted")
      (message "%s" (substitute-command-keys "\\<mino-mode-map>Mino: this project is not trusted, \
so none of it is run or shown live; \\[mino-trust-workspace] trusts it")))
    (run-hook-with-args 'mino-status-functions params)))

(defun mino--on-report (params)
  "Pass PARAMS, a mino/report notification, on."
  (run-hook-with-args 'mino-report-functions (mino-get params :uri) (mino-get params :version)))

;;;; The server's own commands, from code lenses and code actions

(defun mino--command-handler (connection command argument)
  "Carry out COMMAND with ARGUMENT on CONNECTION without making Emacs wait.
Code lenses and code actions come here.  Return nil for a COMMAND that
the client can as well carry out in its own way."
  (pcase command
    ("mino.run" (mino--run connection argument) t)
    ("mino.stop" (mino-stop) t)
    ("mino.trust" (mino-trust-workspace) t)
    ("mino.expand" (mino--request connection command argument #'mino--show-expansion #'mino--complain) t)
    ((or "mino.preview" "mino.restart") (mino--request-and-tell connection command argument) t)))

(defun mino--request-and-tell (connection command argument)
  "Have CONNECTION's server execute COMMAND with ARGUMENT, and tell how it went."
  (mino--request connection command argument
                 (lambda (answer)
                   (message "Mino: %s: %s" (string-remove-prefix "mino." command)
                            (or (mino--first-problem answer) (mino-get answer :stopped) "done")))
                 #'mino--complain))

(defun mino-preview ()
  "Preview this buffer's document now, and tell where it stopped."
  (interactive)
  (let ((connection (mino--connection)))
    (mino--request-and-tell connection "mino.preview"
                            (list :uri (plist-get (mino--location connection) :uri)))))

(defun mino-pause ()
  "Stop previews and begin none; called again, let them go on."
  (interactive)
  (mino--request (mino--connection) "mino.pause" nil
                 (lambda (answer)
                   (message (if (mino-get answer :paused)
                                "Mino: previews are paused"
                              "Mino: previews go on")))
                 #'mino--complain))

(defun mino-status ()
  "Tell what the server does, and how much memory its processes hold."
  (interactive)
  (mino--request (mino--connection) "mino.status" nil
                 (lambda (answer)
                   (let ((memory (mino-get answer :memoryBytes)))
                     (message "Mino: %s%s" (mino-get answer :state)
                              (if memory (format ", %s" (file-size-human-readable memory 'iec " ")) ""))))
                 #'mino--complain))

(defun mino-restart ()
  "End all processes that preview, expand or run, and begin anew."
  (interactive)
  (mino--request-and-tell (mino--connection) "mino.restart" nil))

;;;; lsp-mode

(declare-function lsp--render-element "lsp-mode")
(declare-function lsp-activate-on "lsp-mode")
(declare-function lsp-inlay-hints-mode "lsp-mode")
(declare-function lsp-register-client "lsp-mode")
(declare-function lsp-register-custom-settings "lsp-mode")
(declare-function lsp-stdio-connection "lsp-mode")
(declare-function make-lsp-client "lsp-mode")
(defvar lsp-after-uninitialized-functions)
(defvar lsp-language-id-configuration)

(defun mino--lsp-notifications ()
  "What is done with the notifications that only Mino's server sends."
  (mino--object
   (list (cons "mino/output" #'mino--on-output)
         (cons "mino/status" #'mino--on-status)
         (cons "mino/report" (lambda (_workspace params) (mino--on-report params))))))

(defun mino--lsp-actions ()
  "What is done when a code lens or code action with a command is chosen."
  (mino--object
   (mapcar (lambda (command)
             (cons command (lambda (action)
                             (mino--command-handler (mino--connection) command
                                                    (elt (mino-get action :arguments) 0)))))
           '("mino.run" "mino.stop" "mino.preview" "mino.restart" "mino.trust" "mino.expand"))))

(defun mino--lsp-opened ()
  "Prepare a buffer that lsp-mode has handed to the server."
  (mino-mode 1)
  (when (and mino-inlay-hints (fboundp 'lsp-inlay-hints-mode)) (lsp-inlay-hints-mode 1)))

(defun mino--lsp-settings ()
  "The settings, as lsp-mode answers the server's questions about them."
  (mapcar (lambda (section)
            (list (concat "mino." (substring (symbol-name section) 1))
                  (lambda () (plist-get (mino--settings) section))))
          '(:trust :python :device :run :preview :inlayHints)))

(defun mino--register-lsp ()
  "Make the server known to lsp-mode."
  (add-to-list 'lsp-language-id-configuration '(mino-hy-mode . "hy"))
  (add-to-list 'lsp-language-id-configuration '(hy-mode . "hy"))
  (lsp-register-custom-settings (mino--lsp-settings))
  (lsp-register-client
   (make-lsp-client
    ;; Always claimed as present: lsp-mode would otherwise say no more than that
    ;; it found no server, and `mino--server-command' says how to get it.
    :new-connection (lsp-stdio-connection #'mino--server-command #'always)
    :activation-fn (lsp-activate-on "hy")
    ;; lsp-mode brings a client for Hy of its own, with priority 0.
    :priority 1
    :server-id 'mino-lsp
    :initialization-options #'mino--settings
    :custom-capabilities '((experimental . ((minoOutput . t))))
    :notification-handlers (mino--lsp-notifications)
    :action-handlers (mino--lsp-actions)
    :after-open-fn #'mino--lsp-opened))
  (add-hook 'lsp-after-uninitialized-functions #'mino--connection-lost))

;;;###autoload (with-eval-after-load 'lsp-mode (require 'mino))

(with-eval-after-load 'lsp-mode
  (cl-defmethod lsp-clients-extract-signature-on-hover (contents (_server-id (eql 'mino-lsp)) &rest _)
    "Bring the first paragraph of CONTENTS, in which the shapes are, on one line."
    (let ((rendered (string-trim (lsp--render-element contents))))
      (string-join (split-string (car (split-string rendered "\n[ \t]*\n")) "\n" t "[ \t]+") "  ")))

  (mino--register-lsp))

;;;; eglot

(declare-function eglot-client-capabilities "eglot")
(declare-function eglot-execute "eglot")
(declare-function eglot-execute-command "eglot")
(declare-function eglot-handle-notification "eglot")
(declare-function eglot-handle-request "eglot")
(declare-function eglot-initialization-options "eglot")
(declare-function mino-eglot-server--eieio-childp "mino")
(defvar eglot-managed-mode-hook)
(defvar eglot-server-programs)

(defun mino--eglot-contact (&rest _)
  "The class and the command for eglot to start the server with."
  (cons 'mino-eglot-server (mino--server-command)))

(defun mino--eglot-managed ()
  "Turn `mino-mode' on where eglot has handed this buffer to Mino's server."
  (when (and (eglot-managed-p) (mino--find-connection)) (mino-mode 1)))

(defun mino--eglot-configuration (items)
  "The settings for each of ITEMS that asks for them, nil for the others."
  (mapcar (lambda (item) (and (equal "mino" (mino-get item :section)) (mino--settings))) items))

(with-eval-after-load 'eglot
  (defclass mino-eglot-server (eglot-lsp-server) ()
    :documentation "A connection to the language server of Mino.")

  (cl-defmethod eglot-initialization-options ((_server mino-eglot-server))
    "The settings of the group `mino'."
    (mino--settings))

  (cl-defmethod eglot-client-capabilities ((_server mino-eglot-server))
    "What eglot can do, and that output of runs can be shown.
But not that it can ask: eglot's question would come up while somebody
is typing, with the answer that trusts the project filled in."
    (let* ((capabilities (copy-sequence (cl-call-next-method)))
           (window (copy-sequence (plist-get capabilities :window))))
      (when window
        (setq capabilities (plist-put capabilities :window (plist-put window :showMessage nil))))
      (plist-put capabilities :experimental '(:minoOutput t))))

  (cl-defmethod eglot-handle-notification
    ((server mino-eglot-server) (_method (eql 'mino/output)) &rest params)
    "Show what a run has printed."
    (mino--on-output server params))

  (cl-defmethod eglot-handle-notification
    ((server mino-eglot-server) (_method (eql 'mino/status)) &rest params)
    "Show what the server is doing."
    (mino--on-status server params))

  (cl-defmethod eglot-handle-notification
    ((_server mino-eglot-server) (_method (eql 'mino/report)) &rest params)
    "Pass on that a document has been previewed."
    (mino--on-report params))

  (cl-defmethod eglot-handle-request
    ((_server mino-eglot-server) (_method (eql 'workspace/configuration)) &key items)
    "Answer with the user's configuration, and where there is none with ours."
    (vconcat (cl-mapcar (lambda (theirs ours) (or theirs ours))
                        (cl-call-next-method)
                        (mino--eglot-configuration items))))

  (cl-defmethod eglot-execute-command ((server mino-eglot-server) command arguments)
    "Execute COMMAND with ARGUMENTS; what takes long doesn't make Emacs wait."
    (or (mino--command-handler server (format "%s" command)
                               (and (> (length arguments) 0) (elt arguments 0)))
        (cl-call-next-method)))

  ;; The same, where eglot is that of Emacs 30 or newer.
  (when (fboundp 'eglot-execute)
    (cl-defmethod eglot-execute ((server mino-eglot-server) action)
      "Execute ACTION; what takes long doesn't make Emacs wait."
      (let ((command (mino-get action :command)))
        (or (and (stringp command)
                 (mino--command-handler server command (seq-first (mino-get action :arguments))))
            (cl-call-next-method))))))

(defun mino--register-eglot ()
  "Make the server known to eglot."
  (add-to-list 'eglot-server-programs
               '(((hy-mode :language-id "hy") (mino-hy-mode :language-id "hy"))
                 . mino--eglot-contact))
  (add-hook 'eglot-managed-mode-hook #'mino--eglot-managed))

;;;###autoload (with-eval-after-load 'eglot (require 'mino))

(with-eval-after-load 'eglot (mino--register-eglot))

(provide 'mino)
;;; mino.el ends here
