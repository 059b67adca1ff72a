// Python cells that begin with %%hy: to VS Code they are Python, of which it asks others. What is Hy in them is Mino's to
// tell; the server says nothing of any other Python cell.

import * as vscode from "vscode";
import { CompletionRequest, DefinitionRequest, HoverRequest, InlayHintRequest, LanguageClient } from "vscode-languageclient/node";

const CELLS: vscode.DocumentFilter = { language: "python", notebookType: "jupyter-notebook" };

export class HyCells implements vscode.Disposable {
  private readonly reported = new vscode.EventEmitter<void>();
  private readonly registrations = vscode.Disposable.from(
    this.reported,
    vscode.languages.registerHoverProvider(CELLS, {
      provideHover: (document, at, token) =>
        this.ask(document, async (client) => {
          const place = client.code2ProtocolConverter.asTextDocumentPositionParams(document, at);
          return client.protocol2CodeConverter.asHover(await client.sendRequest(HoverRequest.type, place, token));
        }),
    }),
    vscode.languages.registerDefinitionProvider(CELLS, {
      provideDefinition: (document, at, token) =>
        this.ask(document, async (client) => {
          const place = client.code2ProtocolConverter.asTextDocumentPositionParams(document, at);
          const answer = await client.sendRequest(DefinitionRequest.type, place, token);
          return client.protocol2CodeConverter.asDefinitionResult(answer, token);
        }),
    }),
    vscode.languages.registerCompletionItemProvider(
      CELLS,
      {
        provideCompletionItems: (document, at, token, context) =>
          this.ask(document, async (client) => {
            const asked = client.code2ProtocolConverter.asCompletionParams(document, at, context);
            const answer = await client.sendRequest(CompletionRequest.type, asked, token);
            return client.protocol2CodeConverter.asCompletionResult(answer, undefined, token);
          }),
      },
      ".",
      ":",
      "(",
    ),
    vscode.languages.registerInlayHintsProvider(CELLS, {
      onDidChangeInlayHints: this.reported.event,
      provideInlayHints: (document, range, token) =>
        this.ask(document, async (client) => {
          const { asRange, asTextDocumentIdentifier } = client.code2ProtocolConverter;
          const asked = { textDocument: asTextDocumentIdentifier(document), range: asRange(range) };
          const answer = await client.sendRequest(InlayHintRequest.type, asked, token);
          return client.protocol2CodeConverter.asInlayHints(answer, token);
        }),
    }),
  );

  /** `running` is the client, while it can be asked. */
  constructor(private readonly running: () => LanguageClient | undefined) {}

  /** A preview has told something new. */
  changed(): void {
    this.reported.fire();
  }

  dispose(): void {
    this.registrations.dispose();
  }

  private async ask<T>(document: vscode.TextDocument, question: (client: LanguageClient) => Promise<T>): Promise<T | undefined> {
    const client = this.running();
    return client && /^\s*%%hy(\s|$)/.test(document.getText()) ? question(client) : undefined;
  }
}
