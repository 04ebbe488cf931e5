// Our schemas in VS Code's own JSON language service. In each text `|` is the cursor, and `«…»` is what has to be
// underlined: that range, no other, and nothing else.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { completions, hovers, squiggles } from './cases.mjs';

const { getLanguageService, TextDocument, ClientCapabilities } = createRequire(import.meta.url)('vscode-json-languageservice');

const here = path.dirname(fileURLToPath(import.meta.url));
const schemas = path.join(here, '../../schema');
const read = (name) => JSON.parse(fs.readFileSync(path.join(schemas, name), 'utf8'));
const manifest = read('manifest.v1.json');
const description = read('package.v1.json');
const catalogue = read('store/catalog-entry.json');

const service = getLanguageService({ clientCapabilities: ClientCapabilities.LATEST });
service.configure({
  validate: true,
  allowComments: false,
  // As an editor learns of them: by the names of files that the catalogue lists.
  schemas: [manifest, description].map((schema) => {
    const entry = catalogue.find((candidate) => candidate.url === schema.$id);
    return { uri: schema.$id, fileMatch: entry.fileMatch, schema };
  }),
});

let passed = 0;
let failed = 0;
function check(name, fault) {
  if (fault) {
    failed += 1;
    console.log(`not ok - ${name}: ${fault}`);
  } else {
    passed += 1;
    console.log(`ok - ${name}`);
  }
}

function open(text, file = 'mainstay.json') {
  const document = TextDocument.create(`file:///deploy/${file}`, 'json', 1, text);
  return { document, json: service.parseJSONDocument(document) };
}

function withCursor(text, file) {
  const offset = text.indexOf('|');
  const { document, json } = open(text.slice(0, offset) + text.slice(offset + 1), file);
  return { document, json, position: document.positionAt(offset) };
}

const written = (text) => String(text?.value ?? text ?? '');

for (const { at, file, offers, never = [], first, inserts, explains } of completions) {
  const { document, json, position } = withCursor(at, file);
  const { items } = await service.doComplete(document, position, json);
  const labels = items.map((item) => item.label.replace(/^"(.*)"$/, '$1'));
  const missing = offers.filter((word) => !labels.includes(word));
  const wrong = never.filter((word) => labels.includes(word));
  const sorted = [...items].sort((a, b) => ((a.sortText ?? a.label) < (b.sortText ?? b.label) ? -1 : 1));
  let fault = missing.length ? `not offered: ${missing.join(', ')}; offered: ${labels.join(', ')}` : '';
  if (wrong.length) fault = `offered: ${wrong.join(', ')}`;
  if (first && sorted[0]?.label !== first) fault = `${sorted[0]?.label} comes first, not ${first}`;
  for (const [label, text] of Object.entries(inserts ?? {})) {
    const item = items.find((candidate) => candidate.label === label);
    if (!item?.insertText?.includes(text)) fault = `${label} inserts ${item?.insertText}, without ${text}`;
  }
  for (const [label, text] of Object.entries(explains ?? {})) {
    const item = items.find((candidate) => candidate.label.replace(/^"(.*)"$/, '$1') === label);
    if (!written(item?.documentation).includes(text)) fault = `${label} is explained by "${written(item?.documentation)}"`;
  }
  check(`completion at ${at}`, fault);
}

// What is offered as a beginning is sound once it is taken, with what stands at its stops.
const taken = (body) => {
  const text = JSON.stringify(body)
    .replace(/"\^\$\{\d+:([^}]*)\}"/g, '$1')
    .replace(/\$\{\d+\|([^,|]*)[^}]*\}/g, '$1')
    .replace(/\$\{\d+:([^}]*)\}/g, '$1');
  return JSON.parse(text);
};
const whole = { name: 'web', package: { name: 'server' } };
const around = {
  Manifest: (field, value) => {
    if (!field) return value;
    return { ...whole, ...(field === 'package' ? { service: { command: ['/usr/bin/server'] } } : {}), [field]: value };
  },
  PackageReference: (field, value) => ({ ...whole, package: { name: 'server', [field]: value } }),
  Service: (field, value) => ({ ...whole, service: { [field]: value, ...(field === 'idle' ? { sockets: [{ listen: '127.0.0.1:80' }] } : {}) } }),
  Upgrade: (field, value) => ({ ...whole, upgrade: { [field]: value } }),
  Systemd: (field, value) => ({ ...whole, systemd: { [field]: value } }),
};
async function beginnings(name, schema) {
  const lists = [['', schema], ...Object.entries(schema.properties ?? {})];
  for (const [field, property] of lists) {
    for (const beginning of property.defaultSnippets ?? []) {
      const { document, json } = open(JSON.stringify(around[name](field, taken(beginning.body)), null, 2));
      const found = await service.doValidation(document, json);
      check(`beginning "${beginning.label}" of ${name}.${field}`, found.map((it) => it.message).join('; '));
    }
  }
}
await beginnings('Manifest', manifest);
for (const [name, definition] of Object.entries(manifest.definitions)) {
  if (around[name]) await beginnings(name, definition);
}

for (const { at, file, says } of hovers) {
  const { document, json, position } = withCursor(at, file);
  const hover = await service.doHover(document, position, json);
  const text = (hover?.contents ?? []).map(written).join('\n');
  const missing = says.filter((words) => !text.includes(words));
  check(`hover at ${at}`, missing.length ? `"${text}" lacks "${missing.join('", "')}"` : '');
}

// Every field that can be written is explained somewhere, with a way to read on.
for (const [name, schema] of [['Manifest', manifest], ...Object.entries(manifest.definitions)]) {
  const dumb = Object.entries(schema.properties ?? {}).filter(([, property]) => !property.markdownDescription?.includes('[Reference]('));
  check(`every field of ${name} is explained`, dumb.map(([field]) => field).join(', '));
}

for (const { wrong, file, says } of squiggles) {
  const begin = wrong.indexOf('«');
  const end = wrong.indexOf('»') - 1;
  const { document, json } = open(wrong.replace('«', '').replace('»', ''), file);
  const found = await service.doValidation(document, json);
  let fault = '';
  if (found.length !== 1) {
    fault = `${found.length} squiggles: ${found.map((it) => it.message).join('; ')}`;
  } else {
    const [from, to] = [document.offsetAt(found[0].range.start), document.offsetAt(found[0].range.end)];
    if (from !== begin || to !== end) fault = `${document.getText().slice(from, to)} is underlined`;
    if (!found[0].message.includes(says)) fault = `it says "${found[0].message}"`;
  }
  check(`squiggle in ${wrong}`, fault);
}

// Every valid manifest has none; of every invalid one that a schema can refuse, an editor marks the line that mainstay names.
const fixtures = path.join(here, '../manifests');
for (const name of fs.readdirSync(path.join(fixtures, 'valid')).filter((it) => it.endsWith('.json'))) {
  const { document, json } = open(fs.readFileSync(path.join(fixtures, 'valid', name), 'utf8'));
  const found = await service.doValidation(document, json);
  check(`no squiggle in valid/${name}`, found.map((it) => it.message).join('; '));
}
const beyond = [...fs.readFileSync(path.join(here, '../schema.rs'), 'utf8').match(/BEYOND_A_SCHEMA[^\]]*\][^\]]*\]/)[0].matchAll(/"([^"]+)"/g)].map((it) => it[1]);
// Of two ways where one is possible, mainstay marks the one that stands later, and a schema always the same.
const eitherOfTwo = ['meaning-stop-two-ways', 'meaning-two-probes'];
for (const line of fs.readFileSync(path.join(fixtures, 'invalid.snap'), 'utf8').split('\n')) {
  const [, name, row] = line.match(/^([a-z0-9-]+)\.json:(\d+):\d+: /) ?? [];
  // The service reads on where a strict reader stops, and reads some texts that are not strict JSON.
  if (!name || beyond.includes(name) || name.startsWith('form-')) continue;
  const { document, json } = open(fs.readFileSync(path.join(fixtures, 'invalid', `${name}.json`), 'utf8'));
  const found = await service.doValidation(document, json);
  const lines = found.map((it) => it.range.start.line + 1);
  const right = eitherOfTwo.includes(name) ? lines.length === 1 : lines.includes(Number(row));
  check(`a squiggle in the right line of invalid/${name}.json`, right ? '' : `lines ${lines}, not ${row}`);
}

console.log(`# ${completions.length} completions, ${hovers.length} hovers, ${squiggles.length} squiggles; ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
