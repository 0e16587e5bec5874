import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';
import type { HeaderList } from './reply.ts';

type Middleware = ReturnType<typeof helmet>;

/**
 * The headers that protect browsers, for answers of the API and for the pages of the documents. They are the same for
 * every request, so helmet is asked for them once.
 */
export function securityHeaders(isTls: boolean): { readonly api: HeaderList; readonly documents: HeaderList } {
  const common = {
    strictTransportSecurity: isTls,
    crossOriginEmbedderPolicy: false,
    originAgentCluster: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xDnsPrefetchControl: false,
  } as const;
  return {
    api: written(
      helmet({
        ...common,
        contentSecurityPolicy: {
          useDefaults: false,
          directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
        },
      }),
    ),
    documents: written(
      helmet({
        ...common,
        contentSecurityPolicy: {
          useDefaults: false,
          directives: {
            defaultSrc: ["'self'"],
            scriptSrc: ["'self'"],
            styleSrc: ["'self'", "'unsafe-inline'"],
            imgSrc: ["'self'", 'data:'],
            workerSrc: ["'self'", 'blob:'],
            objectSrc: ["'none'"],
            frameAncestors: ["'none'"],
            baseUri: ["'self'"],
          },
        },
      }),
    ),
  };
}

/** What the middleware writes on an answer. */
function written(middleware: Middleware): HeaderList {
  const headers: string[] = [];
  const answer = {
    setHeader: (name: string, value: string) => void headers.push(name.toLowerCase(), value),
    removeHeader: () => undefined,
  };
  middleware({} as IncomingMessage, answer as unknown as ServerResponse, (fault) => {
    if (fault !== undefined) throw new Error('the security headers cannot be made', { cause: fault });
  });
  if (headers.length === 0) throw new Error('there are no security headers');
  return headers;
}
