import type { OpenApiDocument } from './openapi.ts';

/**
 * The page of `/redoc`: the whole document to read and to print, made on the server. It needs no script, so nothing is
 * loaded from anywhere.
 */
export function referencePage(document: OpenApiDocument): string {
  const operations = operationsOf(document);
  const schemas = Object.entries(document.components?.schemas ?? {});
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(document.info.title)} - API reference</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<nav><h2>Routes</h2><ul>${operations.map(link).join('')}</ul><h2>Schemas</h2><ul>${schemas
    .map(([name]) => `<li><a href="#schema-${text(name)}">${text(name)}</a></li>`)
    .join('')}</ul></nav>
<main>
<h1>${text(document.info.title)} API</h1>
<p>${text(document.info.description ?? '')}</p>
<p>Key in the header <code>X-API-Key</code>. Try it out: <a href="docs">Swagger UI</a>. The document:
<a href="openapi.json">openapi.json</a>.</p>
${operations.map(section).join('\n')}
<h1>Schemas</h1>
${schemas.map(([name, schema]) => `<section id="schema-${text(name)}"><h2>${text(name)}</h2>${code(schema)}</section>`).join('\n')}
</main>
</body>
</html>
`;
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly request: unknown;
  readonly responses: readonly (readonly [status: string, description: string, content: unknown])[];
}

function operationsOf(document: OpenApiDocument): readonly Operation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    (['get', 'post'] as const).flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      const responses = Object.entries(operation.responses ?? {}) as [
        string,
        { description?: string; content?: unknown },
      ][];
      return [
        {
          method: method.toUpperCase(),
          path,
          id: operation.operationId ?? `${method} ${path}`,
          summary: operation.summary ?? '',
          description: operation.description ?? '',
          request: operation.requestBody ?? operation.parameters,
          responses: responses.map(([status, one]) => [status, one.description ?? '', one.content] as const),
        },
      ];
    }),
  );
}

const link = (one: Operation): string =>
  `<li><a href="#${text(one.id)}"><b>${one.method}</b> ${text(one.path)}</a></li>`;

function section(one: Operation): string {
  const rows = one.responses.map(
    ([status, description, content]) =>
      `<tr><td>${text(status)}</td><td>${text(description)}</td><td>${schemaName(content)}</td></tr>`,
  );
  return `<section id="${text(one.id)}"><h2><b>${one.method}</b> <code>${text(one.path)}</code></h2>
<p>${text(one.summary)}. ${text(one.description)}</p>
${one.request === undefined ? '' : `<h3>Request</h3>${code(one.request)}`}
<h3>Answers</h3><table><tbody>${rows.join('')}</tbody></table></section>`;
}

/** Name of the schema behind a reference, as a link. */
function schemaName(content: unknown): string {
  const name = /#\/components\/schemas\/(\w+)/.exec(JSON.stringify(content ?? ''))?.[1];
  return name === undefined ? '' : `<a href="#schema-${text(name)}">${text(name)}</a>`;
}

const code = (value: unknown): string => `<pre>${text(JSON.stringify(value, null, 2))}</pre>`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const text = (value: string): string => value.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);

const STYLE = `body{margin:0;font:15px/1.5 system-ui,sans-serif;color:#1b2330;display:flex}
nav{position:sticky;top:0;height:100vh;overflow:auto;min-width:17rem;padding:1rem;background:#f3f5f8;box-sizing:border-box}
nav ul{list-style:none;padding:0;font-size:13px;overflow-wrap:anywhere}nav a{text-decoration:none;color:#24406b}
main{padding:1rem 2rem;max-width:60rem;min-width:0}section{border-top:1px solid #d8dee7;padding:.5rem 0}
pre{background:#f3f5f8;padding:.8rem;overflow:auto;font-size:13px}td{padding:.2rem .8rem .2rem 0;vertical-align:top}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto}}`;
