import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/**
 * A metrics server in a process of its own, so that its work is not counted: it knows the pods of one namespace and
 * answers every query with a value and a sample time for each of them. `argv`: namespace, pods, pods of a workload.
 */
const [namespace = '', pods = '0', podsEach = '1'] = process.argv.slice(2);
const PROBES = [
  'container_cpu_usage_seconds_total',
  'container_memory_working_set_bytes',
  'container_fs_writes_bytes_total',
  'http_requests_total',
  'http_request_duration_seconds_bucket',
  'http_request_duration_seconds_count',
  'http_request_duration_seconds_sum',
  'container_fs_reads_bytes_total',
];
const names = Array.from({ length: Number(pods) }, (_, i) => `web-${Math.floor(i / Number(podsEach))}-${i}`);

function rows(query: string, time: number): readonly object[] {
  if (query.startsWith('count by')) {
    return PROBES.map((name) => ({ metric: { namespace, __name__: name }, value: [time, '9'] }));
  }
  return names.flatMap((pod, i) => [
    { metric: { namespace, pod }, value: [time, String(20 + (i % 7) + Math.sin(time / 60 + i))] },
    { metric: { namespace, pod, aegis_time: '0' }, value: [time, String(time - 1)] },
  ]);
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const parameters = new URLSearchParams(Buffer.concat(chunks).toString());
    // Its clock is that of the measurement, which does not wait between polls.
    const result = rows(parameters.get('query') ?? '', Number(request.headers['x-now-ms']) / 1000);
    response.sendDate = false;
    const body = JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(body));
  });
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
