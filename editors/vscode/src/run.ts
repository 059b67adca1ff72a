// Runs: the file is saved first, the program's output goes to a channel of its own, and only a failure is told.

import * as vscode from "vscode";

interface Output {
  run: string;
  stream: string;
  rank?: number;
  text: string;
}

interface Outcome {
  exitCode: number | null;
  stopped: boolean;
}

export class Run implements vscode.Disposable {
  private readonly channel = vscode.window.createOutputChannel("Mino Run");
  private active = 0;

  append(output: Output): void {
    const { rank, text } = output;
    // Of several processes, each line says whose it is.
    this.channel.append(rank === undefined ? text : text.replace(/^(?=.)/gm, `[${rank}] `));
  }

  /** Does what stands around every run, whether a code lens, a key or another extension asked for it. */
  async around(args: unknown[], run: () => unknown): Promise<Outcome> {
    const uri = (args[0] as { uri?: string } | undefined)?.uri ?? "";
    if (!(await saved(uri))) throw new Error("The file could not be saved, so it was not run.");
    if (this.active === 0) this.channel.clear();
    this.channel.show(true);
    this.active += 1;
    try {
      const outcome = (await run()) as Outcome;
      if (outcome.exitCode !== 0 && !outcome.stopped) this.tellFailure(uri, outcome);
      return outcome;
    } catch (refusal) {
      // VS Code tells it too, but in passing; here it stays where the output was expected.
      this.channel.appendLine((refusal as Error).message);
      throw refusal;
    } finally {
      this.active -= 1;
    }
  }

  dispose(): void {
    this.channel.dispose();
  }

  private tellFailure(uri: string, outcome: Outcome): void {
    const name = vscode.workspace.asRelativePath(vscode.Uri.parse(uri));
    const ending = outcome.exitCode === null ? "did not run to its end" : `ended with exit code ${outcome.exitCode}`;
    const [output, problems] = ["Show Output", "Show Problems"];
    void vscode.window.showInformationMessage(`${name} ${ending}.`, output, problems).then((answer) => {
      if (answer === output) this.channel.show(true);
      if (answer === problems) void vscode.commands.executeCommand("workbench.actions.view.problems");
    });
  }
}

async function saved(uri: string): Promise<boolean> {
  const same = vscode.Uri.parse(uri).toString();
  const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === same);
  return document === undefined || !document.isDirty || document.save();
}
