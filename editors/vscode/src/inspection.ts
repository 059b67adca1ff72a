// What lives in a program: its models, a model as an S-expression, a spec, each as text in a read-only document.

import * as vscode from "vscode";
import { Server } from "./server";

const SCHEME = "mino-inspection";
const KEYWORD = /:[^\s()[\]{}"'`~;,]+/;

interface Models {
  text: string;
  models: { name: string; kind: string; parameters: number }[];
  problems: { message: string }[];
}

interface Expression {
  text: string;
}

interface Spec {
  keyword: string;
  form: string;
  describe: string;
  problems: { message: string }[];
}

interface Devices {
  devices: { name: string; description: string }[];
  configured: string;
}

export class Inspections implements vscode.Disposable, vscode.TextDocumentContentProvider {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly texts = new Map<string, string>();
  private readonly registration = vscode.Disposable.from(
    this.changed,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
  );

  async model(editor: vscode.TextEditor, server: Server): Promise<void> {
    const told = await this.models(editor, server);
    if (!told) return;
    if (told.text) await this.show("models.txt", told.text, "plaintext");
    else void vscode.window.showInformationMessage(told.problems[0]?.message ?? "No model lives in this document.");
  }

  async expression(editor: vscode.TextEditor, server: Server): Promise<void> {
    const told = await this.models(editor, server);
    if (!told) return;
    const names = told.models.map(({ name, kind, parameters }) => ({
      label: name,
      description: `${kind === name ? "" : `${kind} · `}${parameters.toLocaleString()} parameters`,
    }));
    if (names.length === 0) return this.model(editor, server);
    const chosen = names.length === 1 ? names[0] : await vscode.window.showQuickPick(names, { title: "Which model?" });
    if (!chosen) return;
    const expression = await server.execute<Expression>("mino.asExpression", { uri: uriOf(editor), name: chosen.label });
    if (expression) await this.show(`${chosen.label}.hy`, expression.text, "hy");
  }

  async spec(editor: vscode.TextEditor, server: Server): Promise<void> {
    const { document, selection } = editor;
    const word = document.getWordRangeAtPosition(selection.active, KEYWORD);
    const keyword = word
      ? document.getText(word)
      : await vscode.window.showInputBox({ title: "The keyword of a spec", placeHolder: ":name" });
    if (!keyword) return;
    const spec = await server.execute<Spec>("mino.spec", { uri: uriOf(editor), keyword });
    if (!spec) return;
    const described = spec.describe === spec.form ? [] : [";; in short", spec.describe, ""];
    const broken = spec.problems.flatMap(({ message }) => message.split("\n").map((line) => `;; ${line}`));
    const lines = [`(spec/def ${spec.keyword} ${spec.form})`, "", ...described, ...broken];
    await this.show(`${spec.keyword.replace(/[^\w-]/g, "_")}.hy`, lines.join("\n"), "hy");
  }

  dispose(): void {
    this.registration.dispose();
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? "";
  }

  private models(editor: vscode.TextEditor, server: Server): Thenable<Models | undefined> {
    return vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: "Mino: evaluating" }, () =>
      server.execute<Models>("mino.model", { uri: uriOf(editor) }),
    );
  }

  private async show(name: string, text: string, language: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}` });
    this.texts.set(uri.path, text);
    this.changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, language);
    await vscode.window.showTextDocument(document, {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
      preview: true,
    });
  }
}

/** Asks for a device of the server's machine, and has programs previewed for it and run on it until the server ends. */
export async function chooseDevice(server: Server): Promise<void> {
  const told = await server.execute<Devices>("mino.devices", {});
  if (!told) return;
  const there = [
    { name: "auto", description: "the accelerator, else the CPU" },
    ...told.devices,
    { name: "asWritten", description: "torch's own default" },
  ];
  const items = there.map(({ name, description }) => ({
    label: name,
    description: name === told.configured ? `${description} · configured` : description,
  }));
  const chosen = await vscode.window.showQuickPick(items, { title: "Preview for and run on" });
  if (chosen) await server.execute("mino.setDevice", { device: chosen.label });
}

function uriOf(editor: vscode.TextEditor): string {
  return editor.document.uri.toString();
}
