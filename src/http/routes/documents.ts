import { ASSETS, loadAsset, type AssetName } from '../documents/assets.ts';
import { describeRoutes } from '../documents/openapi.ts';
import { referencePage } from '../documents/reference-page.ts';
import { SWAGGER_INIT, SWAGGER_PAGE } from '../documents/swagger-page.ts';
import type { Reply } from '../reply.ts';
import { route, type AnyRoute, type Route } from '../route.ts';

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const CACHED = { 'cache-control': 'public, max-age=3600' };

/** Documents about the given routes, and about themselves. */
export function withDocuments(routes: readonly AnyRoute[]): readonly AnyRoute[] {
  const all: AnyRoute[] = [...routes];
  let json: string | undefined;
  let reference: string | undefined;
  const page = (path: string, summary: string, contentType: string, body: () => string | Promise<Buffer>): Route =>
    route({
      method: 'GET',
      path,
      access: 'open',
      tag: 'service',
      summary,
      answer: { contentType, description: summary },
      handle: async (): Promise<Reply> => ({ status: 200, contentType, body: await body(), headers: CACHED }),
    });
  const asset = (name: AssetName): Route =>
    page(`/docs/${name}`, `Part of Swagger UI: ${name}`, ASSETS[name].contentType, () => loadAsset(name));

  all.push(
    page('/docs', 'The API to try out (Swagger UI)', HTML, () => SWAGGER_PAGE),
    page('/docs/init.js', 'Part of Swagger UI: its start', SCRIPT, () => SWAGGER_INIT),
    asset('swagger-ui.css'),
    asset('swagger-ui-bundle.js'),
    page('/redoc', 'The API to read', HTML, () => (reference ??= referencePage(describeRoutes(all)))),
    page(
      '/openapi.json',
      'The OpenAPI document',
      'application/json',
      () => (json ??= JSON.stringify(describeRoutes(all))),
    ),
  );
  return all;
}

/** Paths whose pages need styles and scripts of their own. */
export const isDocument = (path: string): boolean => path === '/redoc' || path === '/docs' || path.startsWith('/docs/');
