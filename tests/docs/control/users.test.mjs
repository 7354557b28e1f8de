// SPDX-License-Identifier: MIT
// A test in Node, with nothing but its library: node --test

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

async function start(t) {
  const retort = spawn('retort', ['--control', '-'],
    { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(retort.stdout)[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value;
  t.after(() => retort.stdin.end());
  return {
    url: await line(),
    async ask(command) {
      retort.stdin.write(command + '\n');
      const [answer, count] = (await line()).split(' ');
      let text = '';
      for (let i = 0; i < count; i++) text += await line() + '\n';
      assert.equal(answer, 'ok', text);
      return text;
    },
  };
}

test('a user', async (t) => {
  const retort = await start(t);
  await retort.ask(`rules
@on GET /users/1
HTTP/1.1 200 OK
Content-Type: application/json

{"name": "Ada"}
@expect 1 GET /users/1
.`);
  const reply = await fetch(retort.url + 'users/1');
  assert.deepEqual(await reply.json(), { name: 'Ada' });
  await retort.ask('verdict');
});
