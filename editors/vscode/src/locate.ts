// Which command starts the server. Nothing is run to find out.

import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";

/** The server's command line, or a sentence that says why there is none. */
export function serverCommand(): string[] | { missing: string } {
  const settings = vscode.workspace.getConfiguration("mino");
  const configured = settings.get<string[]>("server.command", []);
  if (configured.length > 0) {
    return executable(configured[0])
      ? configured
      : { missing: `The setting mino.server.command names "${configured[0]}", which is not there` };
  }
  if (executable("mino-lsp")) return ["mino-lsp", "--stdio"];
  const python = settings.get<string>("python", "");
  if (python === "") return { missing: "Mino's language server, mino-lsp, is not on the PATH" };
  // -P: the server is started in the workspace, whose own modules must not be taken for the server's.
  return executable(python)
    ? [python, "-P", "-m", "mino_lsp", "--stdio"]
    : { missing: `The setting mino.python names "${python}", which is not there` };
}

function executable(program: string): boolean {
  const endings = process.platform === "win32" ? ["", ".exe", ".cmd", ".bat"] : [""];
  const folders = program.includes("/") || program.includes(path.sep) ? [""] : (process.env.PATH ?? "").split(path.delimiter);
  return folders.some((folder) => endings.some((ending) => runnable(path.join(folder, program + ending))));
}

function runnable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
