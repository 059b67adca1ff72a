// A picture of the extension at work, to look at: node look.mjs OUT.png [FILE.hy] [seconds]
// FILE is opened by itself in a workspace of its own, with trust, and the picture shows what a user sees.
// In the environment: KEYS, pressed before the picture is taken ("Control+Home Control+Alt+Enter"); SETTINGS, as JSON.

import fs from "node:fs";
import path from "node:path";
import { ROOT, startVSCode } from "./vscode.mjs";

const [out, file = path.join(ROOT, "examples/feed_forward.hy"), seconds = "8"] = process.argv.slice(2);
const name = path.basename(file);
const code = await startVSCode({
  files: { [name]: fs.readFileSync(file, "utf8") },
  settings: {
    "mino.server.command": [process.env.MINO_LSP ?? path.join(ROOT, ".venv/bin/mino-lsp"), "--stdio"],
    "mino.trust": "full",
    "mino.device": "cpu",
    "workbench.colorTheme": "Default Light Modern",
    ...JSON.parse(process.env.SETTINGS ?? "{}"),
  },
});
try {
  const page = await code.open([["openFile", code.remote(path.join(code.folder, name))]]);
  await page.locator(".monaco-editor .view-lines").first().waitFor();
  await page.waitForTimeout(Number(seconds) * 1000);
  for (const key of (process.env.KEYS ?? "").split(" ").filter(Boolean)) await page.keyboard.press(key);
  if (process.env.KEYS) await page.waitForTimeout(Number(seconds) * 1000);
  await page.screenshot({ path: out });
} finally {
  await code.close();
}
