// Macro expansions, each in a read-only document beside the program. The server serves their text, and has VS Code ask
// for it anew while the program changes; a definition in one is the place in the program that it stands for.

import * as vscode from "vscode";
import { Server } from "./server";

const SCHEME = "mino-expansion";

interface Expansion {
  document: string;
  problems: { message: string }[];
}

interface Python {
  text: string;
  problems: { message: string }[];
}

export class Expansions implements vscode.Disposable {
  private readonly registration: vscode.Disposable;

  constructor(server: Server) {
    this.registration = vscode.languages.registerDefinitionProvider(
      { scheme: SCHEME },
      { provideDefinition: (document, position) => server.definition(document.uri, position) },
    );
  }

  async expandAt(editor: vscode.TextEditor, server: Server): Promise<void> {
    const { line, character } = editor.selection.active;
    const expansion = await server.execute<Expansion>("mino.expand", {
      uri: editor.document.uri.toString(),
      position: { line, character },
      depth: "all",
    });
    if (!expansion) return;
    tell(expansion.problems);
    await show(await vscode.workspace.openTextDocument(vscode.Uri.parse(expansion.document)));
  }

  async pythonAt(editor: vscode.TextEditor, server: Server): Promise<void> {
    const { start, end } = editor.selection;
    const python = await server.execute<Python>("mino.showPython", {
      uri: editor.document.uri.toString(),
      range: {
        start: { line: start.line, character: start.character },
        end: { line: end.line, character: end.character },
      },
    });
    if (!python) return;
    tell(python.problems);
    if (python.text) await show(await vscode.workspace.openTextDocument({ language: "python", content: python.text }));
  }

  dispose(): void {
    this.registration.dispose();
  }
}

function tell(problems: { message: string }[]): void {
  if (problems[0]) void vscode.window.showInformationMessage(problems[0].message);
}

async function show(document: vscode.TextDocument): Promise<void> {
  await vscode.window.showTextDocument(document, {
    viewColumn: vscode.ViewColumn.Beside,
    preserveFocus: true,
    preview: true,
  });
}
