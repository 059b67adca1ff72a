// Macro expansions, each in a read-only document beside the program.

import * as vscode from "vscode";
import { Server } from "./server";

const SCHEME = "mino-expansion";

interface Expansion {
  head: string | null;
  text: string;
  problems: { message: string }[];
}

export class Expansions implements vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private count = 0;
  private readonly registrations = vscode.Disposable.from(
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      provideTextDocumentContent: (uri) => this.texts.get(uri.toString()),
    }),
    vscode.workspace.onDidCloseTextDocument((document) => this.texts.delete(document.uri.toString())),
  );

  async expandAt(editor: vscode.TextEditor, server: Server): Promise<void> {
    const { line, character } = editor.selection.active;
    const expansion = await server.execute<Expansion>("mino.expand", {
      uri: editor.document.uri.toString(),
      position: { line, character },
      depth: "all",
    });
    if (expansion) await this.show(expansion);
  }

  dispose(): void {
    this.registrations.dispose();
  }

  private async show(expansion: Expansion): Promise<void> {
    const problem = expansion.problems[0]?.message;
    if (problem) void vscode.window.showInformationMessage(problem);
    if (!expansion.text) return;
    // The count keeps one expansion's document apart from the next of the same macro.
    this.count += 1;
    const head = (expansion.head ?? "the form").replaceAll("/", "∕");
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/Expansion of ${head}.hy`, query: `${this.count}` });
    this.texts.set(uri.toString(), expansion.text);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
      preview: true,
    });
  }
}
