/**
 * The fake exporter: realistic series for the pods that exist, scraped by the rig's Prometheus, steered over HTTP.
 *
 *   GET    /metrics                        the page; 500 during an outage
 *   PUT    /workloads/NAMESPACE/NAME       WorkloadSpec: what the workload's pods do from now on
 *   GET    /workloads/NAMESPACE/NAME       the same with all defaults
 *   DELETE /workloads/NAMESPACE/NAME       its series end
 *   POST   /workloads/NAMESPACE/NAME/faults   adds one Fault;  DELETE clears them all
 *   PUT    /outage                         {"active": true} or false
 *
 * A process of its own, so that it lives on with a rig that is kept.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { PodWatch } from './pod-watch.ts';
import { faultSchema, workloadSchema } from './workload.ts';
import { World, workloadKey } from './world.ts';

const { AEGIS_RIG_API: apiServerUrl = '', AEGIS_RIG_TOKEN: token = '', AEGIS_RIG_PORT: port = '0' } = process.env;

const world = new World();
const watches = new Map<string, PodWatch>();
let outage = false;

type Reply = readonly [status: number, body: unknown];

/** One watch for each namespace that has a workload, none for the others. */
function syncWatches(): void {
  const wanted = new Set([...world.workloads.keys()].map((key) => key.split('/')[0] ?? ''));
  for (const namespace of wanted) {
    if (!watches.has(namespace)) watches.set(namespace, new PodWatch(apiServerUrl, token, namespace));
  }
  for (const [namespace, watch] of watches) {
    if (wanted.has(namespace)) continue;
    watch.stop();
    watches.delete(namespace);
  }
}

function metrics(): Reply {
  if (outage) return [500, 'outage asked for'];
  return [
    200,
    world.render(
      [...watches.values()].flatMap((watch) => watch.list()),
      Date.now(),
    ),
  ];
}

function onWorkload(method: string, key: string, body: unknown): Reply {
  const workload = world.workloads.get(key);
  if (method === 'GET') return workload === undefined ? [404, 'no such workload'] : [200, workload];
  if (method === 'PUT') world.workloads.set(key, workloadSchema.parse(body));
  else if (method === 'DELETE') world.workloads.delete(key);
  else return [405, 'GET, PUT or DELETE'];
  syncWatches();
  return [204, undefined];
}

function onFaults(method: string, key: string, body: unknown): Reply {
  const workload = world.workloads.get(key);
  if (workload === undefined) return [404, `no workload ${key}: PUT it first`];
  if (method !== 'POST' && method !== 'DELETE') return [405, 'POST or DELETE'];
  const faults = method === 'POST' ? [...workload.faults, faultSchema.parse(body)] : [];
  world.workloads.set(key, { ...workload, faults });
  return [204, undefined];
}

function route(method: string, path: string, body: unknown): Reply {
  const [first = '', namespace = '', name = '', sub] = path.split('/').slice(1).map(decodeURIComponent);
  if (first === 'metrics') return metrics();
  if (first === 'outage' && method === 'PUT') {
    outage = z.strictObject({ active: z.boolean() }).parse(body).active;
    return [204, undefined];
  }
  if (first !== 'workloads' || namespace === '' || name === '') return [404, 'no such page'];
  const key = workloadKey(namespace, name);
  return sub === 'faults' ? onFaults(method, key, body) : onWorkload(method, key, body);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  let reply: Reply;
  try {
    reply = route(
      request.method ?? '',
      (request.url ?? '').split('?')[0] ?? '',
      text === '' ? undefined : JSON.parse(text),
    );
  } catch (error) {
    reply = [400, error instanceof z.ZodError ? z.prettifyError(error) : String(error)];
  }
  const [status, body] = reply;
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/plain; version=0.0.4' : 'application/json' });
  response.end(isText || body === undefined ? body : JSON.stringify(body));
}

createServer((request, response) => void answer(request, response)).listen(Number(port), '127.0.0.1');
