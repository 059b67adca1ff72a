// Values of forms: shown after the form until the document changes, in full when hovered.

import * as vscode from "vscode";
import { Server } from "./server";

export type Scope = "form" | "top" | "toHere";

interface Value {
  text: string;
  type: string;
  stdout: string;
  range: { start: vscode.Position; end: vscode.Position };
  problems: { message: string }[];
}

const LONGEST = 100;

export class Evaluations implements vscode.Disposable {
  private readonly look = vscode.window.createTextEditorDecorationType({
    after: { margin: "0 0 0 2ch", fontStyle: "italic", color: new vscode.ThemeColor("editorCodeLens.foreground") },
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });
  private shown: { uri: string; range: vscode.Range; value: Value } | undefined;
  private readonly registrations = vscode.Disposable.from(
    this.look,
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.length > 0 && document.uri.toString() === this.shown?.uri) this.clear();
    }),
    vscode.languages.registerHoverProvider("hy", { provideHover: (document, at) => this.hover(document, at) }),
  );

  /** Evaluates what `scope` says of the selection, or of the cursor, and shows it. Returns what is shown. */
  async evaluate(editor: vscode.TextEditor, server: Server, scope: Scope): Promise<string | undefined> {
    const { selection, document } = editor;
    const place = selection.isEmpty ? { position: plain(selection.active) } : { range: plainRange(selection) };
    const version = document.version;
    const value = await server.execute<Value>("mino.eval", { uri: document.uri.toString(), ...place, scope });
    this.clear();
    if (!value || document.version !== version) return undefined;
    const { start, end } = value.range;
    const range = new vscode.Range(start.line, start.character, end.line, end.character);
    this.shown = { uri: document.uri.toString(), range, value };
    const line = inOneLine(value);
    editor.setDecorations(this.look, [{ range, renderOptions: { after: { contentText: ` ⇒ ${line}` } } }]);
    return line;
  }

  dispose(): void {
    this.registrations.dispose();
  }

  private clear(): void {
    this.shown = undefined;
    for (const editor of vscode.window.visibleTextEditors) editor.setDecorations(this.look, []);
  }

  private hover(document: vscode.TextDocument, at: vscode.Position): vscode.Hover | undefined {
    if (this.shown?.uri !== document.uri.toString() || !this.shown.range.contains(at)) return undefined;
    const { text, type, stdout, problems } = this.shown.value;
    const parts = [
      ...(text ? [`*Evaluated:* \`${type}\``, fenced(text)] : []),
      ...(stdout ? ["*Printed:*", fenced(stdout)] : []),
      ...problems.map(({ message }) => message),
    ];
    return new vscode.Hover(new vscode.MarkdownString(parts.join("\n\n")), this.shown.range);
  }
}

function inOneLine({ text, problems }: Value): string {
  const line = (text || problems[0]?.message || "").replace(/\s+/g, " ");
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

function fenced(text: string): string {
  return "~~~~~~hy\n" + text + "\n~~~~~~";
}

function plain({ line, character }: vscode.Position): object {
  return { line, character };
}

function plainRange({ start, end }: vscode.Range): object {
  return { start: plain(start), end: plain(end) };
}
