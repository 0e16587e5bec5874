import type { SpanContext } from '@opentelemetry/api';
import type { Log } from '../lib/log.ts';

export interface TracingSetting {
  /** Base address of the collector; `/v1/traces` is added. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Share of the traces that begin here. */
  readonly ratio: number;
  readonly version: string;
  readonly log: Log;
}

interface TracedRequest {
  readonly method: string;
  /** As the OpenAPI document writes it; never the address itself, which may hold names. */
  readonly route: string;
  readonly requestId: string;
  readonly traceparent?: string;
}

export interface Tracing {
  begin(request: TracedRequest): { end(status: number): void };
  /** Sends what waits, for at most a few seconds. */
  stop(): Promise<void>;
}

const EXPORT_TIMEOUT_MS = 5_000;
/** Spans that may wait for the collector; the next ones are dropped. */
const MAX_WAITING = 2_048;

/**
 * Traces of requests over OTLP. OpenTelemetry's SDK and exporter are loaded here and nowhere else, so that an installation without a
 * collector pays nothing for it. A collector that does not answer costs its traces and nothing more.
 */
export async function createTracing({ endpoint, headers, ratio, version, log }: TracingSetting): Promise<Tracing> {
  const {
    context: contexts,
    diag,
    DiagLogLevel,
    ROOT_CONTEXT,
    SpanKind,
    SpanStatusCode,
    trace,
  } = await import('@opentelemetry/api');
  const { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } =
    await import('@opentelemetry/sdk-trace');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');

  const quiet = (): void => undefined;
  const complain = (why: string): void => log.warn('traces cannot be sent', { why });
  diag.setLogger(
    { error: complain, warn: quiet, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: { ...headers },
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'aegis', 'service.version': version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter, maxQueueSize: MAX_WAITING, exportTimeoutMillis: EXPORT_TIMEOUT_MS }),
    ],
  });
  const tracer = provider.getTracer('aegis', version);

  return {
    begin: ({ method, route, requestId, traceparent }) => {
      const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
      const span = tracer.startSpan(
        `${method} ${route}`,
        {
          kind: SpanKind.SERVER,
          attributes: { 'http.request.method': method, 'http.route': route, 'aegis.request_id': requestId },
        },
        parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(contexts.active(), parent),
      );
      return {
        end: (status) => {
          span.setAttribute('http.response.status_code', status);
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    stop: async () => {
      await provider.shutdown().catch((error: unknown) => log.warn('traces are lost at the end', { error }));
      diag.disable();
    },
  };
}

/** https://www.w3.org/TR/trace-context/: `version-traceid-spanid-flags`; what is not one is ignored. */
export function parseTraceparent(text: string): SpanContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '0'] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/.exec(text) ?? [];
  if (version === undefined || version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}
