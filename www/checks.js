// SPDX-License-Identifier: MIT
// Six requests for the table of the page. They are sent from a worker: from
// the page itself, a browser would write the 404 to its console as an error.
'use strict';

const seconds = 10;
const page = new URL('./', location).pathname;

// ask(path, fields, how): the reply, what was asked and what came, as text
async function ask(path, fields = {}, how = {}) {
  const lines = (pairs) => pairs.map(([name, value]) => `\n${name}: ${value}`);
  const asked = (how.method ?? 'GET') + ' ' + path +
    lines(Object.entries(fields)).join('');
  try {
    const reply = await fetch(path, {
      headers: fields,
      cache: 'no-store',
      signal: AbortSignal.timeout(seconds * 1000),
      ...how,
    });
    const text = await reply.text();
    const field = (name) => reply.headers.get(name);
    const came = (...names) => `${reply.status} ${reply.statusText}` +
      lines(names.map((name) => [name, field(name) ?? '-'])).join('');
    return { asked, came, text, field, status: reply.status };
  } catch (error) {
    const why = error.name === 'TimeoutError' ?
      `no reply in ${seconds} seconds` : `no reply: ${error.message}`;
    return { asked, came: () => why, text: '', field: () => null, status: 0 };
  }
}

// tell(check, reply, came, good, expected, means): fills one row; `means` takes
// the place of what the page says it means
function tell(check, reply, came, good, expected, means) {
  postMessage({
    check,
    state: good ? 'ok' : 'bad',
    asked: reply.asked,
    came,
    means,
    note: good ? undefined : `Expected: ${expected}`,
  });
}

async function type() {
  const reply = await ask(page);
  tell('type', reply, reply.came('Content-Type'), reply.status === 200 &&
    reply.field('Content-Type') === 'text/html; charset=utf-8',
    '200, text/html in UTF-8');
}

async function caching() {
  const reply = await ask(page, {}, { method: 'HEAD' });
  const etag = reply.field('ETag');
  const how = reply.field('Cache-Control');
  const [, age] = /^max-age=(\d+)$/.exec(how ?? '') ?? [];
  tell('caching', reply, reply.came('Cache-Control', 'ETag'),
    etag !== null && (how === 'no-cache' || age !== undefined),
    'no-cache and an ETag',
    age && `may be kept, and used for ${age} seconds without asking again`);
  const again = await ask(page, { 'If-None-Match': etag ?? '"none"' });
  tell('304', again, again.came(), again.status === 304, '304');
}

async function range() {
  const reply = await ask(page, { Range: 'bytes=0-14' });
  const body = reply.status === 206 ? `\n\n${reply.text.slice(0, 50)}` : '';
  tell('range', reply, reply.came('Content-Range') + body,
    reply.status === 206 && reply.text === '<!DOCTYPE html>',
    '206 and <!DOCTYPE html>');
}

async function missing() {
  const reply = await ask(`${page}nothing-here`);
  tell('404', reply, reply.came(), reply.status === 404, '404');
}

async function echo() {
  const path = `${page}echo`;
  // without no-store, which would add fields to the request
  const reply = await ask(path, {}, { cache: 'default' });
  if (reply.status === 404) {
    postMessage({
      check: 'echo',
      state: 'off',
      asked: reply.asked,
      came: reply.came(),
      note: 'To see it here, start retort so:',
      command: './retort --scenario www/echo.retort www',
    });
    return;
  }
  tell('echo', reply, reply.status === 200 ? reply.text : reply.came(),
    reply.status === 200 && reply.text.startsWith(`GET ${path} HTTP/1.1\r\n`),
    'this request');
}

type();
caching();
range();
missing();
echo();
