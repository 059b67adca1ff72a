// Makes editors/vscode/icon/icon.png from the drawing beside it: node icon.mjs

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { ROOT, TOOLS } from "./vscode.mjs";

const { chromium } = createRequire(TOOLS)("playwright-core");
const icon = path.join(ROOT, "editors/vscode/icon/icon");
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 128, height: 128 } });
const svg = fs.readFileSync(`${icon}.svg`, "utf8").replace(/<!--.*?-->/gs, "");
await page.setContent(`<body style="margin: 0">${svg}</body>`);
await page.screenshot({ path: `${icon}.png`, omitBackground: true });
await browser.close();
