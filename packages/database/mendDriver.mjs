// Mends faults of postgres.js 3.4.9 in node_modules, which show when a connection breaks at the wrong moment:
// two end the whole process, the third leaves a query without an end. Runs after `npm ci` (`postinstall`), on whichever Node that is, hence plain JavaScript.
//
// 1. A statement that is written after its connection has closed, such as the ROLLBACK of a transaction that lost
//    its connection, is sent to a socket that is null (porsager/postgres#1066, #1154, #1208; the guard is that of
//    pull request #1168). The transaction is rejected with CONNECTION_CLOSED all the same.
// 2. The types of arrays are fetched when a connection opens; if it breaks then, the rejection has no handler. Whoever
//    waits for the connection is told by other means.
//
// 3. A connection that breaks with bytes unwritten keeps them, and its timer, for its successor, whose start-up message
//    then never leaves; and the query that it was at stays in its place. Both are cleared.
//
// To be deleted with the first version that has all mended; `driver.int.test.ts` and `outages.int.test.ts` say when a mending is missing.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../../node_modules/postgres/src/connection.js', import.meta.url));

const mendings = [
  [
    '  function nextWrite(fn) {\n    const x = socket.write(chunk, fn)\n',
    '  function nextWrite(fn) {\n    if (!socket)\n      return chunk = nextWriteTimer = null, false\n\n    const x = socket.write(chunk, fn)\n',
  ],
  [
    "      error(Errors.connection('CONNECTION_DESTROYED', options))\n\n    clearImmediate(nextWriteTimer)\n",
    "      error(Errors.connection('CONNECTION_DESTROYED', options))\n\n    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n",
  ],
  [
    "    incomings = null\n    clearImmediate(nextWriteTimer)\n    socket.removeListener('data', data)\n",
    "    incomings = null\n    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n    socket.removeListener('data', data)\n",
  ],
  [
    '    if (initial)\n      return reconnect()\n',
    '    if (initial) {\n      query = results = errorResponse = null\n      return reconnect()\n    }\n',
  ],
  [
    "    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))\n",
    "    if (query || sent.length)\n      error(Errors.connection('CONNECTION_CLOSED', options, socket))\n    query = results = errorResponse = null\n",
  ],
  ['        return fetchArrayTypes()\n', '        return fetchArrayTypes().catch(() => undefined)\n'],
];

if (!existsSync(file)) process.exit(0);
const before = readFileSync(file, 'utf8');
let after = before;
for (const [fault, mended] of mendings) {
  if (after.includes(mended)) continue;
  if (!after.includes(fault)) {
    throw new Error(
      `${file} is not the postgres.js 3.4.9 that mendDriver.mjs knows: look whether it is still needed`,
    );
  }
  after = after.replace(fault, mended);
}
if (after !== before) writeFileSync(file, after);
