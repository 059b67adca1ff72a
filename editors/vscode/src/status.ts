// The status bar item: what the server is doing, in a word, and a click for what one then wants.

import * as vscode from "vscode";

export interface ServerStatus {
  state: string;
  line?: number;
  message?: string;
}

interface Look {
  icon: string;
  word: string;
  command: string;
}

const LOOKS: Record<string, Look> = {
  idle: { icon: "check", word: "", command: "mino.ui.output" },
  previewing: { icon: "sync~spin", word: "previewing", command: "mino.ui.output" },
  running: { icon: "play", word: "running", command: "mino.ui.stop" },
  paused: { icon: "debug-pause", word: "paused", command: "mino.ui.pause" },
  stopped: { icon: "debug-stop", word: "preview stopped at", command: "mino.ui.output" },
  untrusted: { icon: "shield", word: "not trusted", command: "mino.ui.trust" },
  crashed: { icon: "error", word: "crashed", command: "mino.ui.restart" },
  // The server itself, of which only its client can tell.
  down: { icon: "error", word: "not running", command: "mino.ui.restart" },
};

const CLICKS: Record<string, string> = {
  "mino.ui.output": "Click for the server's output.",
  "mino.ui.pause": "Click to have previews go on.",
  "mino.ui.stop": "Click to stop the run.",
  "mino.ui.trust": "Click to trust this workspace: previews and runs need it.",
  "mino.ui.restart": "Click to restart the server.",
};

export class Status implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("mino.status", vscode.StatusBarAlignment.Right, 100);

  constructor() {
    this.item.name = "Mino";
  }

  show({ state, line, message }: ServerStatus): void {
    const look = LOOKS[state] ?? LOOKS.idle;
    const where = (state === "previewing" || state === "stopped") && line !== undefined ? ` line ${line}` : "";
    this.item.text = `$(${look.icon}) Mino${look.word && `: ${look.word}${where}`}`;
    this.item.tooltip = [message, CLICKS[look.command]].filter(Boolean).join("\n\n");
    this.item.command = look.command;
    this.item.backgroundColor =
      look.icon === "error" ? new vscode.ThemeColor("statusBarItem.errorBackground") : undefined;
    this.item.show();
  }

  hide(): void {
    this.item.hide();
  }

  dispose(): void {
    this.item.dispose();
  }
}
