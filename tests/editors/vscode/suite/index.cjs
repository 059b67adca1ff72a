// Runs inside VS Code's extension host, and writes what came of each check to the file $MINO_TEST_RESULTS.

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const vscode = require("vscode");
const mocha = require(require.resolve("mocha", { paths: [process.env.MINO_TEST_TOOLS] }));

const Mocha = mocha.default ?? mocha;
const LIMIT = Number(process.env.MINO_TEST_LIMIT);
const { executeCommand } = vscode.commands;

exports.run = () =>
  new Promise((resolve) => {
    const runner = new Mocha({ ui: "bdd", timeout: LIMIT + 1000, reporter: "min" });
    runner.suite.emit("pre-require", globalThis, null, runner);
    describe("Mino", checks);
    const results = [];
    runner
      .run(() => {
        fs.writeFileSync(process.env.MINO_TEST_RESULTS, JSON.stringify(results));
        resolve();
      })
      .on("pass", (test) => results.push({ title: test.title, seconds: test.duration / 1000 }))
      .on("fail", (test, error) =>
        results.push({ title: test.title, seconds: (test.duration ?? 0) / 1000, error: String(error.stack ?? error) }),
      );
  });

function checks() {
  before(async () => {
    await vscode.extensions.getExtension("minotauro.mino").activate();
  });

  it("a spec that is broken is told at the expression that broke it", async () => {
    const document = await opened("broken.hy");
    const found = await eventually("a diagnostic that names :rank1", () => {
      const all = vscode.languages.getDiagnostics(document.uri);
      return all.some((one) => one.message.includes(":rank1")) && all;
    });
    assert.equal(found.length, 1, `one diagnostic, not ${JSON.stringify(found, null, 1)}`);
    const expression = rangeOf(document, "(-> (torch.empty #(1 f-out))", "(nn.Parameter :requires_grad True))");
    assert.ok(expression.contains(found[0].range), `${JSON.stringify(found[0].range)} is not in the expression of :bias`);
  });

  it("a hover on a component shows the shapes that it has had", async () => {
    const document = await opened("feed_forward.hy");
    const weights = positionOf(document, "(defmu LinearTransformation [x weights").translate(0, -1);
    await eventually("[10 32] and [32 1] in the hover", async () => {
      const hovers = await executeCommand("vscode.executeHoverProvider", document.uri, weights);
      const text = hovers.flatMap((hover) => hover.contents.map((part) => part.value ?? part)).join("\n");
      return text.includes("[10 32]") && text.includes("[32 1]");
    });
  });

  it("an inlay hint shows the sizes that flow through a line", async () => {
    const document = await opened("feed_forward.hy");
    const { line } = positionOf(document, "(-> x (@ weights)");
    await eventually("→ [100 32] | [100 1]", async () => {
      const hints = await executeCommand("vscode.executeInlayHintProvider", document.uri, document.lineAt(line).range);
      return hints.some((hint) => /→ \[100 32\] \| \[100 1\]/.test(labelOf(hint)));
    });
  });

  it("a setting reaches the server when it changes", async () => {
    const document = await opened("feed_forward.hy");
    const whole = new vscode.Range(0, 0, document.lineCount, 0);
    const hints = () => executeCommand("vscode.executeInlayHintProvider", document.uri, whole);
    const setting = (value) => vscode.workspace.getConfiguration("mino").update("inlayHints.enabled", value, true);
    await eventually("inlay hints", async () => (await hints()).length > 0);
    await setting(false);
    await eventually("no inlay hints", async () => (await hints()).length === 0);
    await setting(undefined);
    await eventually("inlay hints again", async () => (await hints()).length > 0);
  });

  it("the Hy cells of a notebook are one program", async () => {
    const uri = vscode.Uri.joinPath(vscode.workspace.workspaceFolders[0].uri, "cells.ipynb");
    const notebook = await vscode.workspace.openNotebookDocument(uri);
    await vscode.window.showNotebookDocument(notebook);
    const [, , model, use, magic] = notebook.getCells().map((cell) => cell.document);
    assert.deepEqual([model.languageId, use.languageId, magic.languageId], ["hy", "hy", "python"]);
    const hints = async () => {
      const whole = new vscode.Range(0, 0, model.lineCount, 0);
      return (await executeCommand("vscode.executeInlayHintProvider", model.uri, whole)).map(labelOf);
    };
    await eventually("→ [2 3] in the cell of the model", async () => (await hints()).includes("→ [2 3]"));
    const [found] = await executeCommand("vscode.executeDefinitionProvider", use.uri, positionOf(use, "(Net"));
    assert.equal((found.targetUri ?? found.uri).toString(), model.uri.toString());
    const edit = new vscode.WorkspaceEdit();
    edit.replace(use.uri, rangeOf(use, "(torch.zeros 2 4", ")"), "(torch.zeros 2 5)");
    assert.ok(await vscode.workspace.applyEdit(edit));
    const codes = (document) => vscode.languages.getDiagnostics(document.uri).map((one) => one.code?.value ?? one.code);
    await eventually("a shape error in the cell of the model", () => codes(model).join() === "shape");
    assert.deepEqual([codes(use), codes(magic)], [[], ["unused-local"]]);
    // To VS Code this cell is Python, of which it asks others.
    await eventually("the model in the hover of a %%hy cell", async () => {
      const at = positionOf(magic, "(display ne");
      const hovers = await executeCommand("vscode.executeHoverProvider", magic.uri, at);
      const text = hovers.flatMap((hover) => hover.contents.map((part) => part.value ?? part)).join("\n");
      return text.includes("`Net` module · 15 parameters");
    });
    await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
  });

  it("Mino: Expand Macro shows the expansion", async () => {
    const document = await opened("feed_forward.hy");
    const editor = vscode.window.activeTextEditor;
    const inside = positionOf(document, "(-> x (@ weights)").translate(0, -15);
    editor.selection = new vscode.Selection(inside, inside);
    // A command that does nothing may not end either: the document is what counts.
    void executeCommand("mino.ui.expand").then(undefined, () => {});
    const expansion = await eventually("a document with the expansion", () =>
      vscode.workspace.textDocuments.find((one) => one.uri.scheme === "mino-expansion" && one.getText() !== ""),
    );
    assert.ok(expansion.getText().includes("(+ (@ x weights) bias)"), expansion.getText());
    assert.equal(expansion.languageId, "hy");
  });

  it("Mino: Evaluate Form shows the value after the form, and all of it when hovered", async () => {
    const document = await opened("feed_forward.hy");
    const editor = vscode.window.activeTextEditor;
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(document.lineCount, 0), '\n(do (print "seen") (torch.zeros 2 3))');
    assert.ok(await vscode.workspace.applyEdit(edit));
    const inside = positionOf(document, '(print "seen")').translate(0, -3);
    editor.selection = new vscode.Selection(inside, inside);
    const value = await limited(executeCommand("mino.ui.evalTop"));
    assert.match(value, /^\[2 3\] float32 tensor\(\[\[0/);
    const hovers = await executeCommand("vscode.executeHoverProvider", document.uri, inside);
    const text = hovers.flatMap((hover) => hover.contents.map((part) => part.value ?? part)).join("\n");
    assert.ok(text.includes("[2 3] float32") && text.includes("seen"), text);
    await executeCommand("workbench.action.files.revert");
  });

  it("models, a model as an expression and a spec are shown", async () => {
    const shown = (command, name, text) => {
      void executeCommand(command).then(undefined, () => {});
      return eventually(`${text} in ${name}`, () =>
        vscode.workspace.textDocuments.some(
          (one) => one.uri.scheme === "mino-inspection" && one.uri.path === `/${name}` && one.getText().includes(text),
        ),
      );
    };
    await opened("feed_forward.hy");
    await shown("mino.ui.model", "models.txt", "  linear-to-hidden LinearTransformation · 352 parameters");
    await shown("mino.ui.expression", "FeedForward.hy", "(torch.empty #(10 32) :dtype torch.float32)");
    const document = await opened("broken.hy");
    const keyword = positionOf(document, ":rank1").translate(0, -3);
    vscode.window.activeTextEditor.selection = new vscode.Selection(keyword, keyword);
    await shown("mino.ui.spec", "_rank1.hy", "(spec/def :rank1 (fn [x]");
  });

  it("the lens on defmain saves and runs the program", async () => {
    const document = await opened("feed_forward.hy");
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(0, 0), ";; Edited, and not yet saved.\n");
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.ok(document.isDirty);
    const lens = await runLens(document);
    const outcome = await executeCommand(lens.command.command, ...lens.command.arguments);
    assert.equal(outcome.exitCode, 0, JSON.stringify(outcome));
    assert.ok(!document.isDirty, "the run did not save the file");
    assert.match(fs.readFileSync(document.uri.fsPath, "utf8"), /^;; Edited/);
    await eventually("100 epochs in the channel Mino Run", () => channel().match(/^Epoch: /gm)?.length === 100);
  });

  it("Mino: Run and Observe marks the first NaN", async () => {
    const document = await opened("nan.hy");
    executeCommand("mino.ui.runAndObserve").then(undefined, () => {});
    await eventually("a warning at the first NaN", () =>
      vscode.languages.getDiagnostics(document.uri).some(({ message }) => message.startsWith("The first NaN was made")),
    );
  });

  it("Mino: Stop ends a run", async () => {
    const document = await opened("forever.hy");
    const running = executeCommand("mino.run", { uri: document.uri.toString() });
    // A server that cannot run rejects here, and not only when it is awaited.
    running.then(undefined, () => {});
    await eventually("the run's output", async () => channel().includes("going on"));
    await executeCommand("mino.ui.stop");
    assert.equal((await running).stopped, true);
  });

  it("Mino: Restart Server brings a server that answers", async () => {
    const document = await opened("feed_forward.hy");
    await runLens(document);
    // Twice at once, as a change of settings and a hand may: one server is what is wanted.
    await Promise.all([executeCommand("mino.ui.restart"), executeCommand("mino.ui.restart")]);
    const lens = await runLens(document);
    const commands = await vscode.commands.getCommands(true);
    assert.ok(commands.includes(lens.command.command));
    await eventually("one server", () => servers().length === 1);
  });

  it("a server that dies is started again", async () => {
    const document = await opened("feed_forward.hy");
    await runLens(document);
    const [old] = servers();
    process.kill(old, "SIGKILL");
    await eventually("another server", () => servers().length === 1 && servers()[0] !== old);
    await runLens(document);
  });
}

/** The processes of the language server, all of which this extension host has started. */
function servers() {
  const [program] = vscode.workspace.getConfiguration("mino").get("server.command");
  const children = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(process.pid)], { encoding: "utf8" });
  return children.split("\n").filter((line) => line.includes(program)).map((line) => parseInt(line, 10));
}

/** The lens on defmain, when it is there. */
function runLens(document) {
  return eventually("▶ Run on cpu at defmain", async () => {
    const lenses = await executeCommand("vscode.executeCodeLensProvider", document.uri, 20);
    const { line } = positionOf(document, "(defmain");
    return lenses.find((one) => one.range.start.line === line && one.command?.title === "▶ Run on cpu");
  });
}

/** The document `name` of the workspace, in the active editor. */
async function opened(name) {
  const uri = vscode.Uri.joinPath(vscode.workspace.workspaceFolders[0].uri, name);
  const document = await vscode.workspace.openTextDocument(uri);
  assert.equal(document.languageId, "hy");
  await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
  return document;
}

/** What the channel Mino Run shows. */
function channel() {
  const shown = vscode.workspace.textDocuments.find(
    (one) => one.uri.scheme === "output" && decodeURIComponent(one.uri.path).endsWith("Mino Run"),
  );
  return shown?.getText() ?? "";
}

/** The position right after the first `text`. */
function positionOf(document, text) {
  const at = document.getText().indexOf(text);
  assert.notEqual(at, -1, `no ${text} in the document`);
  return document.positionAt(at + text.length);
}

function rangeOf(document, first, last) {
  const start = document.getText().indexOf(first);
  const end = document.getText().indexOf(last, start);
  assert.ok(start !== -1 && end !== -1);
  return new vscode.Range(document.positionAt(start), document.positionAt(end + last.length));
}

function labelOf(hint) {
  return typeof hint.label === "string" ? hint.label : hint.label.map((part) => part.value).join("");
}

/** What a promise gives, if that is soon enough. */
function limited(promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`not within ${LIMIT / 1000} s`)), LIMIT));
  return Promise.race([promise, late]);
}

/** The first truthy answer of `ask`, which is asked until there is one. */
async function eventually(what, ask) {
  for (const end = Date.now() + LIMIT; Date.now() < end; ) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within ${LIMIT / 1000} s: ${what}`);
}
