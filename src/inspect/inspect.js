/* SPDX-License-Identifier: MIT */
/*
 * Reads lines of JSON, one for each state of a request, for as long as the
 * server is there. All text in them may be a stranger's: it gets into the page
 * as text alone, and characters that nobody sees are spelled out.
 */
'use strict';

(() => {
  const most = 200; // rows
  const mostLine = 4 << 20;
  const calls = new Map(); // by id, the oldest first
  const element = (id) => document.getElementById(id);
  const list = element('list');
  const content = element('content');
  const title = element('detail-title');
  let chosen = null;
  let raw = false;
  let paused = false;
  let held = [];

  // --- text ---

  // Those that are not seen, or that reorder others; but for LF and HT.
  const odd =
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff\ud800-\udfff\u{e0000}-\u{e0fff}]/gu;
  const names = { 0: '\\0', 13: '\\r', 27: '\\e' };

  function spell(character) {
    const code = character.codePointAt(0);
    return names[code] ?? 'U+' + code.toString(16).toUpperCase().padStart(4, '0');
  }

  // Text as it is seen, into an element.
  function put(to, text) {
    let from = 0;
    for (const match of text.matchAll(odd)) {
      to.append(text.slice(from, match.index));
      add(to, 'span', 'odd').textContent = spell(match[0]);
      from = match.index + match[0].length;
    }
    to.append(text.slice(from));
  }

  function add(to, name, className, text) {
    const made = document.createElement(name);
    if (className)
      made.className = className;
    if (text !== undefined)
      put(made, text);
    to.append(made);
    return made;
  }

  // --- bodies ---

  // JSON with each value on a line of its own; its tokens stay as they are, so
  // that no number changes. null: it is none, or too deep.
  function indentJson(text) {
    try {
      JSON.parse(text);
    } catch {
      return null;
    }
    const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g);
    let depth = 0;
    let made = '';
    let last = '';
    for (const token of tokens) {
      const closes = token === '}' || token === ']';
      const opened = last === '{' || last === '[';
      depth -= closes ? 1 : 0;
      if ((opened && !closes) || last === ',' || (closes && !opened))
        made += '\n' + '  '.repeat(depth);
      made += token === ':' ? ': ' : token;
      depth += token === '{' || token === '[' ? 1 : 0;
      if (depth > 100)
        return null;
      last = token;
    }
    return made;
  }

  function dump(hex) {
    const lines = [];
    for (let at = 0; at < hex.length; at += 32) {
      const bytes = hex.slice(at, at + 32).match(/../g);
      const text = bytes.map((byte) => {
        const code = parseInt(byte, 16);
        return code > 31 && code < 127 ? String.fromCharCode(code) : '.';
      });
      lines.push((at / 2).toString(16).padStart(8, '0') + '  ' +
        bytes.join(' ').padEnd(49) + text.join(''));
    }
    return lines.join('\n');
  }

  function field(call, name) {
    const found = (call.fields ?? []).find(
      (pair) => pair[0].toLowerCase() === name);
    return found ? found[1] : '';
  }

  function putTable(to, label, pairs) {
    const table = add(to, 'table');
    table.setAttribute('aria-label', label);
    const body = add(table, 'tbody');
    for (const [name, value] of pairs) {
      const row = add(body, 'tr');
      add(row, 'th', '', name).scope = 'row';
      add(row, 'td', '', value);
    }
  }

  function putScrolled(to, label, text) {
    const pre = add(to, 'pre', '', text);
    pre.tabIndex = 0;
    pre.setAttribute('role', 'region');
    pre.setAttribute('aria-label', label);
    return pre;
  }

  function putBody(to, call) {
    const type = field(call, 'content-type').split(';')[0].trim().toLowerCase();
    const shown = call.body ?? '';
    if (call.body_hex !== undefined) {
      putScrolled(to, 'Body', dump(call.body_hex));
    } else if (!raw && type === 'application/x-www-form-urlencoded') {
      putTable(to, 'Form', new URLSearchParams(shown));
    } else {
      const json = raw ? null : indentJson(shown);
      putScrolled(to, 'Body', json ?? shown);
    }
    const size = new TextEncoder().encode(shown).length;
    const kept = call.body_hex === undefined ? size : call.body_hex.length / 2;
    if (kept < call.body_size)
      add(to, 'p', 'dim', `These are the first ${kept} of ${call.body_size} bytes.`);
  }

  // --- one call ---

  const open = (call) => call.log.end === 'open';

  function statusText(call) {
    if (call.log.protocol)
      return call.log.protocol;
    return call.log.status ? String(call.log.status) : open(call) ? '…' : '—';
  }

  function statusClass(call) {
    const status = call.log.status ?? 200;
    return open(call) && !status ? 'dim' :
      'c' + Math.min(5, Math.floor(status / 100));
  }

  function took(call) {
    return open(call) ? 'under way' : `${call.log.ms} ms`;
  }

  // A request that is no HTTP, or of which only the line is known.
  function nameOf(call) {
    if (call.method)
      return [call.method, call.target ?? ''];
    const [method, ...rest] = (call.log.request ?? '').split(' ');
    return [method || '—', rest.join(' ')];
  }

  function putCopy(to, name, text, why) {
    const section = add(to, 'section');
    const row = add(section, 'div', 'row');
    add(row, 'h3', '', name);
    if (text === undefined) {
      add(row, 'p', 'dim', why);
      return;
    }
    const button = add(row, 'button', '', 'Copy');
    button.type = 'button';
    button.setAttribute('aria-label', `Copy: ${name}`);
    const said = add(row, 'span', 'dim');
    said.setAttribute('role', 'status');
    const pre = putScrolled(section, name, text);
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(text);
        said.textContent = 'Copied';
      } catch {
        getSelection().selectAllChildren(pre);
        said.textContent = 'Press Ctrl+C to copy';
      }
    });
  }

  function putAnswer(to, call) {
    const { log } = call;
    const words = [`${log.sent} bytes`, took(call)];
    if (!open(call))
      words.push(log.reason ? `${log.end}: ${log.reason}` : log.end);
    if (log.faults)
      words.push(`faults: ${log.faults}`);
    if (log.seed !== undefined)
      words.push(`seed ${log.seed}`);
    const line = add(to, 'p');
    add(line, 'span', `status ${statusClass(call)}`, statusText(call));
    put(line, `, ${words.join(', ')}`);
  }

  function show(call) {
    content.replaceChildren();
    title.replaceChildren();
    if (!call) {
      title.append('Choose a request');
      return;
    }
    const [method, target] = nameOf(call);
    put(title, `${method} ${target}`);
    const why = 'not all of the request is known';
    add(content, 'p', 'dim', `#${call.id} from ${call.log.client} at ${call.log.time}`);
    add(content, 'h3', '', 'Answer');
    putAnswer(content, call);
    if (call.fields) {
      add(content, 'h3', '', 'Fields');
      putTable(content, 'Fields', call.fields);
    }
    if (call.body_size) {
      const row = add(content, 'div', 'row');
      add(row, 'h3', '', `Body, ${call.body_size} bytes`);
      const button = add(row, 'button', '', 'As it came');
      button.type = 'button';
      button.setAttribute('aria-pressed', String(raw));
      button.addEventListener('click', () => {
        raw = !raw;
        show(call);
      });
      putBody(content, call);
    }
    putCopy(content, 'As a command of curl', call.curl, why);
    putCopy(content, 'As a rule of a scenario', call.rule, why);
    if (call.transcript !== undefined)
      putCopy(content, 'The connection so far', call.transcript);
  }

  function choose(call) {
    calls.get(chosen)?.button.removeAttribute('aria-current');
    chosen = call ? call.id : null;
    call?.button.setAttribute('aria-current', 'true');
    show(call);
  }

  // --- the list ---

  const words = () => element('filter').value.toLowerCase();

  function sift(call) {
    call.item.hidden = !call.text.includes(words());
  }

  function count() {
    element('none').hidden = calls.size > 0;
  }

  function draw(call) {
    const [method, target] = nameOf(call);
    call.button.replaceChildren();
    add(call.button, 'span', `status ${statusClass(call)}`, statusText(call));
    add(call.button, 'span', 'method', method);
    add(call.button, 'span', 'target', target);
    add(call.button, 'span', 'dim', took(call));
    call.text = JSON.stringify([method, target, call.log, call.fields,
      call.body]).toLowerCase();
    sift(call);
  }

  function take(call) {
    const before = calls.get(call.id);
    if (before) {
      call.item = before.item;
      call.button = before.button;
    } else {
      call.item = document.createElement('li');
      call.button = add(call.item, 'button');
      call.button.type = 'button';
      const { id } = call;
      call.button.addEventListener('click', () => choose(calls.get(id)));
      list.prepend(call.item);
    }
    calls.set(call.id, call);
    draw(call);
    if (chosen === call.id)
      choose(call);
    for (const [id, old] of calls) {
      if (calls.size <= most)
        break;
      if (id === chosen)
        choose(null);
      old.item.remove();
      calls.delete(id);
    }
    count();
  }

  function read(line) {
    const value = JSON.parse(line);
    if (value.retort) {
      element('url').replaceChildren();
      put(element('url'), value.url);
    } else if (paused) {
      held.push(value);
      if (held.length > most)
        held.shift();
    } else {
      take(value);
    }
  }

  // --- the stream ---

  async function readAll(reader) {
    const decoder = new TextDecoder();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done)
        return;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop();
      if (rest.length > mostLine)
        throw new Error('a line is too long');
      lines.forEach(read);
    }
  }

  function say(text) {
    element('state').textContent = text;
  }

  // Again after it was cut off, as a page that could not keep up is; but not
  // when the server has gone.
  async function follow() {
    for (let wait = 1000; ; ) {
      try {
        const reply = await fetch('requests', { cache: 'no-store' });
        if (!reply.ok) {
          say((await reply.text()).trim());
          return;
        }
        say('Live');
        await readAll(reply.body.getReader());
        say('retort has ended');
        return;
      } catch {
        say('Cut off; connecting again');
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        await fetch('.', { cache: 'no-store' });
      } catch {
        say('retort has ended');
        return;
      }
    }
  }

  // --- tools ---

  element('filter').addEventListener('input', () => calls.forEach(sift));
  element('tools').addEventListener('submit', (event) => event.preventDefault());
  element('pause').addEventListener('click', (event) => {
    paused = !paused;
    event.target.setAttribute('aria-pressed', String(paused));
    if (!paused)
      held.splice(0).forEach(take);
  });
  element('clear').addEventListener('click', () => {
    choose(null);
    calls.clear();
    list.replaceChildren();
    held = [];
    count();
  });

  // Arrows go from one request to the next.
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step)
      return;
    const shown = [...list.children].filter((item) => !item.hidden);
    const at = shown.findIndex((item) => item.contains(document.activeElement));
    const button = shown[at + step]?.firstChild;
    if (button) {
      event.preventDefault();
      button.focus();
      button.click();
    }
  });

  follow();
})();
