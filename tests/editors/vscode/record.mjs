// What the real VS Code, with the extension, tells a server that it can: kept in the file that is the argument.

import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT, startVSCode } from "./vscode.mjs";

const heard = path.resolve(process.argv[2]);
fs.rmSync(heard, { force: true });
const code = await startVSCode({
  files: { "main.hy": "(print 1)\n" },
  settings: { "mino.server.command": ["python3", path.join(ROOT, "tests/editors/listener.py"), heard] },
});
try {
  await code.open([["openFile", code.remote(path.join(code.folder, "main.hy"))]]);
  for (const end = Date.now() + 60000; !fs.existsSync(heard) && Date.now() < end; ) await sleep(100);
} finally {
  await code.close();
}
process.exitCode = fs.existsSync(heard) ? 0 : 1;
