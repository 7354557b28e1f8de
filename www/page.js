// SPDX-License-Identifier: MIT
// Shows in the table what checks.js found out.
'use strict';

const states = {
  waiting: 'waiting',
  ok: 'as expected',
  bad: 'not as expected',
  off: 'off',
};
const table = document.getElementById('checks');
const rows = [...table.querySelectorAll('[data-check]')];
const summary = document.getElementById('summary');
let worker;

// code(text): an element for each line, in which the name of a field is marked
function code(text) {
  return text.trimEnd().split(/\r?\n/).map((line) => {
    const element = document.createElement('code');
    const [name] = /^[\w-]+:/.exec(line) ?? [''];
    if (name !== '') {
      const mark = document.createElement('i');
      mark.textContent = name;
      element.append(mark);
    }
    element.append(line.slice(name.length));
    return element;
  });
}

function show(row, { state, asked, came, means, note, command }) {
  const [name, ask, reply, mark] = row.cells;
  row.dataset.state = state;
  mark.textContent = states[state];
  if (asked !== undefined)
    ask.replaceChildren(...code(asked));
  if (came !== undefined)
    reply.replaceChildren(...code(came));
  if (means !== undefined)
    name.querySelector('span').textContent = means;
  if (note !== undefined) {
    const element = document.createElement('p');
    element.append(note, ...(command ? code(command) : []));
    reply.append(element);
  }
}

function summarize() {
  const number = (state) =>
    rows.filter((row) => row.dataset.state === state).length;
  if (number('waiting') > 0)
    return;
  summary.textContent = `${number('ok')} of ${rows.length} as expected` +
    (number('bad') > 0 ? `, ${number('bad')} not` : '') +
    (number('off') > 0 ? `, ${number('off')} off` : '') +
    `, at ${new Date().toTimeString().slice(0, 8)}`;
  table.dataset.state = 'done';
}

function run() {
  worker?.terminate();
  table.dataset.state = 'running';
  for (const row of rows)
    show(row, { state: 'waiting' });
  try {
    worker = new Worker('checks.js');
  } catch {
    summary.textContent = 'This page must come from a server.';
    return;
  }
  worker.onmessage = ({ data }) => {
    show(rows.find((row) => row.dataset.check === data.check), data);
    summarize();
  };
  worker.onerror = () => {
    for (const row of rows)
      show(row, { state: 'bad', came: 'checks.js could not be run' });
    summarize();
  };
}

for (const element of document.querySelectorAll('.here')) {
  if (location.protocol.startsWith('http'))
    element.textContent = new URL('./', location);
}
document.getElementById('again').onclick = run;
run();
