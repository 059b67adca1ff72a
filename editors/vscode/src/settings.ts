// What the server is told of the user's settings: the section "mino", whichever way they travel.

import * as vscode from "vscode";
import { ConfigurationMiddleware } from "vscode-languageclient/node";

type Settings = Record<string, unknown>;

/** The settings as the server reads them. In Restricted Mode nothing is trusted, whatever the user's setting says. */
export function settingsForServer(): Settings {
  const settings = vscode.workspace.getConfiguration().get<Settings>("mino", {});
  return vscode.workspace.isTrusted ? settings : { ...settings, trust: "none" };
}

export const answerConfiguration: ConfigurationMiddleware["configuration"] = async (params, token, next) => {
  const values = await next(params, token);
  if (!Array.isArray(values)) return values;
  return values.map((value, i) => (params.items[i].section === "mino" ? settingsForServer() : value));
};
