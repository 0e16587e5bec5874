#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf } from '../lib/thrown.ts';
import { err, ok } from '../lib/result.ts';
import { SUBCOMMANDS } from './commands/all.ts';
import { runProgram } from './program.ts';
import type { Services } from './services.ts';

/** Composition root of the command-line tool: the only file of this room that constructs adapters, each when it is asked for. */
const services: Services = {
  terminal: {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    nowMs: () => Date.now(),
    async readFile(path) {
      try {
        return ok(await readFile(path === '-' ? '/dev/stdin' : path, 'utf8'));
      } catch (error) {
        return err(`${path}: cannot be read: ${messageOf(error)}`);
      }
    },
  },
  async openCluster({ kubeconfig, context }) {
    const { openCluster } = await import('./adapters/cluster.ts');
    return openCluster({ env: process.env, ...(kubeconfig && { kubeconfig }), ...(context && { context }) });
  },
  openRest: ({ url, apiKey }) => ({
    async get(path) {
      const { getJson } = await import('./adapters/rest.ts');
      return getJson(new URL(path, url), apiKey ?? process.env['AEGIS_API_KEY']);
    },
    async post(path, body) {
      const { postJson } = await import('./adapters/rest.ts');
      return postJson(new URL(path, url), apiKey ?? process.env['AEGIS_API_KEY'], body);
    },
  }),
  async openMetrics(url) {
    const { openMetrics } = await import('./adapters/metrics.ts');
    return openMetrics(process.env, url);
  },
  async openDatabase({ dataDir }) {
    const { openDatabase } = await import('./adapters/database.ts');
    return openDatabase(process.env, dataDir, () => Date.now());
  },
  async readConfiguration() {
    const { readConfiguration } = await import('./adapters/configuration.ts');
    return readConfiguration(process.env);
  },
};

const name = basename(process.argv[1] ?? '').startsWith('kubectl-') ? 'kubectl aegis' : 'aegis';
process.exitCode = await runProgram(process.argv.slice(2), services, SUBCOMMANDS, name);
