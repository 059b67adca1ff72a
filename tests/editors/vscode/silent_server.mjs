// The negative control: a language server that starts and stops as it should, and says nothing in between.
// What it was told at the start it keeps in the file $MINO_TEST_HEARD.

import fs from "node:fs";

const HEARD = process.env.MINO_TEST_HEARD;
const HEADER = /^Content-Length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n/;
let bytes = Buffer.alloc(0);

process.stdin.on("data", (chunk) => {
  bytes = Buffer.concat([bytes, chunk]);
  for (let header; (header = HEADER.exec(bytes.toString("latin1"))); ) {
    const [start, length] = [header[0].length, Number(header[1])];
    if (bytes.length < start + length) return;
    receive(JSON.parse(bytes.subarray(start, start + length)));
    bytes = bytes.subarray(start + length);
  }
});

function receive({ id, method, params }) {
  if (method === "initialize") {
    if (HEARD) {
      // Renamed when it is whole, for whoever waits for it.
      fs.writeFileSync(`${HEARD}.part`, JSON.stringify(params));
      fs.renameSync(`${HEARD}.part`, HEARD);
    }
    answer(id, { capabilities: { textDocumentSync: 2 } });
  }
  if (method === "shutdown") answer(id, null);
  if (method === "exit") process.exit(0);
}

function answer(id, result) {
  const body = JSON.stringify({ jsonrpc: "2.0", id, result });
  process.stdout.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
