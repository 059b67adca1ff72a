;;; mino-server-tests.el --- Mino in Emacs, against its real server -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; What a user does in Emacs and sees there, with lsp-mode or with eglot, and
;; with the server that is to be shipped.  The environment says which:
;;
;;   MINO_CLIENT     lsp-mode or eglot
;;   MINO_LSP        the server's program
;;   MINO_ROOT       the root of the repository, where examples/ is
;;   MINO_PATIENCE   how many seconds to wait for anything (60)
;;
;; Each test must fail with silent_server.py in the place of the server, except
;; those tagged `local', which need none.

;;; Code:

(require 'ert)
(require 'flymake)

(defvar mino-test-client (intern (getenv "MINO_CLIENT")))
(defvar mino-test-patience (string-to-number (or (getenv "MINO_PATIENCE") "60")))
(defvar mino-test-workspace
  (file-name-as-directory (file-truename (make-temp-file "mino-workspace" t))))

(setq user-emacs-directory (file-name-as-directory (make-temp-file "mino-emacs" t))
      lsp-session-file (expand-file-name "session" user-emacs-directory)
      make-backup-files nil
      create-lockfiles nil)
;; Where the server remembers whom to trust.
(setenv "XDG_STATE_HOME" user-emacs-directory)
(add-hook 'kill-emacs-hook
          (lambda ()
            (delete-directory mino-test-workspace t)
            (delete-directory user-emacs-directory t)))

(load (format "%s-autoloads" mino-test-client) t t)
(require mino-test-client)
(require 'mino)
(setq mino-server-command (list (getenv "MINO_LSP") "--stdio")
      mino-trust 'full)

;;;; The two clients

(defvar lsp-auto-guess-root)
(defvar lsp-diagnostics-provider)
(defvar lsp-enable-file-watchers)
(defvar lsp-enable-snippet)
(defvar lsp-headerline-breadcrumb-enable)
(defvar lsp-lens-enable)
(defvar lsp-modeline-code-actions-enable)
(defvar lsp-response-timeout)
(defvar lsp-restart)
(defvar eglot-sync-connect)
(setq lsp-auto-guess-root t
      lsp-diagnostics-provider :flymake
      lsp-enable-file-watchers nil
      lsp-enable-snippet nil
      lsp-headerline-breadcrumb-enable nil
      lsp-lens-enable t
      lsp-modeline-code-actions-enable nil
      lsp-response-timeout mino-test-patience
      lsp-restart 'ignore
      eglot-sync-connect 15)

(defun mino-test-attach ()
  "Have the server look after the current buffer."
  (pcase mino-test-client
    ('lsp-mode (lsp-workspace-folders-add mino-test-workspace)
               (lsp))
    ('eglot (unless (eglot-managed-p)
              (apply #'eglot--connect (eglot--guess-contact)))))
  (mino-test-wait "the server to look after the buffer"
                  (lambda () (and (mino--find-connection)
                                  (or (eq mino-test-client 'eglot)
                                      (eq 'initialized (lsp--workspace-status (mino--find-connection))))))))

(defun mino-test-ask (method params)
  "The server's answer to the request METHOD with PARAMS."
  (let* (done answer
         (succeed (lambda (result) (setq answer result done t)))
         (fail (lambda (problem) (setq answer problem done 'failed))))
    (pcase mino-test-client
      ('lsp-mode (lsp-request-async method params succeed :error-handler fail :mode 'detached))
      ('eglot (eglot--signal-textDocument/didChange)
              (jsonrpc-async-request (eglot-current-server) (intern (concat ":" method)) params
                                     :success-fn succeed :error-fn fail :timeout nil)))
    (mino-test-wait (concat "an answer to " method) (lambda () done))
    (when (eq done 'failed) (error "%s: %s" method (mino-get answer :message)))
    answer))

;;;; Waiting and looking

(defun mino-test-wait (what predicate)
  "Wait until PREDICATE gives something, and return that; WHAT is what it is."
  (let ((end (+ (float-time) mino-test-patience)) value)
    (while (not (or (setq value (funcall predicate)) (> (float-time) end)))
      (accept-process-output nil 0.05))
    (or value (ert-fail (format "Waited %s s for %s" mino-test-patience what)))))

(defun mino-test-copy (example name &rest replacements)
  "Copy EXAMPLE to the workspace as NAME with REPLACEMENTS, pairs of old and new."
  (let ((file (expand-file-name name mino-test-workspace)))
    (with-temp-file file
      (when example
        (insert-file-contents (expand-file-name (concat "examples/" example) (getenv "MINO_ROOT"))))
      (pcase-dolist (`(,old . ,new) replacements)
        (if (null old) (insert new)
          (goto-char (point-min))
          (search-forward old)
          (replace-match new t t))))
    file))

(defmacro mino-test-visiting (file &rest body)
  "Evaluate BODY in a buffer that visits FILE and that the server looks after."
  (declare (indent 1))
  `(let ((buffer (find-file-noselect ,file)))
     (when (get-buffer "*mino-run*") (kill-buffer "*mino-run*"))
     (unwind-protect
         (with-current-buffer buffer
           (mino-test-attach)
           ,@body)
       (with-current-buffer buffer (set-buffer-modified-p nil))
       (kill-buffer buffer))))

(defun mino-test-diagnostics ()
  "What Flymake shows in this buffer, hints excepted."
  (flymake-start)
  (seq-remove (lambda (diagnostic) (memq (flymake-diagnostic-type diagnostic) '(:note eglot-note)))
              (flymake-diagnostics)))

(defun mino-test-goto (text)
  "Go to the beginning of TEXT."
  (goto-char (point-min))
  (search-forward text)
  (goto-char (match-beginning 0)))

(defun mino-test-hover ()
  "The hover at point as the client shows it in the echo area, or nil."
  (let* ((where (mino--location (mino--connection)))
         (contents (mino-get (mino-test-ask "textDocument/hover"
                                            (list :textDocument (list :uri (plist-get where :uri))
                                                  :position (plist-get where :position)))
                             :contents)))
    (when contents
      (pcase mino-test-client
        ('lsp-mode (lsp--render-on-hover-content contents nil))
        ('eglot (eglot--format-markup contents))))))

(defun mino-test-lens (title)
  "What a click does on the code lens on defmain whose title begins with TITLE.
Eglot shows no code lenses: there the server is asked for them."
  (mino-test-goto "(defmain")
  (mino-test-wait (concat "a code lens " title)
                  (pcase mino-test-client
                    ('lsp-mode (lambda () (mino-test-lens-shown title)))
                    ('eglot (lambda () (mino-test-lens-answered title))))))

(defun mino-test-lens-shown (title)
  "The action of the lens with TITLE that lsp-mode shows on this line, or nil."
  (seq-some (lambda (overlay)
              (and (<= (line-beginning-position) (overlay-get overlay 'lsp-lens-position) (line-end-position))
                   (seq-some (lambda (lens)
                               (and (string-prefix-p title lens) (get-text-property 0 'action lens)))
                             (overlay-get overlay 'lsp--metadata))))
            lsp-lens--overlays))

(defun mino-test-lens-answered (title)
  "What eglot would do for the lens with TITLE that the server has for this line."
  (seq-some (lambda (lens)
              (let ((command (mino-get lens :command)))
                (and (equal (1- (line-number-at-pos)) (mino-get lens :range :start :line))
                     (string-prefix-p title (mino-get command :title))
                     (lambda ()
                       (interactive)
                       (eglot-execute-command (eglot-current-server)
                                              (intern (mino-get command :command))
                                              (mino-get command :arguments))))))
            (mino-test-ask "textDocument/codeLens"
                           (list :textDocument (eglot--TextDocumentIdentifier)))))

(defun mino-test-finish-run ()
  "The server's answer when the run has ended, and the output."
  (with-current-buffer "*mino-run*"
    (mino-test-wait "the run to end" (lambda () (eq 'finished mino-run--state)))
    (list mino-run-answer (buffer-substring-no-properties (point-min) (point-max)))))

(defun mino-test-count (regexp text)
  "How often REGEXP is in TEXT."
  (with-temp-buffer (insert text) (count-matches regexp (point-min) (point-max))))

;;;; Diagnostics

(ert-deftest mino-shows-a-broken-spec-where-it-is-broken ()
  (mino-test-visiting (mino-test-copy "spec_network.hy" "broken.hy"
                                      '(":bias (-> (torch.empty #(f-out))" . ":bias (-> (torch.empty #(1 f-out))"))
    (let ((diagnostics (mino-test-wait "a diagnostic" #'mino-test-diagnostics)))
      (should (equal 1 (length diagnostics)))
      (should (string-match-p ":rank1" (flymake-diagnostic-text (car diagnostics))))
      (let* ((start (progn (mino-test-goto ":bias (->") (point)))
             (end (progn (forward-sexp 2) (point))))
        (should (<= start (flymake-diagnostic-beg (car diagnostics))
                    (flymake-diagnostic-end (car diagnostics)) end))))))

(ert-deftest mino-shows-unbalanced-brackets-until-they-are-mended ()
  (mino-test-visiting (mino-test-copy nil "unbalanced.hy" '(nil . "(defn f [x]\n  (+ x 1)\n\n(print (f 1))\n"))
    (should (mino-test-wait "a diagnostic" #'mino-test-diagnostics))
    (mino-test-goto "(+ x 1)")
    (end-of-line)
    (insert ")")
    (when (eq mino-test-client 'eglot) (eglot--signal-textDocument/didChange))
    (mino-test-wait "the diagnostic to go" (lambda () (null (mino-test-diagnostics))))))

;;;; Shapes

(ert-deftest mino-shows-the-shapes-of-a-component ()
  (mino-test-visiting (mino-test-copy "feed_forward.hy" "shapes.hy")
    (mino-test-goto "weights bias]")
    ;; Shapes appear while the program still goes on: that of the second instance comes after that of the first.
    (mino-test-wait "both shapes in the hover"
                    (lambda ()
                      (let ((text (mino-test-hover)))
                        (and text
                             (string-match-p (regexp-quote "[10 32]") text)
                             (string-match-p (regexp-quote "[32 1]") text)))))))

;;;; Running

(ert-deftest mino-runs-from-the-code-lens ()
  (mino-test-visiting (mino-test-copy "feed_forward.hy" "lens.hy")
    (let ((click (mino-test-lens "▶ Run on cpu")))
      (call-interactively click)
      (pcase-let ((`(,answer ,output) (mino-test-finish-run)))
        (should (equal 0 (mino-get answer :exitCode)))
        (should (equal 100 (mino-test-count "^Epoch:" output)))))))

(ert-deftest mino-run-saves-and-runs-without-waiting ()
  (mino-test-visiting (mino-test-copy "feed_forward.hy" "command.hy")
    (goto-char (point-min))
    (insert "(print \"an edit\")\n")
    (let ((start (float-time)))
      (call-interactively #'mino-run)
      (should (< (- (float-time) start) 1)))
    (should-not (buffer-modified-p))
    (pcase-let ((`(,answer ,output) (mino-test-finish-run)))
      (should (equal 0 (mino-get answer :exitCode)))
      (should (string-match-p "^an edit$" output))
      (should (equal 100 (mino-test-count "^Epoch:" output)))
      (should (string-match-p "^Mino: finished, exit code 0.* [0-9.]+ seconds$" output)))))

(ert-deftest mino-run-leads-to-the-line-that-failed ()
  (let ((file (mino-test-copy nil "failing.hy" '(nil . "(defn f [x]\n  (/ x 0))\n\n(print \"before\")\n(f 1)\n"))))
    (mino-test-visiting file
      (call-interactively #'mino-run)
      (pcase-let ((`(,answer ,output) (mino-test-finish-run)))
        (should (equal 1 (mino-get answer :exitCode)))
        (should (string-match-p "^before$" output))
        (should (string-match-p "ZeroDivisionError" output))
        (should (string-match-p "^Mino: exited abnormally with code 1" output))
        (with-current-buffer "*mino-run*"
          (compilation--ensure-parse (point-max))
          (goto-char (point-max))
          (re-search-backward "failing\\.hy\", line 2")
          (compile-goto-error))
        (with-current-buffer (window-buffer)
          (should (equal (file-truename file) (file-truename buffer-file-name)))
          (should (equal 2 (line-number-at-pos))))))))

(ert-deftest mino-stop-ends-a-run ()
  (mino-test-visiting
      (mino-test-copy nil "endless.hy" '(nil . "(import time)\n(while True\n  (print \"tick\" :flush True)\n  (time.sleep 0.05))\n"))
    (call-interactively #'mino-run)
    (with-current-buffer "*mino-run*"
      (mino-test-wait "output" (lambda () (string-match-p "^tick$" (buffer-string))))
      (should-error (mino-run-again) :type 'user-error)
      (call-interactively #'mino-stop))
    (pcase-let ((`(,answer ,output) (mino-test-finish-run)))
      (should-not (equal 0 (mino-get answer :exitCode)))
      (should (string-match-p "^Mino: stopped, exit code [0-9]+ on cpu, [0-9.]+ seconds$" output)))))

(ert-deftest mino-run-and-observe-marks-the-first-nan ()
  (mino-test-visiting
      (mino-test-copy nil "nan.hy" '(nil . "(import torch)\n(setv x (/ (torch.zeros 2) 0))\n(setv y (+ x 1))\n"))
    (call-interactively #'mino-run-and-observe)
    (pcase-let ((`(,answer ,_) (mino-test-finish-run)))
      (should (equal 0 (mino-get answer :exitCode)))
      (should (string-match-p "\\`The first NaN was made here" (mino--first-problem answer))))))

;; The last in its file by name: the server is gone afterwards.
(ert-deftest mino-zz-says-that-the-server-ended ()
  (mino-test-visiting
      (mino-test-copy nil "orphan.hy" '(nil . "(import time)\n(print \"here\" :flush True)\n(time.sleep 600)\n"))
    (call-interactively #'mino-run)
    (with-current-buffer "*mino-run*"
      (mino-test-wait "output" (lambda () (string-match-p "^here$" (buffer-string)))))
    (let ((server (mino--find-connection)))
      (pcase mino-test-client
        ('lsp-mode (delete-process (lsp--workspace-proc server)))
        ('eglot (setf (eglot--inhibit-autoreconnect server) t)
                (delete-process (jsonrpc--process server)))))
    (pcase-let ((`(,answer ,output) (mino-test-finish-run)))
      (should-not answer)
      (should (string-match-p "^Mino: .*server.*\\(ended\\|died\\)" output)))))

;;;; Expanding

(ert-deftest mino-expand-shows-the-expansion ()
  (mino-test-visiting (mino-test-copy "feed_forward.hy" "expand.hy")
    (mino-test-goto "(-> x (@ weights) (+ bias))")
    (when (get-buffer "*mino-expansion*") (kill-buffer "*mino-expansion*"))
    (call-interactively #'mino-expand)
    (mino-test-wait "the expansion" (lambda () (get-buffer "*mino-expansion*")))
    (with-current-buffer "*mino-expansion*"
      (should (equal "(+ (@ x weights) bias)" (string-trim (buffer-string))))
      (should buffer-read-only)
      ;; A token goes to where it comes from.
      (goto-char (point-min))
      (search-forward "weig")
      (save-window-excursion
        (mino-expansion-visit)
        (should (looking-at-p (regexp-quote "weights) (+ bias)"))))
      (goto-char (point-min))
      (should-error (mino-expansion-visit) :type 'user-error))
    ;; Typing in the program changes what is shown.
    (mino-test-goto "weights) (+ bias)")
    (insert "more-")
    (mino-expansion--refresh)
    (mino-test-wait "the new expansion"
                    (lambda ()
                      (with-current-buffer "*mino-expansion*"
                        (equal "(+ (@ x more-weights) bias)" (string-trim (buffer-string))))))))

(ert-deftest mino-show-python-shows-python ()
  (mino-test-visiting (mino-test-copy "feed_forward.hy" "python.hy")
    (mino-test-goto "-> x (@ weights) (+ bias)")
    (when (get-buffer "*mino-python*") (kill-buffer "*mino-python*"))
    (call-interactively #'mino-show-python)
    (mino-test-wait "the Python" (lambda () (get-buffer "*mino-python*")))
    (with-current-buffer "*mino-python*"
      (should (equal "x @ weights + bias" (string-trim (buffer-string)))))))

;;;; Models and specs

(defun mino-test-inspected (text command &rest arguments)
  "Whether COMMAND called with ARGUMENTS shows TEXT."
  (when (get-buffer "*mino-inspection*") (kill-buffer "*mino-inspection*"))
  (apply command arguments)
  (mino-test-wait text (lambda ()
                         (and (get-buffer "*mino-inspection*")
                              (with-current-buffer "*mino-inspection*"
                                (string-match-p (regexp-quote text) (buffer-string)))))))

(ert-deftest mino-shows-models-and-specs ()
  (mino-test-visiting (mino-test-copy "feed_forward.hy" "models.hy")
    (mino-test-inspected "linear-to-hidden LinearTransformation · 352 parameters" #'mino-show-models)
    (mino-test-inspected "(torch.empty #(10 32) :dtype torch.float32)" #'mino-show-expression "FeedForward"))
  (mino-test-visiting (mino-test-copy "spec_network.hy" "specs.hy")
    (mino-test-inspected "(spec/def :rank1 " #'mino-show-spec ":rank1")))

;;;; Evaluating

(ert-deftest mino-eval-shows-the-value-after-the-form ()
  (mino-test-visiting (mino-test-copy "feed_forward.hy" "eval.hy")
    (goto-char (point-max))
    (insert "\n(torch.zeros 2 (+ 1 2))")
    (backward-char)
    (dolist (case '((mino-eval-form "⇒ 3") (mino-eval-defun "⇒ \\[2 3\\] float32 tensor")
                    (mino-eval-to-here "⇒ ")))
      (call-interactively (car case))
      (mino-test-wait "the value" (lambda () mino--value-overlay))
      (should (string-match-p (cadr case) (overlay-get mino--value-overlay 'after-string)))
      (mino--clear-value))))

;;;; Trust

(ert-deftest mino-runs-nothing-before-it-is-trusted ()
  (let ((mino-trust 'ask)
        (mino-test-workspace (file-name-as-directory (expand-file-name "untrusted" mino-test-workspace))))
    (make-directory mino-test-workspace)
    (mino-test-visiting (mino-test-copy "feed_forward.hy" "untrusted.hy")
      (mino-test-wait "the mode line to say so" (lambda () (equal "[untrusted]" mino--status)))
      (call-interactively #'mino-run)
      (pcase-let ((`(,answer ,output) (mino-test-finish-run)))
        (should-not answer)
        (should (string-match-p "not trusted" output)))
      (mino-test-goto "weights bias]")
      (should-not (string-match-p (regexp-quote "[10 32]") (or (mino-test-hover) "")))
      (cl-letf (((symbol-function 'yes-or-no-p) #'always))
        (call-interactively #'mino-trust-workspace))
      (mino-test-wait "shapes in the hover"
                      (lambda () (string-match-p (regexp-quote "[10 32]") (or (mino-test-hover) "")))))))

;;;; What the server tells

(ert-deftest mino-tells-of-the-preview-and-the-devices ()
  (let* (reported said
         (mino-report-functions (list (lambda (uri version) (push (cons uri version) reported)))))
    (mino-test-visiting (mino-test-copy "feed_forward.hy" "report.hy")
      (mino-test-wait "a report" (lambda () (seq-some (lambda (report) (string-suffix-p "report.hy" (car report)))
                                                      reported)))
      (cl-letf (((symbol-function 'message) (lambda (&rest args) (push (apply #'format args) said))))
        (call-interactively #'mino-devices)
        (mino-test-wait "the devices" (lambda () (seq-some (lambda (text) (string-match-p "^cpu" text)) said)))))))

;;;; Without a server

(ert-deftest mino-names-only-functions-of-the-client-that-exist ()
  :tags '(local)
  (with-temp-buffer
    (insert-file-contents (locate-library "mino.el"))
    (let ((files (pcase mino-test-client ('lsp-mode '("lsp-mode")) ('eglot '("eglot" "jsonrpc"))))
          declared)
      (while (re-search-forward "^(declare-function \\([^ ]+\\) \"\\([^\"]+\\)\")" nil t)
        (when (member (match-string 2) files) (push (intern (match-string 1)) declared)))
      (should (> (length declared) 5))
      ;; Newer than the oldest releases that are supported, and asked for before it is called.
      (should-not (seq-remove #'fboundp (cl-set-difference declared '(lsp-inlay-hints-mode eglot-execute)))))))

(ert-deftest mino-client-says-how-to-get-the-server ()
  :tags '(local)
  (let ((mino-server-command '("no-such-mino-lsp" "--stdio"))
        (file (mino-test-copy nil "other.hy" '(nil . "(print 1)\n"))))
    (with-current-buffer (find-file-noselect file)
      (should (string-match-p "pip install minotauro"
                              (error-message-string
                               (should-error (pcase mino-test-client
                                               ('lsp-mode (let ((lsp-clients (make-hash-table)))
                                                            (mino--register-lsp)
                                                            (lsp)))
                                               ('eglot (eglot--guess-contact)))))))
      (kill-buffer))))

(ert-deftest mino-outranks-other-clients-for-hy ()
  :tags '(local)
  (skip-unless (eq mino-test-client 'lsp-mode))
  (let ((lsp-clients (copy-hash-table lsp-clients))
        (file (mino-test-copy nil "rank.hy" '(nil . "(print 1)\n"))))
    (lsp-register-client
     (make-lsp-client :new-connection (lsp-stdio-connection '("sh"))
                      :activation-fn (lsp-activate-on "hy")
                      :server-id 'another))
    (with-current-buffer (find-file-noselect file)
      (should (equal '(mino-lsp) (mapcar #'lsp--client-server-id (lsp--find-clients))))
      (kill-buffer))))

(provide 'mino-server-tests)
;;; mino-server-tests.el ends here
