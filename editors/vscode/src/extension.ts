// Mino for VS Code: starts the language server and shows what it says. What a program means is the server's affair.

import * as vscode from "vscode";
import { Evaluations, Scope } from "./evaluation";
import { Expansions } from "./expansion";
import { chooseDevice, Inspections } from "./inspection";
import { Run } from "./run";
import { Server } from "./server";
import { Status } from "./status";

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const run = new Run();
  const status = new Status();
  const evaluations = new Evaluations();
  const inspections = new Inspections();
  const started = (server = new Server(run, status));
  const expansions = new Expansions(started);

  const evaluate = (scope: Scope) => onDocument((editor) => evaluations.evaluate(editor, started, scope));
  const command = (id: string, action: () => unknown) => vscode.commands.registerCommand(id, action);
  context.subscriptions.push(
    run,
    status,
    expansions,
    evaluations,
    inspections,
    started.cells,
    command("mino.ui.run", () => onDocument((editor) => started.execute("mino.run", { uri: uriOf(editor) }))),
    command("mino.ui.runAndObserve", () =>
      onDocument((editor) => started.execute("mino.run", { uri: uriOf(editor), observe: true })),
    ),
    command("mino.ui.stop", () => started.execute("mino.stop", {})),
    command("mino.ui.trust", () => onDocument((editor) => trust(editor, started))),
    command("mino.ui.expand", () => onDocument((editor) => expansions.expandAt(editor, started))),
    command("mino.ui.python", () => onDocument((editor) => expansions.pythonAt(editor, started))),
    command("mino.ui.evalForm", () => evaluate("form")),
    command("mino.ui.evalTop", () => evaluate("top")),
    command("mino.ui.evalToHere", () => evaluate("toHere")),
    command("mino.ui.model", () => onDocument((editor) => inspections.model(editor, started))),
    command("mino.ui.expression", () => onDocument((editor) => inspections.expression(editor, started))),
    command("mino.ui.spec", () => onDocument((editor) => inspections.spec(editor, started))),
    command("mino.ui.device", () => chooseDevice(started)),
    command("mino.ui.pause", () => started.execute("mino.pause", {})),
    command("mino.ui.restart", () => started.restart()),
    command("mino.ui.output", () => started.showOutput()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => started.restart()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("mino.server")) void started.restart();
    }),
  );
  await started.start();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

/** Restricted Mode is VS Code's own, and is left in VS Code's own way; Mino's question comes after it. */
function trust(editor: vscode.TextEditor, started: Server): unknown {
  if (!vscode.workspace.isTrusted) return vscode.commands.executeCommand("workbench.trust.manage");
  return started.execute("mino.trust", { uri: uriOf(editor), trusted: true });
}

function uriOf(editor: vscode.TextEditor): string {
  return editor.document.uri.toString();
}

function onDocument(action: (editor: vscode.TextEditor) => unknown): unknown {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId === "hy") return action(editor);
  return vscode.window.showInformationMessage("Mino: open a Hy file first.");
}
